//! How a resource type takes tags.
//!
//! The schema of schemas gives every key a default, which is left out here as it is there:
//! <https://github.com/aws-cloudformation/cloudformation-cli/blob/master/src/rpdk/core/data/schema/provider.definition.schema.v1.json>.

use serde_json::{Map, Value, json};

/// The keys whose absence means `true`, and what they are called in the facts.
const MARKS: [(&str, &str); 4] = [
    ("taggable", "taggable"),
    ("tagOnCreate", "on_create"),
    ("tagUpdatable", "updatable"),
    ("cloudFormationSystemTags", "system_tags"),
];

/// The fact `tagging` of one type; absent if its schema does not say.
pub(crate) fn of(schema: &Value) -> Result<Map<String, Value>, String> {
    let mut facts = Map::new();
    let Some(tagging) = schema.get("tagging").and_then(Value::as_object) else {
        // An older way to say the same.
        if schema.get("taggable") == Some(&json!(false)) {
            facts.insert("tagging".to_owned(), json!({"taggable": false}));
        }
        return Ok(facts);
    };
    let mut kept = Map::new();
    let taggable = tagging.get("taggable") != Some(&json!(false));
    if taggable {
        let pointer = tagging
            .get("tagProperty")
            .and_then(Value::as_str)
            .unwrap_or("/properties/Tags");
        let property = pointer
            .strip_prefix("/properties/")
            .ok_or_else(|| format!("{pointer} is not the pointer of a property"))?;
        kept.insert("property".to_owned(), json!(property));
    }
    for (key, name) in MARKS {
        // What cannot be tagged has nothing more to say.
        if tagging.get(key) == Some(&json!(false)) && (taggable || key == "taggable") {
            kept.insert(name.to_owned(), json!(false));
        }
    }
    facts.insert("tagging".to_owned(), Value::Object(kept));
    Ok(facts)
}
