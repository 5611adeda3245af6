//! What the handlers of a resource type call on behalf of whoever applies the template.
//!
//! A permission is a line, with a letter for every handler that uses it and a mark of what IAM binds it to:
//! `"s3:CreateBucket": "c@"`. What is not an IAM action is kept apart under `no_actions`: no role can be given it, and nobody
//! should believe that it was never asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The handlers in the order of their letters.
const HANDLERS: [(&str, char); 5] = [
    ("create", 'c'),
    ("read", 'r'),
    ("update", 'u'),
    ("delete", 'd'),
    ("list", 'l'),
];
/// The letter of what tagging needs.
const TAGGING: char = 't';
/// The mark of an action that takes the ARN of the type.
const OWN: char = '@';
/// The mark of an action that takes no resource: only `*` grants it.
const UNBOUND: char = '*';

/// What the Service Authorization Reference says of IAM's actions.
pub(crate) struct Reference(BTreeMap<String, ReferenceAction>);

struct ReferenceAction {
    spelled: String,
    /// How the ARNs begin that it takes; empty if it takes none.
    arns: BTreeSet<String>,
}

impl Reference {
    pub(crate) fn of(actions: &BTreeMap<String, Vec<String>>, policies: &Map<String, Value>) -> Self {
        let qualified = actions
            .iter()
            .flat_map(|(prefix, names)| names.iter().map(move |name| (prefix, name)));
        let entries = qualified.map(|(prefix, name)| {
            let spelled = format!("{prefix}:{name}");
            let arns = policies.get(prefix).map(|service| arns(service, &name.to_lowercase()));
            let action = ReferenceAction {
                spelled: spelled.clone(),
                arns: arns.unwrap_or_default(),
            };
            (spelled.to_lowercase(), action)
        });
        Self(entries.collect())
    }
}

fn arns(service: &Value, action: &str) -> BTreeSet<String> {
    let resources = match &service["Actions"][action]["Resources"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let formats = resources
        .into_iter()
        .filter_map(|resource| service["Resources"][resource.to_lowercase()]["ARNFormats"].as_array());
    // The formats are regular expressions, in which `.*` stands for what a template has a variable for.
    let begins = formats.flatten().filter_map(Value::as_str);
    begins
        .map(|format| format.split_once(".*").map_or(format, |(begin, _)| begin).to_owned())
        .collect()
}

/// How a template of ARNs begins, up to the first variable that is not the same for a whole account and region.
fn begin(template: &str) -> &str {
    let fixed = ["${Partition}", "${Region}", "${Account}"];
    let end = template
        .match_indices("${")
        .map(|(index, _)| index)
        .find(|index| !fixed.iter().any(|variable| template[*index..].starts_with(variable)));
    &template[..end.unwrap_or(template.len())]
}

/// The facts `permissions` and `no_actions` of one type; neither if its schema has no handlers.
pub(crate) fn permissions(
    schema: &Value,
    reference: &Reference,
    arn: Option<&str>,
) -> Result<Map<String, Value>, String> {
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
            let action = reference.0.get(&permission.to_lowercase());
            let letters = used
                .entry(action.map_or(permission, |action| action.spelled.as_str()))
                .or_default();
            if !letters.ends_with(letter) {
                letters.push(letter);
            }
        }
    }
    let (mut permissions, mut no_actions) = (Map::new(), Map::new());
    for (action, mut letters) in used {
        let Some(known) = reference.0.get(&action.to_lowercase()) else {
            no_actions.insert(action.to_owned(), Value::from(letters));
            continue;
        };
        if known.arns.is_empty() {
            letters.push(UNBOUND);
        } else if arn.is_some_and(|arn| known.arns.contains(begin(arn))) {
            letters.push(OWN);
        }
        permissions.insert(action.to_owned(), Value::from(letters));
    }
    let kept = [("permissions", permissions), ("no_actions", no_actions)];
    Ok(kept
        .into_iter()
        .filter(|(_, facts)| !facts.is_empty())
        .map(|(key, facts)| (key.to_owned(), Value::Object(facts)))
        .collect())
}
