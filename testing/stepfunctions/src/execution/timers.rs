//! What happens since time passes.

use std::time::Duration;

use super::{
    Execution, LONGEST_EXPRESS_SECONDS, Outcome,
    flow::{FlowId, Phase},
};
use crate::{Time, event::EventDetail};

/// Something that is due at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub(super) due: Time,
    what: Due,
}

/// What is due; of several at the same instant, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Waited(FlowId),
    Delayed(FlowId),
    TaskTimeout(FlowId),
    Heartbeat(FlowId),
    ExecutionTimeout,
}

impl Execution {
    pub(super) fn timers(&self) -> Vec<Timer> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        let mut timers = Vec::new();
        let own = self.machine.definition.timeout_seconds;
        let bound = self.start.is_express().then_some(LONGEST_EXPRESS_SECONDS);
        if let Some(seconds) = own.into_iter().chain(bound).min() {
            timers.push(Timer {
                due: self.start.at + Duration::from_secs(seconds),
                what: Due::ExecutionTimeout,
            });
        }
        for (id, flow) in self.flows() {
            let Some(visit) = &flow.visit else { continue };
            match &visit.phase {
                Phase::Waiting(due) => timers.push(Timer {
                    due: *due,
                    what: Due::Waited(id),
                }),
                Phase::Delayed(due) => timers.push(Timer {
                    due: *due,
                    what: Due::Delayed(id),
                }),
                Phase::Task(task) => {
                    timers.extend(task.deadline.map(|due| Timer {
                        due,
                        what: Due::TaskTimeout(id),
                    }));
                    timers.extend(task.heartbeat.map(|(_, due)| Timer {
                        due,
                        what: Due::Heartbeat(id),
                    }));
                }
                Phase::Working | Phase::Branches(_) | Phase::Iterations(_) => {}
            }
        }
        timers
    }

    /// Lets time pass until `now`: all that is due by then happens in order, what is due at `now` itself only if `inclusive`.
    pub(super) fn pass(&mut self, now: Time, inclusive: bool) {
        self.now = self.now.max(now);
        let now = self.now;
        self.run();
        while let Some(timer) = self.timers().into_iter().min() {
            if timer.due > now || (timer.due == now && !inclusive) {
                return;
            }
            match timer.what {
                Due::Waited(flow) => self.waited(flow),
                Due::Delayed(flow) => self.delayed(flow),
                Due::TaskTimeout(flow) => self.task_timed_out(flow, false),
                Due::Heartbeat(flow) => self.task_timed_out(flow, true),
                Due::ExecutionTimeout => self.finish(EventDetail::ExecutionTimedOut, Outcome::TimedOut),
            }
            self.run();
        }
    }
}
