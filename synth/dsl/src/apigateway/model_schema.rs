//! [`ModelSchema`]: a Rust type as the schema of an API Gateway model.

use std::panic::Location;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as JsonValue};
use synth_aws::{Json, Value};

use crate::Fault;

/// The schema of a model: JSON Schema draft-04 within what API Gateway supports.
///
/// ```
/// use synth::apigateway::{Model, ModelSchema};
/// # use synth::{Element, Handle, apigateway::RestApi};
/// # let api: Handle<RestApi> = Handle::of(Element { stack: 0, index: 0 });
///
/// #[derive(schemars::JsonSchema)]
/// struct Item {
///     /// The category's name.
///     category: String,
///     place: Option<u32>,
/// }
///
/// let model = Model::new(api.id()).name("Item").content_type("application/json").schema(ModelSchema::of::<Item>());
/// # let _ = model;
/// assert_eq!(ModelSchema::of::<Item>().json()["properties"]["place"]["type"], serde_json::json!(["integer", "null"]));
/// ```
///
/// Everything stands inline. `Option` becomes a list of types with `null`, an enum of plain variants a list of values, an `Option`
/// of such an enum a pattern of its values, since a list would hold null, which CloudFormation takes nowhere in a template;
/// `const` an enum of one; annotations that draft-04 does not know (`examples`, formats of numbers) are left out. What
/// would change which bodies are taken if it were left out is a fault: `anyOf`, `oneOf`, `allOf`, `additionalProperties`,
/// `exclusiveMinimum` and other keywords of later drafts, and types that contain themselves.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct ModelSchema {
    schema: JsonValue,
    faults: Vec<Fault>,
}

impl ModelSchema {
    /// The schema of what `T` is read from.
    #[track_caller]
    pub fn of<T: JsonSchema>() -> Self {
        let at = Location::caller();
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let generated = settings.for_deserialize().into_generator().into_root_schema_for::<T>();
        let mut rewriter = Rewriter { faults: Vec::new(), at };
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), "http://json-schema.org/draft-04/schema#".into());
        if let JsonValue::Object(rewritten) = rewriter.schema(generated.to_value(), "$") {
            schema.extend(rewritten);
        }
        Self {
            schema: schema.into(),
            faults: rewriter.faults,
        }
    }

    /// What of the type API Gateway's models cannot say.
    pub fn check(&self) -> Vec<Fault> {
        self.faults.clone()
    }

    /// The schema.
    pub const fn json(&self) -> &JsonValue {
        &self.schema
    }
}

impl From<ModelSchema> for Value<Json> {
    /// The schema, or its faults as faults of the property that takes it.
    #[track_caller]
    fn from(schema: ModelSchema) -> Self {
        if schema.faults.is_empty() {
            return Self::from(schema.schema);
        }
        let faults: Vec<String> = schema.faults.iter().map(ToString::to_string).collect();
        Self::invalid(faults.join("\n"))
    }
}

/// The keywords of draft-04 that API Gateway's models take as they are.
const PLAIN: [&str; 17] = [
    "default",
    "description",
    "enum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// Annotations that say nothing of which bodies are taken.
const ANNOTATIONS: [&str; 4] = ["$comment", "deprecated", "examples", "writeOnly"];

/// The formats of text that draft-04 knows.
const FORMATS: [&str; 6] = ["date-time", "email", "hostname", "ipv4", "ipv6", "uri"];

struct Rewriter {
    faults: Vec<Fault>,
    at: &'static Location<'static>,
}

impl Rewriter {
    fn schema(&mut self, schema: JsonValue, path: &str) -> JsonValue {
        let mut source = match schema {
            JsonValue::Object(source) => source,
            JsonValue::Bool(true) => return Map::new().into(),
            _ => {
                self.fault(path, "takes nothing at all, which a model cannot say", None);
                return Map::new().into();
            }
        };
        merge_nullable(&mut source);
        merge_variants(&mut source);
        let mut target = Map::new();
        for (key, value) in source {
            self.keyword(&mut target, key, value, path);
        }
        target.into()
    }

    fn keyword(&mut self, target: &mut Map<String, JsonValue>, key: String, value: JsonValue, path: &str) {
        match key.as_str() {
            "properties" => {
                let properties = if let JsonValue::Object(properties) = value {
                    properties
                } else {
                    Map::new()
                };
                let properties: Map<String, JsonValue> = properties
                    .into_iter()
                    .map(|(name, schema)| {
                        let path = format!("{path}.{name}");
                        let schema = self.schema(schema, &path);
                        (name, schema)
                    })
                    .collect();
                target.insert(key, properties.into());
            }
            "items" if value.is_object() || value.is_boolean() => {
                let items = self.schema(value, &format!("{path}[]"));
                target.insert(key, items);
            }
            "const" => {
                target.insert("enum".to_owned(), JsonValue::Array(vec![value]));
            }
            "format" if value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
                target.insert(key, value);
            }
            "format" => {}
            "additionalProperties" if value == JsonValue::Bool(true) => {}
            // What an absent `Option` is read as; it says nothing of which bodies are taken, and CloudFormation takes no null.
            "default" if value.is_null() => {}
            "additionalProperties" if value == JsonValue::Bool(false) => {
                let help =
                    "leave `deny_unknown_fields` to the handler: read the body with another type than the model's";
                self.fault(
                    path,
                    "has additionalProperties, which API Gateway's models do not support",
                    Some(help),
                );
            }
            "$ref" => {
                let help = "give the model a type that does not contain itself";
                self.fault(
                    path,
                    "contains itself, which a schema without references cannot say",
                    Some(help),
                );
            }
            _ if PLAIN.contains(&key.as_str()) => {
                target.insert(key, value);
            }
            _ if ANNOTATIONS.contains(&key.as_str()) || key == "$defs" => {}
            _ => {
                let message = format!("has {key}, which draft-04 or API Gateway's models do not support");
                self.fault(path, &message, None);
            }
        }
    }

    fn fault(&mut self, path: &str, message: &str, help: Option<&str>) {
        let mut fault = Fault::new(message).at(self.at).path(path);
        fault.help = help.map(str::to_owned);
        self.faults.push(fault);
    }
}

/// `anyOf: [{type: object, …}, {type: null}]` → `{type: [object, null], …}`: an `Option` of anything but a plain type.
fn merge_nullable(schema: &mut Map<String, JsonValue>) {
    let Some(JsonValue::Array(branches)) = schema.get("anyOf") else {
        return;
    };
    let null = |branch: &JsonValue| branch.get("type").and_then(JsonValue::as_str) == Some("null");
    let [JsonValue::Object(one), other] = branches.as_slice() else {
        return;
    };
    let mut merged = one.clone();
    merge_variants(&mut merged);
    let Some(kind) = merged
        .get("type")
        .and_then(JsonValue::as_str)
        .filter(|_| null(other))
        .map(str::to_owned)
    else {
        return;
    };
    merged.insert("type".to_owned(), serde_json::json!([kind, "null"]));
    if let Some(values) = merged.get("enum") {
        let Some(pattern) = pattern_of(values) else { return };
        merged.remove("enum");
        merged.insert("pattern".to_owned(), pattern.into());
    }
    schema.remove("anyOf");
    for (key, value) in merged {
        schema.entry(key).or_insert(value);
    }
}

/// The pattern of exactly these texts; none if one of them is not text. A pattern says nothing of a value that is not text.
fn pattern_of(values: &JsonValue) -> Option<String> {
    let texts: Option<Vec<String>> = values
        .as_array()?
        .iter()
        .map(|text| text.as_str().map(escaped))
        .collect();
    Some(format!("^({})$", texts?.join("|")))
}

/// Text with every character that means something in a regular expression (ECMA 262, as API Gateway reads it) escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if "\\^$.*+?()[]{}|/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// `oneOf: [{const: a}, {const: b}]` → `{enum: [a, b]}`: an enum whose variants have doc comments.
fn merge_variants(schema: &mut Map<String, JsonValue>) {
    let Some(JsonValue::Array(branches)) = schema.get("oneOf") else {
        return;
    };
    let mut values = Vec::new();
    for branch in branches.iter().filter_map(JsonValue::as_object) {
        let told = |key: &String| matches!(key.as_str(), "const" | "enum" | "type" | "description" | "title");
        match (branch.get("const"), branch.get("enum")) {
            (Some(value), None) if branch.keys().all(told) => values.push(value.clone()),
            (None, Some(JsonValue::Array(several))) if branch.keys().all(told) => {
                values.extend(several.iter().cloned())
            }
            _ => return,
        }
    }
    if values.iter().all(JsonValue::is_string) {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), values.into());
    }
}
