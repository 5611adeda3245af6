//! Circles: CloudFormation refuses resources that refer to each other in one, and stacks cannot be deployed in one.

use std::collections::{BTreeMap, BTreeSet};

use synth_aws::{Intrinsic, Node, Target};

use crate::fault::Fault;
use crate::stack::{Body, ResourceBody, Stack};

/// What each node leads to.
pub(super) type Edges = BTreeMap<String, BTreeSet<String>>;

/// Every circle of resources is a fault of the first of them.
pub(super) fn check(stack: &Stack, faults: &mut Vec<Fault>) {
    let edges: Edges = stack
        .elements
        .iter()
        .filter_map(|element| match &element.body {
            Body::Resource(body) => Some((element.logical_id.clone(), neighbours(stack, body))),
            Body::Parameter(_) => None,
        })
        .collect();
    for circle in circles(&edges) {
        let Some(first) = circle.first() else { continue };
        let fault = Fault::new(format!(
            "resources refer to each other in a circle: {}",
            circle.join(" → ")
        ));
        let mut elements = stack.elements.iter();
        let at = elements
            .find(|element| element.logical_id == *first)
            .map_or(stack.declared_at, |element| element.added_at);
        let help = "refer to one of them by its physical name instead of its handle";
        faults.push(fault.at(at).within(&stack.name, first).help(help));
    }
}

/// What a resource refers to or waits for.
fn neighbours(stack: &Stack, body: &ResourceBody) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for entry in body.properties.entries() {
        entry.value.walk(&mut |node| {
            if let Node::Intrinsic(intrinsic) = node
                && let Intrinsic::Ref(Target::Named(name)) | Intrinsic::GetAtt(Target::Named(name), _) = &**intrinsic
            {
                targets.insert(name.to_string());
            }
        });
    }
    let depends_on = body.options.depends_on.iter();
    targets.extend(
        depends_on
            .filter_map(|element| stack.logical_id(*element))
            .map(str::to_owned),
    );
    targets
}

/// The circles, each from a node back to that node; no node stands in two of them.
pub(super) fn circles(edges: &Edges) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        if let Some(circle) = find(start, edges, &mut Vec::new(), &mut done) {
            done.extend(circle.iter().cloned());
            found.push(circle);
        }
    }
    found
}

fn find(node: &str, edges: &Edges, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
    if let Some(start) = path.iter().position(|seen| seen == node) {
        let mut circle = path[start..].to_vec();
        circle.push(node.to_owned());
        return Some(circle);
    }
    if done.contains(node) {
        return None;
    }
    path.push(node.to_owned());
    let mut next = edges.get(node).into_iter().flatten();
    let circle = next.find_map(|next| find(next, edges, path, done));
    path.pop();
    if circle.is_none() {
        done.insert(node.to_owned());
    }
    circle
}
