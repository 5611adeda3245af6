//! CodePipeline's executions as the API shows them, played from a test's script.
//!
//! Every `GetPipelineExecution` and `ListPipelineExecutions` moves an execution one [`Step`] on, so that nothing depends on time. Knows nothing of stages,
//! artifacts or actions beyond what the script says of them.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

use super::lock;

/// An account's pipelines.
#[derive(Debug)]
pub struct Pipelines {
    account: String,
    begun: AtomicU64,
    pipelines: Mutex<BTreeMap<String, Pipeline>>,
}

#[derive(Debug, Default)]
struct Pipeline {
    script: Vec<Step>,
    executions: Vec<Execution>,
}

/// What an execution looks like when it is asked for, until it is asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The execution's status.
    pub status: ExecutionStatus,
    /// The actions that have begun, oldest first.
    pub actions: Vec<Action>,
}

/// One action that has begun; see <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecutionDetail.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its stage.
    pub stage: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: ActionStatus,
    /// Who does its work, such as `CodeBuild`; the API always shows it.
    pub provider: Option<String>,
    /// Its `executionResult` as the API writes it: `externalExecutionUrl`, `errorDetails` …
    pub result: Option<Value>,
}

/// An execution's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ExecutionStatus {
    Cancelled,
    InProgress,
    Stopped,
    Stopping,
    Succeeded,
    Superseded,
    Failed,
}

/// An action's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ActionStatus {
    InProgress,
    Abandoned,
    Succeeded,
    Failed,
}

/// One execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its id, a UUID.
    pub id: String,
    /// The request that started it.
    pub request: Value,
    /// Its status now.
    pub status: ExecutionStatus,
    /// Whether it was stopped without waiting for its actions.
    pub abandoned: bool,
    actions: Vec<Action>,
    /// What is still to come.
    ahead: Vec<Step>,
    /// Orders executions.
    begun: u64,
}

/// A result, or an error's name and words.
pub(super) type Outcome = Result<Value, (&'static str, String)>;

impl Step {
    /// A step with this status in which these actions have begun.
    pub fn new(status: ExecutionStatus, actions: impl IntoIterator<Item = Action>) -> Self {
        Self {
            status,
            actions: actions.into_iter().collect(),
        }
    }
}

impl Action {
    /// An action without a result.
    pub fn new(stage: &str, name: &str, status: ActionStatus) -> Self {
        Self {
            stage: stage.to_owned(),
            name: name.to_owned(),
            status,
            provider: None,
            result: None,
        }
    }

    /// The same, done by this provider: a test by `CodeBuild`, a deployment by anybody else.
    #[must_use]
    pub fn by(self, provider: &str) -> Self {
        Self {
            provider: Some(provider.to_owned()),
            ..self
        }
    }

    /// The same with an `executionResult`.
    #[must_use]
    pub fn with_result(self, result: Value) -> Self {
        Self {
            result: Some(result),
            ..self
        }
    }
}

impl Pipelines {
    pub(super) fn of(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            begun: AtomicU64::new(1),
            pipelines: Mutex::default(),
        }
    }

    /// Makes the pipeline if it is not there. Executions that start from now on follow the script: the first step as soon as
    /// they start, the next one whenever they are asked for, and the last one for ever. An empty script stays in progress.
    pub fn script(&self, name: &str, steps: impl IntoIterator<Item = Step>) {
        let mut pipelines = lock(&self.pipelines);
        pipelines.entry(name.to_owned()).or_default().script = steps.into_iter().collect();
    }

    /// Deletes the pipeline with its executions.
    pub fn delete(&self, name: &str) {
        lock(&self.pipelines).remove(name);
    }

    /// Whether there is a pipeline of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        lock(&self.pipelines).contains_key(name)
    }

    /// The pipeline's executions, oldest first.
    pub fn executions(&self, name: &str) -> Vec<Execution> {
        let pipelines = lock(&self.pipelines);
        pipelines
            .get(name)
            .map(|pipeline| pipeline.executions.clone())
            .unwrap_or_default()
    }

    /// The result of one call whose parameters keep the rules of the model, or the error's name and words.
    pub(super) fn answer(&self, operation: &str, parameters: &Value) -> Outcome {
        match operation {
            "StartPipelineExecution" => self.start(parameters),
            "GetPipelineExecution" => self.get(parameters),
            "ListActionExecutions" => self.list_actions(parameters),
            "ListPipelineExecutions" => self.list(parameters),
            "StopPipelineExecution" => self.stop(parameters),
            other => Err((
                "UnknownOperationException",
                format!("the local CodePipeline has no {other}"),
            )),
        }
    }

    fn start(&self, parameters: &Value) -> Outcome {
        let mut pipelines = lock(&self.pipelines);
        let pipeline = self.pipeline(&mut pipelines, &parameters["name"])?;
        let token = &parameters["clientRequestToken"];
        let same = |execution: &&Execution| token.is_string() && execution.request["clientRequestToken"] == *token;
        if let Some(execution) = pipeline.executions.iter().find(same) {
            return Ok(json!({ "pipelineExecutionId": execution.id }));
        }
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        let mut ahead = pipeline.script.clone();
        ahead.reverse();
        let mut execution = Execution {
            id: format!("{begun:08x}-0000-4000-8000-{:0>12}", self.account),
            request: parameters.clone(),
            status: ExecutionStatus::InProgress,
            abandoned: false,
            actions: Vec::new(),
            ahead,
            begun,
        };
        execution.advance();
        let id = execution.id.clone();
        pipeline.executions.push(execution);
        Ok(json!({ "pipelineExecutionId": id }))
    }

    fn get(&self, parameters: &Value) -> Outcome {
        let mut pipelines = lock(&self.pipelines);
        let pipeline = self.pipeline(&mut pipelines, &parameters["pipelineName"])?;
        let execution = pipeline.execution(&parameters["pipelineExecutionId"])?;
        let shown = json!({ "pipelineExecution": {
            "pipelineName": parameters["pipelineName"],
            "pipelineVersion": 1,
            "pipelineExecutionId": execution.id,
            "status": format!("{:?}", execution.status),
            "artifactRevisions": [],
            "variables": execution.variables(),
            "trigger": { "triggerType": "StartPipelineExecution", "triggerDetail": "" },
            "executionMode": "PARALLEL",
            "executionType": "STANDARD",
        }});
        execution.advance();
        Ok(shown)
    }

    /// The executions, newest first; a page holds them all.
    fn list(&self, parameters: &Value) -> Outcome {
        let mut pipelines = lock(&self.pipelines);
        let pipeline = self.pipeline(&mut pipelines, &parameters["pipelineName"])?;
        let mut summaries = Vec::new();
        for execution in pipeline.executions.iter_mut().rev() {
            summaries.push(json!({
                "pipelineExecutionId": execution.id,
                "status": format!("{:?}", execution.status),
            }));
            execution.advance();
        }
        Ok(json!({ "pipelineExecutionSummaries": summaries }))
    }

    fn list_actions(&self, parameters: &Value) -> Outcome {
        let mut pipelines = lock(&self.pipelines);
        let pipeline = self.pipeline(&mut pipelines, &parameters["pipelineName"])?;
        let filter = &parameters["filter"]["pipelineExecutionId"];
        if filter.is_string() {
            pipeline.execution(filter)?;
        }
        let executions = pipeline.executions.iter().rev();
        let chosen = executions.filter(|execution| filter.is_null() || *filter == *execution.id);
        let details: Vec<Value> = chosen.flat_map(Execution::details).collect();
        let refused = || {
            (
                "InvalidNextTokenException",
                "The next token was specified in an invalid format".to_owned(),
            )
        };
        let first = match parameters["nextToken"].as_str() {
            Some(token) => token
                .strip_prefix("from-")
                .and_then(|from| from.parse().ok())
                .ok_or_else(refused)?,
            None => 0,
        };
        let size = parameters["maxResults"].as_u64().unwrap_or(100);
        let size = usize::try_from(size).unwrap_or(100);
        let page: Vec<Value> = details.iter().skip(first).take(size).cloned().collect();
        let mut answer = json!({ "actionExecutionDetails": page });
        if first + size < details.len() {
            answer["nextToken"] = json!(format!("from-{}", first + size));
        }
        Ok(answer)
    }

    fn stop(&self, parameters: &Value) -> Outcome {
        let mut pipelines = lock(&self.pipelines);
        let pipeline = self.pipeline(&mut pipelines, &parameters["pipelineName"])?;
        let execution = pipeline.execution(&parameters["pipelineExecutionId"])?;
        let abandon = parameters["abandon"].as_bool().unwrap_or(false);
        // https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html: who waits may still abandon.
        match execution.status {
            ExecutionStatus::InProgress => {}
            ExecutionStatus::Stopping if abandon && !execution.abandoned => {}
            ExecutionStatus::Stopping => {
                let message = "Cannot stop the execution: a stop request was already submitted";
                return Err(("DuplicatedStopRequestException", message.to_owned()));
            }
            other => {
                let message = format!("The pipeline execution cannot be stopped: its status is {other:?}");
                return Err(("PipelineExecutionNotStoppableException", message));
            }
        }
        execution.status = ExecutionStatus::Stopping;
        execution.abandoned = abandon;
        let mut actions = execution.actions.clone();
        let stopped = if abandon {
            ActionStatus::Abandoned
        } else {
            ActionStatus::Succeeded
        };
        for action in actions
            .iter_mut()
            .filter(|action| action.status == ActionStatus::InProgress)
        {
            action.status = stopped;
        }
        execution.ahead = vec![Step::new(ExecutionStatus::Stopped, actions)];
        Ok(json!({ "pipelineExecutionId": execution.id }))
    }

    fn pipeline<'a>(
        &self,
        pipelines: &'a mut BTreeMap<String, Pipeline>,
        name: &Value,
    ) -> Result<&'a mut Pipeline, (&'static str, String)> {
        let name = name.as_str().unwrap_or_default();
        pipelines.get_mut(name).ok_or_else(|| {
            let message = format!("Account '{}' does not have a pipeline with name '{name}'", self.account);
            ("PipelineNotFoundException", message)
        })
    }
}

impl Pipeline {
    fn execution(&mut self, id: &Value) -> Result<&mut Execution, (&'static str, String)> {
        let id = id.as_str().unwrap_or_default();
        let found = self.executions.iter_mut().find(|execution| execution.id == id);
        found.ok_or_else(|| {
            let message = format!("The specified pipeline execution ID '{id}' does not exist");
            ("PipelineExecutionNotFoundException", message)
        })
    }
}

impl Execution {
    fn advance(&mut self) {
        if let Some(step) = self.ahead.pop() {
            self.status = step.status;
            self.actions = step.actions;
        }
    }

    fn variables(&self) -> Vec<Value> {
        let variables = self.request["variables"].as_array().into_iter().flatten();
        variables
            .map(|variable| json!({ "name": variable["name"], "resolvedValue": variable["value"] }))
            .collect()
    }

    /// The actions as the API lists them, newest first.
    fn details(&self) -> impl Iterator<Item = Value> {
        self.actions.iter().enumerate().rev().map(|(place, action)| {
            // Times are only for show, but they are in order.
            let time = 1_750_000_000 + self.begun * 1_000 + place as u64;
            let mut detail = json!({
                "pipelineExecutionId": self.id,
                "actionExecutionId": format!("{}-{place}", self.id),
                "pipelineVersion": 1,
                "stageName": action.stage,
                "actionName": action.name,
                "startTime": time,
                "lastUpdateTime": time,
                "status": format!("{:?}", action.status),
            });
            if let Some(provider) = &action.provider {
                let category = if provider == "CodeBuild" { "Test" } else { "Deploy" };
                let kind = json!({ "category": category, "owner": "AWS", "provider": provider, "version": "1" });
                detail["input"] = json!({ "actionTypeId": kind, "configuration": {}, "inputArtifacts": [] });
            }
            if let Some(result) = &action.result {
                detail["output"] = json!({ "outputArtifacts": [], "executionResult": result, "outputVariables": {} });
            }
            detail
        })
    }
}
