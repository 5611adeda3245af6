//! The stack's tags on every resource that takes tags, in the property and the form that its type has for them.
//!
//! CloudFormation says that it passes a stack's tags on, but whether a resource has them is up to its type: a user pool takes its
//! tags from `UserPoolTags` alone (<https://github.com/aws/aws-cdk/issues/14127>). What is written on the resource itself is there
//! from its creation on, whoever asks for it: a condition of IAM, a report of costs, a teardown.

use std::panic::Location;

use synth_aws::{Node, Object, TagShape};

use crate::fault::Fault;
use crate::stack::{Body, Stack};

/// Writes the tags; one that the resource has already, by its key, stays as it is.
pub(super) fn write(stack: &mut Stack, faults: &mut Vec<Fault>) {
    let tags = stack.tags.clone();
    if tags.is_empty() {
        return;
    }
    for element in &mut stack.elements {
        let Body::Resource(body) = &mut element.body else {
            continue;
        };
        let Some((property, shape)) = body.facts.and_then(synth_aws::ResourceFacts::tags) else {
            continue;
        };
        let merged = match (body.properties.get(property), shape) {
            (None, TagShape::Map) => of_map(Object::new(), &tags, element.added_at),
            (Some(Node::Object(own)), TagShape::Map) => of_map(own.clone(), &tags, element.added_at),
            (None, shape) => of_list(Vec::new(), &tags, shape, element.added_at),
            (Some(Node::List(own)), shape) => of_list(own.clone(), &tags, shape, element.added_at),
            (Some(_), _) => {
                let fault = Fault::new("is no literal, so the stack's tags cannot be written beside it");
                let fault = fault.path(property).at(element.added_at);
                faults.push(
                    fault
                        .within(&stack.name, &element.logical_id)
                        .help("set the tags one by one, and let the value of one be what is computed"),
                );
                continue;
            }
        };
        let at = body
            .properties
            .entry(property)
            .map_or(element.added_at, |entry| entry.set_at);
        body.properties.set_from(property, merged, at);
    }
}

fn of_list(mut own: Vec<Node>, tags: &[(String, String)], shape: TagShape, at: &'static Location<'static>) -> Node {
    let has = |own: &[Node], key: &str| {
        let mut keys = own.iter().filter_map(|tag| tag.as_object()?.get("Key")?.as_text());
        keys.any(|own| own == key)
    };
    for (key, value) in tags {
        if has(&own, key) {
            continue;
        }
        let mut tag = Object::new();
        tag.set_from("Key", key.clone().into(), at);
        tag.set_from("Value", value.clone().into(), at);
        if shape == TagShape::PropagatedList {
            tag.set_from("PropagateAtLaunch", true.into(), at);
        }
        own.push(tag.into());
    }
    Node::List(own)
}

fn of_map(mut own: Object, tags: &[(String, String)], at: &'static Location<'static>) -> Node {
    for (key, value) in tags {
        if own.get(key).is_none() {
            own.set_from(key.clone(), value.clone().into(), at);
        }
    }
    own.into()
}
