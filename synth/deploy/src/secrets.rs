//! GitHub's credentials: where they come from, and where the functions read them. They are never an argument, and nothing here can
//! show them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clients::github::{Credential, Unusable};
pub use clients::secret::SecretText;

use crate::account::Account;
use crate::error::{Error, aws};

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input, to its end.
    StandardInput,
    /// A file.
    File(PathBuf),
}

/// A secret as Secrets Manager holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The value.
    pub value: SecretText,
    /// Its version: another value has another.
    pub version: String,
}

impl Source {
    /// `-` is standard input, all else a file.
    pub fn of(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::StandardInput
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Reads the secret: a token, or a GitHub App whose key can be used.
    ///
    /// # Errors
    /// Where there is none.
    pub fn read(&self) -> Result<SecretText, Error> {
        let (path, read) = match self {
            Self::StandardInput => {
                let mut text = String::new();
                let read = std::io::stdin().lock().read_to_string(&mut text).map(|_| text);
                (Path::new("standard input"), read)
            }
            Self::File(path) => (path.as_path(), std::fs::read_to_string(path)),
        };
        let unreadable = |why: String| Error::Unreadable {
            path: path.to_owned(),
            why,
            help: "name a file that holds a GitHub token and nothing else, or a GitHub App as JSON",
        };
        let text = read.map_err(|error| unreadable(error.to_string()))?;
        let secret = SecretText::new(text.trim());
        if secret.reveal().is_empty() {
            return Err(unreadable("it is empty".to_owned()));
        }
        usable(&secret).map_err(|unusable| unreadable(unusable.to_string()))?;
        Ok(secret)
    }
}

/// Refuses what GitHub need not be asked about.
fn usable(secret: &SecretText) -> Result<(), Unusable> {
    match Credential::of(secret)? {
        Credential::Token(_) => Ok(()),
        Credential::App(app) => app.proof(SystemTime::now()).map(drop),
    }
}

/// A secret's value as it is now; none if there is no such secret, or no value of it.
///
/// # Errors
/// Where Secrets Manager does not say.
pub async fn stored(account: &Account, id: &str) -> Result<Option<Stored>, Error> {
    match account.secrets.get_secret_value().secret_id(id).send().await {
        Ok(answer) => Ok(Some(Stored {
            value: SecretText::new(answer.secret_string().unwrap_or_default()),
            version: answer.version_id.unwrap_or_default(),
        })),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(aws(format!("cannot read the secret {id}"), &error)),
    }
}

/// Puts a value where the functions read it.
///
/// # Errors
/// Where Secrets Manager refuses.
pub async fn store(account: &Account, id: &str, value: &SecretText) -> Result<(), Error> {
    let put = account
        .secrets
        .put_secret_value()
        .secret_id(id)
        .secret_string(value.reveal());
    put.send()
        .await
        .map(drop)
        .map_err(|error| aws(format!("cannot set the secret {id}"), &error))
}
