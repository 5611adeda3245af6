//! Where the functions have what opens GitHub from.

#[cfg(doc)]
use clients::github::Credential;

use crate::secrets::{Secret, SecretError, SecretText};

/// What opens GitHub: a text that is a [`Credential`], and where it is read.
///
/// Until somebody enters one, the secret is a random word that Secrets Manager made, which opens nothing.
#[derive(Debug)]
pub enum Credentials {
    /// A secret of Secrets Manager, which is read when it is needed.
    Secret(Secret),
    /// A value that somebody else has read.
    Value(SecretText),
}

impl Credentials {
    /// The value as it is now.
    pub(super) async fn current(&self) -> Result<SecretText, SecretError> {
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

impl From<SecretText> for Credentials {
    fn from(value: SecretText) -> Self {
        Self::Value(value)
    }
}
