//! The history of an execution, modelled on `GetExecutionHistory`: the same events in the same order with the same numbers, since the
//! causes of errors name them. Never decides what happens.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{
    Time,
    definition::{Resource, StateType},
    execution::TaskId,
};

/// One entry of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number, from 1 on.
    pub id: u64,
    /// The number of the event that it followed in its own branch; 0 for the first.
    pub previous: u64,
    /// When it happened.
    pub at: Time,
    /// The Parallel and Map states that it happened in, the outermost first.
    pub within: Arc<[Enclosing]>,
    /// The state it is about; `None` for the execution's own events.
    pub state: Option<Arc<str>>,
    /// What happened.
    pub detail: EventDetail,
}

/// A branch of a Parallel or an iteration of a Map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Enclosing {
    /// The name of the Parallel or Map.
    pub state: Arc<str>,
    /// Which branch or item, from 0 on.
    pub index: usize,
}

/// An error's name and its cause, as far as there are any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// The name that `ErrorEquals` compares.
    pub error: Option<String>,
    /// The explanation.
    pub cause: Option<String>,
}

/// What kind of resource a task has, which names its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskFamily {
    /// A Lambda function by its ARN.
    LambdaFunction,
    /// An activity.
    Activity,
    /// A service integration, `lambda:invoke` included.
    Task,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventDetail {
    /// The execution began.
    ExecutionStarted {
        /// Its input.
        input: Value,
    },
    /// The execution ended well.
    ExecutionSucceeded {
        /// Its output.
        output: Value,
    },
    /// The execution failed.
    ExecutionFailed(Fault),
    /// The execution took longer than its `TimeoutSeconds`.
    ExecutionTimedOut,
    /// The execution was stopped.
    ExecutionAborted(Fault),
    /// A state was entered.
    StateEntered {
        /// The state's type.
        kind: StateType,
        /// Its input.
        input: Value,
    },
    /// A state was left.
    StateExited {
        /// The state's type.
        kind: StateType,
        /// Its output.
        output: Value,
        /// The variables that were assigned.
        assigned: BTreeMap<String, Value>,
    },
    /// A state was cut off since another branch failed.
    StateAborted {
        /// The state's type.
        kind: StateType,
    },
    /// A task was handed out.
    TaskScheduled {
        /// The kind of its resource.
        family: TaskFamily,
        /// Its number within the execution.
        task: TaskId,
        /// The resource.
        resource: Resource,
        /// The arguments.
        input: Value,
        /// How often the state had been retried before: 0 for the first attempt.
        attempt: u32,
        /// `TimeoutSeconds`, where the state has it.
        timeout_seconds: Option<u64>,
        /// `HeartbeatSeconds`, where the state has it.
        heartbeat_seconds: Option<u64>,
    },
    /// A task was taken up.
    TaskStarted {
        /// The kind of its resource.
        family: TaskFamily,
        /// Its number.
        task: TaskId,
    },
    /// What a task asked for was begun; the state still waits for its end.
    TaskSubmitted {
        /// Its number.
        task: TaskId,
        /// What the service answered.
        output: Value,
    },
    /// A task gave its result.
    TaskSucceeded {
        /// The kind of its resource.
        family: TaskFamily,
        /// Its number.
        task: TaskId,
        /// The result.
        output: Value,
    },
    /// A task failed.
    TaskFailed {
        /// The kind of its resource.
        family: TaskFamily,
        /// Its number.
        task: TaskId,
        /// With what.
        fault: Fault,
    },
    /// A task took too long, or was silent for too long.
    TaskTimedOut {
        /// The kind of its resource.
        family: TaskFamily,
        /// Its number.
        task: TaskId,
    },
    /// The branches of a Parallel began.
    ParallelStateStarted,
    /// All branches of a Parallel ended.
    ParallelStateSucceeded,
    /// A Parallel failed.
    ParallelStateFailed(Fault),
    /// The iterations of a Map began.
    MapStateStarted {
        /// How many items there are.
        length: usize,
    },
    /// All iterations of a Map ended.
    MapStateSucceeded,
    /// A Map failed.
    MapStateFailed(Fault),
    /// An iteration began.
    MapIterationStarted {
        /// Which item, from 0 on.
        index: usize,
    },
    /// An iteration ended.
    MapIterationSucceeded {
        /// Which item.
        index: usize,
    },
    /// An iteration failed.
    MapIterationFailed {
        /// Which item.
        index: usize,
    },
    /// An iteration was cut off since another failed.
    MapIterationAborted {
        /// Which item.
        index: usize,
    },
    /// An expression failed.
    EvaluationFailed {
        /// With what.
        fault: Fault,
        /// The field that it stands in, such as `Output/total`.
        location: String,
    },
}

impl EventDetail {
    /// The type's name as AWS writes it, such as `ChoiceStateEntered` or `LambdaFunctionFailed`.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::ExecutionStarted { .. } => "ExecutionStarted".to_owned(),
            Self::ExecutionSucceeded { .. } => "ExecutionSucceeded".to_owned(),
            Self::ExecutionFailed(_) => "ExecutionFailed".to_owned(),
            Self::ExecutionTimedOut => "ExecutionTimedOut".to_owned(),
            Self::ExecutionAborted(_) => "ExecutionAborted".to_owned(),
            Self::StateEntered { kind, .. } => format!("{kind}StateEntered"),
            Self::StateExited { kind, .. } => format!("{kind}StateExited"),
            Self::StateAborted { kind } => format!("{kind}StateAborted"),
            Self::TaskScheduled { family, .. } => format!("{family:?}Scheduled"),
            Self::TaskStarted { family, .. } => format!("{family:?}Started"),
            Self::TaskSubmitted { .. } => "TaskSubmitted".to_owned(),
            Self::TaskSucceeded { family, .. } => format!("{family:?}Succeeded"),
            Self::TaskFailed { family, .. } => format!("{family:?}Failed"),
            Self::TaskTimedOut { family, .. } => format!("{family:?}TimedOut"),
            Self::ParallelStateStarted => "ParallelStateStarted".to_owned(),
            Self::ParallelStateSucceeded => "ParallelStateSucceeded".to_owned(),
            Self::ParallelStateFailed(_) => "ParallelStateFailed".to_owned(),
            Self::MapStateStarted { .. } => "MapStateStarted".to_owned(),
            Self::MapStateSucceeded => "MapStateSucceeded".to_owned(),
            Self::MapStateFailed(_) => "MapStateFailed".to_owned(),
            Self::MapIterationStarted { .. } => "MapIterationStarted".to_owned(),
            Self::MapIterationSucceeded { .. } => "MapIterationSucceeded".to_owned(),
            Self::MapIterationFailed { .. } => "MapIterationFailed".to_owned(),
            Self::MapIterationAborted { .. } => "MapIterationAborted".to_owned(),
            Self::EvaluationFailed { .. } => "EvaluationFailed".to_owned(),
        }
    }

    /// What the event says beside its type, as a JSON object.
    fn fields(&self) -> Value {
        match self {
            Self::ExecutionStarted { input } | Self::StateEntered { input, .. } => json!({ "input": input }),
            Self::ExecutionSucceeded { output } | Self::TaskSubmitted { output, .. } => json!({ "output": output }),
            Self::TaskSucceeded { output, task, .. } => json!({ "output": output, "task": task.number() }),
            Self::ExecutionFailed(fault)
            | Self::ExecutionAborted(fault)
            | Self::ParallelStateFailed(fault)
            | Self::MapStateFailed(fault)
            | Self::TaskFailed { fault, .. } => json!({ "error": fault.error, "cause": fault.cause }),
            Self::ExecutionTimedOut | Self::TaskTimedOut { .. } => json!({ "error": "States.Timeout" }),
            Self::StateExited { output, assigned, .. } => json!({ "output": output, "assignedVariables": assigned }),
            Self::TaskScheduled {
                resource,
                input,
                attempt,
                timeout_seconds,
                heartbeat_seconds,
                task,
                ..
            } => json!({
                "task": task.number(),
                "resource": resource.arn(),
                "input": input,
                "attempt": attempt,
                "timeoutInSeconds": timeout_seconds,
                "heartbeatInSeconds": heartbeat_seconds,
            }),
            Self::TaskStarted { task, .. } => json!({ "task": task.number() }),
            Self::MapStateStarted { length } => json!({ "length": length }),
            Self::MapIterationStarted { index }
            | Self::MapIterationSucceeded { index }
            | Self::MapIterationFailed { index }
            | Self::MapIterationAborted { index } => json!({ "index": index }),
            Self::EvaluationFailed { fault, location } => {
                json!({ "error": fault.error, "cause": fault.cause, "location": location })
            }
            Self::StateAborted { .. }
            | Self::ParallelStateStarted
            | Self::ParallelStateSucceeded
            | Self::MapStateSucceeded => json!({}),
        }
    }
}

impl Event {
    /// The type's name as AWS writes it.
    #[must_use]
    pub fn type_name(&self) -> String {
        self.detail.type_name()
    }

    /// The event as one JSON object: `id`, `previousEventId`, `timestamp`, `type`, `within`, `state` and the details' own fields.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), json!(self.id));
        object.insert("previousEventId".to_owned(), json!(self.previous));
        object.insert("timestamp".to_owned(), json!(self.at.to_string()));
        object.insert("type".to_owned(), json!(self.type_name()));
        if !self.within.is_empty() {
            let within = self
                .within
                .iter()
                .map(|one| json!({ "state": &*one.state, "index": one.index }));
            object.insert("within".to_owned(), within.collect());
        }
        if let Some(state) = &self.state {
            object.insert("state".to_owned(), json!(&**state));
        }
        if let Value::Object(fields) = self.detail.fields() {
            object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        Value::Object(object)
    }
}
