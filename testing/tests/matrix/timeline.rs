//! Everything that happens in a case, in the order of virtual time: executions of the state machine side by side, their functions,
//! the pipelines, the schedule, and what happens to the pull request.
//!
//! An invocation takes a second of virtual time, whatever it takes in fact; what CloudFormation does takes none. So nothing depends
//! on the speed of the machine.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use stepfunctions_runner::{Effect, Execution, Fault as TaskFault, Machine, Outcome, Start, TaskCall, TaskId, Time};
use testing::aws::REGION;

use crate::account::{Account, MACHINE};
use crate::fault::{Fault, Webhook};
use crate::functions::Functions;
use crate::inject::{self, Armed};
use crate::repository::{Act, Pull};

/// How long an invocation takes.
const INVOCATION: Duration = Duration::from_secs(1);
/// The reconciler, by its logical id; a fault is meant for it as for a state.
pub(crate) const RECONCILER: &str = "Reconcile";
/// How long a webhook is on its way when it is late.
const LATE: Duration = Duration::from_secs(600);

/// A case's world while time passes.
pub(crate) struct Timeline<'a> {
    pub(crate) account: &'a Account,
    pub(crate) pull: Pull,
    functions: Functions,
    /// What is to go wrong, and where.
    pub(crate) fault: Option<Armed>,
    pub(crate) executions: Vec<Running>,
    /// What happened, for whoever looks for the reason of a failure.
    pub(crate) trail: Vec<String>,
    began: std::time::Instant,
    machine: &'a Machine,
    agenda: BTreeMap<(Time, u64), Due>,
    entries: u64,
    /// How often the schedule fires.
    interval: Duration,
    next_reconcile: Time,
}

/// An execution and what is known of it besides.
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) input: Value,
    pub(crate) execution: Execution,
    /// What its functions were asked and answered, in order.
    pub(crate) asked: Vec<Asked>,
    /// Whether whoever runs it is gone.
    pub(crate) lost: bool,
}

/// One invocation of an execution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) function: String,
    pub(crate) payload: Value,
    pub(crate) answer: Result<Value, TaskFault>,
}

/// What is due.
enum Due {
    Start(String, Value),
    Invoke(usize, Box<TaskCall>),
    Answer(usize, TaskId, Result<Value, TaskFault>),
}

impl Running {
    fn is_over(&self) -> bool {
        self.lost || self.execution.outcome().is_some()
    }
}

impl<'a> Timeline<'a> {
    pub(crate) fn new(account: &'a mut Account, machine: &'a Machine) -> Self {
        let (repository, functions) = account.next_case();
        let account = &*account;
        let now = account.clock.now();
        let minutes = testing::emission::project().limits.reconcile_minutes;
        let interval = Duration::from_secs(60 * u64::from(minutes));
        Self {
            pull: Pull::new(&account.github, repository, now),
            functions,
            account,
            fault: None,
            executions: Vec::new(),
            trail: Vec::new(),
            began: std::time::Instant::now(),
            machine,
            agenda: BTreeMap::new(),
            entries: 0,
            interval,
            next_reconcile: now + interval,
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.account.clock.now()
    }

    /// Something happens to the pull request now, and this becomes of its webhooks.
    pub(crate) fn happens(&mut self, acts: &[Act], webhook: Webhook) {
        let now = self.now();
        self.note(format!("{acts:?}, {webhook:?}"));
        let mut inputs: Vec<Value> = acts.iter().map(|act| self.pull.act(*act, now)).collect();
        let at = match webhook {
            Webhook::Late => now + LATE,
            _ => now,
        };
        match webhook {
            Webhook::Lost => inputs.clear(),
            Webhook::Twice => inputs.extend(inputs.clone()),
            Webhook::Reversed => inputs.reverse(),
            Webhook::Arrives | Webhook::Late => {}
        }
        for input in inputs {
            self.deliver(input, at);
        }
    }

    /// A webhook arrives.
    pub(crate) fn deliver(&mut self, input: Value, at: Time) {
        let case = self.pull.name.rsplit('/').next().unwrap_or_default();
        let name = format!("{case}-webhook-{}", self.entries);
        self.enter(at, Due::Start(name, input));
    }

    pub(crate) fn note(&mut self, what: impl std::fmt::Display) {
        self.trail.push(format!(
            "{:6} ms {} {what}",
            self.began.elapsed().as_millis(),
            self.now()
        ));
    }

    fn enter(&mut self, at: Time, due: Due) {
        self.entries += 1;
        self.agenda.insert((at, self.entries), due);
    }

    /// Whether nothing happens any more unless the schedule fires.
    pub(crate) fn is_quiet(&self) -> bool {
        let waits = self.account.cloud.next_timeout().is_some();
        !waits && self.agenda.is_empty() && self.executions.iter().all(Running::is_over)
    }

    /// Does the next thing that is due; the schedule fires only if `schedule` says so.
    pub(crate) fn step(&mut self, schedule: bool) {
        self.collect();
        let due = self.agenda.keys().next().copied();
        let running = self
            .executions
            .iter()
            .enumerate()
            .filter(|(_, running)| !running.is_over());
        let deadlines = running.filter_map(|(place, running)| Some((running.execution.next_deadline()?, place)));
        let deadline = deadlines.min();
        let reconcile = schedule.then_some(self.next_reconcile);
        let timeout = self.account.timeout();
        let first = [due.map(|(at, _)| at), deadline.map(|(at, _)| at), reconcile, timeout];
        let Some(first) = first.into_iter().flatten().min() else {
            return;
        };
        self.account.clock.set(first);
        if let Some(key) = due.filter(|(at, _)| *at == first) {
            if let Some(due) = self.agenda.remove(&key) {
                self.carry_out(due);
            }
        } else if let Some((_, place)) = deadline.filter(|(at, _)| *at == first) {
            self.executions[place].execution.advance(first);
        } else if timeout == Some(first) {
            self.note("CloudFormation waits no longer for a custom resource");
            self.account.settle();
        } else {
            self.reconcile();
        }
        self.collect();
    }

    /// Takes what executions ask for into the agenda.
    fn collect(&mut self) {
        let now = self.now();
        for place in 0..self.executions.len() {
            while let Some(effect) = self.executions[place].execution.next_effect() {
                match effect {
                    Effect::Task(call) if !self.executions[place].lost => self.enter(now, Due::Invoke(place, call)),
                    Effect::Task(_) => {}
                    Effect::Cancel(task) => self.agenda.retain(|_, due| match due {
                        Due::Invoke(of, call) => *of != place || call.id != task,
                        Due::Answer(of, id, _) => *of != place || *id != task,
                        Due::Start(..) => true,
                    }),
                }
            }
        }
        let ended = self
            .executions
            .iter()
            .filter(|running| running.execution.outcome().is_some());
        let lines: Vec<String> = ended
            .map(|running| format!("{}: {:?}", running.name, running.execution.outcome()))
            .filter(|line| !self.trail.iter().any(|known| known.ends_with(line.as_str())))
            .collect();
        for line in lines {
            self.note(line);
        }
    }

    fn carry_out(&mut self, due: Due) {
        match due {
            Due::Start(name, input) => self.start(name, input),
            Due::Invoke(place, call) => self.invoke(place, call),
            Due::Answer(place, task, result) => {
                let now = self.now();
                let running = &mut self.executions[place];
                if !running.lost {
                    // The state may have timed out meanwhile.
                    let _ = running.execution.complete(task, result, now);
                }
            }
        }
    }

    fn start(&mut self, name: String, input: Value) {
        self.note(format!("{name} starts"));
        let start = Start::new(input.clone())
            .at(self.now())
            .seed(self.executions.len() as u64 + 1)
            .place(REGION, self.account.cloud.account())
            .machine(MACHINE)
            .execution(&name);
        self.executions.push(Running {
            name,
            input,
            execution: self.machine.start(start),
            asked: Vec::new(),
            lost: false,
        });
    }

    /// Carries out a task, with the fault that is meant for it.
    fn invoke(&mut self, place: usize, call: Box<TaskCall>) {
        if self.executions[place].is_over() {
            return;
        }
        let fault = self.fault.as_mut().and_then(|armed| armed.due(&call.state));
        if let Some(fault) = &fault {
            self.note(format!("{}: {fault:?}", call.state));
            if inject::first(self, place, fault) {
                // What has happened comes to its effect before the function runs.
                let at = self.now() + 5 * INVOCATION;
                self.enter(at, Due::Invoke(place, call));
                return;
            }
            if self.executions[place].is_over() {
                return;
            }
        }
        let function = call
            .invocation()
            .expect("all tasks are invocations")
            .function
            .to_owned();
        let payload = call.invocation().map_or(&Value::Null, |invocation| invocation.payload);
        self.move_pipelines();
        let within = fault.as_ref().and_then(Fault::real_time);
        let (result, took) = self.with_fault(&function, payload, fault.as_ref(), within);
        self.note(match &result {
            Ok(value) => format!("{} → {}", call.state, short(&value.to_string())),
            Err(error) => format!("{} failed: {}", call.state, short(&format!("{error:?}"))),
        });
        self.executions[place].asked.push(Asked {
            function,
            payload: payload.clone(),
            answer: result.clone(),
        });
        let result = result.map(|returned| call.returning(returned));
        let at = self.now() + took;
        self.enter(at, Due::Answer(place, call.id, result));
    }

    /// Invokes a function, with the fault that is meant for it; `within` is the real time that it has then. Says how long it took.
    fn with_fault(
        &mut self,
        function: &str,
        payload: &Value,
        fault: Option<&Fault>,
        within: Option<Duration>,
    ) -> (Result<Value, TaskFault>, Duration) {
        let timeout = self.functions.timeout(function);
        match fault {
            Some(Fault::Before(how)) => (Err(how.told(timeout)), how.takes(timeout)),
            Some(Fault::After(how)) => {
                drop(self.call(function, payload, None));
                (Err(how.told(timeout)), how.takes(timeout))
            }
            Some(fault) => {
                let before = inject::arm(self.account, fault);
                let result = self.call(function, payload, within);
                if let (Some(words), Some(armed)) = (inject::disarm(self.account, fault, before), &mut self.fault) {
                    armed.amiss.push(words);
                }
                (result, INVOCATION)
            }
            None => (self.call(function, payload, None), INVOCATION),
        }
    }

    fn call(&mut self, function: &str, payload: &Value, within: Option<Duration>) -> Result<Value, TaskFault> {
        let result = self.functions.invoke(function, payload, within);
        if ["apply_stack", "teardown"].contains(&self.functions.handler(function)) {
            self.account.settle();
        }
        result
    }

    /// Lets pipelines go as far as they can at this time: until they wait for the clock, or for nothing.
    pub(crate) fn move_pipelines(&self) {
        let engine = &self.account.engine;
        engine.run_until_idle();
        self.account.builds.press(engine);
        engine.run_until_idle();
        while engine.is_busy() && self.account.settle() {
            engine.run_until_idle();
        }
    }

    /// The schedule fires. Whatever goes wrong, nobody invokes the reconciler again before the next time.
    fn reconcile(&mut self) {
        self.next_reconcile = self.now() + self.interval;
        let fault = self.fault.as_mut().and_then(|armed| armed.due(RECONCILER));
        if let Some(fault) = &fault {
            self.note(format!("{RECONCILER}: {fault:?}"));
        }
        self.move_pipelines();
        let request = json!({ "dry_run": false });
        // It asks GitHub about single pull requests only while it has a minute left.
        let within = fault.as_ref().filter(|fault| fault.hangs()).and_then(Fault::real_time);
        let (result, _) = self.with_fault(RECONCILER, &request, fault.as_ref(), within);
        match result {
            Ok(told) => self.note(format!("reconciled: {}", told["started"])),
            Err(error) => self.note(format!("reconcile failed: {error:?}")),
        }
        let now = self.now();
        for (name, input) in self.account.starts.take() {
            self.enter(now + INVOCATION, Due::Start(name, input));
        }
    }

    /// Lets the schedule fire in vain two times: nothing happens in between, and the time alone only makes it do more.
    pub(crate) fn skip_schedule(&mut self) {
        self.next_reconcile = self.next_reconcile + 2 * self.interval;
    }

    /// Stops an execution, as people do.
    pub(crate) fn stop(&mut self, place: usize) {
        let now = self.now();
        let fault = TaskFault::new("Stopped", "somebody has stopped it");
        self.executions[place].execution.stop(fault, now);
    }

    /// Loses all executions.
    pub(crate) fn lose_all(&mut self) {
        for running in &mut self.executions {
            running.lost = running.execution.outcome().is_none();
        }
        self.agenda.clear();
    }

    /// How executions ended, in words.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let word = |running: &Running| match running.execution.outcome() {
            Some(Outcome::Succeeded(_)) => "succeeded".to_owned(),
            Some(other) => format!("{other:?}"),
            None => "lost".to_owned(),
        };
        self.executions
            .iter()
            .map(|running| format!("{}: {}", running.name, word(running)))
            .collect()
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}
