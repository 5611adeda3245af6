//! `permissions.json`: when a handler uses a permission, which the registry does not say, and what it says nothing of at all.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::spec::{ResourceSpec, object};

/// When the handlers of one type use a permission that they do not always use.
#[derive(Default)]
pub(crate) struct Rules {
    /// By action, the properties that call for it.
    pub(crate) when: BTreeMap<String, Vec<String>>,
    /// By action, why no template calls for it.
    pub(crate) never: BTreeMap<String, String>,
}

/// The corrections, by type.
pub(crate) struct Corrections(Map<String, Value>);

impl Corrections {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let by_type = object(path)?;
        for (type_name, correction) in &by_type {
            if correction
                .get("reason")
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
            {
                return Err(format!("permissions.json: {type_name} has rules without a `reason`"));
            }
        }
        Ok(Self(by_type))
    }

    /// Lays the corrections of its type over a resource. What the facts do not have is stale and must go.
    pub(crate) fn apply(&mut self, resource: &mut ResourceSpec) -> Result<(), String> {
        let Some(correction) = self.0.shift_remove(&resource.type_name) else {
            return Ok(());
        };
        if let Some(arn) = correction.get("arn").and_then(Value::as_str) {
            resource.arn = Some(arn.to_owned());
        }
        let added = correction.get("permissions").and_then(Value::as_object);
        for (action, letters) in added.into_iter().flatten() {
            if resource.permissions.insert(action.clone(), letters.clone()).is_some() {
                return Err(stale(resource, action));
            }
        }
        resource.permissions.sort_keys();
        let when = correction.get("when").and_then(Value::as_object);
        for (property, patterns) in when.into_iter().flatten() {
            if !has_property(resource, property) {
                return Err(stale(resource, property));
            }
            for action in matched(resource, patterns)? {
                resource.rules.when.entry(action).or_default().push(property.clone());
            }
        }
        let never = correction.get("never").and_then(Value::as_object);
        for (reason, patterns) in never.into_iter().flatten() {
            for action in matched(resource, patterns)? {
                resource.rules.never.insert(action, reason.clone());
            }
        }
        Ok(())
    }

    /// Corrections of a type that the facts do not have are stale.
    pub(crate) fn all_applied(&self, services: &[crate::spec::Service]) -> Result<(), String> {
        let lost: Vec<&str> = self
            .0
            .keys()
            .map(String::as_str)
            .filter(|name| {
                services
                    .iter()
                    .any(|service| name.starts_with(&format!("{}::", service.name)))
            })
            .collect();
        if lost.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "permissions.json has rules of unknown types: {}",
                lost.join(", ")
            ))
        }
    }
}

/// The type's permissions that a list of actions names, in which `kms:*` is every one of a service.
fn matched(resource: &ResourceSpec, patterns: &Value) -> Result<Vec<String>, String> {
    let mut actions = Vec::new();
    for pattern in patterns.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let found = resource
            .permissions
            .keys()
            .filter(|action| match pattern.strip_suffix('*') {
                Some(begin) => action.starts_with(begin),
                None => *action == pattern,
            });
        let before = actions.len();
        actions.extend(found.cloned());
        if actions.len() == before {
            return Err(stale(resource, pattern));
        }
    }
    Ok(actions)
}

/// Whether a path such as `Code.SourceKMSKeyArn` leads to a property.
fn has_property(resource: &ResourceSpec, path: &str) -> bool {
    let mut fields = Some(&resource.properties);
    for step in path.split('.') {
        let Some(shape) = fields.and_then(|fields| fields.get(step)) else {
            return false;
        };
        // The items of a list have the properties.
        fields = shape
            .get("of")
            .unwrap_or(shape)
            .get("name")
            .and_then(Value::as_str)
            .and_then(|name| resource.types.get(name)?.as_object());
    }
    true
}

fn stale(resource: &ResourceSpec, what: &str) -> String {
    format!(
        "permissions.json: {}: the facts say otherwise of {what}",
        resource.type_name
    )
}
