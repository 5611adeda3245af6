//! An assembly → a [`Graph`]: stacks, and which must be deployed before which.

use synth::Assembly;

use super::{Graph, Kind, Node, Transition};
use crate::emit;

/// Draws an assembly.
pub(crate) fn graph(assembly: &Assembly) -> Graph {
    let mut graph = Graph::default();
    for stack in &assembly.stacks {
        let mut node = Node::new(Kind::Stack, stack.name.clone());
        let count = emit::resources(&stack.template);
        node.details
            .push(format!("{count} resource{}", if count == 1 { "" } else { "s" }));
        graph.add(node);
    }
    for (index, stack) in assembly.stacks.iter().enumerate() {
        for needed in &stack.depends_on {
            if let Some(before) = assembly.stacks.iter().position(|other| other.name == *needed) {
                graph.connect(before, index, None, Transition::Next);
            }
        }
    }
    graph
}
