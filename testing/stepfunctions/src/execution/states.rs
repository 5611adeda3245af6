//! Entering, working in and leaving states.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    Execution, MOST_BYTES, Move,
    flow::{FlowId, Phase, Visit},
    scope::{Got, size},
    shape::Shape,
};
use crate::{
    Time,
    definition::{Assign, Choice, Condition, Data, Fail, Kind, State, Template, Wait},
    evaluate::unfit,
    event::{EventDetail, Fault},
    failure::Failure,
};

/// What a timestamp is, in AWS's words.
const TIMESTAMP: &str = "ISO-8601 extended offset date-time format string";

/// How a state is left.
pub(super) struct Leave<'a> {
    pub(super) assign: Option<&'a Assign>,
    pub(super) shape: Shape<'a>,
    /// The result that is shaped; the input for states that have none.
    pub(super) result: Value,
    pub(super) got: Got,
    /// The rule or catcher whose fields they are, such as `Choices[0]`; empty for the state's own.
    pub(super) at: String,
    pub(super) next: Option<&'a str>,
}

impl Execution {
    pub(super) fn enter(&mut self, flow: FlowId, name: &str, input: Value) {
        let Some(state) = self.flow(flow).and_then(|flow| flow.states.by_name.get(name).cloned()) else {
            // The loader has compared every name that a state goes on to.
            return;
        };
        let name: Arc<str> = Arc::from(name);
        let kind = state.kind.state_type();
        self.transitions += 1;
        let entered = self.record(
            Some(flow),
            Some(Arc::clone(&name)),
            EventDetail::StateEntered {
                kind,
                input: input.clone(),
            },
        );
        let retries = vec![0; state.kind.handling().map_or(0, |handling| handling.retry.len())];
        let entered_at = self.now;
        if let Some(flow) = self.flow_mut(flow) {
            flow.visit = Some(Visit {
                state,
                name,
                input,
                entered,
                entered_at,
                retries,
                attempt: 0,
                token: None,
                phase: Phase::Working,
            });
        }
        self.attempt(flow);
    }

    /// Does, or does again, what the flow's state is for.
    pub(super) fn attempt(&mut self, flow: FlowId) {
        let Some(visit) = self.visit_mut(flow) else { return };
        visit.phase = Phase::Working;
        let state = Arc::clone(&visit.state);
        let input = visit.input.clone();
        let result = self
            .effective_input(flow, &state, input)
            .and_then(|input| self.work(flow, &state, input));
        if let Err(failure) = result {
            self.failed(flow, failure);
        }
    }

    fn work(&mut self, flow: FlowId, state: &Arc<State>, input: Value) -> Result<(), Failure> {
        match &state.kind {
            Kind::Pass => {
                let result = match &state.data {
                    Data::JsonPath(paths) if paths.result.is_some() => paths.result.clone().unwrap_or_default(),
                    _ => self.arguments(flow, state, None, input)?,
                };
                self.leave(flow, state, own(state, result, Got::default()))
            }
            Kind::Succeed => self.leave(flow, state, own(state, input, Got::default())),
            Kind::Task(task) => self.start_task(flow, state, task, input),
            Kind::Choice(choice) => self.choose(flow, state, choice, input),
            Kind::Wait(wait) => self.wait(flow, state, wait, input),
            Kind::Fail(fail) => self.end_with(flow, fail),
            Kind::Parallel(parallel) => self.start_branches(flow, state, parallel, input),
            Kind::Map(map) => self.start_iterations(flow, state, map, input),
        }
    }

    fn choose(&mut self, flow: FlowId, state: &Arc<State>, choice: &Choice, input: Value) -> Result<(), Failure> {
        for (index, rule) in choice.rules.iter().enumerate() {
            let at = format!("Choices[{index}]");
            let holds = self.scoped(flow, &Got::at(input.clone()), |scope| match &rule.condition {
                Condition::Jsonata(condition) => scope.boolean(condition, &format!("{at}/Condition")),
                Condition::JsonPath(test) => scope.holds(test),
            })?;
            if holds {
                let mut leave = own(state, input, Got::default());
                if let Shape::Jsonata(output) = &mut leave.shape {
                    *output = rule.output.as_ref();
                }
                leave.assign = rule.assign.as_ref();
                leave.at = at;
                leave.next = Some(&rule.next);
                return self.leave(flow, state, leave);
            }
        }
        let Some(default) = &choice.default else {
            return Err(Failure::runtime(
                "Failed to transition out of the state. The state does not point to a next state.",
            ));
        };
        let mut leave = own(state, input, Got::default());
        leave.next = Some(default);
        self.leave(flow, state, leave)
    }

    fn wait(&mut self, flow: FlowId, state: &Arc<State>, wait: &Wait, input: Value) -> Result<(), Failure> {
        let now = self.now;
        let until = self.scoped(flow, &Got::at(input.clone()), |scope| match wait {
            Wait::Seconds(seconds) => {
                let seconds = scope.seconds(seconds)?;
                Ok(now + Duration::from_secs(seconds))
            }
            Wait::Timestamp(timestamp) => {
                let text = scope.text(timestamp, "Timestamp")?;
                text.parse::<Time>().map_err(|_| match timestamp {
                    Template::Query(query) => unfit(query, "Timestamp", TIMESTAMP, &Value::from(text)),
                    _ => Failure::query(
                        "Timestamp",
                        format!("The Timestamp field cannot be parsed as an {TIMESTAMP}: {text}"),
                    ),
                })
            }
        })?;
        if until <= now {
            return self.leave(flow, state, own(state, input, Got::default()));
        }
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Waiting(until);
        }
        Ok(())
    }

    /// The Wait of the flow has come to its end.
    pub(super) fn waited(&mut self, flow: FlowId) {
        let Some(visit) = self.visit(flow) else { return };
        let (state, input) = (Arc::clone(&visit.state), visit.input.clone());
        let left = self
            .effective_input(flow, &state, input)
            .and_then(|input| self.leave(flow, &state, own(&state, input, Got::default())));
        if let Err(failure) = left {
            self.failed(flow, failure);
        }
    }

    fn end_with(&mut self, flow: FlowId, fail: &Fail) -> Result<(), Failure> {
        let fault = self.scoped(flow, &Got::default(), |scope| {
            let mut text = |template: &Option<Template>, at| match template {
                None => Ok(None),
                Some(template) => scope.text(template, at).map(Some),
            };
            Ok(Fault {
                error: text(&fail.error, "Error")?,
                cause: text(&fail.cause, "Cause")?,
            })
        })?;
        Err(Failure::told(fault))
    }

    /// The state's work is done with `result`: on to the next one.
    pub(super) fn worked(&mut self, flow: FlowId, result: Value) -> Result<(), Failure> {
        let Some(visit) = self.visit(flow) else { return Ok(()) };
        let state = Arc::clone(&visit.state);
        if size(&result) > MOST_BYTES {
            return Err(Failure::too_large(&state.name));
        }
        let got = Got {
            result: Some(result.clone()),
            ..Got::default()
        };
        self.leave(flow, &state, own(&state, result, got))
    }

    pub(super) fn leave(&mut self, flow: FlowId, state: &Arc<State>, leave: Leave<'_>) -> Result<(), Failure> {
        let field = |name: &str| {
            if leave.at.is_empty() {
                name.to_owned()
            } else {
                format!("{}/{name}", leave.at)
            }
        };
        let assigned = match leave.assign {
            Some(assign) => self.assignment(flow, &leave.got, assign, &field("Assign"))?,
            None => Vec::new(),
        };
        let output = self.shaped(flow, leave.shape, leave.result, &leave.got, &field("Output"))?;
        if size(&output) > MOST_BYTES {
            return Err(Failure::too_large(&state.name));
        }
        self.record_in(
            flow,
            EventDetail::StateExited {
                kind: state.kind.state_type(),
                output: output.clone(),
                assigned: assigned.iter().cloned().collect(),
            },
        );
        if let Some(flow) = self.flow_mut(flow) {
            flow.variables.extend(assigned);
            flow.visit = None;
        }
        match leave.next {
            Some(next) => {
                let state = next.to_owned();
                self.ready.push_back((flow, Move::Enter { state, input: output }));
            }
            None => self.ended(flow, output),
        }
        Ok(())
    }

    /// A flow has come to its end with an output.
    fn ended(&mut self, flow: FlowId, output: Value) {
        match self.flow(flow).and_then(|flow| flow.parent) {
            None => self.succeed(output),
            Some((parent, index)) => {
                let last = self.flow(flow).map_or(0, |flow| flow.last_event);
                self.drop_flow(flow);
                self.branch_ended(parent, index, output, last);
            }
        }
    }
}

/// Leaving by the state's own fields.
pub(super) fn own(state: &State, result: Value, mut got: Got) -> Leave<'_> {
    if matches!(state.data, Data::JsonPath(_)) {
        got.root = Some(result.clone());
    }
    Leave {
        assign: state.assign.as_ref(),
        shape: Shape::of(state),
        result,
        got,
        at: String::new(),
        next: state.next.as_deref(),
    }
}
