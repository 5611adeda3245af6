//! What a difference means for a resource, by the registry's facts of its type.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use synth_aws::{ResourceFacts, facts_of};

use super::values::{self, Change, Step};
use super::{Action, Data, PropertyDifference, ResourceDifference};

/// The policies under which CloudFormation keeps the old resource or a snapshot of it.
const KEEPING: [&str; 3] = ["Retain", "RetainExceptOnCreate", "Snapshot"];

/// What happens to a resource; none if nothing does.
pub(super) fn resource(logical_id: &str, old: Option<&Value>, new: Option<&Value>) -> Option<ResourceDifference> {
    let type_name = type_of(new.or(old)?);
    let mut difference = ResourceDifference {
        logical_id: logical_id.to_owned(),
        type_name: type_name.to_owned(),
        action: Action::Update,
        data: None,
        notes: Vec::new(),
        properties: Vec::new(),
    };
    match (old, new) {
        (Some(old), Some(_)) if type_of(old) != type_name => {
            difference.action = Action::DeleteAndCreate;
            difference.notes.push(format!(
                "CloudFormation refuses to change the type from {} under the same logical id; give the new one another",
                type_of(old)
            ));
        }
        (Some(old), Some(new)) => update(old, new, &mut difference)?,
        (None, _) => difference.action = Action::Add,
        (Some(_), None) => difference.action = Action::Remove,
    }
    difference.data = data(difference.action, old, new);
    Some(difference)
}

fn update(old: &Value, new: &Value, difference: &mut ResourceDifference) -> Option<()> {
    let facts = facts_of(&difference.type_name);
    let changes = values::changes(&with_properties(old), &with_properties(new));
    for change in changes {
        let action = match change.path.split_first() {
            Some((Step::Key(key), rest)) if key == "Properties" => action(&difference.type_name, facts, rest, &change),
            _ => Action::Update,
        };
        difference.properties.push(PropertyDifference::of(change, action));
    }
    difference.action = difference.properties.iter().map(|property| property.action).max()?;
    if difference.action == Action::MayReplace {
        if is_custom(&difference.type_name) {
            let note = "the function behind the custom resource decides whether it is replaced";
            difference.notes.push(note.to_owned());
        } else if facts.is_none() {
            let note = format!("whether {} is replaced is not known here", difference.type_name);
            difference.notes.push(note);
        }
    }
    Some(())
}

/// What the change of a property means.
fn action(type_name: &str, facts: Option<&ResourceFacts>, path: &[Step], change: &Change) -> Action {
    let Some(facts) = facts.filter(|_| !is_custom(type_name)) else {
        return Action::MayReplace;
    };
    let concerns = |paths: &[&str]| paths.iter().any(|fact| concerns(fact, path, change));
    if concerns(facts.create_only) {
        Action::Replace
    } else if concerns(facts.conditional_create_only) {
        Action::MayReplace
    } else {
        Action::Update
    }
}

/// Whether a change touches the property that a fact is about: it is that property, is within it, or holds it.
fn concerns(fact: &str, path: &[Step], change: &Change) -> bool {
    let mut steps = path.iter();
    let mut names = fact.split('/');
    loop {
        let rest = names.clone();
        match (names.next(), steps.next()) {
            (None, _) => return true,
            (Some(_), None) => {
                let rest: Vec<&str> = rest.collect();
                return found(change.old.as_ref(), &rest) != found(change.new.as_ref(), &rest);
            }
            (Some("*"), Some(Step::Item(_))) => {}
            (Some(name), Some(Step::Key(key))) if name == key => {}
            _ => return false,
        }
    }
}

/// The values at a path, `*` for every item of a list.
fn found<'a>(value: Option<&'a Value>, path: &[&str]) -> Vec<&'a Value> {
    let mut values: Vec<&Value> = value.into_iter().collect();
    for name in path {
        values = values
            .into_iter()
            .flat_map(|value| match (*name, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (name, value) => value.get(name).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    values
}

/// A resource with its properties spelt out, so that each that comes or goes is a difference of its own.
fn with_properties(resource: &Value) -> Value {
    let mut object = resource.as_object().cloned().unwrap_or_default();
    object.entry("Properties").or_insert_with(|| Map::new().into());
    object.into()
}

fn data(action: Action, old: Option<&Value>, new: Option<&Value>) -> Option<Data> {
    let old = old?;
    facts_of(type_of(old)).filter(|facts| facts.stateful)?;
    let policy = match action {
        Action::Remove | Action::DeleteAndCreate => old.get("DeletionPolicy"),
        Action::Replace | Action::MayReplace => new?.get("UpdateReplacePolicy"),
        Action::Add | Action::Update => return None,
    };
    let keeps = policy
        .and_then(Value::as_str)
        .is_some_and(|policy| KEEPING.contains(&policy));
    Some(match action {
        _ if keeps => Data::Kept,
        Action::MayReplace => Data::MayBeLost,
        _ => Data::Lost,
    })
}

/// A resource that is replaced has another name or ARN afterwards: whatever takes that in a create-only property may be replaced
/// too, and so on.
pub(super) fn spread(after: &Map<String, Value>, differences: &mut Vec<ResourceDifference>) {
    loop {
        let replaced: BTreeSet<String> = differences
            .iter()
            .filter(|difference| (Action::MayReplace..=Action::DeleteAndCreate).contains(&difference.action))
            .map(|difference| difference.logical_id.clone())
            .collect();
        let mut changed = false;
        for (logical_id, resource) in after.iter().filter(|(id, _)| !replaced.contains(*id)) {
            let Some((fact, cause)) = dragged(resource, &replaced) else {
                continue;
            };
            let position = differences.iter().position(|other| other.logical_id == *logical_id);
            if position.is_some_and(|index| differences[index].action == Action::Add) {
                continue;
            }
            let index = position.unwrap_or_else(|| {
                differences.push(ResourceDifference {
                    logical_id: logical_id.clone(),
                    type_name: type_of(resource).to_owned(),
                    action: Action::Update,
                    data: None,
                    notes: Vec::new(),
                    properties: Vec::new(),
                });
                differences.len() - 1
            });
            let difference = &mut differences[index];
            difference.action = Action::MayReplace;
            difference.data = data(Action::MayReplace, Some(resource), Some(resource));
            let property = fact.replace('/', ".");
            difference
                .notes
                .push(format!("{property} refers to {cause}, which is replaced"));
            changed = true;
        }
        if !changed {
            break;
        }
    }
}

/// The first create-only property that refers to one of the resources, and that resource.
fn dragged(resource: &Value, replaced: &BTreeSet<String>) -> Option<(&'static str, String)> {
    let facts = facts_of(type_of(resource))?;
    let properties = resource.get("Properties");
    facts.create_only.iter().find_map(|fact| {
        let path: Vec<&str> = fact.split('/').collect();
        let values = found(properties, &path);
        let cause = values.into_iter().find_map(|value| reference(value, replaced))?;
        Some((*fact, cause))
    })
}

/// The first of some resources that a value refers to.
fn reference(value: &Value, among: &BTreeSet<String>) -> Option<String> {
    let known = |name: &str| {
        let name = name.split('.').next().unwrap_or(name);
        among.contains(name).then(|| name.to_owned())
    };
    match value {
        Value::Array(items) => items.iter().find_map(|item| reference(item, among)),
        Value::Object(object) => object.iter().find_map(|(key, value)| match (key.as_str(), value) {
            ("Ref", Value::String(name)) => known(name),
            ("Fn::GetAtt", Value::Array(parts)) => parts.first()?.as_str().and_then(known),
            ("Fn::Sub", Value::String(text)) => placeholders(text).find_map(known),
            ("Fn::Sub", Value::Array(parts)) => {
                let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                let variables = parts.get(1).and_then(|variables| reference(variables, among));
                placeholders(text).find_map(known).or(variables)
            }
            _ => reference(value, among),
        }),
        _ => None,
    }
}

/// The names in `${…}`; `${!…}` is text.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(name, _)| name))
        .filter(|name| !name.starts_with('!'))
}

fn is_custom(type_name: &str) -> bool {
    type_name.starts_with("Custom::") || type_name == "AWS::CloudFormation::CustomResource"
}

fn type_of(resource: &Value) -> &str {
    resource.get("Type").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether the only difference between two properties concerns the fact.
    fn concerned(fact: &str, old: Value, new: Value) -> bool {
        let changes = values::changes(&old, &new);
        assert_eq!(changes.len(), 1, "{changes:?}");
        changes.iter().all(|change| concerns(fact, &change.path, change))
    }

    #[test]
    fn an_asterisk_stands_for_every_item_of_a_list() {
        let disk = |size: u32, name: &str| json!({"Disks": [{"Size": 1, "Name": "a"}, {"Size": size, "Name": name}]});
        assert!(concerned("Disks/*/Size", disk(2, "b"), disk(3, "b")));
        assert!(!concerned("Disks/*/Type", disk(2, "b"), disk(3, "b")));
        let list = |size: u32| json!({"Disks": [[{"Size": size}]]});
        assert!(concerned("Disks/*/*/Size", list(1), list(2)));
    }

    #[test]
    fn what_holds_or_is_within_a_property_concerns_it() {
        let code = |key: &str| json!({"Code": {"S3": {"Key": key}}});
        assert!(concerned("Code", code("a"), code("b")), "within");
        assert!(
            concerned("Code/S3/Key", json!({}), code("b")),
            "an object that holds it appears"
        );
        assert!(
            !concerned("Code/Zip", json!({}), code("b")),
            "an object without it appears"
        );
        assert!(
            concerned("Items/*/Id", json!({}), json!({"Items": [{"Id": 1}]})),
            "a list that holds it appears"
        );
        assert!(!concerned("Cod", code("a"), code("b")), "names are compared whole");
    }

    #[test]
    fn text_refers_to_resources_by_placeholders() {
        let among = BTreeSet::from(["Api".to_owned()]);
        let refers = |value: Value| reference(&value, &among).is_some();
        assert!(refers(json!({"Fn::Sub": "arn:${Api.Id}/x"})));
        assert!(refers(json!({"Fn::Sub": ["${Name}", {"Name": {"Ref": "Api"}}]})));
        assert!(refers(json!({"Fn::Join": ["", ["a", {"Fn::GetAtt": ["Api", "Id"]}]]})));
        assert!(!refers(json!({"Fn::Sub": "${!Api} ${ApiId}"})));
        assert!(!refers(json!("Api")));
    }
}
