//! The order of deployment.

use super::cycles::{Edges, circles};
use crate::assembly::SynthesizedStack;
use crate::fault::Fault;

/// Each stack after those it imports from, otherwise in the order in which they were added.
pub(super) fn by_dependency(stacks: Vec<SynthesizedStack>, faults: &mut Vec<Fault>) -> Vec<SynthesizedStack> {
    let edges: Edges = stacks
        .iter()
        .map(|stack| (stack.name.clone(), stack.depends_on.iter().cloned().collect()))
        .collect();
    for circle in circles(&edges) {
        let mut fault = Fault::new(format!(
            "stacks import from each other in a circle: {}",
            circle.join(" → ")
        ));
        // No one line closes the circle.
        fault.at = None;
        faults.push(fault.help("move what both need into a stack of its own"));
    }
    let mut waiting = stacks;
    let mut ordered: Vec<SynthesizedStack> = Vec::new();
    while !waiting.is_empty() {
        let deployed = |name: &String| ordered.iter().any(|done| done.name == *name);
        let ready = waiting.iter().position(|stack| stack.depends_on.iter().all(deployed));
        match ready {
            Some(index) => ordered.push(waiting.remove(index)),
            None => ordered.append(&mut waiting),
        }
    }
    ordered
}
