//! The template itself: its sections in CloudFormation's usual order, within them the order of insertion.

use synth_aws::{Node, Object};

use crate::stack::{Body, DeletionPolicy, Output, ResourceBody, Stack};

/// The template of a stack whose elements are named.
pub(super) fn of(stack: &Stack) -> Node {
    let mut template = Object::new().with("AWSTemplateFormatVersion", "2010-09-09");
    if !stack.description.is_empty() {
        template.set("Description", stack.description.clone().into());
    }
    let mut parameters = Object::new();
    let mut resources = Object::new();
    for element in &stack.elements {
        match &element.body {
            Body::Parameter(object) => parameters.set(element.logical_id.clone(), object.clone().into()),
            Body::Resource(body) => resources.set(element.logical_id.clone(), resource(stack, body).into()),
        }
    }
    let mut conditions = Object::new();
    for condition in &stack.conditions {
        conditions.set(condition.name.clone(), condition.node.clone());
    }
    let mut outputs = Object::new();
    for declared in &stack.outputs {
        outputs.set(declared.logical_id.clone(), output(declared).into());
    }
    for (name, section) in [
        ("Parameters", parameters),
        ("Conditions", conditions),
        ("Resources", resources),
        ("Outputs", outputs),
    ] {
        if !section.is_empty() {
            template.set(name, section.into());
        }
    }
    template.into()
}

fn output(output: &Output) -> Object {
    let mut object = Object::new();
    if let Some(description) = &output.description {
        object.set("Description", description.clone().into());
    }
    object.set("Value", output.value.clone());
    if let Some(export) = &output.export {
        object.set("Export", Object::new().with("Name", export.clone()).into());
    }
    object
}

fn resource(stack: &Stack, body: &ResourceBody) -> Object {
    let mut object = Object::new().with("Type", body.type_name.clone());
    let options = &body.options;
    if let Some(condition) = &options.condition {
        object.set("Condition", condition.clone().into());
    }
    let mut depends_on: Vec<&str> = options
        .depends_on
        .iter()
        .filter_map(|element| stack.logical_id(*element))
        .collect();
    depends_on.sort_unstable();
    depends_on.dedup();
    if !depends_on.is_empty() {
        let names = depends_on.into_iter().map(|name| Node::from(name.to_owned()));
        object.set("DependsOn", Node::List(names.collect()));
    }
    if let Some(policy) = options.deletion_policy {
        let (deletion, replacement) = match policy {
            DeletionPolicy::Delete => ("Delete", "Delete"),
            DeletionPolicy::Retain => ("Retain", "Retain"),
            DeletionPolicy::RetainExceptOnCreate => ("RetainExceptOnCreate", "Retain"),
            DeletionPolicy::Snapshot => ("Snapshot", "Snapshot"),
        };
        object.set("DeletionPolicy", deletion.into());
        object.set("UpdateReplacePolicy", replacement.into());
    }
    if !options.metadata.is_empty() {
        object.set("Metadata", options.metadata.clone().into());
    }
    if !body.properties.is_empty() {
        object.set("Properties", body.properties.clone().into());
    }
    object
}
