//! Parallel and Map: states that run other states.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    Execution, Move,
    flow::{Branches, FlowId, Item, Iterations, Phase},
    scope::Got,
};
use crate::{
    definition::{Data, Kind, MapState, Parallel, State, StateType},
    evaluate::type_name,
    event::EventDetail,
    failure::Failure,
};

/// How many iterations of an inline Map run at the same time at most.
const MOST_ITERATIONS: u64 = 40;

impl Execution {
    pub(super) fn start_branches(
        &mut self,
        flow: FlowId,
        state: &State,
        parallel: &Parallel,
        input: Value,
    ) -> Result<(), Failure> {
        let arguments = self.arguments(flow, state, parallel.arguments.as_ref(), input)?;
        self.record_in(flow, EventDetail::ParallelStateStarted);
        let mut flows = Vec::new();
        for (index, states) in parallel.branches.iter().enumerate() {
            let Some(branch) = self.branch(flow, index, Arc::clone(states), None) else {
                return Ok(());
            };
            flows.push(branch);
            let first = Move::Enter {
                state: states.start.clone(),
                input: arguments.clone(),
            };
            self.ready.push_back((branch, first));
        }
        let results = vec![None; flows.len()];
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Branches(Branches { flows, results });
        }
        Ok(())
    }

    pub(super) fn start_iterations(
        &mut self,
        flow: FlowId,
        state: &State,
        map: &MapState,
        input: Value,
    ) -> Result<(), Failure> {
        let (items, most) = self.scoped(flow, &Got::at(input.clone()), |scope| {
            let items = match (&map.items, &input) {
                (Some(template), _) => scope.array(template, "Items")?,
                (None, Value::Array(items)) => items.clone(),
                (None, other) => return Err(not_a_list(state, other)),
            };
            let most = match &map.max_concurrency {
                Some(template) => scope.concurrency(template)?,
                None => 0,
            };
            if let Some(template) = &map.tolerated_count {
                scope.tolerated_count(template)?;
            }
            if let Some(template) = &map.tolerated_percentage {
                scope.tolerated_percentage(template)?;
            }
            Ok((items, most))
        })?;
        self.record_in(flow, EventDetail::MapStateStarted { length: items.len() });
        let limit = if most == 0 {
            MOST_ITERATIONS
        } else {
            most.min(MOST_ITERATIONS)
        };
        if let Some(visit) = self.visit_mut(flow) {
            visit.phase = Phase::Iterations(Iterations {
                next: 0,
                running: BTreeMap::new(),
                results: vec![None; items.len()],
                limit: usize::try_from(limit).unwrap_or(usize::MAX),
                items,
                input,
            });
        }
        self.iterate(flow)
    }

    /// Starts as many iterations as may run, and ends the Map when there are none left.
    fn iterate(&mut self, flow: FlowId) -> Result<(), Failure> {
        loop {
            let Some(visit) = self.visit_mut(flow) else {
                return Ok(());
            };
            let state = Arc::clone(&visit.state);
            let (Kind::Map(map), Phase::Iterations(iterations)) = (&state.kind, &mut visit.phase) else {
                return Ok(());
            };
            if iterations.next == iterations.items.len() {
                if !iterations.running.is_empty() {
                    return Ok(());
                }
                let results = std::mem::take(&mut iterations.results).into_iter().flatten().collect();
                self.record_in(flow, EventDetail::MapStateSucceeded);
                return self.worked(flow, Value::Array(results));
            }
            if iterations.running.len() >= iterations.limit {
                return Ok(());
            }
            let index = iterations.next;
            iterations.next += 1;
            let value = iterations.items[index].clone();
            let input = iterations.input.clone();
            self.start_iteration(flow, map, Item { index, value }, input)?;
        }
    }

    fn start_iteration(&mut self, flow: FlowId, map: &MapState, item: Item, input: Value) -> Result<(), Failure> {
        let index = item.index;
        self.record_in(flow, EventDetail::MapIterationStarted { index });
        let input = match &map.selector {
            None => item.value.clone(),
            Some(template) => {
                let got = Got {
                    item: Some(item.clone()),
                    ..Got::at(input)
                };
                self.scoped(flow, &got, |scope| scope.value(template, "ItemSelector"))?
            }
        };
        let Some(branch) = self.branch(flow, index, Arc::clone(&map.processor), Some(item)) else {
            return Ok(());
        };
        if let Some(visit) = self.visit_mut(flow)
            && let Phase::Iterations(iterations) = &mut visit.phase
        {
            iterations.running.insert(index, branch);
        }
        let state = map.processor.start.clone();
        self.ready.push_back((branch, Move::Enter { state, input }));
        Ok(())
    }

    /// A branch or an iteration of the flow's state ended with `output`; `last` is its last event.
    pub(super) fn branch_ended(&mut self, flow: FlowId, index: usize, output: Value, last: u64) {
        if let Some(flow) = self.flow_mut(flow) {
            flow.last_event = last;
        }
        let Some(visit) = self.visit_mut(flow) else { return };
        let result = match &mut visit.phase {
            Phase::Branches(branches) => {
                branches.results[index] = Some(output);
                if branches.results.iter().any(Option::is_none) {
                    return;
                }
                let results = std::mem::take(&mut branches.results).into_iter().flatten().collect();
                self.record_in(flow, EventDetail::ParallelStateSucceeded);
                self.worked(flow, Value::Array(results))
            }
            Phase::Iterations(iterations) => {
                iterations.results[index] = Some(output);
                iterations.running.remove(&index);
                self.record_in(flow, EventDetail::MapIterationSucceeded { index });
                self.iterate(flow)
            }
            _ => Ok(()),
        };
        if let Err(failure) = result {
            self.failed(flow, failure);
        }
    }

    /// A branch or an iteration of the flow's state failed: the others are cut off, and the state fails as it did.
    pub(super) fn branch_failed(&mut self, flow: FlowId, index: usize, failure: Failure) {
        if let Some(visit) = self.visit_mut(flow)
            && let Phase::Iterations(iterations) = &mut visit.phase
        {
            iterations.running.remove(&index);
            self.record_in(flow, EventDetail::MapIterationFailed { index });
        }
        self.abort_branches(flow);
        self.failed(flow, failure.propagated());
    }

    /// Cuts off all branches and iterations of the flow's state.
    pub(super) fn abort_branches(&mut self, flow: FlowId) {
        let Some(visit) = self.visit_mut(flow) else { return };
        let (branches, iterations) = match &mut visit.phase {
            Phase::Branches(branches) => (std::mem::take(&mut branches.flows), BTreeMap::new()),
            Phase::Iterations(iterations) => (Vec::new(), std::mem::take(&mut iterations.running)),
            _ => return,
        };
        for branch in branches {
            self.abort(branch);
        }
        for (index, iteration) in iterations {
            self.abort(iteration);
            self.record_in(flow, EventDetail::MapIterationAborted { index });
        }
    }

    fn abort(&mut self, flow: FlowId) {
        self.abort_branches(flow);
        self.cancel(flow);
        if let Some(visit) = self.visit(flow) {
            let kind = visit.state.kind.state_type();
            if matches!(
                kind,
                StateType::Task | StateType::Wait | StateType::Parallel | StateType::Map
            ) {
                self.record_in(flow, EventDetail::StateAborted { kind });
            }
        }
        self.drop_flow(flow);
    }
}

fn not_a_list(state: &State, input: &Value) -> Failure {
    if matches!(state.data, Data::JsonPath(_)) {
        return Failure::runtime("Reference path \"$\" must point to array.");
    }
    Failure::query(
        "Items",
        format!(
            "The input of the Map state '{}' is not an array, but was '{}'.",
            state.name,
            type_name(input)
        ),
    )
}
