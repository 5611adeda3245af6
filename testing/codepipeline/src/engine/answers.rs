//! The answers of CodePipeline's API in its JSON form, version 2015-07-09.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use serde_json::{Value, json};

use super::event::ExecutionStatus;
use super::state::{ActionRun, Execution, State};
use super::{ApiError, Place, page, seconds, text};
use crate::action::Stored;
use crate::pipeline::{Pipeline, show};

impl State {
    pub(super) fn codepipeline(
        &mut self,
        place: &Place,
        operation: &str,
        parameters: &Value,
        now: SystemTime,
    ) -> Result<Value, ApiError> {
        match operation {
            "StartPipelineExecution" => self.start(place, parameters, now),
            "StopPipelineExecution" => self.stop(place, parameters, now),
            "PutApprovalResult" => self.approve(place, parameters, now),
            "GetPipelineExecution" => self.get_execution(place, parameters),
            "ListPipelineExecutions" => self.list_executions(place, parameters),
            "ListActionExecutions" => self.list_actions(place, parameters),
            "GetPipelineState" => self.get_state(place, parameters),
            "GetPipeline" => self.get(place, parameters),
            "ListPipelines" => self.list(parameters),
            "CreatePipeline" | "UpdatePipeline" => self.put_declared(place, operation, parameters, now),
            "DeletePipeline" => {
                self.delete_pipeline(&text(parameters, "name"), now);
                Ok(json!({}))
            }
            other => Err(ApiError::new(
                "UnknownOperationException",
                format!("the local CodePipeline has no {other}"),
            )),
        }
    }

    fn get_execution(&self, place: &Place, parameters: &Value) -> Result<Value, ApiError> {
        let line = self.line(place, &text(parameters, "pipelineName"))?;
        let execution = line.execution(&text(parameters, "pipelineExecutionId"))?;
        let revisions = execution.revisions().map(|(_, stored, revision)| {
            json!({
                "name": stored.name,
                "revisionId": revision,
                "revisionSummary": format!("Amazon S3 version id: {revision}"),
                "revisionUrl": object_url(place, stored),
            })
        });
        let variables = execution.variables.iter();
        let variables = variables.map(|(name, value)| json!({ "name": name, "resolvedValue": value }));
        let mut shown = json!({
            "pipelineName": execution.pipeline.name,
            "pipelineVersion": execution.version,
            "pipelineExecutionId": execution.id,
            "status": execution.status.word(),
            "artifactRevisions": revisions.collect::<Vec<_>>(),
            "variables": variables.collect::<Vec<_>>(),
            "trigger": execution.trigger(),
            "executionMode": execution.pipeline.mode.word(),
            "executionType": "STANDARD",
        });
        if let Some(summary) = execution.summary() {
            shown["statusSummary"] = json!(summary);
        }
        Ok(json!({ "pipelineExecution": shown }))
    }

    /// Newest first.
    fn list_executions(&self, place: &Place, parameters: &Value) -> Result<Value, ApiError> {
        let line = self.line(place, &text(parameters, "pipelineName"))?;
        let stage = parameters["filter"]["succeededInStage"]["stageName"].as_str();
        let chosen = line.executions.iter().rev().filter(|execution| match stage {
            None => true,
            Some(name) => execution.succeeded_in(name),
        });
        let shown = chosen.map(|execution| {
            let revisions = execution.revisions().map(|(run, _, revision)| {
                json!({
                    "actionName": run.action.name,
                    "revisionId": revision,
                    "revisionSummary": format!("Amazon S3 version id: {revision}"),
                })
            });
            let mut shown = json!({
                "pipelineExecutionId": execution.id,
                "status": execution.status.word(),
                "startTime": seconds(execution.start),
                "lastUpdateTime": seconds(execution.updated),
                "sourceRevisions": revisions.collect::<Vec<_>>(),
                "trigger": execution.trigger(),
                "executionMode": execution.pipeline.mode.word(),
                "executionType": "STANDARD",
            });
            if let Some(reason) = execution.stop.as_ref().and_then(|stop| stop.reason.as_ref()) {
                shown["stopTrigger"] = json!({ "reason": reason });
            }
            if let Some(summary) = execution.summary() {
                shown["statusSummary"] = json!(summary);
            }
            shown
        });
        page("pipelineExecutionSummaries", shown.collect(), parameters, 100)
    }

    /// Newest first.
    fn list_actions(&self, place: &Place, parameters: &Value) -> Result<Value, ApiError> {
        let line = self.line(place, &text(parameters, "pipelineName"))?;
        let filter = &parameters["filter"];
        let one = filter["pipelineExecutionId"]
            .as_str()
            .or_else(|| filter["latestInPipelineExecution"]["pipelineExecutionId"].as_str());
        if let Some(id) = one {
            line.execution(id)?;
        }
        let chosen = line
            .executions
            .iter()
            .filter(|execution| one.is_none_or(|id| execution.id == id));
        let mut runs: Vec<(u64, Value)> = chosen
            .flat_map(|execution| {
                execution
                    .runs
                    .iter()
                    .map(|run| (run.sequence, detail(place, execution, run)))
            })
            .collect();
        runs.sort_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        let shown = runs.into_iter().map(|(_, detail)| detail).collect();
        page("actionExecutionDetails", shown, parameters, 100)
    }

    fn get(&self, place: &Place, parameters: &Value) -> Result<Value, ApiError> {
        let line = self.line(place, &text(parameters, "name"))?;
        if parameters["version"]
            .as_u64()
            .is_some_and(|version| version != u64::from(line.version))
        {
            let message = "The pipeline's current version is the only one that is kept";
            return Err(ApiError::new("PipelineVersionNotFoundException", message));
        }
        Ok(json!({
            "pipeline": line.pipeline.declaration(line.version),
            "metadata": {
                "pipelineArn": place.arn("codepipeline", &line.pipeline.name),
                "created": seconds(line.created),
                "updated": seconds(line.updated),
            },
        }))
    }

    fn list(&self, parameters: &Value) -> Result<Value, ApiError> {
        let shown = self.lines.values().map(|line| {
            json!({
                "name": line.pipeline.name,
                "version": line.version,
                "pipelineType": if line.pipeline.v2 { "V2" } else { "V1" },
                "executionMode": line.pipeline.mode.word(),
                "created": seconds(line.created),
                "updated": seconds(line.updated),
            })
        });
        page("pipelines", shown.collect(), parameters, 1_000)
    }

    fn put_declared(
        &mut self,
        place: &Place,
        operation: &str,
        parameters: &Value,
        now: SystemTime,
    ) -> Result<Value, ApiError> {
        let name = text(&parameters["pipeline"], "name");
        match (operation, self.lines.contains_key(&name)) {
            ("CreatePipeline", true) => {
                let message = format!(
                    "A pipeline with the name '{name}' already exists in account '{}'",
                    place.account
                );
                return Err(ApiError::new("PipelineNameInUseException", message));
            }
            ("UpdatePipeline", false) => {
                self.line(place, &name)?;
            }
            _ => {}
        }
        let pipeline = Pipeline::from_declaration(&parameters["pipeline"])
            .map_err(|faults| ApiError::new("InvalidStructureException", faults.to_string()))?;
        let version = self.put_pipeline(place, Arc::new(pipeline), now);
        let shown = self.lines.get(&name).map(|line| line.pipeline.declaration(version));
        Ok(json!({ "pipeline": shown }))
    }
}

impl Execution {
    fn trigger(&self) -> Value {
        json!({ "triggerType": self.trigger, "triggerDetail": "" })
    }

    /// The sources' runs, what they stored, and the revision of it.
    fn revisions(&self) -> impl Iterator<Item = (&ActionRun, &Stored, &str)> {
        self.runs.iter().flat_map(|run| {
            let revised = run.outputs.iter();
            revised.filter_map(move |stored| Some((run, stored, stored.revision.as_deref()?)))
        })
    }

    fn summary(&self) -> Option<String> {
        match self.status {
            ExecutionStatus::Stopped | ExecutionStatus::Stopping => {
                self.stop.as_ref().and_then(|stop| stop.reason.clone())
            }
            _ => None,
        }
    }

    /// Whether every action of the stage succeeded.
    fn succeeded_in(&self, stage: &str) -> bool {
        let stages = self.pipeline.stages.iter().enumerate();
        stages.filter(|(_, of)| of.name == stage).any(|(place, of)| {
            of.actions.iter().all(|action| {
                let run = self.last_run(place, &action.name);
                run.is_some_and(|run| run.status == super::ActionStatus::Succeeded)
            })
        })
    }
}

fn object_url(place: &Place, stored: &Stored) -> String {
    let Place { region, .. } = place;
    format!(
        "https://console.aws.amazon.com/s3/object/{}?region={region}&prefix={}",
        stored.bucket, stored.key
    )
}

fn detail(place: &Place, execution: &Execution, run: &ActionRun) -> Value {
    let configuration: BTreeMap<&str, &str> = run
        .action
        .configuration
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let artifacts = |stored: &[Stored]| -> Vec<Value> {
        let artifact = |of: &Stored| json!({ "name": of.name, "s3location": { "bucket": of.bucket, "key": of.key } });
        stored.iter().map(artifact).collect()
    };
    let mut input = json!({
        "actionTypeId": show::kind(&run.action),
        "configuration": configuration,
        "resolvedConfiguration": run.resolved,
        "roleArn": run.role,
        "region": place.region,
        "inputArtifacts": artifacts(&run.inputs),
    });
    if let Some(namespace) = &run.action.namespace {
        input["namespace"] = json!(namespace);
    }
    let variables: BTreeMap<&str, &str> = run
        .variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    json!({
        "pipelineExecutionId": execution.id,
        "actionExecutionId": run.id,
        "pipelineVersion": execution.version,
        "stageName": execution.pipeline.stages[run.stage].name,
        "actionName": run.action.name,
        "startTime": seconds(run.start),
        "lastUpdateTime": seconds(run.updated),
        "status": run.status.word(),
        "input": input,
        "output": {
            "outputArtifacts": artifacts(&run.outputs),
            "executionResult": result(run),
            "outputVariables": variables,
        },
    })
}

/// What the API's `executionResult` holds: only what there is.
pub(super) fn result(run: &ActionRun) -> Value {
    let mut result = json!({});
    let external = [
        ("externalExecutionId", &run.external.id),
        ("externalExecutionSummary", &run.external.summary),
        ("externalExecutionUrl", &run.external.url),
    ];
    for (name, value) in external {
        if let Some(value) = value {
            result[name] = json!(value);
        }
    }
    if let Some(failure) = &run.failure {
        let message: String = failure.message.chars().take(5_000).collect();
        result["errorDetails"] = json!({ "code": failure.code, "message": message });
    }
    result
}
