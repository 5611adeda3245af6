//! Executions of state machines in real time: the runner decides, functions really run, and the local Step Functions shows it.
//!
//! Waits, retries' delays and timeouts pass by a [`Clock`] of their own, so that a minute's wait takes seconds; a function takes as long as
//! it takes.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use stepfunctions_runner::{
    Effect, Event, EventDetail, Execution, Fault, Machine, Outcome, Refusals, Start, TaskCall, TaskId, Time,
};

use super::clock::Clock;
use crate::aws::states::{self, Ending, StateMachine};

/// Carries out a task, for as long as it takes.
pub type Perform = dyn Fn(&TaskCall) -> Result<Value, Fault> + Send + Sync;

/// Is told each event of an execution, by the execution's name.
pub type Listen = dyn Fn(&str, &Event) + Send + Sync;

/// How long an execution that was stopped may go on.
const STOPPED_WITHIN: Duration = Duration::from_millis(200);

/// How executions are run.
#[derive(Clone)]
pub struct Conditions {
    /// What waits pass by.
    pub clock: Arc<Clock>,
    /// Carries out tasks.
    pub perform: Arc<Perform>,
    /// Is told what happens.
    pub listen: Arc<Listen>,
}

/// What has been run, and is.
pub struct Runs {
    conditions: Conditions,
    runs: Mutex<Vec<Run>>,
    /// One of them has gone on.
    changed: Condvar,
}

/// One execution as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// What it was started with.
    pub input: Value,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: &'static str,
    /// The error's name, if it failed.
    pub error: Option<String>,
    /// The states that it has entered, in order.
    pub states: Vec<String>,
    /// The states in which a task has failed.
    pub failed: Vec<String>,
    /// The state transitions that are billed.
    pub transitions: u64,
    /// How long it has taken, by the clock.
    pub took: Duration,
    /// All that has happened in it.
    pub events: Vec<Event>,
}

impl fmt::Debug for Runs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Runs").finish_non_exhaustive()
    }
}

impl Runs {
    /// None yet.
    #[must_use]
    pub fn new(conditions: Conditions) -> Self {
        Self {
            conditions,
            runs: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Runs an execution to its end: what the local Step Functions is given to run executions with.
    #[must_use]
    pub fn run(&self, machine: &StateMachine, shown: &states::Execution) -> Ending {
        let Some(state) = shown.state() else {
            return Ending::TimedOut;
        };
        let loaded = Machine::load(&machine.definition);
        let place = self.begin(&state.name, &state.input);
        let Ok(loaded) = loaded.map_err(|refusals| self.refuse(place, &refusals)) else {
            return Ending::Failed {
                error: "States.Runtime".to_owned(),
                cause: "the runner does not execute this state machine".to_owned(),
            };
        };
        let started = SystemTime::now();
        let part = |number: usize| machine.arn.split(':').nth(number).unwrap_or_default();
        let start = Start::new(state.input)
            .at(started.into())
            .seed(place as u64)
            .place(part(3), part(4))
            .machine(&machine.name)
            .execution(&state.name)
            .role(&machine.role);
        let (sender, inbox) = mpsc::channel();
        let driver = Driver {
            runs: self,
            place,
            shown,
            execution: loaded.start(start),
            began: Instant::now(),
            start: started.into(),
            before: self.conditions.clock.elapsed(),
            inbox,
            sender,
            told: 0,
        };
        driver.drive()
    }

    /// All of them, the first one first.
    #[must_use]
    pub fn all(&self) -> Vec<Run> {
        lock(&self.runs).clone()
    }

    /// Waits until something holds of the executions, but not longer than `most`; whether it holds.
    pub fn wait_until(&self, most: Duration, mut holds: impl FnMut(&[Run]) -> bool) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.runs), most, |runs| !holds(runs));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn begin(&self, name: &str, input: &Value) -> usize {
        let mut runs = lock(&self.runs);
        runs.push(Run {
            name: name.to_owned(),
            input: input.clone(),
            status: "RUNNING",
            error: None,
            states: Vec::new(),
            failed: Vec::new(),
            transitions: 0,
            took: Duration::ZERO,
            events: Vec::new(),
        });
        runs.len() - 1
    }

    fn refuse(&self, place: usize, refusals: &Refusals) {
        self.change(place, |run| {
            (run.status, run.error) = ("FAILED", Some(refusals.to_string()));
        });
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Run)) {
        if let Some(run) = lock(&self.runs).get_mut(place) {
            change(run);
        }
        self.changed.notify_all();
    }
}

impl Run {
    /// Whether it goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == "RUNNING"
    }

    fn take(&mut self, event: Event) {
        let state = event.state.as_deref().map(str::to_owned);
        match (&event.detail, state) {
            (EventDetail::StateEntered { .. }, Some(state)) => self.states.push(state),
            (EventDetail::TaskFailed { .. } | EventDetail::TaskTimedOut { .. }, Some(state)) => self.failed.push(state),
            _ => {}
        }
        self.events.push(event);
    }
}

/// An execution's thread.
struct Driver<'a> {
    runs: &'a Runs,
    place: usize,
    shown: &'a states::Execution,
    execution: Execution,
    began: Instant,
    start: Time,
    /// What had passed by the executions' clock when this one began.
    before: Duration,
    inbox: mpsc::Receiver<(TaskId, Result<Value, Fault>)>,
    sender: mpsc::Sender<(TaskId, Result<Value, Fault>)>,
    /// How many events were passed on.
    told: usize,
}

impl Driver<'_> {
    fn drive(mut self) -> Ending {
        self.execution.advance(self.now());
        loop {
            while let Some(effect) = self.execution.next_effect() {
                // A task that is no longer wanted is not waited for: its answer finds it closed.
                if let Effect::Task(call) = effect {
                    self.perform(*call);
                }
            }
            self.tell();
            if let Some(outcome) = self.execution.outcome() {
                return ending(outcome);
            }
            let wait = self.execution.next_deadline().map(|deadline| self.until(deadline));
            let message = self
                .inbox
                .recv_timeout(wait.unwrap_or(STOPPED_WITHIN).min(STOPPED_WITHIN));
            let now = self.now();
            if self.shown.is_over() {
                self.execution.stop(Fault::default(), now);
            } else if let Ok((task, result)) = message {
                // It may have timed out meanwhile, which is no fault of ours.
                let _ = self.execution.complete(task, result, now);
            } else {
                self.execution.advance(now);
            }
        }
    }

    fn now(&self) -> Time {
        self.start + (self.runs.conditions.clock.elapsed() - self.before)
    }

    /// How long it really takes until then.
    fn until(&self, time: Time) -> Duration {
        self.runs.conditions.clock.until(self.before + time.since(self.start))
    }

    fn perform(&self, call: TaskCall) {
        let (perform, sender) = (Arc::clone(&self.runs.conditions.perform), self.sender.clone());
        thread::spawn(move || {
            let result = perform(&call);
            // An execution that has ended listens no more.
            drop(sender.send((call.id, result)));
        });
    }

    /// Passes on what has happened since the last time.
    fn tell(&mut self) {
        let new = self.execution.events()[self.told..].to_vec();
        self.told += new.len();
        let name = self
            .runs
            .all()
            .get(self.place)
            .map(|run| run.name.clone())
            .unwrap_or_default();
        for event in &new {
            (self.runs.conditions.listen)(&name, event);
            let ends = matches!(
                event.detail,
                EventDetail::ExecutionStarted { .. }
                    | EventDetail::ExecutionSucceeded { .. }
                    | EventDetail::ExecutionFailed(_)
            );
            // The local Step Functions tells of the beginning and the end itself.
            if !ends {
                self.shown.tell(event.to_json());
            }
        }
        let (transitions, took) = (self.execution.transitions(), self.began.elapsed());
        let (status, error) = self
            .execution
            .outcome()
            .map_or(("RUNNING", None), |outcome| match outcome {
                Outcome::Succeeded(_) => ("SUCCEEDED", None),
                Outcome::Failed(fault) => ("FAILED", fault.error.clone()),
                Outcome::TimedOut => ("TIMED_OUT", None),
                Outcome::Aborted(fault) => ("ABORTED", fault.error.clone()),
            });
        self.runs.change(self.place, |run| {
            (run.status, run.error, run.transitions, run.took) = (status, error, transitions, took);
            new.into_iter().for_each(|event| run.take(event));
        });
    }
}

fn ending(outcome: &Outcome) -> Ending {
    match outcome {
        Outcome::Succeeded(output) => Ending::Succeeded(output.clone()),
        Outcome::Failed(fault) => Ending::Failed {
            error: fault.error.clone().unwrap_or_default(),
            cause: fault.cause.clone().unwrap_or_default(),
        },
        // One that was stopped stays so, whatever is said.
        Outcome::TimedOut | Outcome::Aborted(_) => Ending::TimedOut,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The result of an invocation of a function as a state machine sees it: its status, whether the function failed, and its payload.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::states::{Executions, StateMachines};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// The local Step Functions with this machine, whose tasks are carried out so, and what is run there.
    fn machines(
        definition: Value,
        perform: impl Fn(&TaskCall) -> Result<Value, Fault> + Send + Sync + 'static,
    ) -> (Arc<Executions>, Arc<Runs>, StateMachine) {
        let runs = Arc::new(Runs::new(Conditions {
            clock: Clock::new(1_000),
            perform: Arc::new(perform),
            listen: Arc::new(|_, _| {}),
        }));
        let running = Arc::clone(&runs);
        let executions = Executions::new(move |machine, execution| running.run(machine, execution));
        let machine = StateMachine {
            arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:machine".to_owned(),
            name: "machine".to_owned(),
            definition,
            role: String::new(),
            kind: "STANDARD".to_owned(),
        };
        (executions, runs, machine)
    }

    fn start(executions: &Executions, machine: &StateMachine) -> Value {
        let parameters = json!({ "stateMachineArn": machine.arn, "name": "one", "input": "{\"n\":17}" });
        executions
            .answer("StartExecution", &parameters, Some(machine))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn waits_pass_quickly_and_a_task_that_failed_is_carried_out_again() {
        let calls = Mutex::new(0);
        let definition = json!({ "QueryLanguage": "JSONata", "StartAt": "Rest", "States": {
            "Rest": { "Type": "Wait", "Seconds": 30, "Next": "Ask" },
            "Ask": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
                "Arguments": { "FunctionName": "ask", "Payload": "{% $states.input %}" },
                "Output": "{% $states.result.Payload %}",
                "Retry": [{ "ErrorEquals": ["Busy"], "MaxAttempts": 1 }] } } });
        let (executions, runs, machine) = machines(definition, move |call| {
            let mut calls = lock(&calls);
            *calls += 1;
            let payload = call.invocation().unwrap().payload.clone();
            let busy = *calls == 1;
            invoked(
                call,
                200,
                busy,
                &if busy { json!({ "errorType": "Busy" }) } else { payload },
            )
        });
        start(&executions, &machine);
        assert!(runs.wait_until(PATIENCE, |runs| runs.iter().any(|run| !run.is_running())));
        let run = runs.all().remove(0);
        assert_eq!(
            (run.status, run.transitions),
            ("SUCCEEDED", 3),
            "two states and a retry"
        );
        assert_eq!(
            (run.states, run.failed),
            (vec!["Rest".to_owned(), "Ask".to_owned()], vec!["Ask".to_owned()])
        );
        // The thread ends a moment after the run.
        let until = Instant::now() + PATIENCE;
        while executions.all()[0].status == "RUNNING" && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(executions.all()[0].output, Some(json!({ "n": 17 })));
    }

    #[test]
    fn an_execution_that_is_stopped_ends() {
        let definition = json!({ "QueryLanguage": "JSONata", "StartAt": "Rest", "States": {
            "Rest": { "Type": "Wait", "Seconds": 30_000_000, "End": true } } });
        let (executions, runs, machine) = machines(definition, |_| Err(Fault::default()));
        let arn = start(&executions, &machine)["executionArn"].clone();
        assert!(runs.wait_until(PATIENCE, |runs| runs.iter().any(|run| run.states == ["Rest"])));
        let parameters = json!({ "executionArn": arn, "error": "Enough" });
        executions.answer("StopExecution", &parameters, None).unwrap().unwrap();
        assert!(runs.wait_until(PATIENCE, |runs| runs[0].status == "ABORTED"));
        assert_eq!(executions.all()[0].status, "ABORTED");
    }
}
