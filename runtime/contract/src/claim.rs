//! `claim`: raises a pull request's desired state, so that exactly one execution works on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::{Decision, Run, Target, Verified};

/// What to claim, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct ClaimRequest {
    /// The verified trigger.
    pub verified: Verified,
    /// The ARN of the execution: a claim that is tried again for the same execution gets the same answer.
    pub execution: String,
}

/// The execution's place in the life of its pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Claimed {
    /// What is to be done; `ignore` where another execution does it already or the event is older than what is known.
    pub decision: Decision,
    /// Why, in a sentence for people.
    pub reason: String,
    /// The pull request's environment at the claimed commit.
    pub target: Target,
    /// The environment `stage` at the same commit, for a promotion.
    pub stage: Target,
    /// Whether the commit may be deployed, or only tested: not if it is not trusted, nor if there are as many environments as the
    /// project allows. The reason says which, so that the pull request gets a final status either way.
    pub deployable: bool,
    /// The pipeline executions of earlier generations that still run.
    pub superseded: Vec<Run>,
}

/// Writes the pull request's record on condition that nothing newer is in it.
pub struct Claim;

/// What `claim` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum ClaimError {
    /// DynamoDB did not answer in time.
    Unavailable,
}

impl Claim {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
}

impl Handler for Claim {
    type Input = ClaimRequest;
    type Output = Claimed;
    type Error = ClaimError;
    const NAME: &'static str = "claim";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE, Self::PROJECT];
}
