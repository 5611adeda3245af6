//! Pipelines: what a declaration says, once it was read and found to be one that CodePipeline would take and that is supported here.
//!
//! Never executes anything.

mod check;
mod configuration;
mod read;
pub(crate) mod show;

use serde_json::Value;

pub(crate) use configuration::{Parameter, ParameterValue, environment, overrides, parameters};

use crate::fault::Faults;
use crate::reader::{Case, Node, Notes};

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// The role that it and its actions work as.
    pub role: String,
    /// The bucket of its artifacts.
    pub bucket: String,
    /// What happens to executions that meet.
    pub mode: ExecutionMode,
    /// Whether it is of type V2.
    pub v2: bool,
    /// Its variables.
    pub variables: Vec<Variable>,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
}

/// What happens to executions that meet; see <https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionMode {
    /// Of those that wait for a stage only the newest goes on.
    Superseded,
    /// Those that wait for a stage enter it in the order in which they came.
    Queued,
    /// They do not wait for each other.
    Parallel,
}

/// A pipeline variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value where an execution is started without one.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its actions, as they are declared.
    pub actions: Vec<Action>,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// `Source`, `Build`, `Test`, `Deploy` or `Approval`.
    pub category: String,
    /// What does the work.
    pub provider: Provider,
    /// When it runs within its stage: beside those of the same order, after those of lower order.
    pub run_order: u32,
    /// The provider's settings, with references to variables still in them.
    pub configuration: Vec<(String, String)>,
    /// The artifacts that it takes.
    pub inputs: Vec<String>,
    /// The artifacts that it makes.
    pub outputs: Vec<String>,
    /// The namespace of its output variables.
    pub namespace: Option<String>,
    /// The role that it works as, instead of the pipeline's.
    pub role: Option<String>,
    /// How long it may take.
    pub timeout_minutes: Option<u32>,
}

/// What does an action's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// An object of S3 as a source.
    S3,
    /// A build of a CodeBuild project.
    CodeBuild,
    /// A stack or a change set.
    CloudFormation,
    /// A person's approval.
    Manual,
}

impl Pipeline {
    /// Reads the properties of an `AWS::CodePipeline::Pipeline` resource whose intrinsic functions are resolved.
    ///
    /// # Errors
    /// All that CodePipeline would refuse, and all that is not supported here.
    pub fn from_resource(properties: &Value) -> Result<Self, Faults> {
        Self::read(properties, Case::Pascal)
    }

    /// Reads a `PipelineDeclaration` of CodePipeline's API.
    ///
    /// # Errors
    /// As [`from_resource`](Self::from_resource).
    pub fn from_declaration(declaration: &Value) -> Result<Self, Faults> {
        Self::read(declaration, Case::Camel)
    }

    fn read(value: &Value, case: Case) -> Result<Self, Faults> {
        let notes = Notes::default();
        let root = Node::root(value, case, &notes);
        let pipeline = read::pipeline(&root);
        if let Some(pipeline) = &pipeline {
            check::check(pipeline, &root, &notes);
        }
        let name = root.value.get(if case == Case::Pascal { "Name" } else { "name" });
        let name = name.and_then(Value::as_str).unwrap_or("without a name").to_owned();
        notes.conclude(format!("the pipeline {name}"), pipeline)
    }

    /// The `PipelineDeclaration` that CodePipeline's API shows.
    #[must_use]
    pub fn declaration(&self, version: u32) -> Value {
        show::declaration(self, version)
    }

    /// The action of that name in the stages of sources.
    pub(crate) fn source(&self, name: &str) -> Option<&Action> {
        let actions = self.stages.iter().flat_map(|stage| &stage.actions);
        actions
            .filter(|action| action.category == "Source")
            .find(|action| action.name == name)
    }
}

impl ExecutionMode {
    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Superseded => "SUPERSEDED",
            Self::Queued => "QUEUED",
            Self::Parallel => "PARALLEL",
        }
    }
}

impl Provider {
    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::CodeBuild => "CodeBuild",
            Self::CloudFormation => "CloudFormation",
            Self::Manual => "Manual",
        }
    }
}

impl Action {
    /// A setting as it is declared.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let found = self.configuration.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}
