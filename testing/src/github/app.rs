//! A GitHub App: its key, the proofs that it signs, and the tokens that it gets for them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The app's id.
pub(super) const APP: u64 = 1_234;
/// Its installation.
pub(super) const INSTALLATION: u64 = 5_678;
/// The longest that GitHub takes a proof for.
const LONGEST: u64 = 600;

pub(super) struct App {
    key: RsaKeyPair,
    /// The tokens that were made, each with its end.
    tokens: Vec<(String, SystemTime)>,
    /// How long a token lives.
    pub(super) lifetime: Duration,
    /// What its installation may do with webhooks: `read` or `write`; none if nothing.
    pub(super) webhooks: Option<&'static str>,
}

impl App {
    pub(super) fn new() -> Self {
        Self {
            key: RsaKeyPair::generate(KeySize::Rsa2048)
                .unwrap_or_else(|fault| panic!("an RSA key of 2,048 bits can be made: {fault}")),
            tokens: Vec::new(),
            lifetime: Duration::from_secs(3_600),
            webhooks: Some("write"),
        }
    }

    /// The key as GitHub gives it to people: PKCS#1 as PEM.
    pub(super) fn pem(&self) -> String {
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = self
            .key
            .as_der()
            .unwrap_or_else(|fault| panic!("the key can be written: {fault}"));
        // PKCS#8 is PKCS#1 after 26 bytes that say that it is RSA.
        let text = STANDARD.encode(&pkcs8.as_ref()[26..]);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
            lines.join("\n")
        )
    }

    /// The credential as the system's secret holds it.
    pub(super) fn credential(&self) -> String {
        json!({"app_id": APP, "installation_id": INSTALLATION, "private_key": self.pem()}).to_string()
    }

    /// What is wrong with a proof, as GitHub checks it.
    pub(super) fn faults(&self, proof: &str) -> Option<&'static str> {
        let parts: Vec<_> = proof.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Some("A JSON web token could not be decoded");
        };
        let decoded = |part: &str| -> Value {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            serde_json::from_slice(&bytes).unwrap_or_default()
        };
        let (header_fields, fields) = (decoded(header), decoded(claims));
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key());
        if header_fields["alg"] != "RS256"
            || public
                .verify(format!("{header}.{claims}").as_bytes(), &signature)
                .is_err()
        {
            return Some("A JSON web token could not be decoded");
        }
        let now = seconds(SystemTime::now());
        let (issued, ends) = (
            fields["iat"].as_u64().unwrap_or(u64::MAX),
            fields["exp"].as_u64().unwrap_or(0),
        );
        if fields["iss"] != json!(APP.to_string()) && fields["iss"] != json!(APP) {
            return Some("Integration not found");
        }
        if issued > now {
            return Some(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            );
        }
        if ends <= now || ends > now + LONGEST {
            return Some("'Expiration time' claim ('exp') is too far in the future");
        }
        None
    }

    /// A new token, and when it ends in RFC 3339.
    pub(super) fn token(&mut self) -> (String, String) {
        let ends = SystemTime::now() + self.lifetime;
        let token = format!("ghs_installation{}", self.tokens.len() + 1);
        self.tokens.push((token.clone(), ends));
        (token, rfc3339(seconds(ends)))
    }

    /// What its tokens may do, as GitHub tells it with one.
    pub(super) fn permissions(&self) -> Value {
        let mut permissions = json!({
            "contents": "read", "deployments": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
            "statuses": "write",
        });
        if let Some(access) = self.webhooks {
            permissions["repository_hooks"] = json!(access);
        }
        permissions
    }

    /// Whether a token is one, and has not ended.
    pub(super) fn knows(&self, token: &str) -> bool {
        let now = SystemTime::now();
        self.tokens.iter().any(|(known, ends)| known == token && *ends > now)
    }

    /// Ends all tokens.
    pub(super) fn revoke(&mut self) {
        self.tokens.iter_mut().for_each(|(_, ends)| *ends = UNIX_EPOCH);
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").finish_non_exhaustive()
    }
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A time as GitHub writes it. The calendar is the proleptic Gregorian one, by days since 1970 in eras of 400 years.
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (
        day - (153 * month + 2) / 5 + 1,
        if month < 10 { month + 3 } else { month - 9 },
    );
    let year = year + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_391_999), "2026-11-22T23:59:59Z");
    }
}
