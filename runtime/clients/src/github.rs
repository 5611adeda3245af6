//! What opens GitHub: a token, or a GitHub App that makes itself a token of one installation for an hour at a time.
//!
//! It reads credentials and signs an App's proof; it asks nobody. How an answer is waited for, and what a refusal means, is up to its
//! users.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::date_time::{DateTime, Format};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::secret::SecretText;

/// How long an App's own proof is good for; GitHub takes at most ten minutes. A minute is taken off its start for clocks that differ,
/// see <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.
const PROOF: Duration = Duration::from_secs(540);
const CLOCKS: Duration = Duration::from_secs(60);
/// How long before its end an installation's token is not used any more.
const MARGIN: Duration = Duration::from_secs(300);
/// What stays as it is in a segment of a path or a value of a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a secret with GitHub's credentials says it is.
///
/// The secret is a token and nothing else, or, for a GitHub App, the JSON object
/// `{"app_id": 1234, "installation_id": 5678, "private_key": "-----BEGIN RSA PRIVATE KEY-----\n…"}`. An App's `app_id` may be its
/// client id too.
#[derive(Debug)]
pub enum Credential {
    /// Sent as it is.
    Token(SecretText),
    /// Exchanged for a token.
    App(App),
}

/// A GitHub App, installed somewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    app_id: Id,
    installation_id: Id,
    private_key: SecretText,
}

/// A token of an App's installation, as GitHub answers who asks for one. See
/// <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>.
#[derive(Debug, Deserialize)]
pub struct InstallationToken {
    /// The token.
    pub token: SecretText,
    #[serde(rename = "expires_at", deserialize_with = "end")]
    ends: SystemTime,
    /// What it may do: `read` or `write` by the name of a permission; what is not named it may not. Null if GitHub does not say.
    #[serde(default)]
    pub permissions: Value,
}

/// Why a secret opens nothing. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is neither a token nor JSON.
    #[error("the secret is no token: a token is one word; enter one, or a GitHub App as JSON")]
    NoToken,
    /// It is JSON, but no App's.
    #[error(
        "the secret is no GitHub App as JSON (line {line}, column {column}): write {{\"app_id\": …, \"installation_id\": …, \"private_key\": \"…\"}}"
    )]
    NoApp {
        /// The line where that shows, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The App's key signs nothing.
    #[error(
        "the private key of the GitHub App cannot be used: enter the PEM file that GitHub gave, with its line breaks as \\n"
    )]
    NoKey,
}

/// People write them with quotes or without.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Credential {
    /// What a secret says it is.
    ///
    /// # Errors
    /// Where it is neither a token nor an App. Whether the App's key can be used shows when it signs.
    pub fn of(secret: &SecretText) -> Result<Self, Unusable> {
        let text = secret.reveal().trim();
        if text.starts_with('{') {
            // serde_json's own words quote the text, which may be the key.
            return serde_json::from_str(text)
                .map(Self::App)
                .map_err(|fault| Unusable::NoApp {
                    line: fault.line(),
                    column: fault.column(),
                });
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Unusable::NoToken);
        }
        Ok(Self::Token(SecretText::new(text)))
    }
}

impl App {
    /// The path that makes a token of the installation.
    pub fn tokens(&self) -> String {
        format!("/app/installations/{}/access_tokens", segment(&self.installation()))
    }

    /// The installation's id.
    pub fn installation(&self) -> String {
        self.installation_id.to_string()
    }

    /// The App's own proof of who it is: a JSON Web Token, signed with its key (RS256).
    ///
    /// # Errors
    /// Where the key is none, or none that signs so.
    pub fn proof(&self, now: SystemTime) -> Result<SecretText, Unusable> {
        let key = PrivateKeyDer::from_pem_slice(self.private_key.reveal().as_bytes()).map_err(|_| Unusable::NoKey)?;
        let key = any_supported_type(&key).map_err(|_| Unusable::NoKey)?;
        let signer = key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .ok_or(Unusable::NoKey)?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let claims = json!({
            "iat": now.saturating_sub(CLOCKS).as_secs(),
            "exp": (now + PROOF).as_secs(),
            "iss": self.app_id.to_string(),
        });
        let signed = format!("{}.{}", encode(json!({"alg": "RS256", "typ": "JWT"})), encode(claims));
        let signature = signer.sign(signed.as_bytes()).map_err(|_| Unusable::NoKey)?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok(SecretText::new(format!("{signed}.{signature}")))
    }
}

impl InstallationToken {
    /// Whether there is time left to use it.
    pub fn lasts(&self) -> bool {
        SystemTime::now() + MARGIN < self.ends
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => formatter.write_str(text.trim()),
        }
    }
}

/// The header in which GitHub says when the token ends that it was asked with; it is missing where the token does not end.
///
/// GitHub documents it nowhere in its reference; its clients read it: <https://github.com/google/go-github/blob/master/github/github.go>
/// (`headerTokenExpiration`).
pub const TOKEN_ENDS: &str = "github-authentication-token-expiration";

/// The end of a token as [`TOKEN_ENDS`] has it: `2027-10-12 09:00:00 UTC`, or with an offset, `2027-10-12 11:00:00 +0200`
/// (<https://github.com/google/go-github/issues/2649>).
pub fn token_end(text: &str) -> Option<SystemTime> {
    let (time, zone) = text.trim().rsplit_once(' ')?;
    let zone = match zone {
        "UTC" => "Z".to_owned(),
        offset => {
            let (hours, minutes) = offset.split_at_checked(3)?;
            format!("{hours}:{minutes}")
        }
    };
    let text = format!("{}{zone}", time.replacen(' ', "T", 1));
    let end = DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(end).ok()
}

/// A segment of a path, or a value of a query: nothing in it can end the segment or the value.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// When a token ends. One that does not say so is used once.
fn end<'a, D: Deserializer<'a>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    let end = DateTime::from_str(&text, Format::DateTimeWithOffset).ok();
    Ok(end.and_then(|end| SystemTime::try_from(end).ok()).unwrap_or(UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(secret: &str) -> String {
        match Credential::of(&SecretText::new(secret)) {
            Ok(_) => panic!("it is taken for a credential"),
            Err(unusable) => unusable.to_string(),
        }
    }

    #[test]
    fn a_token_is_taken_without_the_line_break_that_an_editor_left() {
        let Ok(Credential::Token(token)) = Credential::of(&SecretText::new(" github_pat_1A2b\n")) else {
            panic!("a token");
        };
        assert_eq!(token.reveal(), "github_pat_1A2b");
    }

    #[test]
    fn what_is_no_credential_is_refused_without_being_shown() {
        for secret in [
            "",
            "  ",
            "two words",
            "tok\u{e9}n",
            "{\"app_id\": 1, \"key\": \"hush-hush\"}",
            "{hush-hush",
        ] {
            let words = refusal(secret);
            assert!(words.contains("enter one") || words.contains("write {"), "{words}");
            assert!(!words.contains("hush-hush") && !words.contains("two words"), "{words}");
        }
    }

    #[test]
    fn an_app_with_an_unusable_key_is_told_so_without_the_key() {
        let secret = r#"{"app_id": "Iv1.0a", "installation_id": 5678, "private_key": "hush-hush"}"#;
        let Ok(Credential::App(app)) = Credential::of(&SecretText::new(secret)) else {
            panic!("an app");
        };
        assert_eq!(app.tokens(), "/app/installations/5678/access_tokens");
        let words = app.proof(UNIX_EPOCH).map(|_| ()).unwrap_err().to_string();
        assert!(words.contains("PEM") && !words.contains("hush"), "{words}");
        assert!(!format!("{app:?}").contains("hush"), "{app:?}");
    }

    #[test]
    fn a_token_that_does_not_say_when_it_ends_or_is_about_to_is_not_kept() {
        let lasts = |end: &str| {
            let answer = json!({"token": "ghs_1", "expires_at": end});
            serde_json::from_value::<InstallationToken>(answer).unwrap().lasts()
        };
        assert!(lasts("9999-01-01T00:00:00Z"));
        assert!(!lasts("2016-07-11T22:14:10Z"));
        assert!(!lasts("in an hour"));
    }

    #[test]
    fn the_end_of_a_token_is_read_in_utc_and_with_an_offset() {
        let end = |text| token_end(text).and_then(|end| Some(end.duration_since(UNIX_EPOCH).ok()?.as_secs()));
        let utc = end("2027-10-12 09:00:00 UTC");
        assert_eq!(utc, Some(1_823_331_600));
        assert_eq!(end("2027-10-12 11:00:00 +0200"), utc);
        assert_eq!(end("2027-10-12 04:30:00 -0430"), utc);
        for other in [
            "",
            "UTC",
            "never",
            "2027-10-12",
            "2027-13-12 09:00:00 UTC",
            "2027-10-12 09:00:00 é",
        ] {
            assert_eq!(end(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_text_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("dependabot[bot]"), "dependabot%5Bbot%5D");
        assert_eq!(segment("../c?d#e"), "..%2Fc%3Fd%23e");
    }
}
