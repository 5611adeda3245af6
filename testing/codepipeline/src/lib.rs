//! A local CodePipeline with its CodeBuild: what no emulator of AWS executes.
//!
//! It takes pipelines and build projects as CloudFormation declares them, executes them, and answers the calls of both services' APIs as AWS does. What is
//! outside of the two, S3 and CloudFormation and the time, it reaches through traits that its user implements.
mod action;
pub mod archive;
mod build;
mod buildspec;
mod engine;
mod fault;
mod ids;
pub mod memory;
mod pipeline;
mod project;
mod reader;
mod surroundings;
mod variables;

pub use build::{
    BuildInput, BuildProgress, BuildRequest, BuildResult, BuildStatus, Builder, Phase, PhaseKind, Report, RunningBuild,
    Script, ScriptedBuilder,
};
pub use buildspec::{ArtifactSpec, Buildspec, OnFailure, PhaseSpec, ReportSpec, Shell};
pub use engine::{
    ActionStatus, ApiError, Background, BuildRecord, Engine, Event, EventKind, ExecutionStatus, Listener, Settings,
    Surroundings,
};
pub use fault::{Fault, Faults};
pub use pipeline::{Action, ExecutionMode, Pipeline, Provider, Stage, Variable};
pub use project::Project;
pub use surroundings::{
    CallError, ChangeSet, ChangeSetKind, ChangeSetRequest, Clock, ManualClock, Object, Objects, Stack, StackEvent,
    StackRequest, Stacks, SystemClock,
};
