//! Runs an execution on a virtual clock: time jumps from one thing that is due to the next, and closures do the tasks.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    time::Duration,
};

use serde_json::Value;

use crate::{Effect, Execution, Machine, Resource, Start, TaskCall, TaskError, TaskId, Time};

/// What a handler answers to a task, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    result: Option<Result<Value, TaskError>>,
    missing: bool,
    after: Duration,
    submitted: Option<Value>,
}

impl Reply {
    /// The result, at once unless [`after`](Self::after) says otherwise.
    #[must_use]
    pub const fn new(result: Result<Value, TaskError>) -> Self {
        Self {
            result: Some(result),
            missing: false,
            after: Duration::ZERO,
            submitted: None,
        }
    }

    /// No answer, ever: the state's timeout is what ends the task.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            result: None,
            missing: false,
            after: Duration::ZERO,
            submitted: None,
        }
    }

    /// The activity is not there: the state fails at once. For tasks of an activity only.
    #[must_use]
    pub const fn missing() -> Self {
        Self {
            result: None,
            missing: true,
            after: Duration::ZERO,
            submitted: None,
        }
    }

    /// The same answer, that much virtual time later.
    #[must_use]
    pub const fn after(mut self, duration: Duration) -> Self {
        self.after = duration;
        self
    }

    /// The same answer, after the service has said `output` to what it was asked: for `.sync` and `.waitForTaskToken`.
    #[must_use]
    pub fn submitted(mut self, output: Value) -> Self {
        self.submitted = Some(output);
        self
    }
}

impl From<Result<Value, TaskError>> for Reply {
    fn from(result: Result<Value, TaskError>) -> Self {
        Self::new(result)
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::new(Ok(value))
    }
}

impl From<TaskError> for Reply {
    fn from(error: TaskError) -> Self {
        Self::new(Err(error))
    }
}

type Handler<'h> = Box<dyn FnMut(&TaskCall) -> Reply + 'h>;

/// The closures that do the tasks of an execution.
///
/// A task goes to the handler of its state, else to that of the function it invokes, else to the one for all others. An activity without a
/// handler is one that is not there, as on AWS.
#[derive(Default)]
pub struct Handlers<'h> {
    states: HashMap<String, Handler<'h>>,
    functions: HashMap<String, Handler<'h>>,
    others: Option<Handler<'h>>,
}

impl fmt::Debug for Handlers<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Handlers")
            .field("states", &self.states.keys())
            .field("functions", &self.functions.keys())
            .field("others", &self.others.is_some())
            .finish()
    }
}

impl<'h> Handlers<'h> {
    /// No handlers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the Lambda function of this name does, by its name alone: given the payload it returns a value or fails. The value is
    /// wrapped as `lambda:invoke` does where the state uses that.
    #[must_use]
    pub fn function<R: Into<Reply>>(mut self, name: &str, mut handler: impl FnMut(&Value) -> R + 'h) -> Self {
        let wrapped = move |call: &TaskCall| {
            let payload = call.invocation().map_or(&Value::Null, |invocation| invocation.payload);
            let mut reply: Reply = handler(payload).into();
            reply.result = reply
                .result
                .map(|result| result.map(|returned| call.returning(returned)));
            reply
        };
        self.functions.insert(name.to_owned(), Box::new(wrapped));
        self
    }

    /// What the task of the state of this name does. Its value is the state's result as it is.
    #[must_use]
    pub fn state<R: Into<Reply>>(mut self, name: &str, mut handler: impl FnMut(&TaskCall) -> R + 'h) -> Self {
        self.states
            .insert(name.to_owned(), Box::new(move |call| handler(call).into()));
        self
    }

    /// What all other tasks do.
    #[must_use]
    pub fn otherwise<R: Into<Reply>>(mut self, mut handler: impl FnMut(&TaskCall) -> R + 'h) -> Self {
        self.others = Some(Box::new(move |call| handler(call).into()));
        self
    }

    fn call(&mut self, call: &TaskCall) -> Option<Reply> {
        if let Some(handler) = self.states.get_mut(&*call.state) {
            return Some(handler(call));
        }
        if let Some(invocation) = call.invocation()
            && let Some(handler) = self.functions.get_mut(invocation.function)
        {
            return Some(handler(call));
        }
        self.others.as_mut().map(|handler| handler(call))
    }
}

/// An execution could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A task that no handler does.
    #[error(
        "state {state:?} asks for {resource:?}, which no handler does\nhelp: add one for the state, the function, or all others"
    )]
    NoHandler {
        /// The state.
        state: String,
        /// Its resource.
        resource: String,
    },
    /// Tasks that are never answered, in states without a timeout.
    #[error(
        "nothing is due any more, but {states:?} wait for tasks that are never answered\nhelp: give them TimeoutSeconds"
    )]
    Stuck {
        /// The states that wait.
        states: Vec<String>,
    },
}

impl Machine {
    /// Runs an execution to its end on a virtual clock.
    ///
    /// # Errors
    /// When a task has no handler, or nothing can ever happen any more. An execution that fails is no error.
    pub fn run(&self, start: Start, handlers: &mut Handlers<'_>) -> Result<Execution, RunError> {
        let mut execution = self.start(start);
        drive(&mut execution, handlers)?;
        Ok(execution)
    }
}

/// Drives an execution to its end on a virtual clock, from wherever it is.
///
/// # Errors
/// When a task has no handler, or nothing can ever happen any more.
pub fn drive(execution: &mut Execution, handlers: &mut Handlers<'_>) -> Result<(), RunError> {
    let mut driver = Driver::default();
    driver.settle(execution, handlers)?;
    while execution.outcome().is_none() {
        driver.pass_time(execution)?;
        driver.settle(execution, handlers)?;
    }
    Ok(())
}

/// The answers that are still to come.
#[derive(Default)]
pub(crate) struct Driver {
    pending: BTreeMap<(Time, TaskId), Result<Value, TaskError>>,
    /// Tasks that are never answered, with their states.
    silent: BTreeMap<TaskId, String>,
}

impl Driver {
    /// Does all that can be done in this instant.
    pub(crate) fn settle(&mut self, execution: &mut Execution, handlers: &mut Handlers<'_>) -> Result<(), RunError> {
        loop {
            while let Some(effect) = execution.next_effect() {
                match effect {
                    Effect::Task(call) => self.call(execution, handlers, &call)?,
                    Effect::Cancel(task) => {
                        self.pending.retain(|(_, id), _| *id != task);
                        self.silent.remove(&task);
                    }
                }
            }
            match self.pending.first_key_value() {
                Some(((at, _), _)) if *at <= execution.now() => self.answer(execution),
                _ => return Ok(()),
            }
        }
    }

    fn call(
        &mut self,
        execution: &mut Execution,
        handlers: &mut Handlers<'_>,
        call: &TaskCall,
    ) -> Result<(), RunError> {
        let activity = matches!(call.resource, Resource::Activity(_));
        let answer = handlers.call(call).or(activity.then(Reply::missing));
        let reply = answer.ok_or_else(|| RunError::NoHandler {
            state: call.state.to_string(),
            resource: call.resource.arn().to_owned(),
        })?;
        if let Some(output) = reply.submitted {
            let told = execution.submitted(call.id, output, call.at);
            debug_assert!(told.is_ok(), "the task was asked for in this instant");
        }
        if reply.missing && activity {
            let told = execution.missing_activity(call.id, call.at);
            debug_assert!(told.is_ok(), "the task was asked for in this instant");
            return Ok(());
        }
        match reply.result {
            Some(result) => {
                self.pending.insert((call.at + reply.after, call.id), result);
            }
            None => {
                self.silent.insert(call.id, call.state.to_string());
            }
        }
        Ok(())
    }

    fn answer(&mut self, execution: &mut Execution) {
        if let Some(((at, task), result)) = self.pending.pop_first() {
            let told = execution.complete(task, result, at);
            debug_assert!(told.is_ok(), "a cancelled task is no longer pending");
        }
    }

    /// Lets time jump to what is due next. An answer in the instant of a deadline comes before it.
    fn pass_time(&mut self, execution: &mut Execution) -> Result<(), RunError> {
        let answer = self.pending.first_key_value().map(|((at, _), _)| *at);
        match (answer, execution.next_deadline()) {
            (Some(at), deadline) if deadline.is_none_or(|deadline| at <= deadline) => self.answer(execution),
            (_, Some(deadline)) => execution.advance(deadline),
            (_, None) => {
                return Err(RunError::Stuck {
                    states: self.silent.values().cloned().collect(),
                });
            }
        }
        Ok(())
    }
}
