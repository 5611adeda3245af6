//! YAML → [`Project`], with every fault at once.
//!
//! serde stops at the first fault. So the text is parsed as plain YAML first, its keys are compared with the JSON Schema that
//! the types give, and each value is tried on its own; only a file without faults is read as a whole.

use serde_json::{Map, Value, json};

use super::{ConfigFault, Project, validate};

pub(super) fn project(text: &str) -> Result<Project, Vec<ConfigFault>> {
    // By way of YAML's own value, which refuses a key that stands twice.
    let value: Result<Value, _> = serde_yaml::from_str::<serde_yaml::Value>(text).and_then(serde_yaml::from_value);
    let value = value.map_err(|error| {
        vec![fault(
            "",
            format!("the file is no YAML: {error}"),
            "compare it with stacks/project.yaml, and mind the indentation",
        )]
    })?;
    let Value::Object(map) = &value else {
        return Err(vec![fault(
            "",
            "the file holds no keys",
            "start from stacks/project.yaml",
        )]);
    };
    let schema = Project::schema();
    let mut faults = Vec::new();
    object(map, &schema, &schema, "", &mut faults);
    if !faults.is_empty() {
        faults.extend(of_the_rest(&value, &faults));
        return Err(faults);
    }
    let project: Project = serde_json::from_value(value).map_err(|error| {
        vec![fault(
            "",
            error.to_string(),
            "`cargo run -p synth -- schema` prints what is allowed",
        )]
    })?;
    validate::project(&project, &mut faults);
    if faults.is_empty() { Ok(project) } else { Err(faults) }
}

/// The faults of meaning that a file with faults of form has besides, each value of a faulty form left out.
fn of_the_rest(value: &Value, told: &[ConfigFault]) -> Vec<ConfigFault> {
    let mut rest = json!({
        "project": "abc",
        "repository": "a/b",
        "region": "eu-west-1",
        "unit_test": { "commands": ["true"] },
        "application": { "synthesize": ["true"] },
    });
    overlay(&mut rest, value, "", told);
    let mut found = Vec::new();
    if let Ok(project) = serde_json::from_value::<Project>(rest) {
        validate::project(&project, &mut found);
    }
    // What was put in stands for what is told already.
    let is_of = |path: &str, told: &str| {
        path.strip_prefix(told)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    found.retain(|fault| !told.iter().any(|told| is_of(&fault.path, &told.path)));
    found
}

/// Lays a value over another, but for what is told to be faulty: items of a list keep their places.
fn overlay(under: &mut Value, over: &Value, path: &str, told: &[ConfigFault]) {
    let is_told = |path: &str| told.iter().any(|fault| fault.path == path);
    match over {
        Value::Object(map) => {
            if !under.is_object() {
                *under = json!({});
            }
            for (key, value) in map {
                let path = join(path, key);
                if !is_told(&path) {
                    overlay(&mut under[key.as_str()], value, &path, told);
                }
            }
        }
        Value::Array(items) => {
            let kept = items.iter().enumerate().map(|(index, item)| {
                let faulty = is_told(&format!("{path}[{index}]"));
                if faulty { Value::from("") } else { item.clone() }
            });
            *under = kept.collect();
        }
        other => *under = other.clone(),
    }
}

/// Unknown and missing keys of an object, and the faults of its values.
fn object(map: &Map<String, Value>, schema: &Value, root: &Value, path: &str, faults: &mut Vec<ConfigFault>) {
    let known = schema.get("properties").and_then(Value::as_object);
    for (key, value) in map {
        let path = join(path, key);
        match known.and_then(|known| known.get(key)) {
            Some(schema) => check(value, schema, root, &path, faults),
            None => {
                let names: Vec<&str> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                let help = match closest(key, &names) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("remove it, or use one of: {}", names.join(", ")),
                };
                faults.push(fault(&path, "this key is unknown", help));
            }
        }
    }
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    for key in required.filter(|key| !map.contains_key(*key)) {
        faults.push(fault(&join(path, key), "this key is required", format!("add `{key}:`")));
    }
}

/// A value against the part of the schema that the types of [`Project`] produce: types, enums, patterns, ranges, lengths.
fn check(value: &Value, schema: &Value, root: &Value, path: &str, faults: &mut Vec<ConfigFault>) {
    let schema = resolved(schema, root);
    if let Some(choices) = choices(schema) {
        if !value.as_str().is_some_and(|value| choices.contains(&value)) {
            let help = format!("write one of: {}", choices.join(", "));
            faults.push(fault(path, format!("{value} is not allowed"), help));
        }
        return;
    }
    let kinds = kinds(schema);
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(value, kind)) {
        let allowed: Vec<&str> = kinds.iter().map(|kind| described(kind)).collect();
        faults.push(fault(
            path,
            format!("{value} is of the wrong type"),
            format!("write {}", allowed.join(" or ")),
        ));
        return;
    }
    match value {
        Value::Object(map) if schema.get("properties").is_some() => object(map, schema, root, path, faults),
        Value::Object(map) => {
            let entries = schema.get("additionalProperties").filter(|entries| entries.is_object());
            for (key, value) in map {
                if let Some(entries) = entries {
                    check(value, entries, root, &join(path, key), faults);
                }
            }
        }
        Value::Array(items) => {
            if (items.len() as u64) < schema.get("minItems").and_then(Value::as_u64).unwrap_or(0) {
                faults.push(fault(path, "the list is empty", "write at least one item"));
            }
            for (index, item) in items.iter().enumerate() {
                if let Some(of) = schema.get("items") {
                    check(item, of, root, &format!("{path}[{index}]"), faults);
                }
            }
        }
        Value::Number(number) => {
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            let (min, max) = (
                bound("minimum").unwrap_or(f64::MIN),
                bound("maximum").unwrap_or(f64::MAX),
            );
            if number.as_f64().is_some_and(|number| number < min || number > max) {
                faults.push(fault(
                    path,
                    format!("{number} is out of range"),
                    format!("write a whole number from {min} to {max}"),
                ));
            }
        }
        _ => {}
    }
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let reference = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

/// The values of a string enum; schemars writes documented variants as `oneOf` constants.
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter_map(Value::as_str).collect());
    }
    schema
        .get("oneOf")?
        .as_array()?
        .iter()
        .map(|branch| branch.get("const")?.as_str())
        .collect()
}

fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

fn described(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "keys and values",
        "null" => "nothing",
        other => other,
    }
}

/// The known key that a misspelt one was meant to be.
fn closest<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    names
        .iter()
        .copied()
        .map(|name| (distance(key, name), name))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, name)| name)
}

/// The Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let substitution = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = substitution.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

pub(super) fn fault(path: &str, message: impl Into<String>, help: impl Into<String>) -> ConfigFault {
    ConfigFault {
        path: path.to_owned(),
        message: message.into(),
        help: help.into(),
    }
}
