//! A walk over everything that a stack holds, with the place of each node: for faults that name it.

use std::panic::Location;

use synth_aws::{Node, Object};

use crate::fault::Fault;
use crate::stack::{Body, Stack};

/// Where a node stands.
#[derive(Clone)]
pub(super) struct Place<'a> {
    /// The stack's name.
    stack: &'a str,
    /// The logical id of the resource, parameter or output, or the condition's name.
    logical_id: &'a str,
    /// The property's path, empty for outputs and conditions.
    path: String,
    /// The source line that set the innermost property around the node.
    at: &'static Location<'static>,
}

impl Place<'_> {
    /// The logical id of the resource, parameter or output, or the condition's name.
    pub(super) const fn logical_id(&self) -> &str {
        self.logical_id
    }

    /// A fault of this place.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(message)
            .at(self.at)
            .path(self.path.clone())
            .within(self.stack, self.logical_id)
    }
}

/// Calls `found` on every node of the stack's elements, outputs and conditions, outermost first.
pub(super) fn every_node<'a>(stack: &'a Stack, found: &mut impl FnMut(&'a Node, &Place<'a>)) {
    let place = |logical_id, at| Place {
        stack: &stack.name,
        logical_id,
        path: String::new(),
        at,
    };
    for element in &stack.elements {
        let properties = match &element.body {
            Body::Resource(body) => &body.properties,
            Body::Parameter(object) => object,
        };
        object(properties, &place(&element.logical_id, element.added_at), found);
    }
    for condition in &stack.conditions {
        node(&condition.node, &place(&condition.name, condition.added_at), found);
    }
    for output in &stack.outputs {
        node(&output.value, &place(&output.logical_id, output.added_at), found);
    }
}

fn node<'a>(visited: &'a Node, place: &Place<'a>, found: &mut impl FnMut(&'a Node, &Place<'a>)) {
    found(visited, place);
    match visited {
        Node::Object(inner) => object(inner, place, found),
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{}[{index}]", place.path);
                node(item, &Place { path, ..place.clone() }, found);
            }
        }
        Node::Intrinsic(intrinsic) => {
            for operand in intrinsic.operands() {
                node(operand, place, found);
            }
        }
        _ => {}
    }
}

fn object<'a>(visited: &'a Object, place: &Place<'a>, found: &mut impl FnMut(&'a Node, &Place<'a>)) {
    for entry in visited.entries() {
        let path = match place.path.as_str() {
            "" => entry.key.to_string(),
            outer => format!("{outer}.{}", entry.key),
        };
        let at = entry.set_at;
        node(
            &entry.value,
            &Place {
                path,
                at,
                ..place.clone()
            },
            found,
        );
    }
}
