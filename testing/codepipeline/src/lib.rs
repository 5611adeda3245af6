//! A local CodePipeline with its CodeBuild: what no emulator of AWS executes.
//!
//! It takes pipelines and build projects as CloudFormation declares them, executes them, and answers the calls of both services'
//! APIs as AWS does. What is outside of the two, S3 and CloudFormation and the time, it reaches through traits that its user
//! implements; [`memory`] has both in memory:
//!
//! ```
//! use std::sync::Arc;
//! use codepipeline_local::memory::{MemoryObjects, MemoryStacks};
//! use codepipeline_local::{Engine, Script, ScriptedBuilder, Settings, Surroundings, SystemClock};
//! use serde_json::json;
//!
//! let objects = Arc::new(MemoryObjects::default());
//! let engine = Engine::new(Settings { start_on_create: false, ..Settings::default() }, Surroundings {
//!     objects: objects.clone(),
//!     stacks: Arc::new(MemoryStacks::default()),
//!     builder: Arc::new(ScriptedBuilder::new(|build| {
//!         assert_eq!(*build.inputs[0].archive, b"the commit");
//!         Script::fails("cargo test", 101)
//!     })),
//!     clock: Arc::new(SystemClock),
//!     listener: Arc::new(|event| println!("{event:?}")),
//! });
//! engine.put_project(&json!({
//!     "Name": "tests", "ServiceRole": "arn:aws:iam::000000000000:role/build", "Artifacts": { "Type": "CODEPIPELINE" },
//!     "Environment": { "Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "aws/codebuild/standard:7.0" },
//!     "Source": { "Type": "CODEPIPELINE", "BuildSpec": "version: 0.2\nphases: { build: { commands: [cargo test] } }\n" },
//! }))?;
//! engine.put_pipeline(&json!({
//!     "Name": "line", "RoleArn": "arn:aws:iam::000000000000:role/pipeline", "PipelineType": "V2", "ExecutionMode": "PARALLEL",
//!     "ArtifactStore": { "Type": "S3", "Location": "artifacts" },
//!     "Stages": [
//!         { "Name": "Source", "Actions": [{
//!             "Name": "Fetch", "ActionTypeId": { "Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1" },
//!             "Configuration": { "S3Bucket": "artifacts", "S3ObjectKey": "source.zip", "PollForSourceChanges": "false" },
//!             "OutputArtifacts": [{ "Name": "Source" }],
//!         }] },
//!         { "Name": "Test", "Actions": [{
//!             "Name": "Test", "ActionTypeId": { "Category": "Test", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1" },
//!             "Configuration": { "ProjectName": "tests" }, "InputArtifacts": [{ "Name": "Source" }],
//!         }] },
//!     ],
//! }))?;
//!
//! let version = objects.write("artifacts", "source.zip", b"the commit");
//! objects.write("artifacts", "source.zip", b"a later one");
//! let started = engine.answer("StartPipelineExecution", &json!({ "name": "line", "sourceRevisions": [
//!     { "actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": version },
//! ]}))?;
//! engine.run_until_idle();
//! let shown = engine.answer("GetPipelineExecution", &json!({
//!     "pipelineName": "line", "pipelineExecutionId": started["pipelineExecutionId"],
//! }))?;
//! assert_eq!(shown["pipelineExecution"]["status"], "Failed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - Builds are [scripted](ScriptedBuilder), so that hundreds of executions pass in no time, or [run for real](ShellBuilder).
//! - The engine is driven by its user, tick by tick, or by [a thread of its own](Engine::run_in_background). It holds no lock
//!   while it calls S3 or CloudFormation, so those may well stand behind a server that asks the engine.
//! - Ids follow from a seed, and the time is a [`Clock`]'s: a run in virtual time is the same every time.
//! - What AWS would refuse, and what is not supported here, is refused when it is declared: all [faults](Faults) at once.
//!
//! It knows no AWS SDK and no HTTP. It enforces no policy: it says as which role it makes each call, and leaves the judgement to
//! whoever is called. Where AWS's documentation leaves something open, the place that decides it says so.

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
mod shell;
mod surroundings;
mod variables;

pub use build::{
    BuildInput, BuildProgress, BuildRequest, BuildResult, BuildStatus, Builder, Phase, PhaseKind, Report, RunningBuild,
    Script, ScriptedBuilder,
};
pub use buildspec::{ArtifactSpec, Buildspec, OnFailure, PhaseSpec, ReportSpec, Shell};
pub use engine::{
    ActionStatus, ApiError, Background, BuildRecord, Engine, Event, EventKind, ExecutionStatus, Listener, Refusal,
    Settings, Surroundings,
};
pub use fault::{Fault, Faults};
pub use pipeline::{Action, ExecutionMode, Pipeline, Provider, Stage, Variable};
pub use project::Project;
pub use shell::{ShellBuilder, Toolbox, Tools};
pub use surroundings::{
    CallError, ChangeSet, ChangeSetKind, ChangeSetRequest, Clock, ManualClock, Object, Objects, Stack, StackEvent,
    StackRequest, Stacks, SystemClock,
};
