//! Executions of the state machine in real time: a thread each, whose tasks are functions that really run.
//!
//! Waits, retries' delays and timeouts pass `speed` times as fast as the clock, so that a minute's wait takes seconds; a function takes
//! as long as it takes. Never decides what a state does: that is the runner's.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use stepfunctions_runner::{Effect, Event, Execution, Fault, Machine, Outcome, Start, TaskCall, TaskId, Time};

/// Carries out a task, for as long as it takes.
pub type Perform = dyn Fn(&TaskCall) -> Result<Value, Fault> + Send + Sync;

/// Is told each event of an execution, by the execution's name.
pub type Listen = dyn Fn(&str, &Event) + Send + Sync;

/// How executions are run.
#[derive(Clone)]
pub struct Conditions {
    /// How much faster than the clock waits pass; 1 is as they are.
    pub speed: u32,
    /// Carries out tasks.
    pub perform: Arc<Perform>,
    /// Is told what happens.
    pub listen: Arc<Listen>,
}

/// The executions of one state machine.
#[derive(Clone)]
pub struct Executions {
    machine: Machine,
    /// The machine's ARN.
    arn: String,
    conditions: Conditions,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    runs: Mutex<Vec<Run>>,
    /// One of them has ended, or has begun.
    changed: Condvar,
}

/// One execution as it is now.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it was started with.
    pub input: Value,
    /// When it was started.
    pub started: SystemTime,
    /// How it ended, and when; none while it runs.
    pub ended: Option<(Outcome, SystemTime)>,
    /// All that has happened in it.
    pub events: Vec<Event>,
    /// The state transitions that are billed.
    pub transitions: u64,
    inbox: Inbox,
}

#[derive(Clone)]
struct Inbox(mpsc::Sender<Message>);

impl fmt::Debug for Inbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Inbox")
    }
}

enum Message {
    Done(TaskId, Result<Value, Fault>),
    Stop(Fault),
}

/// Why an execution is not started, in the words of Step Functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct NotStarted {
    /// The error's name.
    pub code: &'static str,
    /// The words.
    pub message: String,
}

impl fmt::Debug for Executions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Executions").field("arn", &self.arn).finish_non_exhaustive()
    }
}

impl Executions {
    /// Of this machine.
    #[must_use]
    pub fn of(machine: Machine, arn: impl Into<String>, conditions: Conditions) -> Self {
        Self {
            machine,
            arn: arn.into(),
            conditions,
            shared: Arc::default(),
        }
    }

    /// Starts an execution, and returns it as it is then. The same name with the same input while that runs is the same execution;
    /// without a name it gets one.
    ///
    /// # Errors
    /// Where the name is taken or none, see
    /// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>.
    pub fn start(&self, name: Option<&str>, input: &Value) -> Result<Run, NotStarted> {
        let mut runs = lock(&self.shared.runs);
        let name = match name {
            Some(name) => checked(name)?.to_owned(),
            None => format!("execution-{:04}", runs.len() + 1),
        };
        if let Some(before) = runs.iter().find(|run| run.name == name) {
            if before.ended.is_none() && before.input == *input {
                return Ok(before.clone());
            }
            return Err(NotStarted {
                code: "ExecutionAlreadyExists",
                message: format!("Execution Already Exists: '{}'", before.arn),
            });
        }
        let parts: Vec<&str> = self.arn.split(':').collect();
        let part = |place: usize| parts.get(place).copied().unwrap_or_default();
        let started = SystemTime::now();
        let start = Start::new(input.clone())
            .at(started.into())
            .seed(runs.len() as u64 + 1)
            .place(part(3), part(4))
            .machine(part(6))
            .execution(&name);
        let (sender, inbox) = mpsc::channel();
        let run = Run {
            arn: start.execution_arn(),
            name,
            input: input.clone(),
            started,
            ended: None,
            events: Vec::new(),
            transitions: 0,
            inbox: Inbox(sender),
        };
        runs.push(run.clone());
        drop(runs);
        self.shared.changed.notify_all();
        let driver = Driver {
            executions: self.clone(),
            place: run.name.clone(),
            execution: self.machine.start(start),
            clock: Clock {
                began: Instant::now(),
                start: started.into(),
                speed: self.conditions.speed.max(1),
            },
            inbox,
            sender: run.inbox.0.clone(),
            told: 0,
        };
        thread::spawn(move || driver.drive());
        Ok(run)
    }

    /// Stops an execution; false if there is none of that ARN.
    pub fn stop(&self, arn: &str, error: &str, cause: &str) -> bool {
        let runs = lock(&self.shared.runs);
        let found = runs.iter().find(|run| run.arn == arn);
        // One that has ended listens no more.
        found.map(|run| run.inbox.0.send(Message::Stop(Fault::new(error, cause))).is_ok()).is_some()
    }

    /// All of them, the first one first.
    #[must_use]
    pub fn all(&self) -> Vec<Run> {
        lock(&self.shared.runs).clone()
    }

    /// The machine's ARN.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.arn
    }

    /// Waits until something holds of the executions, but not longer than `most`; whether it holds.
    pub fn wait_until(&self, most: Duration, mut holds: impl FnMut(&[Run]) -> bool) -> bool {
        let runs = lock(&self.shared.runs);
        let waited = self.shared.changed.wait_timeout_while(runs, most, |runs| !holds(runs));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Run)) {
        if let Some(run) = lock(&self.shared.runs).iter_mut().find(|run| run.name == name) {
            change(run);
        }
        self.shared.changed.notify_all();
    }
}

impl Run {
    /// Its status, as Step Functions names it.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.ended.as_ref().map(|(outcome, _)| outcome) {
            None => "RUNNING",
            Some(Outcome::Succeeded(_)) => "SUCCEEDED",
            Some(Outcome::Failed(_)) => "FAILED",
            Some(Outcome::TimedOut) => "TIMED_OUT",
            Some(Outcome::Aborted(_)) => "ABORTED",
        }
    }

    /// The error's name, if it failed or was stopped.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self.ended.as_ref().map(|(outcome, _)| outcome) {
            Some(Outcome::Failed(fault) | Outcome::Aborted(fault)) => fault.error.as_deref(),
            _ => None,
        }
    }
}

/// An execution's thread.
struct Driver {
    executions: Executions,
    place: String,
    execution: Execution,
    clock: Clock,
    inbox: mpsc::Receiver<Message>,
    sender: mpsc::Sender<Message>,
    /// How many events were passed on.
    told: usize,
}

impl Driver {
    fn drive(mut self) {
        self.execution.advance(self.clock.now());
        loop {
            while let Some(effect) = self.execution.next_effect() {
                // A task that is no longer wanted is not waited for: its answer finds it closed.
                if let Effect::Task(call) = effect {
                    self.perform(*call);
                }
            }
            self.tell();
            if self.execution.outcome().is_some() {
                return;
            }
            let message = match self.execution.next_deadline() {
                Some(deadline) => self.inbox.recv_timeout(self.clock.until(deadline)).ok(),
                None => self.inbox.recv().ok(),
            };
            let now = self.clock.now();
            match message {
                Some(Message::Done(task, result)) => {
                    // It may have timed out meanwhile.
                    drop(self.execution.complete(task, result, now));
                }
                Some(Message::Stop(fault)) => self.execution.stop(fault, now),
                None => self.execution.advance(now),
            }
        }
    }

    fn perform(&self, call: TaskCall) {
        let (perform, sender) = (Arc::clone(&self.executions.conditions.perform), self.sender.clone());
        thread::spawn(move || {
            let result = perform(&call);
            // An execution that has ended listens no more.
            drop(sender.send(Message::Done(call.id, result)));
        });
    }

    /// Passes on what has happened since the last time.
    fn tell(&mut self) {
        let events = self.execution.events();
        for event in &events[self.told..] {
            (self.executions.conditions.listen)(&self.place, event);
        }
        let new = events[self.told..].to_vec();
        self.told = events.len();
        let (transitions, outcome) = (self.execution.transitions(), self.execution.outcome().cloned());
        self.executions.change(&self.place, |run| {
            run.events.extend(new);
            run.transitions = transitions;
            run.ended = outcome.map(|outcome| (outcome, SystemTime::now()));
        });
    }
}

/// A clock that runs faster.
struct Clock {
    began: Instant,
    start: Time,
    speed: u32,
}

impl Clock {
    fn now(&self) -> Time {
        self.start + self.began.elapsed() * self.speed
    }

    fn until(&self, time: Time) -> Duration {
        time.since(self.now()) / self.speed
    }
}

/// Names are up to 80 characters, none of which breaks an ARN; control characters and these are refused.
fn checked(name: &str) -> Result<&str, NotStarted> {
    const REFUSED: &str = " <>{}[]?*\"#%\\^|~`$&,;:/";
    let fits = (1..=80).contains(&name.chars().count())
        && !name.chars().any(|character| character.is_control() || REFUSED.contains(character));
    fits.then_some(name).ok_or_else(|| NotStarted {
        code: "InvalidName",
        message: format!("Invalid Name: '{name}'"),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The result of an invocation of a function, as a state machine sees it.
///
/// # Errors
/// The function's own error, by its name, or Lambda's.
pub fn invoked(call: &TaskCall, status: u16, failed: bool, payload: &Value) -> Result<Value, Fault> {
    if !(200..300).contains(&status) {
        let error = match status {
            429 => "Lambda.TooManyRequestsException",
            500.. => "Lambda.ServiceException",
            _ => "Lambda.AWSLambdaException",
        };
        return Err(Fault::new(error, payload.to_string()));
    }
    if failed {
        let error = payload["errorType"].as_str().unwrap_or("Lambda.Unknown");
        return Err(Fault::new(error, payload.to_string()));
    }
    Ok(call.returning(payload.clone()))
}

/// An execution as `DescribeExecution` shows it.
#[must_use]
pub fn described(run: &Run, machine: &str) -> Value {
    let seconds = |time: &SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (since.as_secs_f64() * 1e3).round() / 1e3
    };
    let mut shown = json!({
        "executionArn": run.arn,
        "stateMachineArn": machine,
        "name": run.name,
        "status": run.status(),
        "startDate": seconds(&run.started),
        "input": run.input.to_string(),
        "inputDetails": { "included": true },
    });
    if let Some((outcome, ended)) = &run.ended {
        shown["stopDate"] = json!(seconds(ended));
        match outcome {
            Outcome::Succeeded(output) => {
                shown["output"] = json!(output.to_string());
                shown["outputDetails"] = json!({ "included": true });
            }
            Outcome::Failed(fault) | Outcome::Aborted(fault) => {
                shown["error"] = json!(fault.error);
                shown["cause"] = json!(fault.cause);
            }
            Outcome::TimedOut => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:machine";

    fn executions(definition: &Value, perform: impl Fn(&TaskCall) -> Result<Value, Fault> + Send + Sync + 'static) -> Executions {
        let conditions = Conditions {
            speed: 1_000,
            perform: Arc::new(perform),
            listen: Arc::new(|_, _| {}),
        };
        Executions::of(Machine::load(definition).unwrap(), ARN, conditions)
    }

    fn asking() -> Value {
        json!({ "QueryLanguage": "JSONata", "StartAt": "Rest", "States": {
            "Rest": { "Type": "Wait", "Seconds": 30, "Next": "Ask" },
            "Ask": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
                "Arguments": { "FunctionName": "ask", "Payload": "{% $states.input %}" },
                "Output": "{% $states.result.Payload %}",
                "Retry": [{ "ErrorEquals": ["Busy"], "MaxAttempts": 1 }] } } })
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn waits_pass_quickly_and_tasks_are_carried_out_again() {
        let calls = Mutex::new(0);
        let executions = executions(&asking(), move |call| {
            let mut calls = lock(&calls);
            *calls += 1;
            let payload = call.invocation().unwrap().payload.clone();
            invoked(call, 200, *calls == 1, &if *calls == 1 { json!({ "errorType": "Busy" }) } else { payload })
        });
        let run = executions.start(None, &json!({ "n": 17 })).unwrap();
        assert_eq!(run.arn, "arn:aws:states:eu-west-1:123456789012:execution:machine:execution-0001");
        assert!(executions.wait_until(PATIENCE, |runs| runs.iter().all(|run| run.ended.is_some())));
        let run = executions.all().pop().unwrap();
        assert_eq!(run.ended.as_ref().unwrap().0, Outcome::Succeeded(json!({ "n": 17 })));
        let shown = described(&run, ARN);
        assert_eq!((&shown["status"], &shown["output"]), (&json!("SUCCEEDED"), &json!("{\"n\":17}")));
        assert_eq!(run.transitions, 3, "two states and a retry");
    }

    #[test]
    fn a_name_is_used_once_and_an_execution_can_be_stopped() {
        let definition = json!({ "QueryLanguage": "JSONata", "StartAt": "Rest", "States": {
            "Rest": { "Type": "Wait", "Seconds": 30_000_000, "End": true } } });
        let executions = executions(&definition, |_| Err(Fault::default()));
        let first = executions.start(Some("one"), &json!({})).unwrap();
        assert_eq!(executions.start(Some("one"), &json!({})).unwrap().arn, first.arn, "the same again");
        let other = executions.start(Some("one"), &json!({ "n": 1 })).unwrap_err();
        assert_eq!(other.code, "ExecutionAlreadyExists");
        assert_eq!(executions.start(Some("body too large"), &json!({})).unwrap_err().code, "InvalidName");
        assert!(executions.stop(&first.arn, "Enough", "it was stopped"));
        assert!(!executions.stop("arn:none", "Enough", "it was stopped"));
        assert!(executions.wait_until(PATIENCE, |runs| runs.iter().all(|run| run.ended.is_some())));
        let ended = &executions.all()[0];
        assert_eq!((ended.status(), ended.error()), ("ABORTED", Some("Enough")));
        let again = executions.start(Some("one"), &json!({})).unwrap_err();
        assert_eq!(again.code, "ExecutionAlreadyExists");
    }
}
