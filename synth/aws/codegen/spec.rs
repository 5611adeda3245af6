//! The facts as the generator reads them: `spec/*.json` with `patches.json` laid over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::names;
use crate::permissions::{Corrections, Rules};

/// One service.
pub(crate) struct Service {
    /// Such as `AWS::S3`.
    pub(crate) name: String,
    /// Such as `s3`.
    pub(crate) module: String,
    pub(crate) resources: Vec<ResourceSpec>,
}

/// One resource type.
pub(crate) struct ResourceSpec {
    /// Such as `AWS::S3::Bucket`.
    pub(crate) type_name: String,
    /// Such as `Bucket`.
    pub(crate) name: String,
    /// The property that `Ref` returns, if that is known.
    pub(crate) reference: Option<String>,
    pub(crate) create_only: Vec<String>,
    pub(crate) conditional_create_only: Vec<String>,
    pub(crate) write_only: Vec<String>,
    pub(crate) deprecated: Vec<String>,
    pub(crate) stateful: bool,
    /// How it takes tags, if the registry says so.
    pub(crate) tagging: Option<Map<String, Value>>,
    /// Its ARN with variables.
    pub(crate) arn: Option<String>,
    /// By IAM action, a letter for every handler that uses it and a mark of what it is bound to.
    pub(crate) permissions: Map<String, Value>,
    /// When the handlers use them.
    pub(crate) rules: Rules,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) properties: Map<String, Value>,
    /// Nested types by name.
    pub(crate) types: Map<String, Value>,
}

/// Reasoned corrections, by type and property path.
pub(crate) struct Patches {
    by_type: Map<String, Value>,
    unapplied: BTreeSet<String>,
}

impl Patches {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let by_type = object(path)?;
        for (type_name, patch) in &by_type {
            if patch.get("reason").and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(format!("patches.json: {type_name} is corrected without a `reason`"));
            }
        }
        Ok(Self {
            by_type,
            unapplied: BTreeSet::new(),
        })
    }

    fn apply(&mut self, resource: &mut ResourceSpec) {
        let Some(patch) = self.by_type.get(&resource.type_name) else {
            return;
        };
        if let Some(reference) = patch.get("ref").and_then(Value::as_str) {
            resource.reference = Some(reference.to_owned());
        }
        for (path, facts) in patch.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let target = match path.split_once('.') {
                Some((nested, property)) => resource
                    .types
                    .get_mut(nested)
                    .and_then(|fields| fields.get_mut(property)),
                None => resource.properties.get_mut(path),
            };
            let (Some(target), Some(facts)) = (target.and_then(Value::as_object_mut), facts.as_object()) else {
                self.unapplied.insert(format!("{}: {path}", resource.type_name));
                continue;
            };
            for (key, value) in facts {
                target.insert(key.clone(), value.clone());
            }
        }
    }

    /// A correction of what does not exist is stale and must go.
    pub(crate) fn all_applied(&self, services: &[Service]) -> Result<(), String> {
        let present: BTreeSet<&str> = services
            .iter()
            .flat_map(|service| &service.resources)
            .map(|resource| resource.type_name.as_str())
            .collect();
        let modules: BTreeSet<&str> = services.iter().map(|service| service.name.as_str()).collect();
        let lost = self.by_type.keys().filter(|name| {
            let service = name.rsplit_once("::").map_or("", |(service, _)| service);
            modules.contains(service) && !present.contains(name.as_str())
        });
        let stale: Vec<String> = self.unapplied.iter().cloned().chain(lost.cloned()).collect();
        if stale.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "patches.json corrects what the facts do not have: {}",
                stale.join(", ")
            ))
        }
    }
}

impl Service {
    pub(crate) fn read(path: &Path, patches: &mut Patches, corrections: &mut Corrections) -> Result<Self, String> {
        let facts = object(path)?;
        let name = facts
            .get("service")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let module = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let resources = facts.get("resources").and_then(Value::as_object).into_iter().flatten();
        let resources = resources
            .map(|(resource, facts)| {
                let mut resource = ResourceSpec::read(&name, resource, facts, patches);
                corrections.apply(&mut resource)?;
                Ok(resource)
            })
            .collect::<Result<_, String>>()?;
        Ok(Self {
            name,
            module,
            resources,
        })
    }
}

impl ResourceSpec {
    fn read(service: &str, name: &str, facts: &Value, patches: &mut Patches) -> Self {
        let list = |key: &str| -> Vec<String> {
            facts
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let map = |key: &str| facts.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let primary = list("primary");
        let mut resource = Self {
            type_name: if service == name {
                name.to_owned()
            } else {
                format!("{service}::{name}")
            },
            name: name.to_owned(),
            reference: if let [one] = primary.as_slice() {
                Some(one.clone())
            } else {
                None
            },
            create_only: list("create_only"),
            conditional_create_only: list("conditional_create_only"),
            write_only: list("write_only"),
            deprecated: list("deprecated"),
            stateful: facts.get("stateful").is_some(),
            tagging: facts.get("tagging").and_then(Value::as_object).cloned(),
            arn: facts.get("arn").and_then(Value::as_str).map(str::to_owned),
            permissions: map("permissions"),
            rules: Rules::default(),
            attributes: map("attributes"),
            properties: map("properties"),
            types: map("types"),
        };
        patches.apply(&mut resource);
        resource
    }
}

/// The IAM actions of every service prefix whose feature is on.
///
/// A prefix belongs to the CloudFormation service of that name; where AWS named the two differently the service's feature
/// turns its prefix on as well.
pub(crate) fn actions(path: &Path, enabled: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Vec<String>>, String> {
    const NAMED_DIFFERENTLY: [(&str, &str); 4] = [
        ("states", "stepfunctions"),
        ("cognito-idp", "cognito"),
        ("execute-api", "apigateway"),
        ("tag", "resourcegroups"),
    ];
    let mut actions = BTreeMap::new();
    for (prefix, names) in object(path)? {
        let service = NAMED_DIFFERENTLY
            .iter()
            .find(|(differing, _)| *differing == prefix)
            .map(|(_, service)| *service);
        if enabled(&names::snake(&prefix)) || service.is_some_and(&enabled) {
            let names = names
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            actions.insert(prefix, names);
        }
    }
    Ok(actions)
}

pub(crate) fn object(path: &Path) -> Result<Map<String, Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(format!("{} holds no JSON object", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
