//! Tasks: asking for them and taking their results.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Execution, MOST_BYTES, TaskId,
    flow::{FlowId, OpenTask, Phase},
    scope::{Got, size},
};
use crate::{
    Effect, TaskCall,
    definition::{Pattern, Resource, State, Task, Template},
    event::{EventDetail, Fault, TaskFamily},
    failure::{DATA_LIMIT_EXCEEDED, Failure, Origin},
};

/// A task whose fields were evaluated.
struct Asked {
    arguments: Value,
    credentials: Value,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
}

const fn family(resource: &Resource) -> TaskFamily {
    match resource {
        Resource::Function(_) => TaskFamily::LambdaFunction,
        Resource::Activity(_) => TaskFamily::Activity,
        Resource::Service { .. } => TaskFamily::Task,
    }
}

impl Execution {
    pub(super) fn start_task(&mut self, flow: FlowId, state: &State, task: &Task, input: Value) -> Result<(), Failure> {
        if task.resource.pattern() != Pattern::RequestResponse {
            let token = self.random.uuid();
            if let Some(visit) = self.visit_mut(flow) {
                visit.token = Some(token);
            }
        }
        let arguments = self.arguments(flow, state, task.arguments.as_ref(), input.clone())?;
        let asked = self.scoped(flow, &Got::at(input), |scope| {
            let mut whole = |template: &Option<Template>, field| match template {
                None => Ok(None),
                Some(template) => scope.whole(template, field, 1).map(Some),
            };
            Ok(Asked {
                arguments,
                timeout_seconds: whole(&task.timeout, "TimeoutSeconds")?,
                heartbeat_seconds: whole(&task.heartbeat, "HeartbeatSeconds")?,
                credentials: match &task.credentials {
                    None => Value::Null,
                    Some(template) => scope.value(template, "Credentials")?,
                },
            })
        })?;
        self.ask(flow, task, asked)
    }

    fn ask(&mut self, flow: FlowId, task: &Task, asked: Asked) -> Result<(), Failure> {
        let now = self.now;
        let Some(visit) = self.visit(flow) else { return Ok(()) };
        let arguments = asked.arguments;
        if size(&arguments) > MOST_BYTES {
            return Err(Failure::named(
                DATA_LIMIT_EXCEEDED,
                format!("The arguments of the task exceed the limit of {MOST_BYTES} bytes."),
                Origin::Interpreter,
            ));
        }
        let id = TaskId(self.tasks + 1);
        let call = TaskCall {
            id,
            state: Arc::clone(&visit.name),
            within: self
                .flow(flow)
                .map_or_else(|| Arc::from([]), |flow| Arc::clone(&flow.within)),
            resource: task.resource.clone(),
            arguments,
            credentials: asked.credentials,
            attempt: visit.attempt,
            at: now,
            deadline: asked.timeout_seconds.map(|seconds| now + Duration::from_secs(seconds)),
            heartbeat: asked.heartbeat_seconds.map(Duration::from_secs),
            token: visit.token.clone(),
        };
        self.tasks += 1;
        let family = family(&task.resource);
        self.record_in(
            flow,
            EventDetail::TaskScheduled {
                family,
                task: id,
                resource: task.resource.clone(),
                input: call.arguments.clone(),
                attempt: call.attempt,
                timeout_seconds: asked.timeout_seconds,
                heartbeat_seconds: asked.heartbeat_seconds,
            },
        );
        self.record_in(flow, EventDetail::TaskStarted { family, task: id });
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Task(OpenTask {
                id,
                deadline: call.deadline,
                heartbeat: call.heartbeat.map(|pause| (pause, now + pause)),
            });
        }
        self.open.insert(id, flow);
        self.effects.push_back(Effect::Task(Box::new(call)));
        Ok(())
    }

    /// The family of the task that the flow's state is, if it is one.
    fn family(&self, flow: FlowId) -> Option<TaskFamily> {
        match &self.visit(flow)?.state.kind {
            crate::definition::Kind::Task(task) => Some(family(&task.resource)),
            _ => None,
        }
    }

    pub(super) fn completed(&mut self, flow: FlowId, task: TaskId, result: Result<Value, Fault>) {
        let Some(family) = self.family(flow) else { return };
        let failure = match result {
            Ok(output) => {
                let detail = EventDetail::TaskSucceeded {
                    family,
                    task,
                    output: output.clone(),
                };
                self.record_in(flow, detail);
                self.worked(flow, output).err()
            }
            Err(fault) => {
                let detail = EventDetail::TaskFailed {
                    family,
                    task,
                    fault: fault.clone(),
                };
                self.record_in(flow, detail);
                Some(Failure::told(fault))
            }
        };
        if let Some(failure) = failure {
            self.failed(flow, failure);
        }
    }

    /// The activity that the flow's task names is not there.
    pub(super) fn unscheduled(&mut self, flow: FlowId) {
        let Some(visit) = self.visit(flow) else { return };
        if let crate::definition::Kind::Task(task) = &visit.state.kind {
            let cause = format!("Activity Does Not Exist: '{}'", task.resource.arn());
            self.failed(flow, Failure::runtime(cause));
        }
    }

    /// The flow's task took too long, or was silent for too long.
    pub(super) fn task_timed_out(&mut self, flow: FlowId, heartbeat: bool) {
        let Some(family) = self.family(flow) else { return };
        if let Some(task) = self.cancel(flow) {
            self.record_in(flow, EventDetail::TaskTimedOut { family, task });
        }
        self.failed(flow, Failure::timed_out(heartbeat));
    }

    /// Takes back what was asked of the world.
    pub(super) fn cancel(&mut self, flow: FlowId) -> Option<TaskId> {
        let Phase::Task(task) = &self.visit(flow)?.phase else {
            return None;
        };
        let id = task.id;
        self.open.remove(&id);
        self.effects.push_back(Effect::Cancel(id));
        Some(id)
    }

    pub(super) fn beat(&mut self, flow: FlowId) {
        let now = self.now;
        if let Some(visit) = self.visit_mut(flow)
            && let Phase::Task(task) = &mut visit.phase
            && let Some((pause, silent)) = &mut task.heartbeat
        {
            *silent = now + *pause;
        }
    }
}
