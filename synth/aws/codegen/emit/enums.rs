//! Enums of the values that the registry knows.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::{Emitter, unique};
use crate::names;

impl Emitter<'_> {
    /// Names a property's enum after the registry's definition, or after its owner and the property.
    pub(super) fn enum_name(&mut self, shape: &Value, owner: &str, property: &str) -> String {
        let values = enum_values(shape).unwrap_or_default();
        let own = format!("{owner}{}", names::type_name(property));
        let candidates = [
            shape.get("name").and_then(Value::as_str).map(names::type_name),
            Some(own.clone()),
            Some(format!("{own}Value")),
            Some(format!("{}{own}Value", self.name)),
        ];
        for candidate in candidates.into_iter().flatten() {
            if self.types.contains(&candidate) || candidate == "facts" {
                continue;
            }
            match self.enums.get(&candidate) {
                Some(existing) if *existing != values => continue,
                _ => {
                    self.enums.insert(candidate.clone(), values);
                    return candidate;
                }
            }
        }
        "String".to_owned()
    }
}

/// The values of an enum, if the shape is one.
pub(super) fn enum_values(shape: &Value) -> Option<Vec<String>> {
    let values = shape.get("enum")?.as_array()?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The enum itself, and its values as a `Value`.
pub(super) fn emit_enum(source: &mut String, name: &str, values: &[String]) {
    let mut taken = BTreeSet::from(["NewerThanFacts".to_owned()]);
    let mut variants = String::new();
    let mut arms = String::new();
    for value in values {
        let variant = unique(names::variant(value), &mut taken);
        let _ = writeln!(variants, "/// `{value}`\n{variant},");
        let _ = write!(arms, "{name}::{variant} => {value:?}.into(),");
    }
    let _ = writeln!(
        source,
        "/// The values that the registry knows.\n#[derive(Debug, Clone, PartialEq, Eq)]\n#[non_exhaustive]\npub enum {name} {{\n{variants}/// A value that AWS has added since the facts were taken, spelled out.\nNewerThanFacts(String),\n}}\nimpl From<{name}> for crate::Value<{name}> {{\nfn from(value: {name}) -> Self {{ Self::from_node(match value {{ {arms} {name}::NewerThanFacts(text) => text.into() }}) }} }}"
    );
}
