//! `report`: what GitHub shows. Commit status, deployment, and the one comment of a pull request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::Target;

/// The part of the pipeline that a report is about; each has a commit status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The unit tests.
    UnitTest,
    /// The environment's deployment.
    Deploy,
    /// The environment's teardown.
    Teardown,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is at work.
    Pending,
    /// It succeeded.
    Success,
    /// The pull request's own code failed it.
    Failure,
    /// The pipeline failed it.
    Error,
    /// It was left out, and why is in the summary.
    Skipped,
}

/// What to tell GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct ReportRequest {
    /// The commit and environment.
    pub target: Target,
    /// Which step.
    pub step: Step,
    /// How it stands.
    pub outcome: Outcome,
    /// One line for people; cut to the 140 characters that a status takes.
    pub summary: String,
    /// The page with the details, if there is one.
    pub url: Option<String>,
}

/// What GitHub has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Reported {
    /// The comment's page.
    pub comment_url: String,
}

/// Sets the commit status, the deployment's status and the comment.
pub struct Report;

/// What `report` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum ReportError {
    /// GitHub refuses: the credential lacks a right, or the commit is gone.
    ReportRejected,
    /// A newer generation has claimed the pull request.
    Superseded,
    /// GitHub did not answer in time, or asks to wait longer than the function may.
    Unavailable,
}

impl Report {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The ARN of the secret with GitHub's credentials.
    pub const GITHUB_CREDENTIALS: EnvironmentVariable = EnvironmentVariable::named("GITHUB_CREDENTIALS");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
}

impl Handler for Report {
    type Input = ReportRequest;
    type Output = Reported;
    type Error = ReportError;
    const NAME: &'static str = "report";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE, Self::GITHUB_CREDENTIALS, Self::PROJECT];
}
