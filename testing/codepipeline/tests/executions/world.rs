//! A small account: a bucket, stacks, an engine with scripted builds, and a clock that the test moves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use codepipeline_local::memory::{MemoryObjects, MemoryStacks};
use codepipeline_local::{
    ApiError, BuildRequest, Builder, Engine, Event, EventKind, ManualClock, Script, ScriptedBuilder, Settings,
    Surroundings,
};
use serde_json::{Value, json};

/// The bucket of sources and artifacts.
pub(crate) const BUCKET: &str = "artifacts";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) stacks: Arc<MemoryStacks>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) builds: Arc<Mutex<Vec<BuildRequest>>>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    /// Builds go as the function says, and executions are only those that the test starts.
    pub(crate) fn new(decide: impl Fn(&BuildRequest) -> Script + Send + Sync + 'static) -> Self {
        let settings = Settings {
            start_on_create: false,
            ..Settings::default()
        };
        Self::with(settings, decide)
    }

    /// The same with these settings, but for the place.
    pub(crate) fn with(settings: Settings, decide: impl Fn(&BuildRequest) -> Script + Send + Sync + 'static) -> Self {
        let builds: Arc<Mutex<Vec<BuildRequest>>> = Arc::default();
        let noted = Arc::clone(&builds);
        let builder = ScriptedBuilder::new(move |request: &BuildRequest| {
            noted.lock().unwrap().push(request.clone());
            decide(request)
        });
        Self {
            builds,
            ..Self::building(settings, Arc::new(builder))
        }
    }

    /// The same with a builder that notes no builds.
    pub(crate) fn building(settings: Settings, builder: Arc<dyn Builder>) -> Self {
        let (objects, stacks) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryStacks::default()));
        let clock = Arc::new(ManualClock::at(1_750_000_000));
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = Arc::clone(&events);
        let settings = Settings {
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            stack_interval: Duration::ZERO,
            ..settings
        };
        let surroundings = Surroundings {
            objects: Arc::<MemoryObjects>::clone(&objects),
            stacks: Arc::<MemoryStacks>::clone(&stacks),
            builder,
            clock: Arc::<ManualClock>::clone(&clock),
            listener: Arc::new(move |event| told.lock().unwrap().push(event.clone())),
        };
        Self {
            engine: Engine::new(settings, surroundings),
            objects,
            stacks,
            clock,
            builds: Arc::default(),
            events,
        }
    }

    pub(crate) fn put_project(&self, name: &str) {
        self.engine
            .put_project(&project(name))
            .unwrap_or_else(|faults| panic!("{faults}"));
    }

    pub(crate) fn put_pipeline(&self, properties: &Value) {
        self.engine
            .put_pipeline(properties)
            .unwrap_or_else(|faults| panic!("{faults}"));
    }

    pub(crate) fn call(&self, operation: &str, parameters: Value) -> Value {
        self.engine
            .answer(operation, &parameters)
            .unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    pub(crate) fn refused(&self, operation: &str, parameters: Value) -> ApiError {
        self.engine.answer(operation, &parameters).expect_err(operation)
    }

    /// Starts an execution and returns its id.
    pub(crate) fn start(&self, pipeline: &str, mut more: Value) -> String {
        more["name"] = json!(pipeline);
        let started = self.call("StartPipelineExecution", more);
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn execution(&self, pipeline: &str, id: &str) -> Value {
        let shown = self.call(
            "GetPipelineExecution",
            json!({ "pipelineName": pipeline, "pipelineExecutionId": id }),
        );
        shown["pipelineExecution"].clone()
    }

    pub(crate) fn status(&self, pipeline: &str, id: &str) -> String {
        self.execution(pipeline, id)["status"].as_str().unwrap().to_owned()
    }

    /// The execution's actions by name.
    pub(crate) fn actions(&self, pipeline: &str, id: &str) -> BTreeMap<String, Value> {
        let shown = self.call(
            "ListActionExecutions",
            json!({ "pipelineName": pipeline, "filter": { "pipelineExecutionId": id } }),
        );
        let details = shown["actionExecutionDetails"].as_array().unwrap().iter();
        details
            .map(|detail| (detail["actionName"].as_str().unwrap().to_owned(), detail.clone()))
            .collect()
    }

    /// What an action says of its failure.
    pub(crate) fn failure(&self, pipeline: &str, id: &str, action: &str) -> String {
        let actions = self.actions(pipeline, id);
        let details = &actions[action]["output"]["executionResult"]["errorDetails"];
        details["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The events of an execution, in a word each.
    pub(crate) fn story(&self, execution: &str) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let own = events.iter().filter(|event| event.execution == execution);
        own.map(|event| match &event.kind {
            EventKind::ExecutionStarted => "started".to_owned(),
            EventKind::ExecutionEnded { status } => status.word().to_owned(),
            EventKind::StageStarted { stage } => format!("> {stage}"),
            EventKind::StageEnded { stage, succeeded } => format!("< {stage} {succeeded}"),
            EventKind::ActionStarted { action, .. } => action.clone(),
            EventKind::ActionEnded { action, status, .. } => format!("{action} {}", status.word()),
            EventKind::BuildLine { line, .. } => format!("| {line}"),
        })
        .collect()
    }

    /// How many builds have begun.
    pub(crate) fn begun(&self) -> usize {
        self.builds.lock().unwrap().len()
    }
}

pub(crate) fn project(name: &str) -> Value {
    json!({
        "Name": name,
        "ServiceRole": "arn:aws:iam::123456789012:role/build",
        "Artifacts": { "Type": "CODEPIPELINE" },
        "Environment": { "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "aws/codebuild/standard:7.0", "Type": "LINUX_CONTAINER" },
        "Source": { "Type": "CODEPIPELINE", "BuildSpec": "version: 0.2\nphases: { build: { commands: [make] } }\n" },
    })
}

pub(crate) fn source() -> Value {
    action(
        "Fetch",
        "Source",
        "S3",
        json!({
            "S3Bucket": BUCKET,
            "S3ObjectKey": "source/unset.zip",
            "PollForSourceChanges": "false",
            "AllowOverrideForS3ObjectKey": "true",
        }),
        json!({ "OutputArtifacts": [{ "Name": "Source" }] }),
    )
}

pub(crate) fn test(name: &str, more: Value) -> Value {
    let mut test = action(
        name,
        "Test",
        "CodeBuild",
        json!({ "ProjectName": "tests" }),
        json!({ "InputArtifacts": [{ "Name": "Source" }] }),
    );
    for (name, value) in more.as_object().unwrap() {
        test[name] = value.clone();
    }
    test
}

pub(crate) fn action(name: &str, category: &str, provider: &str, configuration: Value, more: Value) -> Value {
    let mut action = json!({
        "Name": name,
        "ActionTypeId": { "Category": category, "Owner": "AWS", "Provider": provider, "Version": "1" },
        "Configuration": configuration,
    });
    for (name, value) in more.as_object().unwrap() {
        action[name] = value.clone();
    }
    action
}

/// A pipeline named `line` with a source and these further stages.
pub(crate) fn pipeline(mode: &str, stages: &[(&str, Vec<Value>)]) -> Value {
    let stages = stages
        .iter()
        .map(|(name, actions)| json!({ "Name": name, "Actions": actions }));
    let all: Vec<Value> = std::iter::once(json!({ "Name": "Source", "Actions": [source()] }))
        .chain(stages)
        .collect();
    json!({
        "Name": "line",
        "RoleArn": "arn:aws:iam::123456789012:role/pipeline",
        "ArtifactStore": { "Type": "S3", "Location": BUCKET },
        "ExecutionMode": mode,
        "PipelineType": "V2",
        "Stages": all,
    })
}

/// A start that pins the source.
pub(crate) fn pinned(key: &str, version: &str) -> Value {
    json!({ "sourceRevisions": [
        { "actionName": "Fetch", "revisionType": "S3_OBJECT_KEY", "revisionValue": key },
        { "actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": version },
    ]})
}
