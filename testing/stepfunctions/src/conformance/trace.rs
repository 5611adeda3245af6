//! The path of an execution beside the recorded one.

use serde_json::{Map, Value, json};

use super::{
    case::Case,
    compare::{Masks, cut},
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
        let expected = expected.get(field)?;
        // What was scrubbed is not marked in traces, so that a value which has a placeholder in it says nothing.
        if scrubbed(expected) {
            return None;
        }
        let difference = Masks::new(&[]).difference(expected, &actual[field], field)?;
        Some(cut(&difference))
    })
}

fn scrubbed(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            (text.contains('<') && text.contains('>'))
                || [
                    "date",
                    "timestamp",
                    "RequestId",
                    "X-Amzn-Trace-Id",
                    "x-amzn-RequestId",
                    "000000000002",
                ]
                .iter()
                .any(|mark| text.contains(mark))
        }
        Value::Array(items) => items.iter().any(scrubbed),
        Value::Object(fields) => fields.values().any(scrubbed),
        _ => false,
    }
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
