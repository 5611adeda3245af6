//! Executions start and stop: `StartPipelineExecution`, `StopPipelineExecution`, `PutApprovalResult`.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use serde_json::{Value, json};

use super::event::{ActionStatus, EventKind, ExecutionStatus};
use super::state::{Execution, Line, Override, Position, State, Stop};
use super::{ApiError, Place, seconds, text};
use crate::action::{Failure, Finished};
use crate::pipeline::{ExecutionMode, Pipeline, Provider};

/// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const MOST_CONCURRENT: usize = 50;

impl State {
    pub(super) fn start(&mut self, place: &Place, parameters: &Value, now: SystemTime) -> Result<Value, ApiError> {
        let name = text(parameters, "name");
        let line = self.line(place, &name)?;
        let token = parameters["clientRequestToken"].as_str().map(str::to_owned);
        let same = |execution: &&Execution| token.is_some() && execution.token == token;
        if let Some(execution) = line.executions.iter().find(same) {
            return Ok(json!({ "pipelineExecutionId": execution.id }));
        }
        let running = line.executions.iter().filter(|execution| !execution.status.is_final());
        if line.pipeline.mode != ExecutionMode::Superseded && running.count() >= MOST_CONCURRENT {
            return Err(ApiError::new(
                "ConcurrentPipelineExecutionsLimitExceededException",
                format!("The pipeline {name} has reached the limit of {MOST_CONCURRENT} concurrent executions"),
            ));
        }
        let variables = variables(&line.pipeline, parameters)?;
        let overrides = overrides(&line.pipeline, parameters)?;
        let id = self.launch(&name, "StartPipelineExecution", now, |execution| {
            execution.token = token;
            execution.variables = variables;
            execution.overrides = overrides;
        });
        self.advance(place, now);
        Ok(json!({ "pipelineExecutionId": id }))
    }

    /// Begins an execution of a pipeline that is there.
    pub(super) fn launch(
        &mut self,
        name: &str,
        trigger: &'static str,
        now: SystemTime,
        fill: impl FnOnce(&mut Execution),
    ) -> String {
        let (id, since) = (self.ids.uuid(), self.count());
        let Some(line) = self.lines.get_mut(name) else {
            return id;
        };
        let mut execution = Execution {
            id: id.clone(),
            token: None,
            pipeline: Arc::clone(&line.pipeline),
            version: line.version,
            trigger,
            variables: defaults(&line.pipeline),
            overrides: BTreeMap::new(),
            status: ExecutionStatus::InProgress,
            start: now,
            updated: now,
            position: Position::Waiting { stage: 0, since },
            stop: None,
            artifacts: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            runs: Vec::new(),
        };
        fill(&mut execution);
        execution.tell(&mut self.events, now, EventKind::ExecutionStarted);
        line.executions.push(execution);
        id
    }

    pub(super) fn stop(&mut self, place: &Place, parameters: &Value, now: SystemTime) -> Result<Value, ApiError> {
        let (name, id) = (
            text(parameters, "pipelineName"),
            text(parameters, "pipelineExecutionId"),
        );
        let abandon = parameters["abandon"].as_bool().unwrap_or(false);
        let reason = parameters["reason"].as_str().map(str::to_owned);
        self.line(place, &name)?.execution(&id)?;
        let execution = self
            .lines
            .get_mut(&name)
            .and_then(|line| line.executions.iter_mut().find(|execution| execution.id == id));
        let Some(execution) = execution else {
            return Err(not_found(&id));
        };
        // Who waits may still abandon: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html
        let waits = execution.stop.as_ref().is_some_and(|stop| !stop.abandon);
        match execution.status {
            ExecutionStatus::InProgress => {}
            ExecutionStatus::Stopping if abandon && waits => {}
            ExecutionStatus::Stopping => {
                let message = "Cannot stop the execution: a stop request was already submitted";
                return Err(ApiError::new("DuplicatedStopRequestException", message));
            }
            other => {
                let message = format!(
                    "The pipeline execution cannot be stopped: its status is {}",
                    other.word()
                );
                return Err(ApiError::new("PipelineExecutionNotStoppableException", message));
            }
        }
        execution.status = ExecutionStatus::Stopping;
        execution.updated = now;
        execution.stop = Some(Stop { abandon, reason });
        if abandon {
            self.orphans.extend(execution.abandon(&mut self.events, now));
        }
        Ok(json!({ "pipelineExecutionId": id }))
    }

    pub(super) fn approve(&mut self, place: &Place, parameters: &Value, now: SystemTime) -> Result<Value, ApiError> {
        let (name, stage, action) = (
            text(parameters, "pipelineName"),
            text(parameters, "stageName"),
            text(parameters, "actionName"),
        );
        let pipeline = Arc::clone(&self.line(place, &name)?.pipeline);
        let stages = pipeline.stages.iter();
        let stage = stages.enumerate().find(|(_, of)| of.name == stage);
        let (stage, of) = stage.ok_or_else(|| ApiError::new("StageNotFoundException", "There is no such stage"))?;
        if !of.actions.iter().any(|of| of.name == action) {
            return Err(ApiError::new("ActionNotFoundException", "There is no such action"));
        }
        let token = parameters["token"].as_str();
        let Self { lines, events, .. } = self;
        let executions = lines.get_mut(&name).into_iter().flat_map(|line| &mut line.executions);
        for execution in executions {
            let of = |run: &super::state::ActionRun| {
                run.stage == stage && run.action.name == action && run.token.is_some() && run.token.as_deref() == token
            };
            let Some(run) = execution.runs.iter().position(of) else {
                continue;
            };
            if execution.runs[run].status != ActionStatus::InProgress {
                let message = "The approval action has already been approved or rejected";
                return Err(ApiError::new("ApprovalAlreadyCompletedException", message));
            }
            let summary = text(&parameters["result"], "summary");
            let approved = parameters["result"]["status"] == "Approved";
            execution.runs[run].external.summary = Some(summary.clone()).filter(|summary| !summary.is_empty());
            execution.runs[run].task = None;
            let result = if approved {
                Ok(Finished::default())
            } else {
                Err(Failure::job(format!("Rejected: {summary}")))
            };
            execution.close(run, result, events, now);
            return Ok(json!({ "approvedAt": seconds(now) }));
        }
        let message = "The approval token is not that of the action's current run";
        Err(ApiError::new("InvalidApprovalTokenException", message))
    }

    pub(super) fn line(&self, place: &Place, name: &str) -> Result<&Line, ApiError> {
        self.lines.get(name).ok_or_else(|| {
            let message = format!(
                "Account '{}' does not have a pipeline with name '{name}'",
                place.account
            );
            ApiError::new("PipelineNotFoundException", message)
        })
    }
}

impl Line {
    pub(super) fn execution(&self, id: &str) -> Result<&Execution, ApiError> {
        let found = self.executions.iter().find(|execution| execution.id == id);
        found.ok_or_else(|| not_found(id))
    }
}

fn not_found(id: &str) -> ApiError {
    let message = format!("The specified pipeline execution ID '{id}' does not exist");
    ApiError::new("PipelineExecutionNotFoundException", message)
}

fn invalid(message: String) -> ApiError {
    ApiError::new("ValidationException", message)
}

fn defaults(pipeline: &Pipeline) -> BTreeMap<String, String> {
    let variables = pipeline.variables.iter();
    variables
        .filter_map(|variable| Some((variable.name.clone(), variable.default.clone()?)))
        .collect()
}

fn variables(pipeline: &Pipeline, parameters: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let mut values = defaults(pipeline);
    let mut given = BTreeMap::new();
    for variable in parameters["variables"].as_array().into_iter().flatten() {
        let (name, value) = (text(variable, "name"), text(variable, "value"));
        if !pipeline.variables.iter().any(|declared| declared.name == name) {
            return Err(invalid(format!(
                "The pipeline {} has no variable {name}",
                pipeline.name
            )));
        }
        if given.insert(name.clone(), value).is_some() {
            return Err(invalid(format!("The variable {name} is given twice")));
        }
    }
    values.extend(given);
    let missing = pipeline
        .variables
        .iter()
        .find(|declared| !values.contains_key(&declared.name));
    match missing {
        Some(variable) => Err(invalid(format!(
            "The variable {} has no default value and none was given",
            variable.name
        ))),
        None => Ok(values),
    }
}

fn overrides(pipeline: &Pipeline, parameters: &Value) -> Result<BTreeMap<String, Override>, ApiError> {
    let mut overrides: BTreeMap<String, Override> = BTreeMap::new();
    for revision in parameters["sourceRevisions"].as_array().into_iter().flatten() {
        let (name, kind, value) = (
            text(revision, "actionName"),
            text(revision, "revisionType"),
            text(revision, "revisionValue"),
        );
        let source = pipeline.source(&name);
        let source =
            source.ok_or_else(|| invalid(format!("The pipeline {} has no source action {name}", pipeline.name)))?;
        let over = overrides.entry(name.clone()).or_default();
        let slot = match (source.provider, kind.as_str()) {
            (Provider::S3, "S3_OBJECT_VERSION_ID") => &mut over.version,
            (Provider::S3, "S3_OBJECT_KEY") if source.setting("AllowOverrideForS3ObjectKey") == Some("true") => {
                &mut over.key
            }
            (Provider::S3, "S3_OBJECT_KEY") => {
                return Err(invalid(format!(
                    "The source action {name} does not allow to override its S3 object key: set AllowOverrideForS3ObjectKey"
                )));
            }
            (_, other) => {
                return Err(invalid(format!(
                    "The source action {name} of the provider S3 takes no revision of type {other}"
                )));
            }
        };
        if slot.replace(value).is_some() {
            return Err(invalid(format!(
                "The source action {name} has two revisions of type {kind}"
            )));
        }
    }
    Ok(overrides)
}
