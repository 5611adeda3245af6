//! GitHub's REST API, as far as the handlers use it: on github.com or on an Enterprise Server, with a token or as a GitHub App.
//!
//! - Every method works within its [`Invocation`]: what GitHub asks to wait for is waited for if there is time, and is
//!   [`Error::Unavailable`] if not, with the time in words.
//! - Faults that pass are tried again as GitHub asks, see `retry`. What would make a second one — a comment, a deployment — is
//!   never sent again before it was looked for: see [`Client::ensure_comment`] and [`Client::ensure_deployment`].
//! - The credential goes to the API's base address and nowhere else. It stands in no error, no log and no `Debug` output.
//!
//! It is written on [`https`](crate::https) and not on octocrab, whose retries know no deadline, repeat a `POST` that may have
//! been carried out, and whose errors have lost the headers that say how long to wait; the fourteen requests in use are less code
//! than to work around that, and half a megabyte less of a binary that every cold start loads.
//!
//! It knows nothing of this system: not what a status means, nor when a comment is due.

mod address;
mod comments;
mod credentials;
mod deployments;
mod environments;
mod error;
mod exchange;
mod message;
mod pages;
mod pull_requests;
mod retry;
mod source;
mod statuses;
mod transport;

pub use comments::Comment;
pub use credentials::Credentials;
pub use deployments::{Deployment, DeploymentState, DeploymentStatus, NewDeployment};
pub use environments::Deployed;
pub use error::Error;
pub use pull_requests::{ChangedFiles, PullRequest, State};
pub use source::Zipball;
pub use statuses::{CommitState, CommitStatus};

use std::time::{Duration, SystemTime};

use clients::github::segment;

#[cfg(doc)]
use crate::functions::Invocation;
use crate::functions::StartError;
use crate::https;

use transport::Transport;

/// One GitHub, and who asks it.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// The GitHub whose REST API has this base address: `https://api.github.com`, or `https://github.example.com/api/v3`. Asks nobody
    /// anything yet.
    ///
    /// # Errors
    /// Where the address is none, or the system has no certificates of authorities that it trusts.
    pub fn new(api: &str, credentials: impl Into<Credentials>) -> Result<Self, StartError> {
        let invalid = |problem| StartError::Invalid {
            name: "GITHUB_API",
            problem,
        };
        let base = address::base(api).ok_or_else(|| {
            invalid(format!(
                "is {api:?}, which is no base address\n  help: write https://… without a slash at the end"
            ))
        })?;
        let https = https::client().map_err(|fault| invalid(format!("cannot be reached over TLS: {fault}")))?;
        Ok(Self {
            transport: Transport::new(https, base, credentials.into()),
        })
    }
}

impl Client {
    /// How long the token still lasts, as GitHub said with its last answer: nothing before the first, without an end, or for a GitHub
    /// App, whose key does not end.
    pub fn token_lasts(&self) -> Option<Duration> {
        let end = self.transport.token_ends()?;
        Some(end.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

/// The path of a repository, `owner/name`.
fn repository(name: &str) -> String {
    let (owner, name) = name.split_once('/').unwrap_or((name, ""));
    format!("/repos/{}/{}", segment(owner), segment(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretText;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        assert_eq!(repository("octo-org/octo.repo"), "/repos/octo-org/octo.repo");
        assert_eq!(repository("a/b/../c?d#e"), "/repos/a/b%2F..%2Fc%3Fd%23e");
    }

    #[test]
    fn a_base_address_is_an_address() {
        for api in ["", "api.github.com", "ftp://api.github.com", "https://", "https://a b"] {
            let fault = Client::new(api, SecretText::new("token")).unwrap_err().to_string();
            assert!(
                fault.contains("GITHUB_API") && fault.contains("write https://"),
                "{fault}"
            );
        }
        assert!(Client::new("https://github.example.com/api/v3/", SecretText::new("token")).is_ok());
    }

    #[test]
    fn nothing_shows_the_credential() {
        let client = Client::new("https://api.github.com", SecretText::new("hush-hush")).unwrap();
        assert!(!format!("{client:?}").contains("hush"), "{client:?}");
    }
}
