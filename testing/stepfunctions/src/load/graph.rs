//! Whether a machine, a branch or a processor can be gone through: every state is reached, and one of them ends it.
//!
//! The codes are those of `ValidateStateMachineDefinition`, see
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html>.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Loader, under};
use crate::definition::{Kind, State};

impl Loader {
    pub(super) fn graph(&mut self, at: &str, start: Option<&str>, by_name: &BTreeMap<String, Arc<State>>) {
        if !by_name.values().any(|state| ends(state)) {
            let reason = "no state ends it: one with `End`, a Succeed or a Fail is due (MISSING_END_STATE)";
            self.faults.add(under(at, "States"), reason);
        }
        // Without a start everything would be out of reach.
        let Some(start) = start.filter(|start| by_name.contains_key(*start)) else {
            return;
        };
        let reached = reached(start, by_name);
        for name in by_name.keys().filter(|name| !reached.contains(name.as_str())) {
            self.faults.enter(name);
            self.faults.add(
                "",
                "no state goes on to it, nor does it start (MISSING_TRANSITION_TARGET)",
            );
            self.faults.leave();
        }
    }
}

/// Whether the states that this one is of may end with it.
fn ends(state: &State) -> bool {
    match &state.kind {
        Kind::Succeed | Kind::Fail(_) => true,
        Kind::Choice(_) => false,
        _ => state.next.is_none(),
    }
}

fn reached<'s>(start: &'s str, by_name: &'s BTreeMap<String, Arc<State>>) -> BTreeSet<&'s str> {
    let mut reached = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(name) = open.pop() {
        let targets = by_name.get(name).into_iter().flat_map(|state| state.targets());
        for (_, target) in targets {
            if reached.insert(target) {
                open.push(target);
            }
        }
    }
    reached
}
