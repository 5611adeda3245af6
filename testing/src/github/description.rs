//! The judge: whether a request, or an answer of ours, is what GitHub's description of its API allows.

use std::collections::BTreeMap;
use std::fs;

use jsonschema::{Draft, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{Error, tools};

/// What GitHub describes.
#[derive(Debug)]
pub(super) struct Description {
    operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    /// As GitHub writes it: `/repos/{owner}/{repo}/pulls`.
    pub(super) path: String,
    parameters: Vec<Parameter>,
    body: Option<(Validator, Vec<String>)>,
    answers: BTreeMap<u16, (Option<Validator>, Value)>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    query: bool,
    required: bool,
    integer: bool,
    validator: Validator,
}

/// What a request says in its path and query.
pub(super) type Arguments = BTreeMap<String, String>;

impl Description {
    /// Reads the description, which is installed if it is not there.
    pub(super) fn load() -> Result<Self, Error> {
        let path = tools::github_description()?;
        let text = fs::read(&path).map_err(|source| Error::Io {
            doing: "read",
            path: path.clone(),
            source,
        })?;
        let slice: Value = serde_json::from_slice(&text).unwrap_or_default();
        let components = &slice["components"];
        let operations = slice["operations"].as_array().into_iter().flatten();
        Ok(Self {
            operations: operations
                .map(|operation| Operation::of(operation, components))
                .collect(),
        })
    }

    /// The operation of a request, and what stands in the braces of its path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<(&Operation, Arguments)> {
        // `/issues/comments/1` is no issue called `comments`: literal segments go first, as they stand first in the slice.
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .find_map(|operation| Some((operation, operation.captures(path)?)))
    }
}

impl Operation {
    fn of(operation: &Value, components: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let answers = operation["answers"].as_object().into_iter().flatten();
        let body = &operation["body"];
        // What may be left out as a whole is described as null or an object.
        let described = body["anyOf"]
            .as_array()
            .and_then(|either| either.last())
            .unwrap_or(body);
        let properties = described["properties"].as_object();
        Self {
            method: text(&operation["method"]),
            path: text(&operation["path"]),
            parameters: parameters
                .map(|parameter| Parameter {
                    name: text(&parameter["name"]),
                    query: parameter["in"] == "query",
                    required: parameter["required"] == true,
                    integer: parameter["schema"]["type"] == "integer",
                    validator: validator(&parameter["schema"], components),
                })
                .collect(),
            body: (!body.is_null()).then(|| {
                let known = properties.into_iter().flatten().map(|(name, _)| name.clone()).collect();
                (validator(body, components), known)
            }),
            answers: answers
                .filter_map(|(status, answer)| {
                    let schema = &answer["schema"];
                    let judge = (!schema.is_null()).then(|| validator(schema, components));
                    Some((status.parse().ok()?, (judge, answer["example"].clone())))
                })
                .collect(),
        }
    }

    fn captures(&self, path: &str) -> Option<Arguments> {
        let (template, path): (Vec<_>, Vec<_>) = (self.path.split('/').collect(), path.split('/').collect());
        if template.len() != path.len() {
            return None;
        }
        let mut captured = Arguments::new();
        for (template, segment) in template.into_iter().zip(path) {
            match template.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    captured.insert(name.to_owned(), decoded(segment));
                }
                None if template == segment => {}
                None => return None,
            }
        }
        Some(captured)
    }

    /// Everything in a request that the description does not allow. `arguments` are those of the path; those of the query are added.
    pub(super) fn faults(&self, arguments: &mut Arguments, query: &str, body: &[u8]) -> Vec<String> {
        let mut faults = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name);
            if !self
                .parameters
                .iter()
                .any(|parameter| parameter.query && parameter.name == name)
            {
                faults.push(format!("the query parameter {name:?} is not described"));
            }
            arguments.insert(name, decoded(value));
        }
        for parameter in &self.parameters {
            match arguments.get(&parameter.name) {
                None if parameter.required => faults.push(format!("the parameter {:?} is missing", parameter.name)),
                None => {}
                Some(text) => {
                    let value = match text.parse::<i64>() {
                        Ok(number) if parameter.integer => json!(number),
                        _ => json!(text),
                    };
                    let errors = parameter.validator.iter_errors(&value);
                    faults.extend(errors.map(|error| format!("the parameter {:?}: {error}", parameter.name)));
                }
            }
        }
        faults.extend(self.faults_of_body(body));
        faults
    }

    fn faults_of_body(&self, body: &[u8]) -> Vec<String> {
        match (&self.body, body) {
            (_, []) => Vec::new(),
            (None, _) => vec!["no body is described".to_owned()],
            (Some((judge, known)), body) => match serde_json::from_slice::<Value>(body) {
                Err(fault) => vec![format!("the body is no JSON: {fault}")],
                Ok(body) => {
                    let named = body.as_object().into_iter().flatten().map(|(name, _)| name);
                    let unknown = named.filter(|name| !known.contains(name));
                    let unknown = unknown.map(|name| format!("the body's property {name:?} is not described"));
                    let faults = judge.iter_errors(&body);
                    unknown
                        .chain(
                            faults.map(|error| format!("the body at {:?}: {error}", error.instance_path().to_string())),
                        )
                        .collect()
                }
            },
        }
    }

    /// GitHub's own example of an answer.
    pub(super) fn example(&self, status: u16) -> Value {
        self.answers
            .get(&status)
            .map_or(Value::Null, |(_, example)| example.clone())
    }

    /// Everything in an answer of ours that the description does not allow. Faults that every operation may answer with are not
    /// described one by one.
    pub(super) fn faults_of_answer(&self, status: u16, body: &Value) -> Vec<String> {
        match self.answers.get(&status) {
            Some((Some(judge), _)) => judge
                .iter_errors(body)
                .map(|error| (error.instance_path().to_string(), error.to_string()))
                // The head's repository is null once it is deleted, which the description has forgotten.
                .filter(|(path, _)| !path.ends_with("/head/repo"))
                .map(|(path, error)| format!("{path}: {error}"))
                .collect(),
            None if status < 400 => vec![format!("the status {status} is not described")],
            _ => Vec::new(),
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn validator(schema: &Value, components: &Value) -> Validator {
    // Most parameters refer to nothing: then they need not carry all schemas with them.
    let components = if schema.to_string().contains("\"$ref\"") {
        components
    } else {
        &Value::Null
    };
    let document = json!({ "allOf": [schema], "components": components });
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .build(&document)
        .unwrap_or_else(|fault| panic!("GitHub's description holds a schema that is none: {fault}"))
}
