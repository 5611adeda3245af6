//! Who asks GitHub: a token, or a GitHub App that makes itself a token of one installation for an hour at a time.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;

use crate::secrets::{Secret, SecretError, SecretValue};

/// How long an App's own proof is good for; GitHub takes at most ten minutes. A minute is taken off its start for clocks that differ,
/// see <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.
const PROOF: Duration = Duration::from_secs(540);
const CLOCKS: Duration = Duration::from_secs(60);

/// What opens GitHub.
///
/// The value is a token and nothing else, or, for a GitHub App, the JSON object
/// `{"app_id": 1234, "installation_id": 5678, "private_key": "-----BEGIN RSA PRIVATE KEY-----\n…"}`. An App's `app_id` may be its
/// client id too. Until somebody enters one, the secret is a random word that Secrets Manager made, which opens nothing.
#[derive(Debug)]
pub enum Credentials {
    /// A secret of Secrets Manager, which is read when it is needed.
    Secret(Secret),
    /// A value that somebody else has read.
    Value(SecretValue),
}

/// What a value says it is.
pub(super) enum Kind {
    /// Sent as it is.
    Token(SecretValue),
    /// Exchanged for a token.
    App(App),
}

/// A GitHub App, installed somewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    app_id: Id,
    installation_id: Id,
    private_key: String,
}

/// People write them with quotes or without.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Credentials {
    /// The value as it is now.
    pub(super) async fn current(&self) -> Result<SecretValue, SecretError> {
        match self {
            Self::Secret(secret) => secret.current().await,
            Self::Value(value) => Ok(value.clone()),
        }
    }

    /// Has the value read again next time. Says whether that can make a difference.
    pub(super) async fn forget(&self) -> bool {
        match self {
            Self::Secret(secret) => {
                secret.forget().await;
                true
            }
            Self::Value(_) => false,
        }
    }
}

impl From<Secret> for Credentials {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<SecretValue> for Credentials {
    fn from(value: SecretValue) -> Self {
        Self::Value(value)
    }
}

impl Kind {
    /// What a value says it is, or in words what it should be. The words never repeat any of the value.
    pub(super) fn of(value: &SecretValue) -> Result<Self, String> {
        let text = value.expose().trim();
        if text.starts_with('{') {
            // serde_json's own words quote the text, which may be the key.
            return serde_json::from_str(text).map(Self::App).map_err(|fault| {
                format!(
                    "the secret is no GitHub App as JSON (line {}, column {}): write {{\"app_id\": …, \"installation_id\": …, \"private_key\": \"…\"}}",
                    fault.line(),
                    fault.column()
                )
            });
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the secret is no token: a token is one word; enter one, or a GitHub App as JSON".to_owned());
        }
        Ok(Self::Token(SecretValue::new(text)))
    }
}

impl App {
    /// The path that makes a token of the installation.
    pub(super) fn tokens(&self) -> String {
        format!(
            "/app/installations/{}/access_tokens",
            super::segment(&self.installation_id.to_string())
        )
    }

    /// The App's own proof of who it is: a JSON Web Token, signed with its key (RS256).
    pub(super) fn proof(&self, now: SystemTime) -> Result<SecretValue, String> {
        let unusable = "the private key of the GitHub App cannot be used: enter the PEM file that GitHub gave, with its line breaks as \\n";
        let key = PrivateKeyDer::from_pem_slice(self.private_key.as_bytes()).map_err(|_| unusable)?;
        let key = any_supported_type(&key).map_err(|_| unusable)?;
        let signer = key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .ok_or(unusable)?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let claims = json!({
            "iat": now.saturating_sub(CLOCKS).as_secs(),
            "exp": (now + PROOF).as_secs(),
            "iss": self.app_id.to_string(),
        });
        let signed = format!("{}.{}", encode(json!({"alg": "RS256", "typ": "JWT"})), encode(claims));
        let signature = signer.sign(signed.as_bytes()).map_err(|_| unusable)?;
        Ok(SecretValue::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(value: &str) -> String {
        match Kind::of(&SecretValue::new(value)) {
            Ok(_) => panic!("it is taken for a credential"),
            Err(words) => words,
        }
    }

    #[test]
    fn a_token_is_taken_without_the_line_break_that_an_editor_left() {
        let Ok(Kind::Token(token)) = Kind::of(&SecretValue::new(" github_pat_1A2b\n")) else {
            panic!("a token");
        };
        assert_eq!(token.expose(), "github_pat_1A2b");
    }

    #[test]
    fn what_is_no_credential_is_refused_without_being_shown() {
        for value in [
            "",
            "  ",
            "two words",
            "tok\u{e9}n",
            "{\"app_id\": 1, \"key\": \"hush-hush\"}",
            "{hush-hush",
        ] {
            let words = refusal(value);
            assert!(words.contains("enter one") || words.contains("write {"), "{words}");
            assert!(!words.contains("hush-hush") && !words.contains("two words"), "{words}");
        }
    }

    #[test]
    fn an_app_with_an_unusable_key_is_told_so_without_the_key() {
        let value = r#"{"app_id": "Iv1.0a", "installation_id": 5678, "private_key": "hush-hush"}"#;
        let Ok(Kind::App(app)) = Kind::of(&SecretValue::new(value)) else {
            panic!("an app");
        };
        assert_eq!(app.tokens(), "/app/installations/5678/access_tokens");
        let words = app.proof(UNIX_EPOCH).map(|_| ()).unwrap_err();
        assert!(words.contains("PEM") && !words.contains("hush"), "{words}");
    }
}
