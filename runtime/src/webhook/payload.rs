//! The shapes of GitHub's `pull_request` event and of its API's pull requests, as far as a decision needs them, see
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request> and
//! <https://docs.github.com/en/rest/pulls/pulls>.

use serde::Deserialize;

/// Why a body that is signed, or was about to be verified, is refused. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A part did not come as base64.
    #[error("the {0} is no base64\n  help: pass it on as `$util.base64Encode` writes it")]
    NoBase64(&'static str),
    /// A part is not UTF-8.
    #[error("the {0} is not UTF-8\n  help: let GitHub send `application/json`")]
    NoUtf8(&'static str),
    /// A part is too large.
    #[error("the {part} has {size} bytes, allowed are {most}\n  help: the reconciler picks the pull request up")]
    TooLarge {
        /// Which.
        part: &'static str,
        /// Its size in bytes.
        size: usize,
        /// What is allowed.
        most: usize,
    },
    /// The body is no JSON, or lacks what the event promises.
    #[error(
        "the body of `{event}` is {what} at line {line}, column {column}\n  help: let GitHub send `application/json`"
    )]
    Shape {
        /// The event, one that is read.
        event: &'static str,
        /// What it is.
        what: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field holds what GitHub never writes there.
    #[error("`{field}` of the pull request is not {allowed}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The pull request's number has no room in the names of its resources.
    #[error("{0}")]
    Number(String),
}

/// A pull request as the webhook and the API describe it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Whether it is open.
    pub state: PullRequestState,
    /// Whether it is a draft; repositories without drafts do not say.
    #[serde(default)]
    pub draft: Option<bool>,
    /// When anything of it changed last, `2026-01-31T12:00:00Z`.
    pub updated_at: String,
    /// When it was merged; absent unless it was.
    #[serde(default)]
    pub merged_at: Option<String>,
    /// The merge commit once it is merged, a trial merge before.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// Where its commits are.
    pub head: Head,
    /// What it is to be merged into.
    pub base: Branch,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// It is.
    Open,
    /// It was closed, merged or not.
    Closed,
}

/// The newest commit of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// The commit.
    pub sha: String,
    /// The repository that it is in; absent once that is deleted.
    #[serde(default)]
    pub repo: Option<Repository>,
}

/// The branch that a pull request is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// The branch.
    #[serde(rename = "ref")]
    pub name: String,
    /// The repository that it is in.
    pub repo: Repository,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: String,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
}

/// What a `pull_request` event is about: what an event needs that is ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) action: String,
    pub(super) repository: Repository,
}

/// The label that was given or taken.
#[derive(Debug, Deserialize)]
pub(super) struct Labelled {
    #[serde(default)]
    pub(super) label: Option<Label>,
}

/// What was edited.
#[derive(Debug, Deserialize)]
pub(super) struct Edited {
    #[serde(default)]
    pub(super) changes: Option<Changes>,
}

/// The rest of the body, which only matters where something is decided.
#[derive(Debug, Deserialize)]
pub(super) struct PullRequestEvent {
    pub(super) pull_request: PullRequest,
    /// The head before a push.
    #[serde(default)]
    pub(super) before: Option<String>,
}

/// What an edit changed. Only the base branch matters, and only that it is there.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Changes {
    #[serde(default)]
    pub(super) base: Option<serde::de::IgnoredAny>,
}

impl PullRequest {
    /// Passes if the pull request holds what GitHub writes: what comes from here ends up in names and addresses.
    ///
    /// # Errors
    /// [`PayloadError::Field`] and [`PayloadError::Number`].
    pub fn check(&self) -> Result<u32, PayloadError> {
        let number = stacks::PullRequest::new(self.number).map_err(|error| PayloadError::Number(error.to_string()))?;
        let commit = |field, sha: &str| require(is_commit(sha), field, "a commit, 40 lower-case hexadecimal digits");
        commit("head.sha", &self.head.sha)?;
        if let Some(sha) = &self.merge_commit_sha {
            commit("merge_commit_sha", sha)?;
        }
        let time = |field, text: &str| require(is_time(text), field, "a time such as 2026-01-31T12:00:00Z");
        time("updated_at", &self.updated_at)?;
        if let Some(merged_at) = &self.merged_at {
            time("merged_at", merged_at)?;
            require(
                self.merge_commit_sha.is_some(),
                "merge_commit_sha",
                "there, though it is merged",
            )?;
        }
        Ok(number.number())
    }
}

fn require(holds: bool, field: &'static str, allowed: &'static str) -> Result<(), PayloadError> {
    if holds {
        Ok(())
    } else {
        Err(PayloadError::Field { field, allowed })
    }
}

/// Whether a text is a commit: 40 lower-case hexadecimal digits.
pub fn is_commit(sha: &str) -> bool {
    sha.len() == 40 && sha.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text is a time as GitHub writes it. Such times are ordered as their texts are.
fn is_time(text: &str) -> bool {
    const FORM: &[u8; 20] = b"0000-00-00T00:00:00Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *form,
        })
}
