//! `teardown`: one step nearer to nothing left of an environment. Called again until it is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::Target;

/// Whose environment to tear down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct TeardownRequest {
    /// The environment.
    pub target: Target,
}

/// How far the teardown is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct TeardownProgress {
    /// Whether nothing that carries the pull request's tags is left, and the receipt is written.
    pub done: bool,
    /// One line for people: what is being deleted, or the receipt.
    pub summary: String,
    /// What cannot be deleted, by ARN; empty while all goes well.
    pub stuck: Vec<String>,
}

/// Empties buckets, deletes stacks in order, checks by tag that nothing is left, and writes the receipt.
pub struct Teardown;

/// What `teardown` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum TeardownError {
    /// The pull request was opened again meanwhile.
    Superseded,
    /// AWS did not answer in time.
    Unavailable,
}

impl Teardown {
    /// The name of the artifacts bucket.
    pub const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
}

impl Handler for Teardown {
    type Input = TeardownRequest;
    type Output = TeardownProgress;
    type Error = TeardownError;
    const NAME: &'static str = "teardown";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET, Self::TABLE, Self::PROJECT];
}
