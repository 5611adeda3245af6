//! The fields of JSON objects: their types and which there may be.

use serde_json::{Map, Value};

use super::{Language, Loader, under};

impl Loader {
    pub(super) fn object<'v>(&mut self, value: &'v Value, at: &str) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.faults.add(at, "an object is due");
        }
        object
    }

    /// Refuses every field that is not `allowed`: what is not known is not executed.
    pub(super) fn only(&mut self, fields: &Map<String, Value>, at: &str, allowed: &[&str]) {
        for name in fields.keys().filter(|name| !allowed.contains(&name.as_str())) {
            self.faults.add(
                under(at, name),
                format!("not supported here; allowed are {}", allowed.join(", ")),
            );
        }
    }

    pub(super) fn text(&mut self, fields: &Map<String, Value>, at: &str, name: &str) -> Option<String> {
        let text = fields.get(name).and_then(Value::as_str);
        if text.is_none() {
            self.faults.add(under(at, name), "a text is due");
        }
        text.map(str::to_owned)
    }

    pub(super) fn whole(&mut self, value: &Value, at: &str, least: u64, most: u64) -> Option<u64> {
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.faults
                .add(at, format!("{value}: a whole number from {least} to {most} is due"));
        }
        number
    }

    pub(super) fn number(&mut self, value: &Value, at: &str, least: f64) -> Option<f64> {
        let number = value.as_f64().filter(|number| *number >= least);
        if number.is_none() {
            self.faults
                .add(at, format!("{value}: a number of at least {least} is due"));
        }
        number
    }

    pub(super) fn list<'v>(&mut self, fields: &'v Map<String, Value>, at: &str, name: &str) -> Option<&'v Vec<Value>> {
        let list = fields
            .get(name)
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty());
        if list.is_none() {
            self.faults
                .add(under(at, name), "a list with at least one element is due");
        }
        list
    }
}

/// The fields that a type of states has beside the common ones.
pub(super) fn own_fields(kind: &str, language: Language) -> Option<Vec<&'static str>> {
    const WORKING: [&str; 5] = ["Retry", "Catch", "Assign", "Next", "End"];
    const SHAPED: [&str; 4] = ["InputPath", "ResultSelector", "ResultPath", "OutputPath"];
    let is_jsonata = language == Language::Jsonata;
    let pick = |jsonata: &[&'static str], json_path: &[&'static str]| {
        if is_jsonata {
            jsonata.to_vec()
        } else {
            json_path.to_vec()
        }
    };
    let mut fields = match kind {
        "Task" => pick(
            &["Arguments", "Output"],
            &["Parameters", "TimeoutSecondsPath", "HeartbeatSecondsPath"],
        ),
        "Pass" => pick(
            &["Output", "Assign", "Next", "End"],
            &[
                "InputPath",
                "Parameters",
                "Result",
                "ResultPath",
                "OutputPath",
                "Assign",
                "Next",
                "End",
            ],
        ),
        "Choice" => pick(&["Output"], &["InputPath", "OutputPath"]),
        "Wait" => pick(
            &["Output"],
            &["InputPath", "OutputPath", "SecondsPath", "TimestampPath"],
        ),
        "Succeed" => pick(&["Output"], &["InputPath", "OutputPath"]),
        "Fail" => pick(&[], &["ErrorPath", "CausePath"]),
        "Parallel" => pick(&["Arguments", "Output"], &["Parameters"]),
        "Map" => pick(
            &["Items", "Output"],
            &[
                "ItemsPath",
                "Parameters",
                "MaxConcurrencyPath",
                "ToleratedFailureCountPath",
                "ToleratedFailurePercentagePath",
            ],
        ),
        _ => return None,
    };
    fields.extend(match kind {
        "Task" => ["Resource", "Credentials", "TimeoutSeconds", "HeartbeatSeconds"].as_slice(),
        "Choice" => &["Choices", "Default", "Assign"],
        "Wait" => &["Seconds", "Timestamp", "Assign", "Next", "End"],
        "Fail" => &["Error", "Cause"],
        "Parallel" => &["Branches"],
        "Map" => &[
            "ItemSelector",
            "MaxConcurrency",
            "ItemProcessor",
            "Iterator",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
        ],
        _ => &[],
    });
    if matches!(kind, "Task" | "Parallel" | "Map") {
        fields.extend(WORKING);
        if !is_jsonata {
            fields.extend(SHAPED);
        }
    }
    Some(fields)
}
