//! What the handlers of a resource type call on behalf of whoever applies the template.
//!
//! A permission is a line, with a letter for every handler that uses it: `"s3:CreateBucket": "c"`. What is not an IAM action is
//! kept apart under `no_actions`: no role can be given it, and nobody should believe that it was never asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The handlers in the order of their letters, and the key of the schema that `t` stands for.
const HANDLERS: [(&str, char); 5] = [
    ("create", 'c'),
    ("read", 'r'),
    ("update", 'u'),
    ("delete", 'd'),
    ("list", 'l'),
];
const TAGGING: char = 't';

/// IAM's actions by their lower case.
pub(crate) struct Spelling(BTreeMap<String, String>);

impl Spelling {
    pub(crate) fn of(actions: &BTreeMap<String, Vec<String>>) -> Self {
        let qualified = actions
            .iter()
            .flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}:{name}")));
        Self(qualified.map(|action| (action.to_lowercase(), action)).collect())
    }
}

/// The facts `permissions` and `no_actions` of one type; neither if its schema has no handlers.
pub(crate) fn permissions(schema: &Value, spelling: &Spelling) -> Result<Map<String, Value>, String> {
    let mut used: BTreeMap<&str, String> = BTreeMap::new();
    let declared = HANDLERS
        .iter()
        .map(|(handler, letter)| (schema.pointer(&format!("/handlers/{handler}/permissions")), *letter))
        .chain([(schema.pointer("/tagging/permissions"), TAGGING)]);
    for (permissions, letter) in declared {
        for permission in permissions.and_then(Value::as_array).into_iter().flatten() {
            let permission = permission
                .as_str()
                .ok_or_else(|| format!("{permission} is not a permission"))?;
            let action = spelling
                .0
                .get(&permission.to_lowercase())
                .map_or(permission, String::as_str);
            let letters = used.entry(action).or_default();
            if !letters.ends_with(letter) {
                letters.push(letter);
            }
        }
    }
    let (mut permissions, mut no_actions) = (Map::new(), Map::new());
    for (action, letters) in used {
        let known = spelling.0.contains_key(&action.to_lowercase());
        let facts = if known { &mut permissions } else { &mut no_actions };
        facts.insert(action.to_owned(), Value::from(letters));
    }
    let kept = [("permissions", permissions), ("no_actions", no_actions)];
    Ok(kept
        .into_iter()
        .filter(|(_, facts)| !facts.is_empty())
        .map(|(key, facts)| (key.to_owned(), Value::Object(facts)))
        .collect())
}
