//! What CloudFormation's registry says of a type's properties and attributes, from the workspace's own facts (`synth/aws/spec`).

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
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

    /// What the handlers call: IAM actions, and their marks as `synth/aws/spec/README.md` describes them.
    pub(super) fn permissions(&self) -> Vec<(String, String)> {
        let own = self.resource()["permissions"].as_object();
        let added = self.rules()["permissions"].as_object();
        let all = own.into_iter().chain(added).flatten();
        all.map(|(action, marks)| (action.clone(), marks.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    /// The properties that call for the action, by the rules of `synth/aws/permissions.json`; empty if no rule is about it.
    pub(super) fn called_for(&self, action: &str) -> Vec<String> {
        let when = self.rules()["when"].as_object().into_iter().flatten();
        let ruled = when.filter(|(_, patterns)| is_named(patterns, action));
        ruled.map(|(property, _)| property.clone()).collect()
    }

    /// Whether the rules say that applying a template never calls it.
    pub(super) fn is_never_called(&self, action: &str) -> bool {
        let never = self.rules()["never"].as_object().into_iter().flatten();
        never.into_iter().any(|(_, patterns)| is_named(patterns, action))
    }

    /// The ARN with variables, of a part of something else that thing's.
    pub(super) fn arn(&self) -> Option<&str> {
        self.rules()["arn"].as_str().or_else(|| self.resource()["arn"].as_str())
    }

    /// The beginning of the actions of the type's own service, `cognito-idp:`.
    pub(super) fn service_prefix(&self) -> String {
        let of_the_arn = self.arn().and_then(|arn| arn.split(':').nth(2));
        let of_the_name = || self.name_of_the_service();
        format!("{}:", of_the_arn.map_or_else(of_the_name, str::to_owned))
    }

    /// The property that carries tags.
    pub(super) fn tag_property(&self) -> Option<&str> {
        match &self.resource()["tagging"] {
            Value::Null => self.has_property("Tags").then_some("Tags"),
            tagging => tagging["property"].as_str(),
        }
    }

    /// The properties that identify a resource.
    pub(super) fn primary(&self) -> Vec<&str> {
        let primary = self.resource()["primary"].as_array().into_iter().flatten();
        primary.filter_map(Value::as_str).collect()
    }

    /// Whether the type has the property.
    pub(super) fn has_property(&self, name: &str) -> bool {
        self.resource()["properties"].get(name).is_some()
    }

    fn name_of_the_service(&self) -> String {
        let service = self.service["service"].as_str().unwrap_or_default();
        service.rsplit("::").next().unwrap_or_default().to_lowercase()
    }

    /// The rules of the type.
    fn rules(&self) -> &Value {
        static RULES: OnceLock<Value> = OnceLock::new();
        let rules = RULES.get_or_init(|| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../synth/aws/permissions.json");
            let text = fs::read(path).unwrap_or_default();
            serde_json::from_slice(&text).unwrap_or_default()
        });
        &rules[format!(
            "{}::{}",
            self.service["service"].as_str().unwrap_or_default(),
            self.name
        )]
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

/// Whether a list of actions, in which `kms:*` is every one of a service, names the action.
fn is_named(patterns: &Value, action: &str) -> bool {
    let patterns = patterns.as_array().into_iter().flatten().filter_map(Value::as_str);
    patterns.into_iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => action == pattern,
    })
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
