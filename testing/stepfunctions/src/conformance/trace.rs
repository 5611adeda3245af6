//! The path of an execution beside the recorded one.

use serde_json::{Map, Value, json};

use super::{
    case::Case,
    compare::{Masks, cut, without_accounts},
};
use crate::{Event, EventDetail, Execution};

/// Where the paths part; `None` when they are the same.
pub(super) fn difference(case: &Case, execution: &Execution) -> Option<String> {
    // Where branches ran at the same time on AWS, recordings have neither their order nor all of their events.
    let expected = case.trace.as_ref().filter(|_| case.trace_order_fixed)?;
    let actual: Vec<Value> = execution.events().iter().filter_map(entry).collect();
    for (index, expected) in expected.iter().enumerate() {
        let wanted = label(expected);
        let Some(actual) = actual.get(index) else {
            return Some(format!("entry {index}: nothing is not {wanted}"));
        };
        if label(actual) != wanted {
            return Some(format!("entry {index}: {} is not {wanted}", label(actual)));
        }
        if let Some(difference) = data(expected, actual) {
            return Some(format!("entry {index}: {wanted}: {difference}"));
        }
    }
    let surplus = actual.get(expected.len())?;
    Some(format!("entry {}: {} is one too many", expected.len(), label(surplus)))
}

/// What identifies an entry: its type, its state, the index or the length.
fn label(entry: &Value) -> String {
    let mut label = entry["ev"].as_str().unwrap_or_default().to_owned();
    for field in ["name", "state", "index", "length", "location"] {
        if let Some(value) = entry.get(field) {
            label.push(' ');
            label.push_str(&value.to_string());
        }
    }
    label
}

/// Where the inputs and outputs of two entries differ.
fn data(expected: &Value, actual: &Value) -> Option<String> {
    ["input", "output", "assigned"].into_iter().find_map(|field| {
        let actual = without_accounts(&actual[field]);
        let expected = filled(&without_accounts(expected.get(field)?), &actual);
        let difference = Masks::new(&[]).difference(&expected, &actual, field)?;
        Some(cut(&difference))
    })
}

/// The expected value with what was really there in the place of each text that may stand for something scrubbed.
fn filled(expected: &Value, actual: &Value) -> Value {
    match (expected, actual) {
        (Value::String(text), actual) if may_be_placeholder(text) => actual.clone(),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let pairs = expected.iter().zip(actual);
            pairs.map(|(expected, actual)| filled(expected, actual)).collect()
        }
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, actual.get(name).unwrap_or(&Value::Null))))
            .collect(),
        _ => expected.clone(),
    }
}

/// Traces do not mark what was scrubbed: `<uuid:1>` stands there, or one word such as `date`.
fn may_be_placeholder(text: &str) -> bool {
    let bracketed = text.split_once('<').is_some_and(|(_, rest)| rest.contains('>'));
    let word = |character: char| character.is_ascii_alphabetic() || matches!(character, '-' | '_');
    bracketed || text.chars().all(word)
}

/// An event as recordings have it; `None` for those that they leave out.
fn entry(event: &Event) -> Option<Value> {
    let mut entry = Map::new();
    entry.insert("ev".to_owned(), json!(event.type_name()));
    let named = |mut entry: Map<String, Value>, field: &str| {
        entry.insert(field.to_owned(), json!(event.state.as_deref()));
        entry
    };
    Some(Value::Object(match &event.detail {
        EventDetail::StateEntered { input, .. } => {
            let mut entry = named(entry, "name");
            entry.insert("input".to_owned(), input.clone());
            entry
        }
        EventDetail::StateExited { output, assigned, .. } => {
            let mut entry = named(entry, "name");
            entry.insert("output".to_owned(), output.clone());
            entry.insert("assigned".to_owned(), json!(assigned));
            entry
        }
        EventDetail::MapIterationStarted { index }
        | EventDetail::MapIterationSucceeded { index }
        | EventDetail::MapIterationFailed { index }
        | EventDetail::MapIterationAborted { index } => {
            let mut entry = named(entry, "name");
            entry.insert("index".to_owned(), json!(index));
            entry
        }
        EventDetail::MapStateStarted { length } => {
            entry.insert("length".to_owned(), json!(length));
            entry
        }
        EventDetail::EvaluationFailed { location, .. } => {
            let mut entry = named(entry, "state");
            entry.insert("location".to_owned(), json!(location));
            entry
        }
        EventDetail::MapStateSucceeded | EventDetail::MapStateFailed(_) | EventDetail::ParallelStateFailed(_) => entry,
        _ => return None,
    }))
}
