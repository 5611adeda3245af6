//! Actions at work: each is a task that is asked again and again until it has ended, and that never waits.
//!
//! A task knows its own order and nothing of stages, executions or other actions.

mod cloudformation;
mod codebuild;
mod source;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use cloudformation::StackTask;
pub(crate) use codebuild::{BuildOrder, BuildTask};
pub(crate) use source::SourceTask;

use crate::archive::{self, ArchiveError};
use crate::build::Builder;
use crate::surroundings::{CallError, Objects, Stacks};

/// What tasks reach outside of the engine.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) stacks: Arc<dyn Stacks>,
    pub(crate) builder: Arc<dyn Builder>,
    /// How long to wait between two looks at a stack.
    pub(crate) stack_interval: Duration,
}

/// What an action is to do, with every reference resolved.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The role that it works as.
    pub(crate) role: String,
    /// The bucket of the pipeline's artifacts.
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) inputs: Vec<Stored>,
    /// The artifacts that it makes, and the keys that they are to be stored under.
    pub(crate) outputs: Vec<(String, String)>,
    /// The version of the source's object that the execution was started with.
    pub(crate) version: Option<String>,
}

/// An artifact in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
    /// What it was made from, if it is a source.
    pub(crate) revision: Option<String>,
}

/// A task.
pub(crate) enum Task {
    Source(SourceTask),
    Build(Box<BuildTask>),
    Stack(Box<StackTask>),
    /// It waits for a person and does nothing.
    Approval,
    /// It could not even begin.
    Failed(Failure),
}

/// How an action stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) external: External,
    pub(crate) result: Option<Result<Finished, Failure>>,
}

/// Where the work is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct External {
    pub(crate) id: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) summary: Option<String>,
}

/// What an action has made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finished {
    pub(crate) outputs: Vec<Stored>,
    pub(crate) variables: Vec<(String, String)>,
}

/// Why an action failed, with one of CodePipeline's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn job(message: impl Into<String>) -> Self {
        Self {
            code: "JobFailed",
            message: message.into(),
        }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self {
            code: "ConfigurationError",
            message: message.into(),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let denied = error.code.starts_with("AccessDenied") || error.message.contains("is not authorized to perform");
        Self {
            code: if denied { "PermissionError" } else { "JobFailed" },
            message: error.to_string(),
        }
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self::configuration(error.to_string())
    }
}

impl Task {
    pub(crate) fn poll(&mut self, outside: &Outside, now: SystemTime) -> Progress {
        match self {
            Self::Source(task) => task.poll(outside),
            Self::Build(task) => task.poll(outside, now),
            Self::Stack(task) => task.poll(outside, now),
            Self::Approval => Progress::default(),
            Self::Failed(failure) => Progress {
                external: External::default(),
                result: Some(Err(failure.clone())),
            },
        }
    }

    /// Ends what the task has begun, where that is possible.
    pub(crate) fn cancel(&mut self) {
        if let Self::Build(task) = self {
            task.stop();
        }
    }

    /// Whether it goes on by itself when its action is abandoned, and must be watched until its end.
    pub(crate) const fn outlives_its_action(&self) -> bool {
        matches!(self, Self::Build(_))
    }
}

impl Order {
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// A setting that was found to be there when the pipeline was read; resolved it may be empty.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Failure> {
        let value = self.setting(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Failure::configuration(format!("the action's {name} is empty")))
    }

    /// An input artifact's archive.
    fn input(&self, outside: &Outside, name: &str) -> Result<Vec<u8>, Failure> {
        let stored = self.stored(name)?;
        let object = outside
            .objects
            .get(&self.role, &stored.bucket, &stored.key, stored.version.as_deref())?;
        Ok(object.body)
    }

    fn stored(&self, name: &str) -> Result<&Stored, Failure> {
        let stored = self.inputs.iter().find(|stored| stored.name == name);
        stored.ok_or_else(|| Failure::configuration(format!("the action has no input artifact {name}")))
    }

    /// A file of an input artifact, given as `Artifact::path`.
    fn file(&self, outside: &Outside, location: &str) -> Result<String, Failure> {
        let (artifact, path) = location
            .split_once("::")
            .ok_or_else(|| Failure::configuration(format!("`{location}` is no file of an artifact")))?;
        let content = archive::file(&self.input(outside, artifact)?, path)?;
        String::from_utf8(content).map_err(|_| Failure::configuration(format!("{location} is no text")))
    }

    /// Stores an artifact that the action has made.
    fn store(&self, outside: &Outside, role: &str, name: &str, archive: &[u8]) -> Result<Stored, Failure> {
        let output = self.outputs.iter().find(|(output, _)| output == name);
        let (_, key) = output.ok_or_else(|| Failure::job(format!("the action makes no artifact {name}")))?;
        let version = outside.objects.put(role, &self.bucket, key, archive)?;
        Ok(Stored {
            name: name.to_owned(),
            bucket: self.bucket.clone(),
            key: key.clone(),
            version,
            revision: None,
        })
    }
}
