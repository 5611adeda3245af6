//! The escape hatch: raw properties set past the types.

use std::panic::Location;

use synth_aws::{Node, Object};

use super::{Surroundings, names};
use crate::fault::Fault;
use crate::stack::Stack;

/// Sets every escaped property on its resource.
pub(super) fn apply(stack: &mut Stack, surroundings: &Surroundings, faults: &mut Vec<Fault>) {
    let mut escapes = std::mem::take(&mut stack.escapes);
    for escape in &mut escapes {
        let fault = |message: String| Fault::new(message).at(escape.at).path(escape.path.clone());
        let logical_id = stack.logical_id(escape.element).unwrap_or_default().to_owned();
        if escape.reason.trim().is_empty() {
            let fault = fault("the escape hatch is used without a reason".to_owned());
            faults.push(
                fault
                    .within(&stack.name, &logical_id)
                    .help("say why no typed setter does"),
            );
        }
        match stack.resource_mut(escape.element) {
            None => {
                let fault = fault(format!("sets a property of {}", surroundings.describe(escape.element)));
                faults.push(fault.within(&stack.name, "").help(names::CONFIGURE_THERE));
            }
            Some(body) => {
                if let Err(message) = set(&mut body.properties, &escape.path, escape.value.clone(), escape.at) {
                    faults.push(fault(message).within(&stack.name, &logical_id));
                }
            }
        }
        escape.logical_id = logical_id;
    }
    stack.escapes = escapes;
}

/// Sets `A.B.0.C`: objects on the way are made where there are none, items of lists must be there.
fn set(object: &mut Object, path: &str, value: Node, at: &'static Location<'static>) -> Result<(), String> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if first.is_empty() {
        return Err("the path names no property, allowed are names with dots between".to_owned());
    }
    if rest.is_empty() {
        object.set_from(first.to_owned(), value, at);
        return Ok(());
    }
    if object.get(first).is_none() {
        object.set_from(first.to_owned(), Object::new().into(), at);
    }
    match object.get_mut(first) {
        Some(inner) => set_within(inner, first, rest, value, at),
        None => Ok(()),
    }
}

fn set_within(
    node: &mut Node,
    name: &str,
    path: &str,
    value: Node,
    at: &'static Location<'static>,
) -> Result<(), String> {
    match node {
        Node::Object(inner) => set(inner, path, value, at),
        Node::List(items) => {
            let (index, rest) = path.split_once('.').unwrap_or((path, ""));
            let count = items.len();
            let item = index.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            match item {
                Some(item) if rest.is_empty() => {
                    *item = value;
                    Ok(())
                }
                Some(item) => set_within(item, index, rest, value, at),
                None => Err(format!(
                    "{name:?} is a list of {count} items, which has no item {index:?}"
                )),
            }
        }
        _ => Err(format!(
            "{name:?} is neither an object nor a list, so nothing in it can be set"
        )),
    }
}
