//! `reconcile`: compares what GitHub, the records and the stacks say, and starts the executions that mend the difference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

/// How to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct ReconcileRequest {
    /// Only says what it would start.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Reconciled {
    /// How many pull requests and environments were compared.
    pub compared: u32,
    /// The executions that were started, or would be: one line each, for people.
    pub started: Vec<String>,
    /// Whether there was more to start than one run may.
    pub more: bool,
}

/// Repairs what lost webhooks, crashes and people left behind.
pub struct Reconcile;

/// What `reconcile` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum ReconcileError {
    /// GitHub or AWS did not answer in time.
    Unavailable,
}

impl Reconcile {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The ARN of the secret with GitHub's credentials.
    pub const GITHUB_CREDENTIALS: EnvironmentVariable = EnvironmentVariable::named("GITHUB_CREDENTIALS");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
    /// The name of the artifacts bucket, with the packages of `stage`.
    pub const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    /// The ARN of the state machine to start.
    pub const STATE_MACHINE: EnvironmentVariable = EnvironmentVariable::named("STATE_MACHINE");
}

impl Handler for Reconcile {
    type Input = ReconcileRequest;
    type Output = Reconciled;
    type Error = ReconcileError;
    const NAME: &'static str = "reconcile";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[
        Self::TABLE,
        Self::GITHUB_CREDENTIALS,
        Self::PROJECT,
        Self::BUCKET,
        Self::STATE_MACHINE,
    ];
}
