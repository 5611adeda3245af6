//! What `graph` draws of an assembly: its stacks, and which must be deployed before which; and the form of a drawing.

use synth::Assembly;
use synth_graph::{Graph, Kind, Node, Transition, html, mermaid, svg};

use crate::cli::Drawing;
use crate::emit;

/// Renders a drawing; pictures have a title.
pub(crate) fn render(graph: &Graph, title: &str, drawing: Drawing) -> String {
    match drawing {
        Drawing::Mermaid => mermaid::text(graph),
        Drawing::Svg => svg::text(graph, title),
        Drawing::Html => html::text(graph, title),
    }
}

/// Draws the stacks of an assembly.
pub(crate) fn stacks(assembly: &Assembly) -> Graph {
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
