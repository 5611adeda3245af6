//! Grants → policies: what a role may do is the union of its grants, written as its one inline policy.

use std::collections::BTreeMap;
use std::panic::Location;

use synth_aws::{Element, Node, Object};

use super::{Surroundings, names};
use crate::assembly::Wildcard;
use crate::fault::Fault;
use crate::iam::{Grant, PolicyDocument};
use crate::render;
use crate::stack::{Body, Stack};

/// The name of the inline policy that holds a role's grants.
const POLICY: &str = "grants";

/// Writes each role's grants and every role's boundary; returns the grants that name resources by a pattern.
pub(super) fn write(stack: &mut Stack, surroundings: &Surroundings, faults: &mut Vec<Fault>) -> Vec<Wildcard> {
    let mut by_role: BTreeMap<Element, Vec<Grant>> = BTreeMap::new();
    for (role, grant) in std::mem::take(&mut stack.grants) {
        if stack.logical_id(role).is_some() {
            by_role.entry(role).or_default().push(grant);
        } else {
            let fault = Fault::new(format!("grants something to {}", surroundings.describe(role))).at(grant.at);
            faults.push(fault.within(&stack.name, "").help(names::CONFIGURE_THERE));
        }
    }
    let mut wildcards = Vec::new();
    for (role, grants) in by_role {
        let logical_id = stack.logical_id(role).unwrap_or_default().to_owned();
        for grant in &grants {
            let named = named(stack, grant);
            let own = named.check().into_iter();
            faults.extend(own.map(|fault| fault.within(&stack.name, &logical_id)));
            wildcards.extend(wildcard(&logical_id, &named));
        }
        write_policy(stack, role, &grants);
    }
    write_boundary(stack);
    wildcards
}

/// The grant with logical ids for handles.
fn named(stack: &Stack, grant: &Grant) -> Grant {
    let mut named = grant.clone();
    named.resources.iter_mut().for_each(|node| names::write_in(node, stack));
    named
}

/// The grant as reviewers list it, if it names its resources by a pattern.
fn wildcard(role: &str, grant: &Grant) -> Option<Wildcard> {
    Some(Wildcard {
        role: role.to_owned(),
        actions: grant.actions.iter().map(|action| (*action).into()).collect(),
        resources: grant.resources.iter().map(render::shown_node).collect(),
        reason: grant.wildcard_reason.clone()?,
    })
}

/// Adds the policy to those that the role has by itself.
fn write_policy(stack: &mut Stack, role: Element, grants: &[Grant]) {
    let at: &'static Location<'static> = grants.first().map_or(stack.declared_at, |grant| grant.at);
    let mut policy = Object::new();
    policy.set_from("PolicyName", POLICY.into(), at);
    policy.set_from("PolicyDocument", PolicyDocument::of_grants(grants, at), at);
    let Some(body) = stack.resource_mut(role) else { return };
    match body.properties.get_mut("Policies") {
        Some(Node::List(policies)) => policies.push(policy.into()),
        _ => body
            .properties
            .set_from("Policies", Node::List(vec![policy.into()]), at),
    }
}

fn write_boundary(stack: &mut Stack) {
    let Some((boundary, at)) = stack.permissions_boundary.clone() else {
        return;
    };
    for element in &mut stack.elements {
        if let Body::Resource(body) = &mut element.body
            && body.type_name == "AWS::IAM::Role"
        {
            body.properties.set_from("PermissionsBoundary", boundary.clone(), at);
        }
    }
}
