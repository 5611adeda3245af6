//! An action begins: its settings are resolved, its artifacts found, its task made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use super::Place;
use super::builds::BuildRecord;
use super::event::{ActionStatus, EventKind};
use super::state::{ActionRun, Execution, State};
use crate::action::{BuildOrder, BuildTask, External, Failure, Order, SourceTask, StackTask, Task};
use crate::pipeline::{Action, Provider};
use crate::variables;

impl State {
    pub(super) fn begin(
        &mut self,
        execution: &mut Execution,
        stage: usize,
        action: &Action,
        place: &Place,
        now: SystemTime,
    ) {
        let pipeline = Arc::clone(&execution.pipeline);
        let resolved = resolved(execution, action);
        let order = self.order(execution, action, place, resolved.clone().unwrap_or_default());
        let (role, inputs, settings) = (order.role.clone(), order.inputs.clone(), order.settings.clone());
        let task = match (resolved, action.provider) {
            (Err(failure), _) => Task::Failed(failure),
            (Ok(_), Provider::S3) => Task::Source(SourceTask { order }),
            (Ok(_), Provider::CloudFormation) => Task::Stack(Box::new(StackTask::new(order))),
            (Ok(_), Provider::Manual) => Task::Approval,
            (Ok(_), Provider::CodeBuild) => self.build(execution, action, order, place, now),
        };
        let token = matches!(task, Task::Approval).then(|| self.ids.uuid());
        let run = ActionRun {
            id: self.ids.uuid(),
            stage,
            action: action.clone(),
            role,
            resolved: settings,
            inputs,
            status: ActionStatus::InProgress,
            start: now,
            updated: now,
            sequence: self.count(),
            external: External::default(),
            failure: None,
            outputs: Vec::new(),
            variables: Vec::new(),
            token,
            task: Some(task),
        };
        execution.runs.push(run);
        execution.updated = now;
        let started = EventKind::ActionStarted {
            stage: pipeline.stages[stage].name.clone(),
            action: action.name.clone(),
        };
        execution.tell(&mut self.events, now, started);
    }

    fn order(
        &mut self,
        execution: &Execution,
        action: &Action,
        place: &Place,
        mut settings: BTreeMap<String, String>,
    ) -> Order {
        let pipeline = &execution.pipeline;
        let inputs = action
            .inputs
            .iter()
            .filter_map(|name| execution.artifacts.get(name).cloned());
        let outputs = action.outputs.iter();
        let outputs = outputs.map(|name| (name.clone(), self.key(&pipeline.name, name, action)));
        let outputs = outputs.collect();
        let mut version = None;
        if let Some(over) = execution
            .overrides
            .get(&action.name)
            .filter(|_| action.provider == Provider::S3)
        {
            if let Some(key) = &over.key {
                settings.insert("S3ObjectKey".to_owned(), key.clone());
            }
            version.clone_from(&over.version);
        }
        Order {
            role: action.role.clone().unwrap_or_else(|| pipeline.role.clone()),
            bucket: pipeline.bucket.clone(),
            region: place.region.clone(),
            settings,
            inputs: inputs.collect(),
            outputs,
            version,
        }
    }

    /// Where an artifact is stored: 20 characters of the pipeline's name, 10 of the artifact's, and seven that CodePipeline makes up.
    fn key(&mut self, pipeline: &str, artifact: &str, action: &Action) -> String {
        let cut = |name: &str, most: usize| name.chars().take(most).collect::<String>();
        let ending = if action.provider == Provider::S3 { ".zip" } else { "" };
        let object = self.ids.object();
        format!("{}/{}/{object}{ending}", cut(pipeline, 20), cut(artifact, 10))
    }

    fn build(&mut self, execution: &Execution, action: &Action, order: Order, place: &Place, now: SystemTime) -> Task {
        let name = order.setting("ProjectName").unwrap_or_default().to_owned();
        let Some(registered) = self.projects.get(&name) else {
            return Task::Failed(Failure::configuration(format!(
                "Error calling startBuild: Project cannot be found: {} (ResourceNotFoundException)",
                place.arn("codebuild", &format!("project/{name}"))
            )));
        };
        let project = Arc::clone(&registered.project);
        if let Some(refused) = self.refused(&name, &order.role, place) {
            return Task::Failed(refused);
        }
        let number = self.next_number(&name);
        let id = format!("{name}:{}", self.ids.uuid());
        let arn = place.arn("codebuild", &format!("build/{id}"));
        let initiator = format!("codepipeline/{}", execution.pipeline.name);
        let source = order.inputs.first();
        let submitted = self.count();
        let record = Arc::new(Mutex::new(BuildRecord::new(
            (&id, &arn, number, submitted),
            &project,
            &initiator,
            source,
            &place.region,
            now,
        )));
        self.builds.insert(id.clone(), Arc::clone(&record));
        let log = place.build_log(&execution.pipeline.name, &execution.id, &id);
        let build = BuildOrder {
            project,
            id,
            arn,
            number,
            initiator,
            execution: execution.id.clone(),
            action: action.name.clone(),
            record,
            log,
        };
        Task::Build(Box::new(BuildTask {
            order,
            build,
            running: None,
        }))
    }

    /// The how many-th build of its project the next one is.
    fn next_number(&mut self, project: &str) -> u64 {
        self.projects.get_mut(project).map_or(1, |registered| {
            registered.builds += 1;
            registered.builds
        })
    }
}

/// The action's settings with values in the place of references.
fn resolved(execution: &Execution, action: &Action) -> Result<BTreeMap<String, String>, Failure> {
    let value = |namespace: &str, name: &str| match namespace {
        "variables" => execution.variables.get(name).cloned(),
        "codepipeline" => (name == "PipelineExecutionId").then(|| execution.id.clone()),
        _ => execution.namespaces.get(namespace).and_then(|of| of.get(name).cloned()),
    };
    let settings = action.configuration.iter().map(|(name, text)| {
        let resolved = variables::resolve(text, value).map_err(|reference| {
            Failure::configuration(format!(
                "An action in this pipeline failed because one or more variables could not be resolved: Action name: {}, \
                 {name} refers to {reference}",
                action.name
            ))
        })?;
        Ok((name.clone(), resolved))
    });
    settings.collect()
}
