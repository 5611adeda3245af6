//! The second look at each path: does the field exist in the JSON Schema that schemars makes of the type?
//!
//! It finds what the derive cannot see, such as a serde attribute that renames, hides or reshapes a field.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json};

use super::expr::ast::Type;
use crate::fault::Fault;

/// A fault if a type has no field of this name, or one whose JSON differs from that of the type `kind`.
pub(crate) fn field(owner: Type, name: &str, kind: Option<Type>) -> Option<Fault> {
    let (schema, definitions) = schema_of(owner);
    let type_name = (owner.name)();
    let Some(properties) = resolved(&schema, &definitions)
        .get("properties")
        .and_then(Json::as_object)
    else {
        return Some(
            Fault::new(format!(
                "`{type_name}` has no fields in its JSON, so `{name}` cannot be one"
            ))
            .help("let serde write it as an object, or pass it as a whole"),
        );
    };
    let Some(property) = properties.get(name) else {
        let there: Vec<_> = properties.keys().map(String::as_str).collect();
        return Some(
            Fault::new(format!("`{type_name}` has no field `{name}` in its JSON; it has {}", there.join(", ")))
                .help("spell `#[serde(rename = \"…\")]` or `#[serde(rename_all = \"…\")]` so that serde, schemars and `Shape` agree"),
        );
    };
    let kind = kind?;
    let (expected, more) = schema_of(kind);
    let (found, expected) = (json_types(property, &definitions), json_types(&expected, &more));
    if found.is_empty() || expected.is_empty() || !found.is_disjoint(&expected) {
        return None;
    }
    let list = |types: &BTreeSet<String>| types.iter().cloned().collect::<Vec<_>>().join(" or ");
    Some(
        Fault::new(format!(
            "the field `{name}` of `{type_name}` is {} in its JSON, but `{}` is {}",
            list(&found),
            (kind.name)(),
            list(&expected)
        ))
        .help("let the field's Rust type be what serde writes, or leave `#[serde(with = \"…\")]` out"),
    )
}

/// A fault if there are values of an enum that a choice has no case for, or if the type is no enum.
pub(crate) fn uncovered(kind: Type, covered: &[Json]) -> Option<Fault> {
    let (schema, definitions) = schema_of(kind);
    let type_name = (kind.name)();
    let mut values = Vec::new();
    if !collect_values(&schema, &definitions, &mut values) {
        return Some(
            Fault::new(format!(
                "`{type_name}` has no fixed set of values, so its cases cannot be exhaustive"
            ))
            .help("end the choice with `.otherwise(…)`"),
        );
    }
    let missing: Vec<_> = values
        .iter()
        .filter(|value| !covered.contains(value))
        .map(ToString::to_string)
        .collect();
    (!missing.is_empty()).then(|| {
        Fault::new(format!("no case for {} of `{type_name}`", missing.join(", ")))
            .help("add `.case(…)` for each, or end the choice with `.otherwise(…)`")
    })
}

fn schema_of(kind: Type) -> (Json, Map<String, Json>) {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = (kind.schema)(&mut generator).to_value();
    (schema, generator.take_definitions(true))
}

/// What a `$ref` leads to.
fn resolved<'a>(schema: &'a Json, definitions: &'a Map<String, Json>) -> &'a Json {
    schema
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|reference| reference.rsplit('/').next())
        .and_then(|name| definitions.get(name))
        .unwrap_or(schema)
}

/// The JSON types that a schema allows besides null; none if it does not say. Integers are numbers.
fn json_types(schema: &Json, definitions: &Map<String, Json>) -> BTreeSet<String> {
    let schema = resolved(schema, definitions);
    let mut types: BTreeSet<String> = match schema.get("type") {
        Some(Json::String(one)) => BTreeSet::from([one.clone()]),
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => ["anyOf", "oneOf"]
            .into_iter()
            .filter_map(|key| schema.get(key).and_then(Json::as_array))
            .flatten()
            .flat_map(|one| json_types(one, definitions))
            .collect(),
    };
    if types.remove("integer") {
        types.insert("number".to_owned());
    }
    types.remove("null");
    types
}

/// Collects the values that a schema enumerates; whether it enumerates all.
fn collect_values(schema: &Json, definitions: &Map<String, Json>, values: &mut Vec<Json>) -> bool {
    let schema = resolved(schema, definitions);
    if let Some(value) = schema.get("const") {
        values.push(value.clone());
        return true;
    }
    if let Some(several) = schema.get("enum").and_then(Json::as_array) {
        values.extend(several.iter().cloned());
        return true;
    }
    if schema.get("type").and_then(Json::as_str) == Some("boolean") {
        values.extend([Json::Bool(true), Json::Bool(false)]);
        return true;
    }
    schema
        .get("oneOf")
        .and_then(Json::as_array)
        .is_some_and(|parts| parts.iter().all(|part| collect_values(part, definitions, values)))
}
