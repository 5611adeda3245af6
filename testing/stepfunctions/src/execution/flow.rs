//! The branches of an execution: a tree of flows, each in one state of one set of states. Never moves any of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{Execution, TaskId};
use crate::{
    Time,
    definition::{State, States},
    event::Enclosing,
};

/// Where a flow is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FlowId(usize);

impl FlowId {
    pub(super) const ROOT: Self = Self(0);
}

/// A sequence of states: the machine's own, a branch's or an iteration's.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) states: Arc<States>,
    /// The flow whose Parallel or Map this one belongs to, and which of its branches or items it is.
    pub(super) parent: Option<(FlowId, usize)>,
    pub(super) within: Arc<[Enclosing]>,
    pub(super) variables: BTreeMap<String, Value>,
    /// The item of the iteration, for the context object.
    pub(super) item: Option<Item>,
    pub(super) visit: Option<Visit>,
    pub(super) last_event: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) index: usize,
    pub(super) value: Value,
}

/// One stay in a state, retries included.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) state: Arc<State>,
    pub(super) name: Arc<str>,
    pub(super) input: Value,
    pub(super) entered: u64,
    pub(super) entered_at: Time,
    /// How often each retrier was used.
    pub(super) retries: Vec<u64>,
    pub(super) attempt: u32,
    pub(super) token: Option<String>,
    pub(super) phase: Phase,
}

/// What a state waits for.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing: it is at work this very moment.
    Working,
    /// The end of its Wait.
    Waiting(Time),
    /// The end of the delay before it is tried again.
    Delayed(Time),
    Task(OpenTask),
    Branches(Branches),
    Iterations(Iterations),
}

#[derive(Debug)]
pub(super) struct OpenTask {
    pub(super) id: TaskId,
    pub(super) deadline: Option<Time>,
    /// How long it may be silent, and when that is over.
    pub(super) heartbeat: Option<(Duration, Time)>,
}

#[derive(Debug)]
pub(super) struct Branches {
    pub(super) flows: Vec<FlowId>,
    pub(super) results: Vec<Option<Value>>,
}

#[derive(Debug)]
pub(super) struct Iterations {
    pub(super) items: Vec<Value>,
    /// The Map's input, which every item may be selected from.
    pub(super) input: Value,
    pub(super) next: usize,
    pub(super) running: BTreeMap<usize, FlowId>,
    pub(super) results: Vec<Option<Value>>,
    pub(super) limit: usize,
}

impl Flow {
    pub(super) fn root(states: Arc<States>) -> Self {
        Self {
            states,
            parent: None,
            within: Arc::from([]),
            variables: BTreeMap::new(),
            item: None,
            visit: None,
            last_event: 0,
        }
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.visit.as_ref()?.token.as_deref()
    }
}

impl Execution {
    pub(super) fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(id.0)?.as_ref()
    }

    pub(super) fn flow_mut(&mut self, id: FlowId) -> Option<&mut Flow> {
        self.flows.get_mut(id.0)?.as_mut()
    }

    pub(super) fn visit(&self, id: FlowId) -> Option<&Visit> {
        self.flow(id)?.visit.as_ref()
    }

    pub(super) fn visit_mut(&mut self, id: FlowId) -> Option<&mut Visit> {
        self.flow_mut(id)?.visit.as_mut()
    }

    pub(super) fn flows(&self) -> impl Iterator<Item = (FlowId, &Flow)> {
        self.flows
            .iter()
            .enumerate()
            .filter_map(|(index, flow)| Some((FlowId(index), flow.as_ref()?)))
    }

    /// Makes a flow within the Parallel or Map that `parent` is in.
    pub(super) fn branch(
        &mut self,
        parent: FlowId,
        index: usize,
        states: Arc<States>,
        item: Option<Item>,
    ) -> Option<FlowId> {
        let outer = self.flow(parent)?;
        let mut within = outer.within.to_vec();
        within.push(Enclosing {
            state: Arc::clone(&outer.visit.as_ref()?.name),
            index,
        });
        let flow = Flow {
            states,
            parent: Some((parent, index)),
            within: within.into(),
            variables: BTreeMap::new(),
            item: item.or_else(|| outer.item.clone()),
            visit: None,
            last_event: outer.last_event,
        };
        self.flows.push(Some(flow));
        Some(FlowId(self.flows.len() - 1))
    }

    pub(super) fn drop_flow(&mut self, id: FlowId) {
        if let Some(slot) = self.flows.get_mut(id.0) {
            *slot = None;
        }
    }
}
