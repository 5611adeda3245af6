//! What the functions of a stack run with on this machine, beside what their template says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Variables of all functions that CloudFormation makes; they win over the template's.
pub(in crate::aws) type Variables = BTreeMap<String, String>;

/// The properties with the variables.
pub(super) fn with_variables(properties: &Value, variables: &Variables) -> Value {
    let mut changed = properties.clone();
    let own = changed["Environment"]["Variables"].as_object().cloned();
    let mut all = own.unwrap_or_default();
    all.extend(variables.iter().map(|(name, value)| (name.clone(), json!(value))));
    changed["Environment"] = json!({ "Variables": all });
    changed
}
