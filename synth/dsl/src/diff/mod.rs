//! What CloudFormation would do to get from one set of templates to another: add, update, replace, remove, and what that loses.
//!
//! [`compare`] finds what differs and says what follows from it by the registry's facts of each type. It reads no file and asks
//! nobody: templates come as JSON with the long intrinsic functions, from wherever they are.

mod effect;
mod values;

use serde::Serialize;
use serde_json::{Map, Value};

use values::Change;

/// Templates by the names of their stacks, in the order of deployment.
pub type Templates = Vec<(String, Value)>;

/// The stacks that differ, in the order of deployment.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// One entry for each stack that differs.
    pub stacks: Vec<StackDifference>,
}

/// How a stack differs.
#[derive(Debug, Serialize)]
pub struct StackDifference {
    /// The stack's name.
    pub name: String,
    /// Whether the stack is there before and after.
    pub action: StackAction,
    /// The resources that differ.
    pub resources: Vec<ResourceDifference>,
    /// What differs outside the resources: parameters, conditions, outputs.
    pub others: Vec<PropertyDifference>,
}

/// What happens to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackAction {
    /// It is created.
    Add,
    /// It is deleted, with all its resources.
    Remove,
    /// It is updated.
    Update,
}

/// How a resource differs.
#[derive(Debug, Serialize)]
pub struct ResourceDifference {
    /// Its logical id.
    pub logical_id: String,
    /// Its type, the new one where it changes.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What happens to it.
    pub action: Action,
    /// What happens to the data that it holds; none if it holds none or stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What differs in it.
    pub properties: Vec<PropertyDifference>,
}

/// What happens to a resource; the worst that happens for any of its properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is created.
    Add,
    /// It stays and is changed.
    Update,
    /// It is replaced in some cases, which the registry does not tell.
    MayReplace,
    /// A new one is created, then the old one deleted.
    Replace,
    /// The old one is deleted and one of another type created.
    DeleteAndCreate,
    /// It is deleted.
    Remove,
}

/// What happens to a resource's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// It is deleted with the resource.
    Lost,
    /// It is deleted if the resource is replaced.
    MayBeLost,
    /// The old resource, or a snapshot of it, stays outside the stack.
    Kept,
}

/// How a property differs.
#[derive(Debug, Serialize)]
pub struct PropertyDifference {
    /// Its path within the resource or template, such as `Properties.Code.S3Key`.
    pub path: String,
    /// What follows for the resource.
    pub action: Action,
    /// The value before, if there was one.
    pub old: Option<Value>,
    /// The value after, if there is one.
    pub new: Option<Value>,
}

/// Compares two sets of templates.
pub fn compare(old: &[(String, Value)], new: &[(String, Value)]) -> Difference {
    let gone = old
        .iter()
        .filter(|(name, _)| new.iter().all(|(other, _)| other != name));
    let removed = gone.map(|(name, template)| stack(name, StackAction::Remove, Some(template), None));
    let others = new
        .iter()
        .filter_map(|(name, template)| match old.iter().find(|(other, _)| other == name) {
            None => Some(stack(name, StackAction::Add, None, Some(template))),
            Some((_, before)) => Some(stack(name, StackAction::Update, Some(before), Some(template)))
                .filter(|difference| !difference.resources.is_empty() || !difference.others.is_empty()),
        });
    Difference {
        stacks: others.chain(removed).collect(),
    }
}

fn stack(name: &str, action: StackAction, old: Option<&Value>, new: Option<&Value>) -> StackDifference {
    let (before, after) = (resources(old), resources(new));
    let added_or_kept = after
        .iter()
        .filter_map(|(id, resource)| effect::resource(id, before.get(id), Some(resource)));
    let removed = before
        .iter()
        .filter(|(id, _)| !after.contains_key(*id))
        .filter_map(|(id, resource)| effect::resource(id, Some(resource), None));
    let mut resources: Vec<ResourceDifference> = added_or_kept.chain(removed).collect();
    if action == StackAction::Update {
        effect::spread(&after, &mut resources);
    }
    StackDifference {
        name: name.to_owned(),
        action,
        resources,
        others: if action == StackAction::Update {
            others(old, new)
        } else {
            Vec::new()
        },
    }
}

fn others(old: Option<&Value>, new: Option<&Value>) -> Vec<PropertyDifference> {
    let sections = |template: Option<&Value>| -> Map<String, Value> {
        let mut sections = template.and_then(Value::as_object).cloned().unwrap_or_default();
        sections.shift_remove("Resources");
        sections
    };
    values::changes(&sections(old).into(), &sections(new).into())
        .into_iter()
        .map(|change| PropertyDifference::of(change, Action::Update))
        .collect()
}

fn resources(template: Option<&Value>) -> Map<String, Value> {
    let resources = template
        .and_then(|template| template.get("Resources"))
        .and_then(Value::as_object);
    resources.cloned().unwrap_or_default()
}

impl PropertyDifference {
    fn of(change: Change, action: Action) -> Self {
        Self {
            path: values::shown(&change.path),
            action,
            old: change.old,
            new: change.new,
        }
    }
}
