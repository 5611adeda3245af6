//! Everything of `synth_aws::codepipeline`, and pipelines whose stages fit together on top of it.
//!
//! An action's output is a value, an [`Artifact`], that later actions take; its variables are a typed namespace:
//!
//! ```
//! use synth::codebuild::{Buildspec, Phase, Variable};
//! use synth::codepipeline::{CloudFormation, CodeBuild, ExecutionMode, PipelineDeclaration, S3Source, Stage};
//! use synth::Value;
//!
//! const OBJECT_VERSION: Variable = Variable::new("OBJECT_VERSION");
//! # let role = || Value::from("arn:aws:iam::123456789012:role/r").trusted();
//!
//! let mut fetch = S3Source::new("Fetch", "sources", "source/unset.zip", "Source").allow_override();
//! let source = fetch.artifact();
//! let fetched = fetch.namespace("SourceVariables");
//!
//! let spec = Buildspec::new().build(Phase::new([format!("make test VERSION={OBJECT_VERSION}")]));
//! let test = CodeBuild::test("UnitTest", "unit-tests", &source)
//!     .environment(OBJECT_VERSION, fetched.version_id())
//!     .buildspec(&spec, &[]);
//!
//! let pipeline = PipelineDeclaration::new(ExecutionMode::Parallel, role(), "artifacts")
//!     .stage(Stage::new("Source").action(fetch))
//!     .stage(Stage::new("Test").action(test))
//!     .stage(Stage::new("Deploy").action(
//!         CloudFormation::change_set_replace("Prepare", "app-17", "pull-request", source.file("template.yaml"), role()),
//!     ));
//!
//! assert_eq!(pipeline.check(), []);
//! let pipeline: synth::codepipeline::Pipeline = pipeline.into_resource();
//! # let _ = pipeline;
//! ```
//!
//! What a mode or a provider requires is an argument; what only some modes take is a method of those alone. What depends on
//! the order of stages (an artifact that no earlier action produces, a namespace that no earlier action has) is a located
//! fault of [`PipelineDeclaration::check`], and of the resource's `Stages` if nobody asks.
//!
//! This module never makes roles or buckets and never says who may start a pipeline.

mod action;
mod artifact;
mod build;
mod check;
mod deploy;
mod names;
mod pipeline_declaration;
mod references;
mod source;
mod text;

pub use action::Action;
pub use artifact::{Artifact, ArtifactAttribute, ArtifactFile};
pub use build::{BatchArtifacts, BuildVariables, CodeBuild};
pub use deploy::{Capability, CloudFormation, ParameterValue, StackOutputs, mode};
pub use pipeline_declaration::{PipelineDeclaration, PipelineVariable, Stage, pipeline_execution_id};
pub use source::{S3Source, S3Variables};
pub use synth_aws::codepipeline::pipeline::ExecutionMode;
pub use synth_aws::codepipeline::*;
