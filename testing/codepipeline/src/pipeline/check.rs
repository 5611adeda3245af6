//! How the parts of a pipeline fit together; see <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html>.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration;
use super::{Action, ExecutionMode, Pipeline, Provider};
use crate::reader::{Node, Notes};
use crate::variables;

pub(super) fn check(pipeline: &Pipeline, root: &Node<'_>, notes: &Notes) {
    let stages = root.place("Stages");
    if pipeline.stages.len() < 2 {
        let message = format!("has {} stages, a pipeline has at least two", pipeline.stages.len());
        notes.add(&stages, message, "add a stage that does something with the source");
    }
    if !pipeline.v2 && pipeline.mode != ExecutionMode::Superseded {
        let message = format!("is {}, which only pipelines of type V2 have", pipeline.mode.word());
        notes.add(root.place("ExecutionMode"), message, "set PipelineType to V2");
    }
    if !pipeline.v2 && !pipeline.variables.is_empty() {
        notes.add(
            root.place("Variables"),
            "is set, and only pipelines of type V2 have variables",
            "set PipelineType to V2",
        );
    }
    let names = pipeline.stages.iter().map(|stage| stage.name.as_str());
    unique(names, &stages, "stages", notes);
    let names = pipeline.variables.iter().map(|variable| variable.name.as_str());
    unique(names, &root.place("Variables"), "variables", notes);
    let mut known = Known::default();
    for (place, stage) in pipeline.stages.iter().enumerate() {
        let at = format!("{stages}.{}", stage.name);
        unique(
            stage.actions.iter().map(|action| action.name.as_str()),
            &at,
            "actions",
            notes,
        );
        // What an action makes is there for those of a higher order, and for later stages.
        let orders: BTreeSet<u32> = stage.actions.iter().map(|action| action.run_order).collect();
        for order in orders {
            let beside: Vec<&Action> = stage
                .actions
                .iter()
                .filter(|action| action.run_order == order)
                .collect();
            for action in &beside {
                let at = format!("{at}.{}", action.name);
                stage_of(action, place, &at, notes);
                counts(action, &at, notes);
                configuration::check(action, &at, notes);
                known.consume(pipeline, action, &at, notes);
            }
            for action in &beside {
                known.produce(action, &format!("{at}.{}", action.name), notes);
            }
        }
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, path: &str, what: &str, notes: &Notes) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            notes.add(path, format!("has two {what} named `{name}`"), "rename one of them");
        }
    }
}

/// Sources are in the first stage, and nothing else is.
fn stage_of(action: &Action, stage: usize, at: &str, notes: &Notes) {
    match (stage, action.category == "Source") {
        (0, false) => notes.add(
            at,
            "is no source, and the first stage has only sources",
            "move it to a later stage",
        ),
        (1.., true) => notes.add(
            at,
            "is a source, and only the first stage has sources",
            "move it to the first stage",
        ),
        _ => {}
    }
}

/// How many artifacts an action takes and makes.
fn counts(action: &Action, at: &str, notes: &Notes) {
    let (inputs, outputs) = match action.provider {
        Provider::S3 => (0..=0, 1..=1),
        Provider::CodeBuild => (1..=5, 0..=5),
        Provider::CloudFormation => (0..=10, 0..=1),
        Provider::Manual => (0..=0, 0..=0),
    };
    for (have, allowed, what) in [
        (action.inputs.len(), inputs, "input"),
        (action.outputs.len(), outputs, "output"),
    ] {
        if !allowed.contains(&have) {
            notes.add(
                at,
                format!(
                    "has {have} {what} artifacts, {} has {} to {}",
                    action.provider.word(),
                    allowed.start(),
                    allowed.end()
                ),
                format!("change its {what} artifacts"),
            );
        }
    }
}

/// What earlier actions have made.
#[derive(Default)]
struct Known {
    artifacts: BTreeSet<String>,
    namespaces: BTreeMap<String, Provider>,
}

impl Known {
    fn consume(&self, pipeline: &Pipeline, action: &Action, at: &str, notes: &Notes) {
        for input in action.inputs.iter().filter(|input| !self.artifacts.contains(*input)) {
            notes.add(
                at,
                format!("takes the artifact `{input}`, which no earlier action makes"),
                format!("take one of {:?}, or make it before", self.artifacts),
            );
        }
        for (setting, text) in &action.configuration {
            let at = format!("{at}.Configuration.{setting}");
            for (namespace, name) in variables::references(text) {
                if let Err((message, help)) = self.refer(pipeline, namespace, name) {
                    notes.add(&at, message, help);
                }
            }
        }
    }

    fn refer(&self, pipeline: &Pipeline, namespace: &str, name: &str) -> Result<(), (String, &'static str)> {
        match namespace {
            "variables" if pipeline.variables.iter().any(|variable| variable.name == name) => Ok(()),
            "variables" => Err((
                format!("refers to the variable `{name}`, which the pipeline does not declare"),
                "declare it under Variables",
            )),
            "codepipeline" if name == "PipelineExecutionId" => Ok(()),
            "codepipeline" => Err((
                format!("refers to `codepipeline.{name}`, allowed is codepipeline.PipelineExecutionId"),
                "refer to the execution's id or to a variable",
            )),
            _ => match self.namespaces.get(namespace) {
                None => Err((
                    format!("refers to the namespace `{namespace}`, which no earlier action has"),
                    "give the action whose variable is meant this Namespace, and let it run before",
                )),
                Some(Provider::S3) if !matches!(name, "BucketName" | "ETag" | "ObjectKey" | "VersionId") => Err((
                    format!(
                        "refers to `{namespace}.{name}`, an S3 source has BucketName, ETag, ObjectKey and VersionId"
                    ),
                    "refer to one of them",
                )),
                Some(_) => Ok(()),
            },
        }
    }

    fn produce(&mut self, action: &Action, at: &str, notes: &Notes) {
        for output in &action.outputs {
            if !self.artifacts.insert(output.clone()) {
                notes.add(
                    at,
                    format!("makes the artifact `{output}`, which another action makes too"),
                    "rename one of them",
                );
            }
        }
        if let Some(namespace) = &action.namespace {
            let reserved = matches!(namespace.as_str(), "variables" | "codepipeline");
            if reserved || self.namespaces.insert(namespace.clone(), action.provider).is_some() {
                notes.add(
                    at,
                    format!("has the namespace `{namespace}`, which is taken"),
                    "choose another namespace",
                );
            }
        }
    }
}
