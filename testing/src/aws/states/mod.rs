//! Step Functions' executions, for whoever runs them.
//!
//! MiniStack keeps the state machines that stacks make. Once somebody is installed who runs them, calls for their executions are
//! answered by that one; without, and for executions that nobody here started, by MiniStack.

mod executions;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{backstage::Backstage, codepipeline::blocking};

pub use executions::{Ending, Execution, ExecutionState, Executions};

/// The operations that are about executions.
const OPERATIONS: [&str; 5] = [
    "StartExecution",
    "DescribeExecution",
    "StopExecution",
    "ListExecutions",
    "GetExecutionHistory",
];

/// A state machine that there is.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMachine {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The definition, with everything that CloudFormation substitutes.
    pub definition: Value,
    /// The ARN of its role.
    pub role: String,
    /// `STANDARD` or `EXPRESS`.
    pub kind: String,
}

/// A call's result, or the error's name and words.
pub type Outcome = Result<Value, (String, String)>;

/// Step Functions for the executions of an account. Its methods may block, and may call the local AWS.
///
/// [`Executions`] is one that keeps them in memory.
pub trait StateMachines: fmt::Debug + Send + Sync {
    /// The answer to a call whose parameters keep the rules of Step Functions' model; none leaves it to MiniStack.
    ///
    /// `machine` is the one that `StartExecution` and `ListExecutions` name.
    fn answer(&self, operation: &str, parameters: &Value, machine: Option<&StateMachine>) -> Option<Outcome>;
}

/// The answer of the one who is installed; none leaves the call to MiniStack.
pub(super) async fn answer(
    installed: Arc<dyn StateMachines>,
    operation: &str,
    parameters: &Value,
    backstage: &Backstage,
) -> Option<Outcome> {
    if !OPERATIONS.contains(&operation) {
        return None;
    }
    let machine = match parameters["stateMachineArn"].as_str() {
        // MiniStack has the words for one that is not there.
        Some(arn) => Some(described(arn, backstage).await?),
        None => None,
    };
    let (operation, parameters) = (operation.to_owned(), parameters.clone());
    let answered = blocking(move || installed.answer(&operation, &parameters, machine.as_ref())).await;
    answered.unwrap_or_else(|panic| Some(Err(("InternalFailure".to_owned(), panic))))
}

async fn described(arn: &str, backstage: &Backstage) -> Option<StateMachine> {
    let request = Request::post("/")
        .header("x-amz-target", "AWSStepFunctions.DescribeStateMachine")
        .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .body(Bytes::from(json!({ "stateMachineArn": arn }).to_string()))
        .ok()?;
    let answer = backstage.ask("states", request).await.ok()?;
    let told: Value = serde_json::from_slice(answer.body()).ok()?;
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    Some(StateMachine {
        arn: text("stateMachineArn")?,
        name: text("name")?,
        definition: serde_json::from_str(told["definition"].as_str()?).ok()?,
        role: text("roleArn").unwrap_or_default(),
        kind: text("type").unwrap_or_else(|| "STANDARD".to_owned()),
    })
}
