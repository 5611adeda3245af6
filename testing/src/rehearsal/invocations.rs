//! What the state machine's tasks come to: functions that are really invoked, each counted, and what is shown of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use stepfunctions_runner::{Event, EventDetail, Fault as TaskFault, TaskCall};

use super::{
    Fault, Plan, RehearsalError,
    clock::Clock,
    event::Happening,
    executions::{self, Conditions},
    recorder::Recorder,
};
use crate::aws::Client;

/// How often each function was invoked.
#[derive(Debug, Default)]
pub(super) struct Invocations(Mutex<BTreeMap<String, u64>>);

impl Invocations {
    pub(super) fn count(&self, function: &str) -> u64 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.entry(function.to_owned()).or_insert(0);
        *number += 1;
        *number
    }

    pub(super) fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tasks are functions that are really invoked, except where a fault stands before them.
pub(super) fn conditions(
    plan: &Plan,
    recorder: &Recorder,
    clock: Arc<Clock>,
    client: Client,
    invocations: &Arc<Invocations>,
) -> Conditions {
    let (told, counted, faults) = (recorder.clone(), Arc::clone(invocations), plan.faults.clone());
    let refused = Mutex::new(BTreeSet::new());
    let first = move |what: &'static str, function: &str| {
        let mut seen = refused.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((what, function.to_owned()))
    };
    let perform = move |call: &TaskCall| {
        let Some(invocation) = call.invocation() else {
            return Err(TaskFault::new("States.Runtime", "only functions are invoked here"));
        };
        let tell = |what: &str| {
            told.record(Happening::Fault {
                what: format!("{what} of {}", invocation.function),
            });
        };
        if faults.contains(&Fault::LambdaBusy) && first("busy", invocation.function) {
            tell("the invocation is refused");
            return Err(TaskFault::new("Lambda.TooManyRequestsException", "Rate exceeded"));
        }
        counted.count(invocation.function);
        let answer = invoke(&client, invocation.function, invocation.payload)
            .map_err(|fault| TaskFault::new("Lambda.SdkClientException", fault.to_string()))?;
        if faults.contains(&Fault::AnswersLost) && first("lost", invocation.function) {
            tell("the answer is lost");
            return Err(TaskFault::new("Lambda.SdkClientException", "the connection was reset"));
        }
        executions::invoked(call, answer.status, answer.failed, &answer.payload)
    };
    let shown = recorder.clone();
    Conditions {
        clock,
        perform: Arc::new(perform),
        listen: Arc::new(move |execution: &str, event: &Event| {
            shown.extend(happening(execution, event));
        }),
    }
}

fn happening(execution: &str, event: &Event) -> Option<Happening> {
    let execution = execution.to_owned();
    let state = || event.state.as_deref().unwrap_or_default().to_owned();
    let ended = |status: &str, error: Option<String>| Happening::ExecutionEnded {
        execution: execution.clone(),
        status: status.to_owned(),
        error,
    };
    Some(match &event.detail {
        EventDetail::ExecutionStarted { .. } => Happening::ExecutionStarted { execution },
        EventDetail::StateEntered { kind, .. } => Happening::StateEntered {
            execution,
            state: state(),
            state_type: kind.to_string(),
        },
        EventDetail::TaskFailed { fault, .. } => Happening::TaskFailed {
            execution,
            state: state(),
            error: fault.error.clone().unwrap_or_default(),
        },
        EventDetail::TaskSucceeded { output, .. } => Happening::Progress {
            summary: told(&output["Payload"])?,
            execution,
            state: state(),
        },
        EventDetail::ExecutionSucceeded { .. } => ended("SUCCEEDED", None),
        EventDetail::ExecutionFailed(fault) => ended("FAILED", fault.error.clone()),
        EventDetail::ExecutionAborted(fault) => ended("ABORTED", fault.error.clone()),
        EventDetail::ExecutionTimedOut => ended("TIMED_OUT", None),
        _ => return None,
    })
}

/// What a check says of what it asked about, with what a person must see to.
fn told(progress: &Value) -> Option<String> {
    let summary = progress["summary"].as_str()?;
    let stuck: Vec<&str> = progress["stuck"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    Some(if stuck.is_empty() {
        summary.to_owned()
    } else {
        format!("{summary} {}", stuck.join(", "))
    })
}

/// What a function answered.
pub(super) struct Answered {
    status: u16,
    failed: bool,
    pub(super) payload: Value,
}

/// Invokes a function of the local AWS and waits for its answer.
pub(super) fn invoke(client: &Client, function: &str, payload: &Value) -> Result<Answered, RehearsalError> {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let lost = |source| RehearsalError::NoAnswer {
        url: path.clone(),
        source,
    };
    let request = Request::post(&path).body(Bytes::from(payload.to_string()));
    let request = request.map_err(|fault| lost(io::Error::other(fault)))?;
    let answer = client.send("lambda", request).map_err(lost)?;
    Ok(Answered {
        status: answer.status().as_u16(),
        failed: answer.headers().contains_key("x-amz-function-error"),
        payload: serde_json::from_slice(answer.body()).unwrap_or(Value::Null),
    })
}
