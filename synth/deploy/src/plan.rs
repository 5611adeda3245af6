//! What a change would do, and which data it would take away.
//!
//! Two witnesses are heard: the deployed template compared with the wanted one by the registry's facts, which tells properties and
//! replacements before anything is asked of CloudFormation; and CloudFormation's change set, which knows parameters and what other
//! resources are dragged along. Where they differ, the worse holds.

use std::fmt;

use aws_sdk_cloudformation::types::{ChangeAction, Replacement, ResourceChange};
use serde::Serialize;
use serde_json::Value;
use synth::diff::{self, Action, Data, PropertyDifference, ResourceDifference};
use synth::facts_of;

/// What holds data for a bounded time only, and is no loss then.
const EXPIRES: &str = "AWS::Logs::LogGroup";

/// What a change of a stack would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackPlan {
    /// The stack.
    pub stack: String,
    /// Whether it is new.
    pub creates: bool,
    /// What happens to which resource.
    pub resources: Vec<ResourcePlan>,
    /// What changes besides: outputs, parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<PropertyPlan>,
}

/// What happens to a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourcePlan {
    /// Its logical id.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its physical id, where CloudFormation has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What happens to it.
    pub action: Action,
    /// What happens to the data that it holds; none if it holds none or stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// What changes of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<PropertyPlan>,
    /// What else is worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What changes of a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PropertyPlan {
    /// Its path, such as `Properties.Timeout`.
    pub path: String,
    /// The value before, if there was one.
    pub old: Option<Value>,
    /// The value after, if there is one.
    pub new: Option<Value>,
    /// What follows for the resource.
    pub action: Action,
}

/// A resource with data that the system would no longer have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The stack.
    pub stack: String,
    /// The resource.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its name in the account, where it is known.
    pub physical_id: Option<String>,
    /// What happens to it.
    pub action: Action,
    /// What happens to its data.
    pub data: Data,
}

impl StackPlan {
    /// The plan of a stack: `old` is the deployed template, none if there is no stack; `changes` are what CloudFormation says, if it
    /// was asked.
    pub fn of(stack: &str, old: Option<&Value>, new: &Value, changes: &[ResourceChange]) -> Self {
        let named = |template: &Value| vec![(stack.to_owned(), template.clone())];
        let before = old.map(named).unwrap_or_default();
        let difference = diff::compare(&before, &named(new)).stacks.pop();
        let (resources, others) = difference.map_or_else(Default::default, |stack| (stack.resources, stack.others));
        let mut plan = Self {
            stack: stack.to_owned(),
            creates: old.is_none(),
            resources: resources.into_iter().map(ResourcePlan::from).collect(),
            others: others.into_iter().map(PropertyPlan::from).collect(),
        };
        for change in changes {
            plan.hear(change, old, new);
        }
        plan
    }

    /// Takes CloudFormation's word for a resource.
    fn hear(&mut self, change: &ResourceChange, old: Option<&Value>, new: &Value) {
        let Some(logical_id) = change.logical_resource_id() else {
            return;
        };
        let type_name = change.resource_type().unwrap_or_default();
        let place = self.resources.iter().position(|known| known.logical_id == logical_id);
        let place = place.unwrap_or_else(|| {
            self.resources.push(ResourcePlan {
                logical_id: logical_id.to_owned(),
                type_name: type_name.to_owned(),
                physical_id: None,
                action: Action::Update,
                data: None,
                properties: Vec::new(),
                notes: Vec::new(),
            });
            self.resources.len() - 1
        });
        let resource = &mut self.resources[place];
        resource.physical_id = change.physical_resource_id().map(str::to_owned);
        let told = match (change.action(), change.replacement()) {
            (Some(ChangeAction::Add), _) => Action::Add,
            (Some(ChangeAction::Remove), _) => Action::Remove,
            (Some(ChangeAction::Import), _) => {
                resource
                    .notes
                    .push("it is there already and becomes the stack's".to_owned());
                Action::Add
            }
            (_, Some(Replacement::True)) => Action::Replace,
            (_, Some(Replacement::Conditional)) => Action::MayReplace,
            _ => Action::Update,
        };
        resource.action = match (resource.action, told) {
            // The registry does not know, CloudFormation does.
            (Action::MayReplace, Action::Update) => Action::Update,
            (known, told) => known.max(told),
        };
        if resource.properties.is_empty() {
            resource.properties = change.details().iter().filter_map(PropertyPlan::told).collect();
        }
        let template = |template: &Value| template["Resources"].get(logical_id).cloned();
        resource.data = fate(
            type_name,
            resource.action,
            old.and_then(template).as_ref(),
            template(new).as_ref(),
        );
    }

    /// The resources with data that the system would no longer have, apart from those that are allowed to go.
    pub fn losses(&self, allowed: &[String]) -> Vec<Loss> {
        let held = self.resources.iter().filter_map(|resource| {
            Some(Loss {
                stack: self.stack.clone(),
                logical_id: resource.logical_id.clone(),
                type_name: resource.type_name.clone(),
                physical_id: resource.physical_id.clone(),
                action: resource.action,
                data: resource.data?,
            })
        });
        held.filter(|loss| !allowed.contains(&loss.logical_id) && loss.type_name != EXPIRES)
            .collect()
    }

    /// Whether there is anything to do.
    pub const fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.others.is_empty()
    }
}

/// What becomes of the data of a resource of this type.
fn fate(type_name: &str, action: Action, old: Option<&Value>, new: Option<&Value>) -> Option<Data> {
    facts_of(type_name).filter(|facts| facts.stateful)?;
    let policy = match action {
        Action::Remove | Action::DeleteAndCreate => old?.get("DeletionPolicy"),
        Action::Replace | Action::MayReplace => new?.get("UpdateReplacePolicy"),
        Action::Add | Action::Update => return None,
    };
    let keeps = policy
        .and_then(Value::as_str)
        .is_some_and(|policy| ["Retain", "RetainExceptOnCreate", "Snapshot"].contains(&policy));
    Some(match action {
        _ if keeps => Data::Kept,
        Action::MayReplace => Data::MayBeLost,
        _ => Data::Lost,
    })
}

impl From<ResourceDifference> for ResourcePlan {
    fn from(difference: ResourceDifference) -> Self {
        Self {
            logical_id: difference.logical_id,
            type_name: difference.type_name,
            physical_id: None,
            action: difference.action,
            data: difference.data,
            properties: difference.properties.into_iter().map(PropertyPlan::from).collect(),
            notes: difference.notes,
        }
    }
}

impl From<PropertyDifference> for PropertyPlan {
    fn from(difference: PropertyDifference) -> Self {
        Self {
            path: difference.path,
            old: difference.old,
            new: difference.new,
            action: difference.action,
        }
    }
}

impl PropertyPlan {
    /// What CloudFormation says of a change that the templates do not show, such as one of a parameter.
    fn told(detail: &aws_sdk_cloudformation::types::ResourceChangeDetail) -> Option<Self> {
        let target = detail.target()?;
        let attribute = target.attribute().map_or("Properties", |attribute| attribute.as_str());
        let name = target.name().map(|name| format!(".{name}")).unwrap_or_default();
        Some(Self {
            path: format!("{attribute}{name}"),
            old: target.before_value().map(Value::from),
            new: target.after_value().map(Value::from),
            action: Action::Update,
        })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stack,
            logical_id,
            type_name,
            ..
        } = self;
        write!(formatter, "{logical_id}")?;
        if let Some(name) = &self.physical_id {
            write!(formatter, " ({name})")?;
        }
        let fate = match self.action {
            Action::MayReplace => "may be replaced",
            Action::Replace | Action::DeleteAndCreate => "is replaced",
            _ => "is removed",
        };
        let data = match self.data {
            Data::Lost => "its data is lost",
            Data::MayBeLost => "its data is lost if it is",
            Data::Kept => "its data stays outside the stack, where nothing uses it",
        };
        write!(formatter, " {type_name} of {stack} {fate}: {data}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::wanted;
    use stacks::Project;

    const PROJECT: &str = include_str!("../../../stacks/project.yaml");

    /// The templates of `stage`, and all shared ones.
    fn templates() -> Vec<(String, Value)> {
        let project = Project::from_yaml(PROJECT).expect("the project's own configuration");
        let stage = stacks::environment(&project, "stage".parse().expect("an environment")).expect("the stacks");
        let mut all = wanted::all(stage).expect("they have a text form");
        all.extend(wanted::shared(&project).expect("they have a text form"));
        all.into_iter().map(|stack| (stack.name, stack.tree)).collect()
    }

    /// The losses if each of these properties were another one.
    fn losses(changes: &[(&str, &str, Value)]) -> Vec<Loss> {
        let planned = templates().into_iter().flat_map(|(name, new)| {
            let mut old = new.clone();
            for (logical_id, property, value) in changes {
                if let Some(resource) = old["Resources"].get_mut(logical_id) {
                    resource["Properties"][property] = value.clone();
                }
            }
            StackPlan::of(&name, Some(&old), &new, &[]).losses(&[])
        });
        planned.collect()
    }

    #[test]
    fn a_plan_that_replaces_the_table_or_the_user_pool_names_both_and_the_flag() {
        let mut lost = losses(&[("PullRequests", "TableName", Value::from("another"))]);
        // The registry calls nothing of a user pool create-only: this is CloudFormation's word.
        let (app, template) = templates().remove(1);
        let replaced = ResourceChange::builder()
            .action(ChangeAction::Modify)
            .logical_resource_id("Users")
            .physical_resource_id("eu-west-1_abc")
            .resource_type("AWS::Cognito::UserPool")
            .replacement(Replacement::True)
            .build();
        lost.extend(StackPlan::of(&app, Some(&template), &template, &[replaced]).losses(&[]));
        let words = Error::Loss(lost).to_string();
        assert!(
            words.contains("PullRequests AWS::DynamoDB::Table of thebestest-pipeline-manager is replaced"),
            "{words}"
        );
        assert!(
            words.contains(
                "Users (eu-west-1_abc) AWS::Cognito::UserPool of thebestest-stage-app is replaced: its data is lost"
            ),
            "{words}"
        );
        assert!(
            words.contains("--allow-loss PullRequests --allow-loss Users"),
            "{words}"
        );
    }

    #[test]
    fn a_change_without_a_replacement_loses_nothing() {
        assert_eq!(
            losses(&[("PullRequests", "BillingMode", Value::from("PROVISIONED"))]),
            []
        );
    }

    #[test]
    fn what_cloudformation_says_is_heard_and_the_worse_holds() {
        let (name, template) = templates().pop().expect("the pipeline manager");
        let change = |replacement: Replacement| {
            ResourceChange::builder()
                .action(ChangeAction::Modify)
                .logical_resource_id("PullRequests")
                .physical_resource_id("thebestest-pull-requests")
                .resource_type("AWS::DynamoDB::Table")
                .replacement(replacement)
                .build()
        };
        let plan = |replacement| StackPlan::of(&name, Some(&template), &template, &[change(replacement)]);
        assert_eq!(plan(Replacement::False).losses(&[]), []);
        let lost = plan(Replacement::True).losses(&[]);
        assert_eq!(lost[0].physical_id.as_deref(), Some("thebestest-pull-requests"));
        assert_eq!(plan(Replacement::True).losses(&["PullRequests".to_owned()]), []);
    }
}
