//! Handles → logical ids. A handle of another stack names nothing here, which is a fault.

use synth_aws::{Element, Intrinsic, Node, Target};

use super::Surroundings;
use super::visit::every_node;
use crate::fault::Fault;
use crate::stack::{Body, Stack, referenced};

/// The edit for whoever configures what another stack owns.
pub(super) const CONFIGURE_THERE: &str = "do it in the stack that adds the resource";

impl Surroundings {
    /// An element of another stack, in words.
    pub(super) fn describe(&self, element: Element) -> String {
        match self.owners.get(&element.stack) {
            Some((owner, ids)) => {
                let id = ids.get(element.index as usize).map_or("", String::as_str);
                format!("{id:?} of the stack {owner:?}")
            }
            None => "a resource of another application".to_owned(),
        }
    }
}

/// Every handle that is referred to or waited for is one of this stack.
pub(super) fn check(stack: &Stack, surroundings: &Surroundings, faults: &mut Vec<Fault>) {
    every_node(stack, &mut |node, place| {
        if let Some(element) = referenced(node)
            && element.stack != stack.number
        {
            let fault = place.fault(format!("refers to {}", surroundings.describe(element)));
            faults.push(fault.help("export it there with `stack.export(…)` and use the value that this returns"));
        }
    });
    for element in &stack.elements {
        let Body::Resource(body) = &element.body else { continue };
        for other in &body.options.depends_on {
            if other.stack != stack.number {
                let fault = Fault::new(format!("depends on {}", surroundings.describe(*other)))
                    .at(element.added_at)
                    .within(&stack.name, &element.logical_id);
                faults.push(
                    fault.help(
                        "use a value that the other stack exports: stacks are deployed in order of their imports",
                    ),
                );
            }
        }
    }
}

/// Replaces every element by its logical id.
pub(super) fn write(stack: &mut Stack) {
    let number = stack.number;
    let ids: Vec<String> = stack
        .elements
        .iter()
        .map(|element| element.logical_id.clone())
        .collect();
    let name = |node: &mut Node| {
        if let Some(element) = referenced(node)
            && element.stack == number
            && let Some(id) = ids.get(element.index as usize)
        {
            set_target(node, id.clone());
        }
    };
    for element in &mut stack.elements {
        let properties = match &mut element.body {
            Body::Resource(body) => &mut body.properties,
            Body::Parameter(object) => object,
        };
        for entry in properties.entries_mut() {
            entry.value.walk_mut(&mut &name);
        }
    }
    for output in &mut stack.outputs {
        output.value.walk_mut(&mut &name);
    }
    for condition in &mut stack.conditions {
        condition.node.walk_mut(&mut &name);
    }
    for document in &mut stack.documents {
        document.node_mut().walk_mut(&mut &name);
    }
}

/// Replaces the elements within one node.
pub(super) fn write_in(node: &mut Node, stack: &Stack) {
    node.walk_mut(&mut |node| {
        if let Some(id) = referenced(node).and_then(|element| stack.logical_id(element)) {
            let id = id.to_owned();
            set_target(node, id);
        }
    });
}

fn set_target(node: &mut Node, id: String) {
    if let Node::Intrinsic(intrinsic) = node
        && let Intrinsic::Ref(target) | Intrinsic::GetAtt(target, _) = &mut **intrinsic
    {
        *target = Target::Named(id.into());
    }
}
