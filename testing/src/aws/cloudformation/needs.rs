//! What a step of a resource calls: the permissions that the registry's handler declares, on that very resource.
//!
//! The registry says which actions a handler calls, not when: what only a property calls for is left to the rules of
//! `synth/aws/permissions.json`. Of another service's action nobody says it but those, so without a rule it is not asked for; a role
//! that is handed over always is. An action on a resource whose ARN cannot be told may reach any.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    facts::Facts,
    places::{self, Place, tag_changes, tags},
    resources::{Kind, Step},
};
use crate::authorization::{Reference, Taken, meet};

/// How actions are named that write tags, and that take them away.
const TAGGING: [&str; 3] = ["Tag", "AddTags", "PutBucketTagging"];
const UNTAGGING: [&str; 2] = ["Untag", "RemoveTags"];

/// A permission that a handler needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Need {
    /// `lambda:CreateFunction`.
    pub(super) action: String,
    /// The ARN, `*` where IAM binds the action to nothing; none if it cannot be told.
    pub(super) resource: Option<String>,
    /// Whose tags count as the resource's.
    tags_of: Option<String>,
    /// The condition keys that the request decides.
    context: BTreeMap<String, Value>,
}

/// What the step calls; nothing for a type that the registry does not know.
pub(super) fn of(step: &Step, account: &str, reference: &Reference) -> Vec<Need> {
    let Some(facts) = Facts::of(&step.r#type) else {
        return custom(step);
    };
    let handlers = match step.step {
        // CloudFormation reads what it has made or changed.
        Kind::Create => "cr",
        Kind::Update => "ur",
        Kind::Delete => "d",
    };
    let mut needs = Vec::new();
    for (action, marks) in facts.permissions() {
        let declared = marks.chars().any(|mark| handlers.contains(mark));
        let tags = marks.contains('t') && step.step != Kind::Delete && !tags(&facts, &step.properties).is_empty();
        if (declared || tags) && is_called(&facts, &action, step) {
            needs.extend(places::of(&facts, &action, &marks, step, account));
        }
    }
    let needs = needs
        .into_iter()
        .flat_map(|place| conditioned(&facts, step, account, reference, place));
    needs.collect()
}

/// The function or topic behind a custom resource.
fn custom(step: &Step) -> Vec<Need> {
    let token = step.properties["ServiceToken"].as_str().unwrap_or_default();
    let action = match token.split(':').nth(2) {
        Some("lambda") => "lambda:InvokeFunction",
        Some("sns") => "sns:Publish",
        _ => return Vec::new(),
    };
    vec![Need {
        action: action.to_owned(),
        resource: Some(token.to_owned()),
        tags_of: None,
        context: BTreeMap::new(),
    }]
}

/// Whether the properties, old or new, make the handler call the action.
fn is_called(facts: &Facts, action: &str, step: &Step) -> bool {
    let old = step.old.as_ref().map_or(&Value::Null, |old| &old.properties);
    let new = if step.step == Kind::Delete {
        &Value::Null
    } else {
        &step.properties
    };
    let called_for = facts.called_for(action);
    let is_set = |property: &String| is_set(old, property) || is_set(new, property);
    let asked = if called_for.is_empty() {
        action == "iam:PassRole" || action.starts_with(&facts.service_prefix())
    } else {
        called_for.iter().any(is_set)
    };
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let changes = tag_changes(facts, step);
    let differ = |property: &str| old[property] != new[property];
    asked
        && !facts.is_never_called(action)
        && match action {
            // An inline policy is put and deleted where there is one.
            "iam:PutRolePolicy" => !new["Policies"].is_null() && differ("Policies"),
            "iam:DeleteRolePolicy" => !old["Policies"].is_null() && differ("Policies"),
            _ if UNTAGGING.iter().any(|word| name.starts_with(word)) => changes.removed,
            _ if TAGGING.iter().any(|word| name.starts_with(word)) => changes.written,
            _ => true,
        }
}

/// Whether a property such as `Code.S3Bucket` is set, in any item where a list is on the way.
fn is_set(value: &Value, path: &str) -> bool {
    if let Value::Array(items) = value {
        return items.iter().any(|item| is_set(item, path));
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match value.get(first) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) if items.is_empty() => false,
        Some(_) if rest.is_empty() => true,
        Some(inner) => is_set(inner, rest),
    }
}

/// The need with the condition keys that the service fills for the action, one for each value of a key that has several requests.
fn conditioned(facts: &Facts, step: &Step, account: &str, reference: &Reference, place: Place) -> Vec<Need> {
    let known = reference.action(&place.action);
    let fills = |key: &str| known.as_ref().is_none_or(|known| known.keys.contains(key));
    let old = step.old.as_ref().map_or(&Value::Null, |old| &old.properties);
    let mut context = BTreeMap::new();
    let creates = step.step == Kind::Create && place.creates;
    let written = tags(facts, &step.properties);
    let name = place.action.split_once(':').map_or("", |(_, name)| name);
    let tagging = creates || name == "PUT" || TAGGING.iter().any(|word| name.starts_with(word));
    if fills("aws:RequestTag") && tagging && !written.is_empty() {
        let keys: BTreeSet<&String> = written.keys().collect();
        context.insert("aws:TagKeys".to_owned(), json!(keys));
        context.extend(
            written
                .iter()
                .map(|(key, value)| (format!("aws:RequestTag/{key}"), json!(value))),
        );
    }
    if !creates && place.is_own && fills_tags(reference, &place) {
        let has = if step.old.is_some() { tags(facts, old) } else { written };
        context.extend(
            has.iter()
                .map(|(key, value)| (format!("aws:ResourceTag/{key}"), json!(value))),
        );
    }
    if fills("iam:PermissionsBoundary") {
        let asks = creates || place.action == "iam:PutRolePermissionsBoundary" || step.old.is_none();
        let boundary = if asks { &step.properties } else { old };
        if let Some(boundary) = boundary["PermissionsBoundary"].as_str() {
            context.insert("iam:PermissionsBoundary".to_owned(), json!(boundary));
        }
    }
    if step.r#type == "AWS::Lambda::EventSourceMapping" && fills("lambda:FunctionArn") {
        let properties = if step.step == Kind::Delete {
            old
        } else {
            &step.properties
        };
        if let Some(function) = places::function_arn(&properties["FunctionName"], account) {
            context.insert("lambda:FunctionArn".to_owned(), json!(function));
        }
    }
    if let Some(service) = &place.passed_to {
        context.insert("iam:PassedToService".to_owned(), json!(service));
    }
    let tags_of = fills_tags(reference, &place).then_some(place.tags_of).flatten();
    let need = Need {
        action: place.action,
        resource: place.resource,
        tags_of,
        context,
    };
    policies(step, need)
}

/// A managed policy is attached and detached by a request of its own.
fn policies(step: &Step, need: Need) -> Vec<Need> {
    let of = |properties: &Value| -> BTreeSet<String> {
        let arns = properties["ManagedPolicyArns"].as_array().into_iter().flatten();
        arns.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let old = step.old.as_ref().map(|old| of(&old.properties)).unwrap_or_default();
    let new = if step.step == Kind::Delete {
        BTreeSet::new()
    } else {
        of(&step.properties)
    };
    let asked: Vec<&String> = match need.action.as_str() {
        "iam:AttachRolePolicy" if step.r#type == "AWS::IAM::Role" => new.difference(&old).collect(),
        "iam:DetachRolePolicy" if step.r#type == "AWS::IAM::Role" => old.difference(&new).collect(),
        _ => return vec![need],
    };
    let asked = asked.into_iter().map(|policy| {
        let mut need = need.clone();
        need.context.insert("iam:PolicyARN".to_owned(), json!(policy));
        need
    });
    asked.collect()
}

/// Whether the service fills `aws:ResourceTag` for the action on such a resource.
///
/// Of API Gateway's actions, which two pages of the reference describe, the data has one page's resource types: where none of an action's
/// is the resource, those of the whole service count.
fn fills_tags(reference: &Reference, place: &Place) -> bool {
    let key = "aws:ResourceTag";
    let (Some(known), Some(resource)) = (reference.action(&place.action), &place.resource) else {
        return true;
    };
    let service = place.action.split(':').next().unwrap_or_default();
    let is = |taken: &&Taken| meet(&taken.pattern, resource);
    let of_the_service = reference.resources(service);
    let of_the_action: Vec<&Taken> = known.resources.iter().filter(is).collect();
    let kinds = if of_the_action.is_empty() {
        of_the_service.iter().filter(is).collect()
    } else {
        of_the_action
    };
    known.keys.contains(key) || kinds.iter().any(|kind| kind.keys.contains(key))
}
