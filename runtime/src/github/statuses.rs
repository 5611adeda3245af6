//! Commit statuses.

use http::Method;
use serde::Serialize;
use serde_json::json;

use super::message::Call;
use super::{Client, Error, repository, segment};
use crate::functions::Invocation;

/// A commit status, see <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// What sets it apart from other statuses of the commit; case does not count.
    pub context: String,
    /// How it stands.
    pub state: CommitState,
    /// One line, at most 140 characters.
    pub description: String,
    /// The page with the details, if there is one.
    pub target_url: Option<String>,
}

/// How a commit status stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitState {
    /// It is at work.
    Pending,
    /// It succeeded.
    Success,
    /// What was checked failed.
    Failure,
    /// The check itself failed.
    Error,
}

impl Client {
    /// Sets a commit's status. The latest of a context counts, so that setting it again does no harm.
    ///
    /// # Errors
    /// All of [`Error`]; a commit that is not there, or has a thousand statuses of the context, is [`Error::Refused`] with 422.
    pub async fn set_status(
        &self,
        repository_name: &str,
        sha: &str,
        status: &CommitStatus,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let path = format!("{}/statuses/{}", repository(repository_name), segment(sha));
        let what = format!("the status {} of {repository_name}@{sha}", status.context);
        let body = json!({
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
        });
        let call = Call::with_body(Method::POST, path, what, &body);
        self.transport.send(&call, invocation).await.map(drop)
    }
}
