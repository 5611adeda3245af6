//! What a stack imports, and from whom.

use std::collections::BTreeSet;

use synth_aws::{Intrinsic, Node};

use super::Surroundings;
use super::visit::every_node;
use crate::fault::Fault;
use crate::stack::Stack;

/// The stacks of the application whose exports this one imports.
pub(super) fn owners(stack: &Stack, surroundings: &Surroundings, faults: &mut Vec<Fault>) -> Vec<String> {
    let mut owners = BTreeSet::new();
    every_node(stack, &mut |node, place| {
        let Node::Intrinsic(intrinsic) = node else { return };
        let Intrinsic::ImportValue(Node::Text(export)) = &**intrinsic else {
            return;
        };
        match surroundings.exports.get(export.as_ref()) {
            Some(owner) if *owner == stack.name => {
                let fault = place.fault(format!("imports {export:?}, which this stack exports itself"));
                faults.push(fault.help("use the value that was exported instead of what `stack.export(…)` returned"));
            }
            Some(owner) => _ = owners.insert(owner.clone()),
            None if surroundings.existing.contains(export.as_ref()) => {}
            None => {
                let fault = place.fault(format!("imports {export:?}, which no stack of the application exports"));
                faults.push(fault.help(
                    "add the stack that exports it with `app.stack(…)`, or with `app.existing_stack(…)` if it is deployed already",
                ));
            }
        }
    });
    owners.into_iter().collect()
}
