//! Compares JSON values but for what was scrubbed.

use std::collections::HashMap;

use regress::{Flags, Regex};
use serde_json::{Value, json};

use super::{
    Grade,
    case::{Case, Mask},
};
use crate::{Fault, Outcome};

/// The account that recordings name.
pub(super) const ACCOUNT: &str = "111111111111";

pub(super) struct Masks<'m>(HashMap<&'m str, &'m Mask>);

impl<'m> Masks<'m> {
    pub(super) fn new(masks: &'m [Mask]) -> Self {
        Self(masks.iter().map(|mask| (mask.pointer.as_str(), mask)).collect())
    }

    /// Where and how the values differ; `None` when they do not.
    pub(super) fn difference(&self, expected: &Value, actual: &Value, at: &str) -> Option<String> {
        if let Some(mask) = self.0.get(at) {
            return masked(mask, actual, at);
        }
        match (expected, actual) {
            (Value::Number(left), Value::Number(right)) => {
                let same = left == right || left.as_f64() == right.as_f64();
                (!same).then(|| differ(at, expected, actual))
            }
            (Value::Object(left), Value::Object(right)) => {
                let odd: Vec<&String> = left
                    .keys()
                    .filter(|key| !right.contains_key(*key))
                    .chain(right.keys().filter(|key| !left.contains_key(*key)))
                    .collect();
                if !odd.is_empty() {
                    return Some(format!("{at}: keys {odd:?}"));
                }
                left.iter().find_map(|(key, value)| {
                    let below = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    self.difference(value, &right[key], &below)
                })
            }
            (Value::Array(left), Value::Array(right)) => {
                if left.len() != right.len() {
                    return Some(format!("{at}: length {} is not {}", right.len(), left.len()));
                }
                let mut pairs = left.iter().zip(right).enumerate();
                pairs.find_map(|(index, (left, right))| self.difference(left, right, &format!("{at}/{index}")))
            }
            _ => (expected != actual).then(|| differ(at, expected, actual)),
        }
    }
}

fn masked(mask: &Mask, actual: &Value, at: &str) -> Option<String> {
    if mask.any {
        return None;
    }
    let pattern = mask.regex.as_deref().unwrap_or_default();
    let text = actual.as_str().map_or_else(|| actual.to_string(), str::to_owned);
    let flags = Flags {
        dot_all: true,
        ..Flags::default()
    };
    let matches = Regex::with_flags(pattern, flags)
        .ok()
        .and_then(|regex| regex.find(&text))
        .is_some_and(|found| found.start() == 0);
    (!matches).then(|| format!("{at}: {} does not match {}", cut(&text), cut(pattern)))
}

fn differ(at: &str, expected: &Value, actual: &Value) -> String {
    format!(
        "{at}: {} is not {}",
        cut(&actual.to_string()),
        cut(&expected.to_string())
    )
}

/// The beginning of a text that may be long.
pub(super) fn cut(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The recordings number accounts anew in each place, so one account has several numbers: all are taken for one.
pub(super) fn without_accounts(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let parts: Vec<&str> = text
                .split(':')
                .map(|part| match part.len() {
                    12 if part.bytes().all(|byte| byte.is_ascii_digit()) => ACCOUNT,
                    _ => part,
                })
                .collect();
            json!(parts.join(":"))
        }
        Value::Array(items) => items.iter().map(without_accounts).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), without_accounts(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Whether an execution ended as it did on AWS.
pub(super) fn outcome(case: &Case, outcome: &Outcome) -> Grade {
    let masks = Masks::new(&case.masks);
    let (status, output, fault) = match outcome {
        Outcome::Succeeded(output) => ("SUCCEEDED", Some(output), Fault::default()),
        Outcome::Failed(fault) => ("FAILED", None, fault.clone()),
        Outcome::TimedOut => ("TIMED_OUT", None, Fault::default()),
        Outcome::Aborted(fault) => ("ABORTED", None, fault.clone()),
    };
    let expected = &case.expected;
    if status != expected.status {
        return Grade::Wrong(format!(
            "status {status} is not {}: {} {}",
            expected.status,
            fault.error.as_deref().unwrap_or("no error"),
            cut(fault.cause.as_deref().unwrap_or_default())
        ));
    }
    if let Some(output) = output {
        return match masks.difference(&expected.output, output, "/output") {
            None => Grade::Exact,
            Some(difference) => Grade::Wrong(difference),
        };
    }
    if status != "FAILED" {
        return Grade::Exact;
    }
    if let Some(difference) = masks.difference(&expected.error, &Value::from(fault.error), "/error") {
        return Grade::Wrong(difference);
    }
    let mut cause = Value::from(fault.cause);
    if case.cause_is_json_text
        && let Some(json) = cause.as_str().and_then(|text| serde_json::from_str(text).ok())
    {
        cause = json;
    }
    match masks.difference(&expected.cause, &cause, "/cause") {
        None => Grade::Exact,
        Some(difference) => Grade::CauseOnly(difference),
    }
}
