//! The interpreter: a deterministic machine without I/O. It is told what time it is and what tasks gave, and says what it wants.
//!
//! It never waits, never asks a clock and never calls a handler. The same machine, start and sequence of calls give the same history.

mod containers;
mod failing;
mod flow;
mod scope;
mod shape;
mod states;
mod tasks;
mod timers;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use self::flow::{Flow, FlowId};
use crate::{
    Effect, Machine, Start, Time,
    definition::StateType,
    event::{Enclosing, Event, EventDetail, Fault},
    failure::RUNTIME,
    random::Random,
};

/// The most events a Standard execution may have.
pub const MOST_EVENTS: usize = 25_000;

/// How long an Express execution may take.
const LONGEST_EXPRESS_SECONDS: u64 = 300;

/// The most bytes that an input, an output or a variable may have as JSON.
pub const MOST_BYTES: usize = 256 * 1024;

/// The number of a task within its execution, in the order in which they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

impl TaskId {
    /// The number, from 1 on.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With an output.
    Succeeded(Value),
    /// With an error.
    Failed(Fault),
    /// Since it took longer than the machine's `TimeoutSeconds`.
    TimedOut,
    /// Since it was stopped.
    Aborted(Fault),
}

/// What was told about a task that is not open: it ended, was cancelled, or never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("task {} is not open", .0.number())]
pub struct NotOpen(pub TaskId);

/// One execution of a machine.
///
/// A driver repeats: carry out [`next_effect`](Self::next_effect) until there is none; wait for a task's result, but no longer than
/// [`next_deadline`](Self::next_deadline); tell either with [`complete`](Self::complete) or [`advance`](Self::advance); until there is an
/// [`outcome`](Self::outcome). [`Machine::run`] is such a driver, on a virtual clock.
///
/// ```
/// use serde_json::json;
/// use stepfunctions_runner::{Effect, Machine, Outcome, Start};
///
/// let machine = Machine::load(&json!({
///     "QueryLanguage": "JSONata",
///     "StartAt": "Ask",
///     "States": {
///         "Ask": { "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:ask", "Next": "Rest" },
///         "Rest": { "Type": "Wait", "Seconds": 60, "End": true }
///     }
/// }))?;
/// let mut execution = machine.start(Start::new(json!({"question": 1})));
/// let Some(Effect::Task(call)) = execution.next_effect() else { panic!("a task is asked for") };
/// assert_eq!(call.arguments, json!({"question": 1}));
/// execution.complete(call.id, Ok(json!("answer")), call.at)?;
/// let end = execution.next_deadline().expect("the rest ends");
/// execution.advance(end);
/// assert_eq!(execution.outcome(), Some(&Outcome::Succeeded(json!("answer"))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Execution {
    machine: Machine,
    start: Start,
    now: Time,
    random: Random,
    flows: Vec<Option<Flow>>,
    ready: VecDeque<(FlowId, Move)>,
    open: BTreeMap<TaskId, FlowId>,
    tasks: u64,
    effects: VecDeque<Effect>,
    events: Vec<Event>,
    transitions: u64,
    outcome: Option<Outcome>,
}

/// What a flow does next, without time passing.
#[derive(Debug)]
enum Move {
    Enter { state: String, input: Value },
    Attempt,
}

impl Execution {
    pub(crate) fn new(machine: Machine, start: Start) -> Self {
        let states = Arc::clone(&machine.definition.states);
        let first = Move::Enter {
            state: states.start.clone(),
            input: start.input.clone(),
        };
        let mut execution = Self {
            now: start.at,
            random: Random::new(start.seed),
            flows: vec![Some(Flow::root(states))],
            ready: VecDeque::from([(FlowId::ROOT, first)]),
            open: BTreeMap::new(),
            tasks: 0,
            effects: VecDeque::new(),
            events: Vec::new(),
            transitions: 0,
            outcome: None,
            machine,
            start,
        };
        let input = execution.start.input.clone();
        execution.record(None, None, EventDetail::ExecutionStarted { input });
        execution.run();
        execution
    }

    /// The next thing to be done; `None` when there is nothing new.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When time matters next: a wait or a delay ends, a task or the execution takes too long. `None` when only tasks are waited for, or
    /// nothing is.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.timers().into_iter().map(|timer| timer.due).min()
    }

    /// It is `now`. Time never runs backwards: an earlier instant than the last one counts as that.
    pub fn advance(&mut self, now: Time) {
        self.pass(now, true);
    }

    /// A task gave its result, or failed.
    ///
    /// The result is the state's: wrap what a function returned with [`TaskCall::returning`](crate::TaskCall::returning). What was due
    /// strictly before `now` happens first.
    ///
    /// # Errors
    /// When the task is not open; nothing has changed then.
    pub fn complete(&mut self, task: TaskId, result: Result<Value, Fault>, now: Time) -> Result<(), NotOpen> {
        self.pass(now, false);
        let flow = self.open.remove(&task).ok_or(NotOpen(task))?;
        self.completed(flow, task, result);
        self.run();
        Ok(())
    }

    /// The activity that a task names is not there: the state fails as Step Functions has it fail, and nothing catches that.
    ///
    /// # Errors
    /// When the task is not open.
    pub fn missing_activity(&mut self, task: TaskId, now: Time) -> Result<(), NotOpen> {
        self.pass(now, false);
        let flow = self.open.remove(&task).ok_or(NotOpen(task))?;
        self.unscheduled(flow);
        self.run();
        Ok(())
    }

    /// A task said that it is still at work.
    ///
    /// # Errors
    /// When the task is not open.
    pub fn heartbeat(&mut self, task: TaskId, now: Time) -> Result<(), NotOpen> {
        self.pass(now, false);
        let flow = *self.open.get(&task).ok_or(NotOpen(task))?;
        self.beat(flow);
        Ok(())
    }

    /// What a task of the patterns `.sync` and `.waitForTaskToken` asked for was begun. Only the history shows it.
    ///
    /// # Errors
    /// When the task is not open.
    pub fn submitted(&mut self, task: TaskId, output: Value, now: Time) -> Result<(), NotOpen> {
        self.pass(now, false);
        let flow = *self.open.get(&task).ok_or(NotOpen(task))?;
        self.record_in(flow, EventDetail::TaskSubmitted { task, output });
        self.run();
        Ok(())
    }

    /// The open task that has this token.
    #[must_use]
    pub fn task_of_token(&self, token: &str) -> Option<TaskId> {
        self.open.iter().find_map(|(task, flow)| {
            let own = self.flow(*flow)?.token()?;
            (own == token).then_some(*task)
        })
    }

    /// Stops the execution, as `StopExecution` does. Has no effect on one that has ended.
    pub fn stop(&mut self, fault: Fault, now: Time) {
        self.pass(now, false);
        self.finish(EventDetail::ExecutionAborted(fault.clone()), Outcome::Aborted(fault));
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// All that has happened.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The tasks that are open, in the order in which they were asked for.
    pub fn open_tasks(&self) -> impl Iterator<Item = TaskId> {
        self.open.keys().copied()
    }

    /// The transitions that a Standard workflow is billed by so far: one for each state that is entered and one for each retry.
    #[must_use]
    pub const fn transitions(&self) -> u64 {
        self.transitions
    }

    /// The instant that was told last.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// How long it has run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.since(self.start.at)
    }

    /// Every state that was entered, in order, with the Parallel and Map states around it.
    pub fn path(&self) -> impl Iterator<Item = (&[Enclosing], &str, StateType)> {
        self.events.iter().filter_map(|event| match &event.detail {
            EventDetail::StateEntered { kind, .. } => Some((&*event.within, event.state.as_deref()?, *kind)),
            _ => None,
        })
    }

    /// Does what can be done without time passing.
    fn run(&mut self) {
        while self.outcome.is_none() {
            if self.events.len() >= MOST_EVENTS - 1 && !self.start.is_express() {
                let cause = format!("The execution reached the maximum number of history events ({MOST_EVENTS}).");
                self.fail(Fault::new(RUNTIME, cause));
                return;
            }
            let Some((flow, step)) = self.ready.pop_front() else {
                return;
            };
            if self.flow(flow).is_none() {
                continue;
            }
            match step {
                Move::Enter { state, input } => self.enter(flow, &state, input),
                Move::Attempt => self.attempt(flow),
            }
        }
    }

    fn succeed(&mut self, output: Value) {
        self.finish(
            EventDetail::ExecutionSucceeded { output: output.clone() },
            Outcome::Succeeded(output),
        );
    }

    fn fail(&mut self, fault: Fault) {
        self.finish(EventDetail::ExecutionFailed(fault.clone()), Outcome::Failed(fault));
    }

    fn finish(&mut self, detail: EventDetail, outcome: Outcome) {
        if self.outcome.is_some() {
            return;
        }
        let previous = self.events.last().map_or(0, |event| event.id);
        self.outcome = Some(outcome);
        self.append(previous, Arc::from([]), None, detail);
        let open = std::mem::take(&mut self.open);
        self.effects.extend(open.into_keys().map(Effect::Cancel));
        self.ready.clear();
        self.flows.clear();
    }

    fn append(&mut self, previous: u64, within: Arc<[Enclosing]>, state: Option<Arc<str>>, detail: EventDetail) -> u64 {
        let id = u64::try_from(self.events.len()).unwrap_or(u64::MAX) + 1;
        self.events.push(Event {
            id,
            previous,
            at: self.now,
            within,
            state,
            detail,
        });
        id
    }

    /// Adds to the history what happened in a flow.
    fn record(&mut self, flow: Option<FlowId>, state: Option<Arc<str>>, detail: EventDetail) -> u64 {
        let (previous, within) = match flow.and_then(|flow| self.flow(flow)) {
            Some(flow) => (flow.last_event, Arc::clone(&flow.within)),
            None => (0, Arc::from([])),
        };
        let id = self.append(previous, within, state, detail);
        if let Some(flow) = flow.and_then(|flow| self.flow_mut(flow)) {
            flow.last_event = id;
        }
        id
    }

    /// Adds to the history what happened in a flow's current state.
    fn record_in(&mut self, flow: FlowId, detail: EventDetail) -> u64 {
        let state = self
            .flow(flow)
            .and_then(|flow| flow.visit.as_ref())
            .map(|visit| Arc::clone(&visit.name));
        self.record(Some(flow), state, detail)
    }
}
