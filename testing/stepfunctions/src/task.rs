//! What the interpreter asks of the world, and what the world answers.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    Time,
    definition::Resource,
    event::{Enclosing, Fault},
    execution::TaskId,
};

/// Something that the driver of an execution has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Do this task, and tell its result with [`Execution::complete`](crate::Execution::complete).
    Task(Box<TaskCall>),
    /// The task's result is no longer wanted: it took too long, another branch failed, or the execution ended.
    Cancel(TaskId),
}

/// A task to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCall {
    /// Its number within the execution.
    pub id: TaskId,
    /// The name of the state.
    pub state: Arc<str>,
    /// The Parallel and Map states around it, the outermost first.
    pub within: Arc<[Enclosing]>,
    /// What is asked.
    pub resource: Resource,
    /// The arguments, evaluated.
    pub arguments: Value,
    /// `Credentials`, evaluated; null where the state has none.
    pub credentials: Value,
    /// How often the state had been retried before: 0 for the first attempt.
    pub attempt: u32,
    /// When it was asked.
    pub at: Time,
    /// When the state gives up, where it has `TimeoutSeconds`.
    pub deadline: Option<Time>,
    /// How long it may be silent, where the state has `HeartbeatSeconds`: see [`Execution::heartbeat`](crate::Execution::heartbeat).
    pub heartbeat: Option<Duration>,
    /// The task token, for `.waitForTaskToken`.
    pub token: Option<String>,
}

/// How a task failed: the name that Retry and Catch compare, and the cause.
pub type TaskError = Fault;

impl Fault {
    /// An error with a name and a cause.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            cause: Some(cause.into()),
        }
    }

    /// The error of a Lambda function that failed, with the cause that Step Functions makes of it.
    pub fn of_function(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        let error = error_type.into();
        let cause = json!({ "errorMessage": message.into(), "errorType": error });
        Self::new(error, cause.to_string())
    }
}

/// An invocation of a Lambda function, by either of the two ways there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invocation<'a> {
    /// The function's name, without the rest of its ARN.
    pub function: &'a str,
    /// What it is invoked with.
    pub payload: &'a Value,
}

static EMPTY: Value = Value::Null;

impl TaskCall {
    /// The invocation that the task is; `None` when it asks for something else.
    #[must_use]
    pub fn invocation(&self) -> Option<Invocation<'_>> {
        match &self.resource {
            Resource::Function(arn) => Some(Invocation {
                function: function_name(arn),
                payload: &self.arguments,
            }),
            resource if resource.is_lambda_invoke() => Some(Invocation {
                function: function_name(self.arguments.get("FunctionName")?.as_str()?),
                payload: self.arguments.get("Payload").unwrap_or(&EMPTY),
            }),
            _ => None,
        }
    }

    /// The task's result when the function that it invokes returned `returned`: `lambda:invoke` has it under `Payload`.
    #[must_use]
    pub fn returning(&self, returned: Value) -> Value {
        if self.resource.is_lambda_invoke() {
            json!({ "ExecutedVersion": "$LATEST", "Payload": returned, "StatusCode": 200 })
        } else {
            returned
        }
    }
}

/// `name` of `name`, `name:alias`, `account:function:name` and the whole ARN with or without an alias.
fn function_name(text: &str) -> &str {
    let after = text.split_once("function:").map_or(text, |(_, name)| name);
    after.split(':').next().unwrap_or(after)
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn a_function_has_one_name_however_it_is_written() {
        for text in [
            "fetch",
            "fetch:live",
            "123456789012:function:fetch",
            "arn:aws:lambda:us-east-1:123456789012:function:fetch",
            "arn:aws:lambda:us-east-1:123456789012:function:fetch:live",
        ] {
            assert_eq!(function_name(text), "fetch", "{text}");
        }
    }
}
