//! `apply_stack`, `check_stack`: the stack with an environment's deploy pipeline, created or brought up to date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::Target;

/// Whose deploy pipeline to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct ApplyRequest {
    /// The environment.
    pub target: Target,
}

/// What was set in motion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct StackChange {
    /// The stack's id, which outlives its name.
    pub stack_id: String,
    /// Whether CloudFormation is at work; if not, the stack is as it should be.
    pub changing: bool,
}

/// A stack to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct StackQuery {
    /// Whom it is for.
    pub target: Target,
    /// The stack's id.
    pub stack_id: String,
}

/// Where a stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum StackState {
    /// CloudFormation is at work.
    Changing,
    /// The stack is as it should be.
    Complete,
    /// It failed or was rolled back.
    Failed,
}

/// How a stack's change goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct StackProgress {
    /// Where it is.
    pub state: StackState,
    /// One line for people; after a failure the first event that caused it.
    pub summary: String,
    /// The page with the stack's events.
    pub url: String,
}

/// Synthesizes the template in process and applies it through a change set.
pub struct ApplyStack;

/// Reports a stack's progress, and the root cause of a failure.
pub struct CheckStack;

/// What `apply_stack` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum ApplyStackError {
    /// CloudFormation refuses the template, or the stack cannot be mended by applying it.
    StackRejected,
    /// An earlier change is still under way, or an unusable stack is being deleted: try again shortly.
    StackBusy,
    /// A newer generation has claimed the pull request.
    Superseded,
    /// CloudFormation, S3 or DynamoDB did not answer in time.
    Unavailable,
}

/// What `check_stack` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum CheckStackError {
    /// A newer generation has claimed the pull request.
    Superseded,
    /// CloudFormation or DynamoDB did not answer in time.
    Unavailable,
}

impl ApplyStack {
    /// The name of the artifacts bucket, for templates that are too large to be sent inline.
    pub const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
    /// The ARN of the role that CloudFormation applies the stack with.
    pub const STACK_ROLE: EnvironmentVariable = EnvironmentVariable::named("STACK_ROLE");
}

impl CheckStack {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
}

impl Handler for ApplyStack {
    type Input = ApplyRequest;
    type Output = StackChange;
    type Error = ApplyStackError;
    const NAME: &'static str = "apply_stack";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET, Self::TABLE, Self::PROJECT, Self::STACK_ROLE];
}

impl Handler for CheckStack {
    type Input = StackQuery;
    type Output = StackProgress;
    type Error = CheckStackError;
    const NAME: &'static str = "check_stack";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE];
}
