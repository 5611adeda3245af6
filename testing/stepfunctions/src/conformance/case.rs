//! The format of recorded cases.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Case {
    #[serde(default)]
    pub(super) features: Vec<String>,
    pub(super) definition: Value,
    #[serde(default)]
    pub(super) input: Value,
    #[serde(default)]
    pub(super) execution: Names,
    pub(super) expected: Expected,
    #[serde(default)]
    pub(super) masks: Vec<Mask>,
    #[serde(default)]
    pub(super) tasks: Vec<RecordedTask>,
    #[serde(default)]
    pub(super) trace: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) trace_order_fixed: bool,
    /// The cause is JSON that a text carries: it is compared as JSON.
    #[serde(default)]
    pub(super) cause_is_json_text: bool,
    /// When it was recorded, as `24-10-2023, 17:18:16`.
    #[serde(default)]
    pub(super) recorded: Option<String>,
}

impl Case {
    /// Whether it was recorded before executions could be redriven, which the context object has shown since.
    pub(super) fn before_redrive(&self) -> bool {
        let date = self.recorded.as_deref().and_then(|recorded| recorded.get(..10));
        let sortable = date.map(|date| date.rsplit('-').collect::<Vec<_>>().join("-"));
        sortable.is_some_and(|date| date.as_str() < "2023-11-15")
    }
}

/// The names that the context object shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Names {
    pub(super) state_machine_name: String,
    pub(super) name: String,
    pub(super) role_arn: String,
    #[serde(rename = "type")]
    pub(super) workflow: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Expected {
    pub(super) status: String,
    #[serde(default)]
    pub(super) output: Value,
    #[serde(default)]
    pub(super) error: Value,
    #[serde(default)]
    pub(super) cause: Value,
}

/// A place whose value was scrubbed when it was recorded.
#[derive(Debug, Deserialize)]
pub(super) struct Mask {
    pub(super) pointer: String,
    /// Any value is right.
    #[serde(default)]
    pub(super) any: bool,
    /// The value's text matches this.
    #[serde(default)]
    pub(super) regex: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RecordedTask {
    /// The state that asked; not recorded where branches ran at the same time.
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) input: Value,
    #[serde(default)]
    pub(super) input_masks: Vec<Mask>,
    #[serde(default)]
    pub(super) result: RecordedResult,
    #[serde(default)]
    pub(super) submitted_output: Option<Value>,
    #[serde(default, rename = "taskCredentials")]
    pub(super) credentials: Option<Value>,
    #[serde(default, rename = "timeoutInSeconds")]
    pub(super) timeout: Option<u64>,
    #[serde(default, rename = "heartbeatInSeconds")]
    pub(super) heartbeat: Option<u64>,
}

/// Empty where the task had no end.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RecordedResult {
    #[serde(default, deserialize_with = "present")]
    pub(super) output: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) cause: Option<String>,
    /// How it failed; absent when it succeeded.
    #[serde(default)]
    pub(super) via: Option<String>,
}

/// A null that is there is a value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
