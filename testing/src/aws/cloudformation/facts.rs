//! What CloudFormation's registry says of a type's properties and attributes, from the workspace's own facts (`synth/aws/spec`).

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use regress::Regex;
use serde_json::{Map, Value};

/// The facts of one resource type.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    service: Arc<Value>,
    name: String,
}

impl Facts {
    /// Those of a type such as `AWS::S3::Bucket`; none where the registry has none, as of custom resources.
    pub(super) fn of(kind: &str) -> Option<Self> {
        static LOADED: Mutex<Option<HashMap<String, Option<Arc<Value>>>>> = Mutex::new(None);
        let (service, name) = kind.rsplit_once("::")?;
        // A custom resource has whatever properties it likes.
        if kind == "AWS::CloudFormation::CustomResource" {
            return None;
        }
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = loaded.get_or_insert_default();
        let facts = loaded.entry(service.to_owned()).or_insert_with(|| read(service));
        let service = Arc::clone(facts.as_ref()?);
        service["resources"].get(name)?;
        Some(Self {
            service,
            name: name.to_owned(),
        })
    }

    /// Whether `Fn::GetAtt` knows the attribute.
    pub(super) fn has_attribute(&self, name: &str) -> bool {
        let attributes = self.resource()["attributes"].as_object();
        let mut attributes = attributes.into_iter().flatten();
        attributes.any(|(known, shape)| {
            let below = || {
                name.strip_prefix(known.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            known == name || (matches!(shape["type"].as_str(), Some("json" | "map" | "struct")) && below())
        }) || self.name == "Stack" && name.starts_with("Outputs.")
    }

    /// What the registry's validation finds wrong, in its words.
    pub(super) fn faults(&self, properties: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let nothing = Map::new();
        let given = properties.as_object().unwrap_or(&nothing);
        self.members(&self.resource()["properties"], given, "#", &mut found);
        found
    }

    fn resource(&self) -> &Value {
        &self.service["resources"][&self.name]
    }

    fn members(&self, known: &Value, given: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
        let nothing = Map::new();
        let known = known.as_object().unwrap_or(&nothing);
        for (name, shape) in known {
            if shape["required"] == true && !given.contains_key(name) {
                found.push(format!("{at}: required key [{name}] not found"));
            }
        }
        for (name, value) in given {
            match known.get(name) {
                Some(shape) => self.value(shape, value, &format!("{at}/{name}"), found),
                None => found.push(format!("{at}: extraneous key [{name}] is not permitted")),
            }
        }
    }

    fn value(&self, shape: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        match (shape["type"].as_str().unwrap_or_default(), value) {
            ("struct", Value::Object(members)) => {
                let name = shape["name"].as_str().unwrap_or_default();
                self.members(&self.resource()["types"][name], members, at, found);
            }
            ("list", Value::Array(items)) => {
                count(shape, items.len(), at, found);
                for (index, item) in items.iter().enumerate() {
                    self.value(&shape["of"], item, &format!("{at}/{index}"), found);
                }
            }
            ("map", Value::Object(entries)) => {
                for (name, entry) in entries {
                    self.value(&shape["of"], entry, &format!("{at}/{name}"), found);
                }
            }
            ("struct" | "map", other) => found.push(expected("JSONObject", other, at)),
            ("list", other) => found.push(expected("JSONArray", other, at)),
            ("string" | "integer" | "number" | "boolean", Value::Object(_) | Value::Array(_)) => {
                found.push(expected("String", value, at));
            }
            ("string", Value::String(text)) => string(shape, text, at, found),
            _ => {}
        }
    }
}

fn read(service: &str) -> Option<Arc<Value>> {
    let (vendor, name) = service.split_once("::")?;
    let file = match vendor {
        "AWS" => name.to_lowercase(),
        other => format!("{other}_{name}").to_lowercase(),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../synth/aws/spec");
    let text = fs::read(folder.join(format!("{file}.json"))).ok()?;
    serde_json::from_slice(&text).ok().map(Arc::new)
}

fn expected(kind: &str, found: &Value, at: &str) -> String {
    let found = match found {
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
        Value::String(_) => "String",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::Null => "Null",
    };
    format!("{at}: expected type: {kind}, found: {found}")
}

fn count(shape: &Value, items: usize, at: &str, found: &mut Vec<String>) {
    let limit = |name: &str| shape[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if let Some(least) = limit("min").filter(|least| items < *least) {
        found.push(format!("{at}: expected minimum item count: {least}, found: {items}"));
    }
    if let Some(most) = limit("max").filter(|most| items > *most) {
        found.push(format!("{at}: expected maximum item count: {most}, found: {items}"));
    }
}

fn string(shape: &Value, text: &str, at: &str, found: &mut Vec<String>) {
    let length = text.chars().count();
    let limit = |name: &str| shape[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if let Some(least) = limit("min").filter(|least| length < *least) {
        found.push(format!("{at}: expected minLength: {least}, actual: {length}"));
    }
    if let Some(most) = limit("max").filter(|most| length > *most) {
        found.push(format!("{at}: expected maxLength: {most}, actual: {length}"));
    }
    if let Some(known) = shape["enum"].as_array()
        && !known.iter().any(|known| known == text)
    {
        found.push(format!("{at}: {text} is not a valid enum value"));
    }
    // The patterns are ECMAScript's; a few write the ends of the text as Python does. One that cannot be read judges nothing.
    let pattern = shape["pattern"].as_str();
    let pattern = pattern.map(|pattern| pattern.replace(r"\A", "^").replace(r"\Z", "$"));
    let pattern = pattern.and_then(|pattern| Regex::with_flags(&pattern, "u").or(Regex::new(&pattern)).ok());
    if let Some(pattern) = pattern
        && pattern.find(text).is_none()
    {
        found.push(format!("{at}: failed validation constraint for keyword [pattern]"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_registry_forbids_is_told_in_its_words() {
        let pipeline = Facts::of("AWS::CodePipeline::Pipeline").unwrap();
        let properties = json!({
            "Nmae": "typo",
            "PipelineType": "V3",
            "RoleArn": "not a role",
            "Stages": [{ "Name": "Source", "Actions": {} }, { "Actions": [] }],
        });
        let mut faults = pipeline.faults(&properties);
        faults.sort();
        assert_eq!(
            faults,
            [
                "#/PipelineType: V3 is not a valid enum value",
                "#/RoleArn: failed validation constraint for keyword [pattern]",
                "#/Stages/0/Actions: expected type: JSONArray, found: JSONObject",
                "#/Stages/1/Actions: expected minimum item count: 1, found: 0",
                "#/Stages/1: required key [Name] not found",
                "#: extraneous key [Nmae] is not permitted",
            ]
        );
    }

    #[test]
    fn attributes_are_those_of_the_registry() {
        let bucket = Facts::of("AWS::S3::Bucket").unwrap();
        assert!(bucket.has_attribute("Arn") && !bucket.has_attribute("Name"));
        let stack = Facts::of("AWS::CloudFormation::Stack").unwrap();
        assert!(stack.has_attribute("Outputs.Anything"));
        assert!(Facts::of("Custom::Anything").is_none() && Facts::of("AWS::S3::Bukket").is_none());
    }

    #[test]
    fn what_is_emitted_has_no_faults_where_nothing_is_left_to_resolve() {
        let role = Facts::of("AWS::IAM::Role").unwrap();
        let properties = json!({ "RoleName": "r", "AssumeRolePolicyDocument": { "Version": "2012-10-17" } });
        assert_eq!(role.faults(&properties), Vec::<String>::new());
    }
}
