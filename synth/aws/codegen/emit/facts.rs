//! The facts that literal values are checked against, as constants.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::names;
use crate::spec::ResourceSpec;

/// The facts of one struct as the constant of that name.
pub(super) fn struct_facts(source: &mut String, constant: &str, fields: &Map<String, Value>) {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_str());
    let rows: String = sorted
        .into_iter()
        .map(|(name, shape)| {
            let required = shape.get("required").is_some();
            format!(
                "PropertyFacts {{ name: {name:?}, required: {required}, shape: {} }},\n",
                shape_facts(shape)
            )
        })
        .collect();
    let visibility = if constant == "PROPERTIES" {
        "pub(in super::super) "
    } else {
        ""
    };
    let _ = writeln!(
        source,
        "{visibility}static {constant}: StructFacts = StructFacts {{ properties: &[{rows}] }};"
    );
}

/// How a type takes tags, as an expression.
pub(super) fn tagging(facts: Option<&Map<String, Value>>) -> String {
    let Some(facts) = facts else {
        return "crate::Tagging::Unknown".to_owned();
    };
    let Some(property) = facts.get("property").and_then(Value::as_str) else {
        return "crate::Tagging::Never".to_owned();
    };
    // A mark is written down only where it is `false`.
    let mark = |name: &str| !facts.contains_key(name);
    format!(
        "crate::Tagging::By(crate::TaggingFacts {{ property: {property:?}, on_create: {}, updatable: {}, system_tags: {} }})",
        mark("on_create"),
        mark("updatable"),
        mark("system_tags")
    )
}

/// What the handlers of a type may do, as the rows of a table.
pub(super) fn permissions(resource: &ResourceSpec) -> String {
    // `arn:${Partition}:s3:::${BucketName}` is of the service `s3`.
    let service = resource.arn.as_deref().and_then(|arn| arn.split(':').nth(2));
    let mut rows = String::new();
    for (action, letters) in &resource.permissions {
        let letters = letters.as_str().unwrap_or_default();
        let handlers: Vec<&str> = letters
            .chars()
            .filter_map(|letter| match letter {
                'c' => Some("crate::ResourceHandler::Create"),
                'r' => Some("crate::ResourceHandler::Read"),
                'u' => Some("crate::ResourceHandler::Update"),
                'd' => Some("crate::ResourceHandler::Delete"),
                'l' => Some("crate::ResourceHandler::List"),
                't' => Some("crate::ResourceHandler::Tagging"),
                _ => None,
            })
            .collect();
        let bound = match letters.chars().last() {
            Some('@') => "Type",
            Some('*') => "Nothing",
            _ => "Other",
        };
        let own = service.is_some_and(|service| action.split(':').next() == Some(service));
        let called = match (resource.rules.when.get(action), resource.rules.never.get(action)) {
            (Some(properties), _) => format!("For(&{properties:?})"),
            (None, Some(reason)) => format!("Never({reason:?})"),
            (None, None) if own => "Always".to_owned(),
            (None, None) => "Unknown".to_owned(),
        };
        let _ = writeln!(
            rows,
            "crate::PermissionFacts {{ action: {action:?}, handlers: &[{}], bound: crate::Bound::{bound}, called: crate::Called::{called} }},",
            handlers.join(", ")
        );
    }
    rows
}

fn shape_facts(shape: &Value) -> String {
    let bounds = || bounds(shape);
    match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
        "struct" => format!(
            "Shape::Struct(&T_{})",
            names::snake(shape["name"].as_str().unwrap_or_default()).to_uppercase()
        ),
        "list" => {
            let unique = shape.get("unique").is_some();
            format!(
                "Shape::List {{ of: &{}, count: {}, unique: {unique} }}",
                shape_facts(&shape["of"]),
                bounds()
            )
        }
        "map" => format!(
            "Shape::Map {{ of: &{}, count: {} }}",
            shape_facts(&shape["of"]),
            bounds()
        ),
        "string" => {
            let pattern = shape.get("pattern").and_then(Value::as_str);
            format!(
                "Shape::Text(TextFacts {{ length: {}, pattern: {pattern:?} }})",
                bounds()
            )
        }
        "integer" => format!("Shape::Integer({})", bounds()),
        "number" => format!("Shape::Number({})", bounds()),
        "boolean" => "Shape::Boolean".to_owned(),
        "scalar" => "Shape::Scalar".to_owned(),
        _ => "Shape::Json".to_owned(),
    }
}

fn bounds(shape: &Value) -> String {
    let bound = |key: &str| match shape.get(key).and_then(Value::as_f64) {
        Some(bound) => format!("Some({bound:?})"),
        None => "None".to_owned(),
    };
    match (bound("min"), bound("max")) {
        (min, max) if min == "None" && max == "None" => "Bounds::ANY".to_owned(),
        (min, max) => format!("Bounds {{ min: {min}, max: {max} }}"),
    }
}
