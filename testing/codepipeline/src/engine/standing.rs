//! `GetPipelineState`: how each stage stands, whichever execution was there last.

use serde_json::{Value, json};

use super::answers::result;
use super::event::{ActionStatus, ExecutionStatus};
use super::state::{ActionRun, Execution, Line, Position, State};
use super::{ApiError, Place, seconds, text};

impl State {
    pub(super) fn get_state(&self, place: &Place, parameters: &Value) -> Result<Value, ApiError> {
        let line = self.line(place, &text(parameters, "name"))?;
        let stages = (0..line.pipeline.stages.len()).map(|stage| line.stage(stage));
        Ok(json!({
            "pipelineName": line.pipeline.name,
            "pipelineVersion": line.version,
            "stageStates": stages.collect::<Vec<_>>(),
            "created": seconds(line.created),
            "updated": seconds(line.updated),
        }))
    }
}

impl Line {
    fn stage(&self, stage: usize) -> Value {
        let declared = &self.pipeline.stages[stage];
        let waiting = self.executions.iter().filter(
            |execution| matches!(execution.position, Position::Waiting { stage: before, .. } if before == stage),
        );
        let waiting: Vec<Value> = waiting
            .map(|execution| json!({ "pipelineExecutionId": execution.id, "status": "InProgress" }))
            .collect();
        let last = self
            .executions
            .iter()
            .filter_map(|execution| Some((execution, execution.began(stage)?)));
        let last = last.max_by_key(|(_, began)| *began);
        let actions = declared.actions.iter().map(|action| {
            let mut shown = json!({ "actionName": action.name });
            if let Some(run) = last.and_then(|(execution, _)| execution.last_run(stage, &action.name)) {
                shown["latestExecution"] = latest(run);
            }
            shown
        });
        let mut shown = json!({
            "stageName": declared.name,
            "inboundExecutions": waiting,
            "inboundTransitionState": { "enabled": true },
            "actionStates": actions.collect::<Vec<_>>(),
        });
        if let Some(first) = shown["inboundExecutions"].get(0).cloned() {
            shown["inboundExecution"] = first;
        }
        if let Some((execution, _)) = last {
            let status = execution.stage_status(stage);
            shown["latestExecution"] =
                json!({ "pipelineExecutionId": execution.id, "status": status, "type": "STANDARD" });
        }
        shown
    }
}

impl Execution {
    /// When the execution's first action of the stage began, by the counter.
    fn began(&self, stage: usize) -> Option<u64> {
        let runs = self.runs.iter().filter(|run| run.stage == stage);
        runs.map(|run| run.sequence).min()
    }

    fn stage_status(&self, stage: usize) -> &'static str {
        let here = matches!(self.position, Position::Inside { stage: at, .. } if at == stage);
        let last = self.runs.iter().map(|run| run.stage).max() == Some(stage);
        match self.status {
            ExecutionStatus::Stopping if here => "Stopping",
            _ if here => "InProgress",
            ExecutionStatus::Failed if last => "Failed",
            ExecutionStatus::Stopped if last => "Stopped",
            ExecutionStatus::Cancelled if last => "Cancelled",
            _ => "Succeeded",
        }
    }
}

fn latest(run: &ActionRun) -> Value {
    let mut shown = json!({
        "actionExecutionId": run.id,
        "status": run.status.word(),
        "lastStatusChange": seconds(run.updated),
    });
    let told = result(run);
    for (name, from) in [
        ("externalExecutionId", "externalExecutionId"),
        ("externalExecutionUrl", "externalExecutionUrl"),
        ("summary", "externalExecutionSummary"),
        ("errorDetails", "errorDetails"),
    ] {
        if let Some(value) = told.get(from) {
            shown[name] = value.clone();
        }
    }
    if let Some(token) = run.token.as_ref().filter(|_| run.status == ActionStatus::InProgress) {
        shown["token"] = json!(token);
    }
    shown
}
