//! `fetch_source`: a commit's zipball, from GitHub to S3, its root folder stripped on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::{Source, Target};

/// Which commit to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct FetchRequest {
    /// The commit and whom it is for.
    pub target: Target,
}

/// Streams the zipball into the artifacts bucket.
pub struct FetchSource;

/// What `fetch_source` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum FetchSourceError {
    /// The archive is hostile, broken, or not of the commit that was asked for.
    SourceRejected,
    /// GitHub does not have the commit, or does not show it to this credential.
    SourceMissing,
    /// A newer generation has claimed the pull request.
    Superseded,
    /// GitHub or S3 did not answer in time.
    Unavailable,
}

impl FetchSource {
    /// The name of the artifacts bucket.
    pub const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The ARN of the secret with GitHub's credentials.
    pub const GITHUB_CREDENTIALS: EnvironmentVariable = EnvironmentVariable::named("GITHUB_CREDENTIALS");
    /// The base address of GitHub's REST API.
    pub const GITHUB_API: EnvironmentVariable = EnvironmentVariable::named("GITHUB_API");
}

impl Handler for FetchSource {
    type Input = FetchRequest;
    type Output = Source;
    type Error = FetchSourceError;
    const NAME: &'static str = "fetch_source";
    const ENVIRONMENT: &'static [EnvironmentVariable] =
        &[Self::BUCKET, Self::TABLE, Self::GITHUB_CREDENTIALS, Self::GITHUB_API];
}
