//! Checks of names, literal values and conditions.

use std::collections::{BTreeMap, BTreeSet};

use synth_aws::{Intrinsic, Node};

use super::visit::every_node;
use crate::assembly::Escape;
use crate::cloudformation::quotas::{RESOURCES, STACK_NAME_CHARACTERS};
use crate::fault::Fault;
use crate::stack::{Body, Stack};

/// No two stacks of one name.
pub(super) fn distinct_names(stacks: &[Stack]) -> Vec<Fault> {
    let mut first: BTreeMap<&str, &Stack> = BTreeMap::new();
    let mut faults = Vec::new();
    for stack in stacks {
        match first.get(stack.name.as_str()) {
            Some(other) => {
                let at = other.declared_at;
                let message = format!("the stack's name is taken, first at {}:{}", at.file(), at.line());
                faults.push(
                    Fault::new(message)
                        .at(stack.declared_at)
                        .within(&stack.name, "")
                        .help("give one of the two another name"),
                );
            }
            None => _ = first.insert(&stack.name, stack),
        }
    }
    faults
}

/// The stack's name and size, and the names of its outputs.
pub(super) fn stack(stack: &Stack, faults: &mut Vec<Fault>) {
    let name = &stack.name;
    let mut report = |message: String| faults.push(Fault::new(message).at(stack.declared_at).within(name, ""));
    let mut characters = name.chars();
    let allowed = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '-')
        && name.len() <= STACK_NAME_CHARACTERS;
    if !allowed {
        report(format!(
            "{name:?} is no stack name, allowed are 1 to {STACK_NAME_CHARACTERS} letters, digits and hyphens, a letter first"
        ));
    }
    let elements = stack.elements.iter();
    let resources = elements.filter(|element| matches!(element.body, Body::Resource(_)));
    match resources.count() {
        0 => report(format!("the stack has no resource, allowed are 1 to {RESOURCES}")),
        1..=RESOURCES => {}
        count => report(format!("the stack has {count} resources, allowed are 1 to {RESOURCES}")),
    }
    outputs(stack, faults);
}

fn outputs(stack: &Stack, faults: &mut Vec<Fault>) {
    let mut first = BTreeMap::new();
    for output in &stack.outputs {
        let fault = |message: String| {
            Fault::new(message)
                .at(output.added_at)
                .within(&stack.name, &output.logical_id)
        };
        if let Some(at) = first.insert(output.logical_id.as_str(), output.added_at) {
            let message = format!("the output's logical id is taken, first at {}:{}", at.file(), at.line());
            faults.push(fault(message).help("give one of the two another logical id"));
        }
        if let Some(message) = crate::stack::logical_id_fault(&output.logical_id) {
            faults.push(fault(message));
        }
    }
}

/// Literal values against the registry's facts, and values that could not be made.
pub(super) fn values(stack: &Stack, faults: &mut Vec<Fault>) {
    for element in &stack.elements {
        let Body::Resource(body) = &element.body else { continue };
        let Some(facts) = body.facts else { continue };
        for finding in synth_aws::check(facts.properties, &body.properties) {
            let escapes = stack.escapes.iter();
            let mut escapes = escapes.filter(|escape| escape.logical_id == element.logical_id);
            if escapes.any(|escape| is_escaped(escape, &finding.path)) {
                continue;
            }
            let at = finding.set_at.unwrap_or(element.added_at);
            let fault = Fault::new(finding.fault).path(finding.path).at(at);
            faults.push(fault.within(&stack.name, &element.logical_id));
        }
    }
    // Facts cover the properties of resources; everything else can hold a value that could not be made as well.
    let with_facts: BTreeSet<&str> = stack
        .elements
        .iter()
        .filter(|element| matches!(&element.body, Body::Resource(body) if body.facts.is_some()))
        .map(|element| element.logical_id.as_str())
        .collect();
    every_node(stack, &mut |node, place| {
        if let Node::Invalid(fault) = node
            && !with_facts.contains(place.logical_id())
        {
            faults.push(place.fault(fault.clone()));
        }
    });
}

/// Whether a finding is of what the escape hatch set, of a part of it, or of what holds it.
fn is_escaped(escape: &Escape, path: &str) -> bool {
    let path = path.replace('[', ".").replace(']', "");
    let under = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    under(&escape.path, &path) || under(&path, &escape.path)
}

/// Conditions are declared once each, and what is named is declared.
pub(super) fn conditions(stack: &Stack, faults: &mut Vec<Fault>) {
    let mut declared = BTreeMap::new();
    for condition in &stack.conditions {
        if let Some(at) = declared.insert(condition.name.as_str(), condition.added_at) {
            let at: &std::panic::Location<'_> = at;
            let message = format!("the condition's name is taken, first at {}:{}", at.file(), at.line());
            faults.push(
                Fault::new(message)
                    .at(condition.added_at)
                    .within(&stack.name, &condition.name)
                    .help("give one of the two another name"),
            );
        }
    }
    let unknown = |name: &str| {
        let known: Vec<&str> = declared.keys().copied().collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        (!declared.contains_key(name))
            .then(|| format!("names the condition {name:?}, which the stack does not declare; declared are: {known}"))
    };
    const HELP: &str = "declare it with `stack.condition(…)`, which returns its name";
    every_node(stack, &mut |node, place| {
        if let Node::Intrinsic(intrinsic) = node
            && let Intrinsic::If(name, ..) | Intrinsic::Condition(name) = &**intrinsic
            && let Some(message) = unknown(name)
        {
            faults.push(place.fault(message).help(HELP));
        }
    });
    for element in &stack.elements {
        if let Body::Resource(body) = &element.body
            && let Some(message) = body.options.condition.as_deref().and_then(unknown)
        {
            let fault = Fault::new(message).at(element.added_at).help(HELP);
            faults.push(fault.within(&stack.name, &element.logical_id));
        }
    }
}
