//! Structs with a constructor of what is required and setters of the rest.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::enums::enum_values;
use super::{Emitter, unique};
use crate::names;

/// The setters that clippy would take for the methods of an operator's trait.
const OPERATORS: [&str; 10] = [
    "add", "bitand", "bitor", "bitxor", "div", "mul", "rem", "shl", "shr", "sub",
];

/// The arguments that clippy lets a function take.
const MOST_ARGUMENTS: usize = 7;

impl Emitter<'_> {
    /// A struct with its constructor and setters.
    pub(super) fn object(&mut self, rust: &str, owner: &str, fields: &Map<String, Value>, docs: &str) -> String {
        let mut source = format!("{docs}#[derive(Debug, Clone)]\n#[must_use]\npub struct {rust}(crate::Object);\n");
        let _ = writeln!(source, "impl {rust} {{\n{}", self.constructor(owner, fields));
        let mut taken = BTreeSet::from(["new".to_owned()]);
        for (name, shape) in fields.iter().filter(|(_, shape)| shape.get("required").is_none()) {
            let method = unique(names::method(name), &mut taken);
            let kind = self.kind(shape, owner, name);
            let docs = self.property_docs(name, shape, owner);
            let lint = if OPERATORS.contains(&method.as_str()) {
                "#[expect(clippy::should_implement_trait, reason = \"the setter is named after its property\")]\n"
            } else {
                ""
            };
            let _ = writeln!(
                source,
                "{docs}{lint}#[track_caller]\npub fn {method}(mut self, value: impl Into<crate::Value<{kind}>>) -> Self {{\nself.0.set({name:?}, value.into().into_node()); self }}"
            );
        }
        let _ = writeln!(
            source,
            "}}\nimpl From<{rust}> for crate::Value<{rust}> {{\nfn from(value: {rust}) -> Self {{ Self::from_node(crate::Node::Object(value.0)) }} }}"
        );
        source
    }

    /// `new`, which takes the required properties.
    fn constructor(&mut self, owner: &str, fields: &Map<String, Value>) -> String {
        let mut parameters = String::new();
        let mut sets = String::new();
        let mut list: Vec<String> = Vec::new();
        let mut argument_names = BTreeSet::from(["object".to_owned()]);
        for (name, shape) in fields.iter().filter(|(_, shape)| shape.get("required").is_some()) {
            let argument = unique(names::method(name), &mut argument_names);
            let kind = self.kind(shape, owner, name);
            let _ = write!(parameters, "\n{argument}: impl Into<crate::Value<{kind}>>,");
            let _ = write!(sets, "object.set({name:?}, {argument}.into().into_node());");
            list.push(format!("`{name}`"));
        }
        let (what, mutable) = if list.is_empty() {
            ("With nothing set.".to_owned(), "")
        } else {
            (format!("With the required {}.", list.join(", ")), "mut ")
        };
        let lint = match list.len() {
            0 => {
                "#[expect(clippy::new_without_default, reason = \"an empty resource is built on purpose, never by default\")]\n"
            }
            1..=MOST_ARGUMENTS => "",
            _ => "#[expect(clippy::too_many_arguments, reason = \"the registry requires that many\")]\n",
        };
        format!(
            "/// {what}\n{lint}#[track_caller]\npub fn new({parameters}) -> Self {{\nlet {mutable}object = crate::Object::new(); {sets} Self(object) }}"
        )
    }

    /// What a setter's documentation says of its property.
    fn property_docs(&self, name: &str, shape: &Value, owner: &str) -> String {
        let mut docs = format!("/// `{name}`: {}.", constraint_text(shape));
        let path = if owner.is_empty() {
            name.to_owned()
        } else {
            format!("/{name}")
        };
        let marked = |paths: &[String]| {
            paths.iter().any(|marked| {
                if owner.is_empty() {
                    *marked == path
                } else {
                    marked.ends_with(&path)
                }
            })
        };
        if owner.is_empty() && marked(&self.resource.create_only) {
            docs.push_str(" A change replaces the resource.");
        }
        if owner.is_empty() && marked(&self.resource.conditional_create_only) {
            docs.push_str(" Some changes replace the resource.");
        }
        if owner.is_empty() && marked(&self.resource.write_only) {
            docs.push_str(" AWS never returns it.");
        }
        if owner.is_empty() && marked(&self.resource.deprecated) {
            docs.push_str(" The registry marks it as deprecated.");
        }
        docs.push('\n');
        docs
    }
}

/// A property's type and constraints in words.
fn constraint_text(shape: &Value) -> String {
    let mut text = match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
        "list" => format!("a list of {}", constraint_text(&shape["of"])),
        "map" => format!("a map to {}", constraint_text(&shape["of"])),
        "struct" => "an object".to_owned(),
        "string" if enum_values(shape).is_some() => "one of the values the registry knows".to_owned(),
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "scalar" => "text, a number or a boolean".to_owned(),
        _ => "any JSON".to_owned(),
    };
    let bound = |key: &str| shape.get(key).filter(|bound| bound.is_number());
    let unit = match shape.get("type").and_then(Value::as_str) {
        Some("string") => " characters",
        Some("list") => " items",
        Some("map") => " entries",
        _ => "",
    };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => _ = write!(text, ", {min} to {max}{unit}"),
        (Some(min), None) => _ = write!(text, ", at least {min}{unit}"),
        (None, Some(max)) => _ = write!(text, ", at most {max}{unit}"),
        (None, None) => {}
    }
    if let Some(pattern) = shape.get("pattern").and_then(Value::as_str)
        && !pattern.contains(['`', '\n', '\r'])
    {
        let _ = write!(text, ", matching `` {pattern} ``");
    }
    text
}
