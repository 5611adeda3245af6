//! The data that most steps share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::Shape;

/// What is to become of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Test the head commit; deploy the pull request's environment if it may have one.
    Deploy,
    /// The pull request was merged into the stage branch: deploy `stage`, then tear its environment down.
    Promote,
    /// The pull request was closed, or may not have an environment any more: tear it down.
    TearDown,
    /// Nothing; [`Verified::reason`](crate::Verified::reason) says why.
    Ignore,
}

/// What a webhook or the reconciler says of a pull request. A hint, until it is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Change {
    /// The base repository, `owner/name`: statuses and comments go there, wherever the head comes from.
    pub repository: String,
    /// The pull request's number.
    pub number: u32,
    /// The commit to work on: the head, or the merge commit once it is merged. Forty hexadecimal digits.
    pub sha: String,
    /// The repository that the head is in, `owner/name`; empty if it was deleted.
    pub head_repository: String,
    /// Whether it is open; if not, it was closed or merged.
    pub open: bool,
    /// Whether the code may be deployed: not a fork, or approved at exactly this commit.
    pub trusted: bool,
    /// Whether the pull request carries the label that an environment needs; true where none is needed.
    pub labelled: bool,
    /// GitHub's `updated_at` of the pull request, `2026-01-31T12:00:00Z`: orders events that arrive out of order.
    pub updated_at: String,
    /// GitHub's `merged_at`, in the same form; absent unless it was merged. Orders the promotions of `stage`.
    pub merged_at: Option<String>,
    /// The head that a push replaced; orders pushes within the one second that `updated_at` resolves.
    pub before: Option<String>,
    /// Whether the event is the pull request's reopening: it wins over a closing of the same second.
    pub reopened: bool,
    /// The generation of the record that the reconciler compared with GitHub, 0 if there was none; absent of a webhook.
    /// A repair is claimed only if the record is still that one.
    pub compared: Option<u64>,
    /// The webhook's delivery GUID, or the reconciler's execution; for logs only, since it is not signed.
    pub delivery: String,
}

/// The commit and environment that an execution works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Target {
    /// The base repository, `owner/name`.
    pub repository: String,
    /// The pull request's number.
    pub number: u32,
    /// The commit, forty hexadecimal digits.
    pub sha: String,
    /// The environment, `pr-17` or `stage`.
    pub environment: String,
    /// Which claim of the pull request this is; a greater one in the record supersedes it.
    pub generation: u64,
}

/// A commit's files in S3, ready for CodePipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Source {
    /// The object's key, `source/<owner>/<name>/<number>/<sha>.zip`.
    pub key: String,
    /// The object's version: what the pipelines are pinned to.
    pub version_id: String,
    /// The zip's size in bytes.
    pub size: u64,
    /// The zip's SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// One execution of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Run {
    /// The pipeline's name.
    pub pipeline: String,
    /// The execution's id.
    pub execution_id: String,
}
