//! [`PipelineDeclaration`]: stages in order, and the resource that they make.

use std::panic::Location;

use synth_aws::codepipeline::Pipeline;
use synth_aws::codepipeline::pipeline::{
    ArtifactStore, ArtifactStoreType, EncryptionKey, EncryptionKeyType, ExecutionMode, PipelineType, StageDeclaration,
    VariableDeclaration,
};
use synth_aws::{Arn, Name, Value, iam, kms, s3};

use super::action::Action;
use super::check;
use crate::Fault;

/// A pipeline of type V2.
///
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct PipelineDeclaration {
    mode: ExecutionMode,
    role: Value<Arn<iam::Role>>,
    bucket: Value<Name<s3::Bucket>>,
    encryption_key: Option<Value<Arn<kms::Key>>>,
    pub(super) variables: Vec<PipelineVariable>,
    pub(super) stages: Vec<Stage>,
    pub(super) at: &'static Location<'static>,
}

impl PipelineDeclaration {
    /// A pipeline that works as `role` and keeps its artifacts in `bucket`.
    ///
    /// The mode says what happens when it is started while it runs: `Parallel` executions know nothing of each other,
    /// `Queued` ones wait for each other at every stage, `Superseded` ones overtake.
    #[track_caller]
    pub fn new(
        mode: ExecutionMode,
        role: impl Into<Value<Arn<iam::Role>>>,
        bucket: impl Into<Value<Name<s3::Bucket>>>,
    ) -> Self {
        Self {
            mode,
            role: role.into(),
            bucket: bucket.into(),
            encryption_key: None,
            variables: Vec::new(),
            stages: Vec::new(),
            at: Location::caller(),
        }
    }

    /// Encrypts the artifacts with this key; leaving it out takes the account's key for S3.
    pub fn encryption_key(mut self, key: impl Into<Value<Arn<kms::Key>>>) -> Self {
        self.encryption_key = Some(key.into());
        self
    }

    /// A variable that whoever starts the pipeline may set.
    pub fn variable(mut self, variable: &PipelineVariable) -> Self {
        self.variables.push(variable.clone());
        self
    }

    /// The next stage.
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stages.push(stage);
        self
    }

    /// All faults: names, counts, artifacts and variables that no earlier action has, buildspecs that do not fit.
    pub fn check(&self) -> Vec<Fault> {
        check::faults(self)
    }

    /// The resource. If [`check`](Self::check) finds faults they are faults of its `Stages`, so that none is lost.
    pub fn into_resource(self) -> Pipeline {
        let faults: Vec<String> = self.check().iter().map(ToString::to_string).collect();
        let stages = if faults.is_empty() {
            self.stages.iter().map(Stage::declaration).collect()
        } else {
            Value::<Vec<StageDeclaration>>::invalid(faults.join("\n"))
        };
        let mut store = ArtifactStore::new(self.bucket, ArtifactStoreType::S3);
        if let Some(key) = self.encryption_key {
            store = store.encryption_key(EncryptionKey::new(key, EncryptionKeyType::Kms));
        }
        let mut pipeline = Pipeline::new(self.role, stages)
            .artifact_store(store)
            .execution_mode(self.mode)
            .pipeline_type(PipelineType::V2);
        if !self.variables.is_empty() {
            pipeline = pipeline.variables(
                self.variables
                    .iter()
                    .map(PipelineVariable::declaration)
                    .collect::<Value<_>>(),
            );
        }
        pipeline
    }
}

/// A stage: actions that belong together.
#[derive(Debug, Clone)]
#[must_use]
pub struct Stage {
    pub(super) name: String,
    pub(super) actions: Vec<Action>,
    pub(super) at: &'static Location<'static>,
}

impl Stage {
    /// A stage without actions yet.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            actions: Vec::new(),
            at: Location::caller(),
        }
    }

    /// An action; it runs beside the stage's others unless its run order says otherwise.
    pub fn action(mut self, action: impl Into<Action>) -> Self {
        self.actions.push(action.into());
        self
    }

    fn declaration(&self) -> StageDeclaration {
        let actions: Value<_> = self.actions.iter().map(Action::declaration).collect();
        StageDeclaration::new(actions, &*self.name)
    }
}

/// A variable of the pipeline, which whoever starts it may set.
///
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-variables.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct PipelineVariable {
    pub(super) name: String,
    pub(super) default: Option<String>,
    description: Option<String>,
    pub(super) at: &'static Location<'static>,
}

impl PipelineVariable {
    /// A variable that every start must set.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            default: None,
            description: None,
            at: Location::caller(),
        }
    }

    /// Its value where a start does not set it, 1 to 1,000 characters.
    pub fn default_value(mut self, value: impl Into<String>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// What it is for, up to 200 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Its value, for the configuration of an action.
    pub fn reference(&self) -> Value<String> {
        format!("#{{variables.{}}}", self.name).into()
    }

    fn declaration(&self) -> VariableDeclaration {
        let mut declaration = VariableDeclaration::new(&*self.name);
        if let Some(value) = &self.default {
            declaration = declaration.default_value(value);
        }
        if let Some(text) = &self.description {
            declaration = declaration.description(text);
        }
        declaration
    }
}

/// The id of the running execution, for the configuration of an action.
pub fn pipeline_execution_id() -> Value<String> {
    "#{codepipeline.PipelineExecutionId}".into()
}
