//! The operations in use, cut out of GitHub's description of its whole API, as JSON Schema.
//!
//! What an operation refers to is cut out with it. OpenAPI 3.0 says `nullable` where JSON Schema says `null`; apart from that
//! nothing is changed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// This file: what the slice depends on besides the description.
pub(crate) const SOURCE: &str = include_str!("slice.rs");

/// The operations in use: method and path, as GitHub writes them.
const OPERATIONS: [(&str, &str); 24] = [
    ("post", "/app/installations/{installation_id}/access_tokens"),
    ("get", "/repos/{owner}/{repo}/collaborators/{username}/permission"),
    ("get", "/repos/{owner}/{repo}/commits"),
    ("get", "/repos/{owner}/{repo}/deployments"),
    ("post", "/repos/{owner}/{repo}/deployments"),
    ("post", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses"),
    ("delete", "/repos/{owner}/{repo}/environments/{environment_name}"),
    ("get", "/repos/{owner}/{repo}/hooks"),
    ("post", "/repos/{owner}/{repo}/hooks"),
    ("get", "/repos/{owner}/{repo}/hooks/{hook_id}"),
    ("patch", "/repos/{owner}/{repo}/hooks/{hook_id}"),
    ("delete", "/repos/{owner}/{repo}/hooks/{hook_id}"),
    ("get", "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries"),
    (
        "post",
        "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
    ),
    ("post", "/repos/{owner}/{repo}/hooks/{hook_id}/pings"),
    ("patch", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("get", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("post", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("get", "/repos/{owner}/{repo}/pulls"),
    ("get", "/repos/{owner}/{repo}/pulls/{pull_number}"),
    ("get", "/repos/{owner}/{repo}/pulls/{pull_number}/files"),
    ("get", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
    ("post", "/repos/{owner}/{repo}/statuses/{sha}"),
    ("get", "/repos/{owner}/{repo}/zipball/{ref}"),
];

/// The slice: `operations` with their parameters, bodies and answers, and the `components` that their schemas refer to.
///
/// # Errors
/// Names what the description lacks.
pub(crate) fn of(whole: &Value) -> Result<Value, String> {
    let mut operations = Vec::new();
    for (method, path) in OPERATIONS {
        let operation = &whole["paths"][path][method];
        let described = operation
            .as_object()
            .ok_or_else(|| format!("{method} {path} is not described"))?;
        let parameters = described.get("parameters").and_then(Value::as_array);
        let parameters: Vec<_> = parameters
            .into_iter()
            .flatten()
            .map(|parameter| {
                let parameter = resolved(whole, parameter);
                json!({
                    "name": parameter["name"],
                    "in": parameter["in"],
                    "required": parameter["required"] == true,
                    "schema": converted(&parameter["schema"]),
                })
            })
            .collect();
        let mut answers = Map::new();
        for (status, answer) in described["responses"].as_object().into_iter().flatten() {
            let content = &resolved(whole, answer)["content"]["application/json"];
            let example = content["examples"]
                .as_object()
                .and_then(|examples| examples.values().next());
            let example = example.map_or(&Value::Null, |example| &resolved(whole, example)["value"]);
            answers.insert(
                status.clone(),
                json!({ "schema": converted(&content["schema"]), "example": example }),
            );
        }
        let body = resolved(whole, &operation["requestBody"]);
        operations.push(json!({
            "method": method.to_uppercase(),
            "path": path,
            "parameters": parameters,
            "body": converted(&body["content"]["application/json"]["schema"]),
            "answers": answers,
        }));
    }
    let operations = Value::Array(operations);
    let schemas = schemas(whole, &operations);
    Ok(json!({ "operations": operations, "components": { "schemas": schemas } }))
}

/// All schemas that something refers to, directly or through another.
fn schemas(whole: &Value, from: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut open = references(from);
    while let Some(name) = open.pop_first() {
        if !found.contains_key(&name) {
            let schema = converted(&whole["components"]["schemas"][&name]);
            open.append(&mut references(&schema));
            found.insert(name, schema);
        }
    }
    found
}

fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match value.as_str() {
                Some(reference) if key == "$ref" => reference
                    .strip_prefix("#/components/schemas/")
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

fn resolved<'a>(whole: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(value, |pointer| whole.pointer(pointer).unwrap_or(&Value::Null))
}

/// A schema of OpenAPI 3.0 as JSON Schema: what may be null says so, and examples, which are data, go.
fn converted(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(converted).collect(),
        Value::Object(members) => {
            let mut changed: Map<_, _> = members
                .iter()
                // A property may be called `example`; then it is an object in `properties`, and never a keyword.
                .filter(|(key, value)| !matches!(key.as_str(), "example" | "examples") || value["type"].is_string())
                .filter(|(key, value)| !matches!(key.as_str(), "nullable" | "description") || value.is_object())
                .map(|(key, value)| (key.clone(), converted(value)))
                .collect();
            if members.get("nullable") != Some(&Value::Bool(true)) {
                return Value::Object(changed);
            }
            // An enum that lists null already, or not, holds for the rest.
            if let Some(Value::Array(values)) = changed.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            json!({ "anyOf": [{ "type": "null" }, changed] })
        }
        other => other.clone(),
    }
}
