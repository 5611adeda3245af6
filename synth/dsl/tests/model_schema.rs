//! Models: Rust types as API Gateway's dialect of JSON Schema, and what that dialect cannot say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::json;
use synth::apigateway::ModelSchema;
use synth::{Json, Node, Value};

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Item {
    /// The category's name.
    #[schemars(length(min = 1, max = 40))]
    category: String,
    place: Option<u32>,
    owner: Owner,
    former: Option<Owner>,
    tags: Vec<String>,
    kind: Kind,
    rating: Option<Rating>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Owner {
    name: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is of interest")]
enum Kind {
    Book,
    Film,
}

/// How good it is.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
enum Rating {
    /// Not so.
    Low,
    /// Very.
    High,
}

#[test]
fn a_type_becomes_a_schema_of_draft_four_without_references() {
    let schema = ModelSchema::of::<Item>();
    assert_eq!(schema.check(), []);
    assert_eq!(
        *schema.json(),
        json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "title": "Item",
            "type": "object",
            "properties": {
                "category": { "description": "The category's name.", "type": "string", "minLength": 1, "maxLength": 40 },
                "place": { "type": ["integer", "null"], "minimum": 0 },
                "owner": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
                "former": { "type": ["object", "null"], "properties": { "name": { "type": "string" } }, "required": ["name"] },
                "tags": { "type": "array", "items": { "type": "string" } },
                "kind": { "type": "string", "enum": ["book", "film"] },
                "rating": { "description": "How good it is.", "type": ["string", "null"], "pattern": "^(Low|High)$" },
            },
            "required": ["category", "owner", "tags", "kind"],
        })
    );
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Strict {
    either: Either,
    map: BTreeMap<String, String>,
    #[schemars(extend("exclusiveMinimum" = 0))]
    positive: f64,
    pair: (String, u8),
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
enum Either {
    Left(String),
    Right(u32),
}

#[test]
fn what_a_model_cannot_say_is_a_fault_with_its_path() {
    let line = line!() + 1;
    let schema = ModelSchema::of::<Strict>();
    let mut told: Vec<String> = schema
        .check()
        .iter()
        .map(|fault| format!("{}: {}", fault.path, fault.message))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "$.either: has oneOf, which draft-04 or API Gateway's models do not support",
            "$.map: has additionalProperties, which draft-04 or API Gateway's models do not support",
            "$.pair: has prefixItems, which draft-04 or API Gateway's models do not support",
            "$.positive: has exclusiveMinimum, which draft-04 or API Gateway's models do not support",
            "$: has additionalProperties, which API Gateway's models do not support",
        ]
    );
    assert_eq!(schema.check()[0].at.map(std::panic::Location::line), Some(line));
    assert!(matches!(Value::<Json>::from(schema).into_node(), Node::Invalid(_)));
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Tree {
    children: Vec<Tree>,
}

#[test]
fn a_type_that_contains_itself_is_a_fault() {
    let faults = ModelSchema::of::<Tree>().check();
    assert!(
        faults
            .iter()
            .any(|fault| fault.message == "contains itself, which a schema without references cannot say")
    );
}
