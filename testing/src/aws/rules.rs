//! What AWS's models say of an operation's parameters: which are required, how long, of which form. A request that breaks a rule
//! is refused by AWS; emulators let most of them pass.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use regress::Regex;
use serde_json::Value;

use super::model::Shape;

/// Each rule of the model that the value breaks, with the place.
pub(super) fn broken(shape: Shape<'_>, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    judge(shape, value, "", &mut found);
    found
}

fn judge(shape: Shape<'_>, value: &Value, at: &str, found: &mut Vec<String>) {
    let place = if at.is_empty() { "the request" } else { at };
    if shape.is("document") {
        return;
    }
    match (shape.kind(), value) {
        ("structure", Value::Object(members)) => structure(shape, members, at, found),
        ("list", Value::Array(items)) => {
            within(shape, items.len() as f64, "items", place, found);
            if let Some(part) = shape.part("member") {
                for (index, item) in items.iter().enumerate() {
                    judge(part.shape, item, &format!("{at}[{index}]"), found);
                }
            }
        }
        ("map", Value::Object(entries)) => {
            within(shape, entries.len() as f64, "entries", place, found);
            for (name, entry) in entries {
                if let Some(key) = shape.part("key") {
                    judge(
                        key.shape,
                        &Value::from(name.as_str()),
                        &format!("{at}.(key {name})"),
                        found,
                    );
                }
                if let Some(part) = shape.part("value") {
                    judge(part.shape, entry, &format!("{at}.{name}"), found);
                }
            }
        }
        ("string", Value::String(text)) => string(shape, text, place, found),
        ("integer" | "long" | "float" | "double", Value::Number(number)) => {
            within(shape, number.as_f64().unwrap_or_default(), "as a number", place, found);
        }
        ("boolean", Value::Bool(_)) | ("blob", Value::String(_)) => {}
        ("timestamp", Value::String(_) | Value::Number(_)) => {}
        (kind, other) => found.push(format!("{place} is {other}, allowed is a {kind} ({})", shape.name)),
    }
}

fn structure(shape: Shape<'_>, members: &serde_json::Map<String, Value>, at: &str, found: &mut Vec<String>) {
    let place = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    let given = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    for name in shape.required().filter(|name| !given(name)) {
        found.push(format!("{} is missing, {} requires it", place(name), shape.name));
    }
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match shape.members().find(|member| member.name == name) {
            Some(member) => judge(member.shape, value, &place(name), found),
            None => found.push(format!("{} is unknown, {} has no such member", place(name), shape.name)),
        }
    }
    let set = members.values().filter(|value| !value.is_null()).count();
    if shape.is("union") && set != 1 {
        found.push(format!(
            "{} has {set} members, allowed is one of its members",
            place(shape.name)
        ));
    }
}

fn string(shape: Shape<'_>, text: &str, place: &str, found: &mut Vec<String>) {
    let shown = if shape.is("sensitive") { "(sensitive)" } else { text };
    within(shape, text.chars().count() as f64, "characters", place, found);
    if let Some(allowed) = shape.fact("enum").and_then(Value::as_array)
        && !allowed.iter().any(|allowed| allowed.as_str() == Some(text))
    {
        found.push(format!(
            "{place} is `{shown}`, allowed are {}",
            Value::from(allowed.clone())
        ));
    }
    if let Some(pattern) = shape.text("pattern")
        && !matches(pattern, text)
    {
        found.push(format!("{place} is `{shown}`, allowed is what matches {pattern}"));
    }
}

fn within(shape: Shape<'_>, size: f64, unit: &str, place: &str, found: &mut Vec<String>) {
    let bound = |name| shape.fact(name).and_then(Value::as_f64);
    if bound("min").is_some_and(|least| size < least) || bound("max").is_some_and(|most| size > most) {
        let bounds = ["min", "max"].map(|name| bound(name).map_or_else(|| "any".to_owned(), |bound| bound.to_string()));
        found.push(format!(
            "{place} has {size} {unit}, allowed are {} to {}",
            bounds[0], bounds[1]
        ));
    }
}

/// AWS's patterns hold for the whole text. They are Java's; one that this engine does not read is not judged.
fn matches(pattern: &str, text: &str) -> bool {
    static READ: Mutex<Option<HashMap<String, Option<Regex>>>> = Mutex::new(None);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = read
        .get_or_insert_default()
        .entry(pattern.to_owned())
        .or_insert_with(|| compile(pattern));
    compiled.as_ref().is_none_or(|regex| regex.find(text).is_some())
}

fn compile(pattern: &str) -> Option<Regex> {
    let whole = format!("^(?:{pattern})$");
    // Some escape what needs no escape, which a Unicode pattern may not.
    Regex::with_flags(&whole, "u").or_else(|_| Regex::new(&whole)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::model::Service;

    fn judged(shape: Value, value: Value) -> Vec<String> {
        let document = json!({
            "metadata": { "protocol": "json" },
            "operations": { "Do": { "input": { "shape": "Input" } } },
            "shapes": { "Input": { "type": "structure", "required": ["it"], "members": { "it": { "shape": "It" } } }, "It": shape },
        });
        let service = Service::of("test", serde_json::from_value(document).unwrap());
        broken(
            service.input(&service.operations["Do"]).unwrap(),
            &json!({ "it": value }),
        )
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let shape = json!({ "type": "string", "min": 2, "max": 3 });
        assert!(judged(shape.clone(), json!("üü")).is_empty() && judged(shape.clone(), json!("🍕🍕🍕")).is_empty());
        assert_eq!(
            judged(shape.clone(), json!("ü")),
            ["it has 1 characters, allowed are 2 to 3"]
        );
        assert_eq!(
            judged(shape, json!("four")),
            ["it has 4 characters, allowed are 2 to 3"]
        );
    }

    #[test]
    fn a_pattern_holds_for_the_whole_text() {
        let shape = json!({ "type": "string", "pattern": "[a-z]+" });
        assert!(judged(shape.clone(), json!("abc")).is_empty());
        assert_eq!(judged(shape.clone(), json!("abc1")).len(), 1);
        let secret = json!({ "type": "string", "pattern": "[a-z]+", "sensitive": true });
        assert_eq!(
            judged(secret, json!("S3CRET")),
            ["it is `(sensitive)`, allowed is what matches [a-z]+"]
        );
    }

    #[test]
    fn what_is_missing_unknown_or_of_another_kind_is_found() {
        assert_eq!(
            judged(json!({ "type": "string" }), Value::Null),
            ["it is missing, Input requires it"]
        );
        assert_eq!(
            judged(json!({ "type": "integer" }), json!("1")),
            ["it is \"1\", allowed is a integer (It)"]
        );
        let shape = json!({ "type": "string", "enum": ["A", "B"] });
        assert_eq!(judged(shape, json!("C")), ["it is `C`, allowed are [\"A\",\"B\"]"]);
        let list = json!({ "type": "list", "member": { "shape": "Input" } });
        assert_eq!(
            judged(list, json!([{ "other": 1, "it": [] }])),
            ["it[0].other is unknown, Input has no such member"]
        );
    }
}
