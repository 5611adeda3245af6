//! Two JSON values → the paths at which they differ.

use serde_json::{Map, Value};

/// A difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// Where.
    pub(super) path: Vec<Step>,
    /// The value before, if there was one.
    pub(super) old: Option<Value>,
    /// The value after, if there is one.
    pub(super) new: Option<Value>,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A key of an object.
    Key(String),
    /// An item of a list, by position or name.
    Item(String),
}

/// The properties that tell the items of a list apart, where every item has one and no two the same.
const NAMES: [&str; 8] = [
    "Sid",
    "Id",
    "Name",
    "Key",
    "PolicyName",
    "AttributeName",
    "IndexName",
    "ParameterKey",
];

/// Every difference, at the deepest path that has it.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(Some(old), Some(new), &mut Vec::new(), &mut changes);
    changes
}

/// A path as people write it: `Properties.Tags[project].Value`.
pub(super) fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Item(item) => text.push_str(&format!("[{item}]")),
        }
    }
    text
}

/// Whether CloudFormation takes two values for the same; it turns numbers and booleans into text where text is due.
pub(super) fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (Value::Object(old), Value::Object(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .all(|(key, old)| new.get(key).is_some_and(|new| same(old, new)))
        }
        _ => match (scalar(old), scalar(new)) {
            (Some(old), Some(new)) => old == new,
            _ => old == new,
        },
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn compare(old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(old), Some(new)) if same(old, new) => return,
        (Some(Value::Object(before)), Some(Value::Object(after))) if !is_function(before) && !is_function(after) => {
            for (key, old) in before {
                step(Step::Key(key.clone()), Some(old), after.get(key), path, changes);
            }
            for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                step(Step::Key(key.clone()), None, Some(new), path, changes);
            }
            return;
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if items(before, after, path, changes) => return,
        _ => {}
    }
    changes.push(Change {
        path: path.clone(),
        old: old.cloned(),
        new: new.cloned(),
    });
}

fn step(step: Step, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    path.push(step);
    compare(old, new, path, changes);
    path.pop();
}

/// Compares lists item by item; false where only the order of named items differs, which is a difference of the whole list.
fn items(before: &[Value], after: &[Value], path: &mut Vec<Step>, changes: &mut Vec<Change>) -> bool {
    let Some((old_names, new_names)) = names(before, after) else {
        for index in 0..before.len().max(after.len()) {
            step(
                Step::Item(index.to_string()),
                before.get(index),
                after.get(index),
                path,
                changes,
            );
        }
        return true;
    };
    let found = changes.len();
    for (name, old) in old_names.iter().zip(before) {
        let new = new_names.iter().position(|other| other == name);
        step(
            Step::Item(name.clone()),
            Some(old),
            new.map(|index| &after[index]),
            path,
            changes,
        );
    }
    for (name, new) in new_names
        .iter()
        .zip(after)
        .filter(|(name, _)| !old_names.contains(name))
    {
        step(Step::Item(name.clone()), None, Some(new), path, changes);
    }
    changes.len() > found
}

/// The names of the items of two lists, if they have names.
fn names(before: &[Value], after: &[Value]) -> Option<(Vec<String>, Vec<String>)> {
    NAMES
        .iter()
        .find_map(|key| Some((named(before, key)?, named(after, key)?)))
}

fn named(items: &[Value], key: &str) -> Option<Vec<String>> {
    let names: Vec<String> = items
        .iter()
        .map(|item| item.get(key)?.as_str().map(str::to_owned))
        .collect::<Option<_>>()?;
    let unique = names
        .iter()
        .enumerate()
        .all(|(index, name)| !names[..index].contains(name));
    unique.then_some(names)
}

/// Whether an object is an intrinsic function, which changes as a whole.
pub(super) fn is_function(object: &Map<String, Value>) -> bool {
    let name = object.keys().next().filter(|_| object.len() == 1);
    name.is_some_and(|name| name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
}
