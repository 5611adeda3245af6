//! Failures: retried, caught, or passed on to what is around.

use std::{sync::Arc, time::Duration};

use super::{
    Execution, Move,
    flow::{FlowId, Phase},
    scope::Got,
    shape::Shape,
    states::Leave,
};
use crate::{
    definition::{Data, Retrier, Selected, StateType},
    event::EventDetail,
    failure::{Failure, Origin},
};

impl Execution {
    /// The flow's state has failed.
    pub(super) fn failed(&mut self, flow: FlowId, failure: Failure) {
        let Some(failure) = self.placed(flow, failure) else {
            return;
        };
        self.abort_branches(flow);
        if self.retried(flow, &failure) {
            return;
        }
        let Some(visit) = self.visit(flow) else { return };
        let state = Arc::clone(&visit.state);
        let detail = match state.kind.state_type() {
            StateType::Parallel => Some(EventDetail::ParallelStateFailed(failure.fault.clone())),
            StateType::Map => Some(EventDetail::MapStateFailed(failure.fault.clone())),
            _ => None,
        };
        if let Some(detail) = detail {
            self.record_in(flow, detail);
        }
        let mut catchers = state.kind.handling().into_iter().flat_map(|handling| &handling.catch);
        let Some((index, catcher)) = catchers
            .by_ref()
            .enumerate()
            .find(|(_, catcher)| failure.matches(&catcher.errors))
        else {
            return self.pass_on(flow, failure);
        };
        let error = failure.error_output();
        let shape = match &state.data {
            Data::Jsonata { .. } => Shape::Jsonata(catcher.output.as_ref()),
            Data::JsonPath(_) => Shape::JsonPath {
                selector: None,
                placed: &catcher.placed,
                output: &Selected::All,
            },
        };
        let leave = Leave {
            assign: catcher.assign.as_ref(),
            shape,
            result: error.clone(),
            got: Got {
                error: Some(error.clone()),
                ..Got::at(error)
            },
            at: format!("Catch[{index}]"),
            next: Some(&catcher.next),
        };
        if let Err(failure) = self.leave(flow, &state, leave)
            && let Some(failure) = self.placed(flow, failure)
        {
            self.pass_on(flow, failure);
        }
    }

    /// The failure with the place where it happened, of which the history takes note if an expression is to blame.
    fn placed(&mut self, flow: FlowId, failure: Failure) -> Option<Failure> {
        let visit = self.visit(flow)?;
        let failure = failure.placed(&visit.state.name, visit.entered);
        if let Origin::Expression { location } = &failure.origin {
            let detail = EventDetail::EvaluationFailed {
                fault: failure.fault.clone(),
                location: location.clone(),
            };
            self.record_in(flow, detail);
        }
        Some(failure)
    }

    /// Whether the first retrier that matches lets the state be tried again.
    fn retried(&mut self, flow: FlowId, failure: &Failure) -> bool {
        let Some(visit) = self.visit_mut(flow) else {
            return false;
        };
        let state = Arc::clone(&visit.state);
        let mut retriers = state.kind.handling().into_iter().flat_map(|handling| &handling.retry);
        let Some((index, retrier)) = retriers
            .by_ref()
            .enumerate()
            .find(|(_, retrier)| failure.matches(&retrier.errors))
        else {
            return false;
        };
        let used = visit.retries[index];
        if used >= retrier.max_attempts {
            return false;
        }
        visit.retries[index] += 1;
        visit.attempt += 1;
        self.transitions += 1;
        let until = self.now + self.delay(retrier, used);
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Delayed(until);
        }
        true
    }

    /// How long to wait before the next attempt, when `used` were made by this retrier already.
    fn delay(&mut self, retrier: &Retrier, used: u64) -> Duration {
        let power = i32::try_from(used).unwrap_or(i32::MAX);
        let seconds = |whole: u64| Duration::from_secs(whole).as_secs_f64();
        let grown = seconds(retrier.interval_seconds) * retrier.backoff_rate.powi(power);
        let bounded = grown.min(retrier.max_delay_seconds.map_or(f64::INFINITY, seconds));
        let seconds = if retrier.full_jitter {
            bounded * self.random.unit()
        } else {
            bounded
        };
        // Beyond a year no execution lives on.
        Duration::from_secs_f64(seconds.clamp(0.0, 366.0 * 86_400.0))
    }

    /// The delay of the flow has come to its end.
    pub(super) fn delayed(&mut self, flow: FlowId) {
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Working;
        }
        self.ready.push_back((flow, Move::Attempt));
    }

    /// Nothing in the flow handles the failure.
    fn pass_on(&mut self, flow: FlowId, failure: Failure) {
        match self.flow(flow).and_then(|flow| flow.parent) {
            None => self.fail(failure.fault),
            Some((parent, index)) => {
                let last = self.flow(flow).map_or(0, |flow| flow.last_event);
                self.drop_flow(flow);
                if let Some(parent) = self.flow_mut(parent) {
                    parent.last_event = last;
                }
                self.branch_failed(parent, index, failure);
            }
        }
    }
}
