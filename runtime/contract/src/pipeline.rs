//! `start_pipeline`, `check_pipeline`, `stop_pipeline`: one execution of a CodePipeline, from start to end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::{Run, Source, Target};

/// Which of a project's pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum PipelineKind {
    /// The one that runs the unit tests of every pull request.
    UnitTest,
    /// The deploy pipeline of the target's environment.
    Deploy,
}

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct StartRequest {
    /// Whom the execution is for. With the kind and the attempt it makes the client token: a repeated start is the same execution.
    pub target: Target,
    /// Which pipeline.
    pub kind: PipelineKind,
    /// The exact object version to run on.
    pub source: Source,
    /// Which start it is, from 0: one that did not come to run is started anew, as another execution.
    pub attempt: u64,
}

/// An execution to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct RunQuery {
    /// Whom it is for.
    pub target: Target,
    /// The execution.
    pub run: Run,
}

/// Where an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It runs, or waits to.
    Running,
    /// Every action succeeded.
    Succeeded,
    /// What the commit asks for was carried out, and failed.
    Failed,
    /// It could not be carried out, and may be later: AWS was at a limit, or out of order.
    Refused,
    /// It could not be carried out, and will not be by itself: a right is missing, or an image, or its source.
    Broken,
    /// It was stopped, or a newer execution took its place.
    Stopped,
}

/// How an execution goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Progress {
    /// Where it is.
    pub state: RunState,
    /// One line for people: the stage at work, or the failed stage and action with its message.
    pub summary: String,
    /// The page with the log, or with the execution.
    pub url: String,
}

/// Executions to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct StopRequest {
    /// The executions; those that have ended are passed over.
    pub runs: Vec<Run>,
    /// Why, for CodePipeline's history.
    pub reason: String,
}

/// What was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Stopped {
    /// How many executions were asked to stop.
    pub count: u32,
}

/// Starts a pipeline on an exact object version.
pub struct StartPipeline;

/// Maps an execution's status, and names what failed.
pub struct CheckPipeline;

/// Stops executions that nobody waits for any more, and the builds that they are at.
pub struct StopPipeline;

/// What `start_pipeline` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum StartPipelineError {
    /// There is no such pipeline.
    PipelineMissing,
    /// The pipeline runs as many executions as it may.
    LimitExceeded,
    /// A newer generation has claimed the pull request.
    Superseded,
    /// CodePipeline or DynamoDB did not answer in time.
    Unavailable,
}

/// What `check_pipeline` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum CheckPipelineError {
    /// A newer generation has claimed the pull request.
    Superseded,
    /// CodePipeline, CodeBuild or DynamoDB did not answer in time.
    Unavailable,
}

/// What `stop_pipeline` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum StopPipelineError {
    /// CodePipeline or CodeBuild did not answer in time.
    Unavailable,
}

impl StartPipeline {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
    /// The project's configuration as JSON, which names the pipelines.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
}

impl CheckPipeline {
    /// The name of the table of records.
    pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
}

impl Handler for StartPipeline {
    type Input = StartRequest;
    type Output = Run;
    type Error = StartPipelineError;
    const NAME: &'static str = "start_pipeline";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE, Self::PROJECT];
}

impl Handler for CheckPipeline {
    type Input = RunQuery;
    type Output = Progress;
    type Error = CheckPipelineError;
    const NAME: &'static str = "check_pipeline";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE];
}

impl Handler for StopPipeline {
    type Input = StopRequest;
    type Output = Stopped;
    type Error = StopPipelineError;
    const NAME: &'static str = "stop_pipeline";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
}
