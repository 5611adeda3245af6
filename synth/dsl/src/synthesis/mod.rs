//! Synthesis: the stacks of an application → templates, or *all* their faults.
//!
//! A stack only collects; here its grants become policies, its handles become logical ids, and everything is checked. The
//! steps of one stack follow each other in [`one`]; each has a module of its own. Nothing here reads or writes anything
//! outside of its arguments.

mod check;
mod cycles;
mod escapes;
mod fingerprints;
mod grants;
mod imports;
mod loader;
mod names;
mod order;
mod policies;
mod tags;
mod template;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use crate::assembly::{Assembly, SynthesizedStack, Template};
use crate::fault::{Fault, Faults};
use crate::stack::{Body, Stack};

/// What a stack has to know of the others.
pub(crate) struct Surroundings {
    /// By number, each stack's name and the logical ids of its elements, for faults about foreign handles.
    owners: BTreeMap<u32, (String, Vec<String>)>,
    /// Which stack of the application exports what.
    exports: BTreeMap<String, String>,
    /// The exports of stacks that are deployed already.
    existing: BTreeSet<String>,
}

/// Names, checks and orders everything.
pub(crate) fn synthesize(mut stacks: Vec<Stack>, existing: &[Stack]) -> Result<Assembly, Faults> {
    let surroundings = Surroundings::of(&stacks, existing);
    let mut faults = check::distinct_names(&stacks);
    let mut synthesized = Vec::new();
    for stack in &mut stacks {
        let mut own = Vec::new();
        let template = one(stack, &surroundings, &mut own);
        faults.extend(in_order_of_elements(stack, own));
        synthesized.push(template);
    }
    let stacks = order::by_dependency(synthesized, &mut faults);
    if faults.is_empty() {
        Ok(Assembly { stacks })
    } else {
        Err(Faults(faults))
    }
}

impl Surroundings {
    fn of(stacks: &[Stack], existing: &[Stack]) -> Self {
        let ids = |stack: &Stack| {
            stack
                .elements
                .iter()
                .map(|element| element.logical_id.clone())
                .collect()
        };
        let exports = |stack: &Stack| -> Vec<String> {
            let outputs = stack.outputs.iter();
            outputs.filter_map(|output| output.export.clone()).collect()
        };
        let owned = |stack: &Stack| -> Vec<(String, String)> {
            let exports = exports(stack).into_iter();
            exports.map(|export| (export, stack.name.clone())).collect()
        };
        Self {
            owners: stacks
                .iter()
                .chain(existing)
                .map(|stack| (stack.number, (stack.name.clone(), ids(stack))))
                .collect(),
            exports: stacks.iter().flat_map(owned).collect(),
            existing: existing.iter().flat_map(exports).collect(),
        }
    }
}

/// One stack's template and what belongs to it.
fn one(stack: &mut Stack, surroundings: &Surroundings, faults: &mut Vec<Fault>) -> SynthesizedStack {
    check::stack(stack, faults);
    let wildcards = grants::write(stack, surroundings, faults);
    escapes::apply(stack, surroundings, faults);
    names::check(stack, surroundings, faults);
    names::write(stack);
    faults.append(&mut stack.faults);
    fingerprints::write(stack);
    // After the fingerprints, since a tag changes nothing of what a resource is.
    tags::write(stack, faults);
    check::values(stack, faults);
    check::conditions(stack, faults);
    policies::check(stack, faults);
    cycles::check(stack, faults);
    let depends_on = imports::owners(stack, surroundings, faults);
    let template = Template(template::of(stack));
    loader::check(stack, &template, faults);
    SynthesizedStack {
        name: stack.name.clone(),
        template,
        depends_on,
        parameters: parameters(stack),
        tags: stack.tags.clone(),
        capabilities: capabilities(stack),
        assets: stack.assets.clone(),
        documents: std::mem::take(&mut stack.documents),
        wildcards,
        escapes: std::mem::take(&mut stack.escapes),
    }
}

/// The stack's own faults first, then element by element in the order in which they were added, then those of outputs.
///
/// What is said twice in the same words of the same place is said once.
fn in_order_of_elements(stack: &Stack, mut faults: Vec<Fault>) -> Vec<Fault> {
    let rank = |fault: &Fault| match fault.logical_id.as_str() {
        "" => 0,
        id => {
            let mut elements = stack.elements.iter();
            elements
                .position(|element| element.logical_id == id)
                .map_or(usize::MAX, |index| index + 1)
        }
    };
    faults.sort_by_key(rank);
    faults.dedup();
    faults
}

/// The parameters that whoever deploys the stack has to give.
fn parameters(stack: &Stack) -> Vec<String> {
    let required = stack.elements.iter().filter(|element| match &element.body {
        Body::Parameter(object) => object.get("Default").is_none(),
        Body::Resource(_) => false,
    });
    required.map(|element| element.logical_id.clone()).collect()
}

/// What CloudFormation wants to be acknowledged: IAM's resources, and those of them with names of their own.
///
/// A name of one's own is a property that the registry says identifies the resource for good, or the one whose change makes another:
/// `RoleName`, `InstanceProfileName`, `ManagedPolicyName`. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>.
fn capabilities(stack: &Stack) -> Vec<&'static str> {
    let (mut any, mut any_named) = (false, false);
    for element in &stack.elements {
        if let Body::Resource(body) = &element.body
            && let Some(kind) = body.type_name.strip_prefix("AWS::IAM::")
        {
            any = true;
            let create_only = body.facts.map_or(&[][..], |facts| facts.create_only);
            any_named |= create_only
                .iter()
                .any(|name| is_own_name(kind, name) && body.properties.get(name).is_some());
        }
    }
    match (any, any_named) {
        (_, true) => vec!["CAPABILITY_NAMED_IAM"],
        (true, false) => vec!["CAPABILITY_IAM"],
        (false, false) => vec![],
    }
}

/// Whether a property is the name of the resource itself: that of an access key's user is not, nor a service's.
fn is_own_name(kind: &str, property: &str) -> bool {
    let Some(of) = property.strip_suffix("Name") else {
        return false;
    };
    of.is_empty() || kind.to_ascii_lowercase().ends_with(&of.to_ascii_lowercase())
}
