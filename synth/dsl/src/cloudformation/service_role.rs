//! [`ServiceRole`]: what CloudFormation may do, computed from the types of resources that it is to apply.
//!
//! The registry says what the handlers of each type call, rules say when (`permissions.json` of `synth-aws`), and the caller says on
//! what: nobody writes a list of actions.

use std::panic::Location;

use synth_aws::{
    Action, Bound, Called, Handle, Node, PermissionFacts, Resource, ResourceFacts, ResourceHandler, Value,
};

use crate::fault::Fault;
use crate::iam::{Grant, Operator, Role, RoleResource};
use crate::stack::{Construct, Stack};

/// A role that CloudFormation applies templates with, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html>.
///
/// ```
/// use synth::cloudformation::{Applied, ServiceRole};
/// use synth::iam::Grant;
/// use synth::{App, sqs};
///
/// let mut app = App::new();
/// app.stack("roles", "Who may do what.", |stack| {
///     let queues = Grant::reaching("arn:aws:sqs:*:123456789012:builds-*", "the queues of builds come and go");
///     stack.add("Queues", ServiceRole::new().applies(Applied::of::<sqs::Queue>(queues)));
/// });
/// # assert!(app.synthesize().is_ok());
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ServiceRole {
    role: Role,
    applied: Vec<Applied>,
}

/// The resources of one type that a [`ServiceRole`] can create, read, update and delete.
///
/// Each permission that the type's handlers declare is granted
///
/// - on the type's resources, if IAM binds it to them;
/// - on `*`, if IAM binds it to nothing;
/// - on what [`using`](Self::using) names, if it reaches for something else.
///
/// What only some property calls for is left out until [`setting`](Self::setting) or [`using`](Self::using) allows the property, and
/// so is what lists all resources of a type, which applying a template never does.
#[derive(Debug, Clone)]
#[must_use]
pub struct Applied {
    facts: &'static ResourceFacts,
    reach: Grant,
    settings: Vec<Setting>,
    creating: Vec<(Vec<&'static str>, Grant)>,
    limits: Vec<Limit>,
    at: &'static Location<'static>,
}

#[derive(Debug, Clone)]
struct Setting {
    property: &'static str,
    /// What the property lets the handlers reach for.
    reach: Option<Grant>,
    at: &'static Location<'static>,
}

/// A condition of some permissions.
#[derive(Debug, Clone)]
struct Limit {
    actions: Vec<&'static str>,
    condition: (Operator, String, Node),
}

impl ServiceRole {
    /// A role with which CloudFormation can apply nothing yet.
    pub fn new() -> Self {
        Self {
            role: Role::assumed_by("cloudformation.amazonaws.com"),
            applied: Vec::new(),
        }
    }

    /// The physical name, at most 64 characters; without one CloudFormation makes one up.
    pub fn name(mut self, name: impl Into<Value<String>>) -> Self {
        self.role = self.role.name(name);
        self
    }

    /// What the role is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.role = self.role.description(description);
        self
    }

    /// Lets CloudFormation apply resources of a type.
    pub fn applies(mut self, applied: Applied) -> Self {
        self.applied.push(applied);
        self
    }

    /// Lets CloudFormation do what no handler declares: fetch the template, call the function behind a custom resource.
    pub fn allow(mut self, grant: Grant) -> Self {
        self.role = self.role.allow(grant);
        self
    }
}

impl Default for ServiceRole {
    fn default() -> Self {
        Self::new()
    }
}

impl Construct for ServiceRole {
    type Handle = Handle<RoleResource>;

    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> Self::Handle {
        let mut role = self.role;
        for applied in &self.applied {
            let (grants, faults) = applied.grants();
            for fault in faults {
                stack.fault(logical_id, fault);
            }
            for grant in grants {
                role = role.allow(grant);
            }
        }
        role.add_to(stack, logical_id)
    }
}

impl Applied {
    /// Resources of the type within `reach`, which is made by [`Grant::reaching`].
    #[track_caller]
    pub fn of<R: Resource>(reach: Grant) -> Self {
        Self {
            facts: R::FACTS,
            reach,
            settings: Vec::new(),
            creating: Vec::new(),
            limits: Vec::new(),
            at: Location::caller(),
        }
    }

    /// Also those whose property (`TimeToLiveSpecification`, `Code.SourceKMSKeyArn`) is set, which calls for nothing beyond them.
    #[track_caller]
    pub fn setting(mut self, property: &'static str) -> Self {
        self.settings.push(Setting {
            property,
            reach: None,
            at: Location::caller(),
        });
        self
    }

    /// Also those whose property is set, which makes the handlers reach for something else: a role to pass, a key to use.
    #[track_caller]
    pub fn using(mut self, property: &'static str, reach: Grant) -> Self {
        self.settings.push(Setting {
            property,
            reach: Some(reach),
            at: Location::caller(),
        });
        self
    }

    /// What these permissions of the type reach before the resource has an ARN: the collection that it will be part of.
    ///
    /// Permissions that IAM binds to the type are granted on that as well; those that it binds to nothing, on that instead of `*`.
    pub fn creating<A: Action>(mut self, actions: impl IntoIterator<Item = A>, reach: Grant) -> Self {
        let actions = actions.into_iter().map(Action::qualified).collect();
        self.creating.push((actions, reach));
        self
    }

    /// Only where the condition key has such a value, for these permissions of the type.
    pub fn only<A: Action>(
        mut self,
        actions: impl IntoIterator<Item = A>,
        operator: Operator,
        key: impl Into<String>,
        value: impl Into<Value<String>>,
    ) -> Self {
        self.limits.push(Limit {
            actions: actions.into_iter().map(Action::qualified).collect(),
            condition: (operator, key.into(), value.into().into_node()),
        });
        self
    }

    /// Only where the condition key has one of these values, for these permissions of the type.
    pub fn only_any<A: Action>(
        mut self,
        actions: impl IntoIterator<Item = A>,
        operator: Operator,
        key: impl Into<String>,
        values: impl Into<Value<Vec<String>>>,
    ) -> Self {
        self.limits.push(Limit {
            actions: actions.into_iter().map(Action::qualified).collect(),
            condition: (operator, key.into(), values.into().into_node()),
        });
        self
    }

    /// What the handlers need, and what cannot be told.
    fn grants(&self) -> (Vec<Grant>, Vec<Fault>) {
        let mut grants = Vec::new();
        let mut faults = self.stale();
        let used = self.facts.permissions.iter();
        for permission in used.filter(|permission| {
            permission
                .handlers
                .iter()
                .any(|handler| *handler != ResourceHandler::List)
        }) {
            match permission.called {
                Called::Always => self.add(permission, None, &mut grants, &mut faults),
                Called::For(properties) => {
                    let settings = self.settings.iter();
                    for setting in settings.filter(|setting| properties.contains(&setting.property)) {
                        self.add(permission, Some(setting), &mut grants, &mut faults);
                    }
                }
                Called::Never(_) => {}
                Called::Unknown => faults.push(self.unruled(permission)),
            }
        }
        if self.facts.permissions.is_empty() {
            let message = format!(
                "the registry does not say what the handlers of {} call",
                self.facts.type_name
            );
            faults.push(Fault::new(message).at(self.at).help(RULE));
        }
        (grants, faults)
    }

    /// Grants one permission.
    fn add(
        &self,
        permission: &'static PermissionFacts,
        setting: Option<&Setting>,
        grants: &mut Vec<Grant>,
        faults: &mut Vec<Fault>,
    ) {
        let creating = || {
            let named = self.creating.iter();
            named.filter(|(actions, _)| actions.contains(&permission.action))
        };
        let mut reaches: Vec<Grant> = creating().map(|(_, reach)| reach.clone()).collect();
        match permission.bound {
            Bound::Type => reaches.push(self.reach.clone()),
            Bound::Nothing if reaches.is_empty() => reaches.push(Grant::reaching("*", UNBOUND).at(self.at)),
            Bound::Nothing => {}
            Bound::Other => match setting.and_then(|setting| setting.reach.clone()) {
                Some(reach) => reaches.push(reach),
                None => {
                    faults.push(self.unreached(permission, setting));
                    return;
                }
            },
        }
        for mut reach in reaches {
            let limits = self.limits.iter();
            let limits = limits.filter(|limit| limit.actions.contains(&permission.action));
            reach.conditions.extend(limits.map(|limit| limit.condition.clone()));
            match grants.iter_mut().find(|grant| grant.reaches_as(&reach)) {
                // Two properties may let the same action reach the same.
                Some(grant) if grant.actions.last() == Some(&permission.action) => {}
                Some(grant) => grant.actions.push(permission.action),
                None => {
                    reach.actions.push(permission.action);
                    grants.push(reach);
                }
            }
        }
    }

    /// What names a permission or property that the type's handlers have nothing to do with.
    fn stale(&self) -> Vec<Fault> {
        let Self { facts, .. } = self;
        let mut faults = Vec::new();
        for setting in &self.settings {
            let calls = |permission: &PermissionFacts| match permission.called {
                Called::For(properties) => properties.contains(&setting.property),
                _ => false,
            };
            if !facts.permissions.iter().any(calls) {
                let message = format!(
                    "no permission of {} is called for by {:?}",
                    facts.type_name, setting.property
                );
                faults.push(
                    Fault::new(message)
                        .at(setting.at)
                        .help("leave it out, or write the rule down in permissions.json of synth-aws"),
                );
            }
        }
        let creating = self.creating.iter().flat_map(|(actions, _)| actions);
        let limited = self.limits.iter().flat_map(|limit| &limit.actions);
        for action in creating.chain(limited) {
            if !facts.permissions.iter().any(|permission| permission.action == *action) {
                let message = format!("no handler of {} calls {action}", facts.type_name);
                faults.push(Fault::new(message).at(self.at).help("leave the action out"));
            }
        }
        faults
    }

    fn unruled(&self, permission: &PermissionFacts) -> Fault {
        Fault::new(format!(
            "the handlers of {} may call {}, and no rule says when",
            self.facts.type_name, permission.action
        ))
        .at(self.at)
        .help(RULE)
    }

    fn unreached(&self, permission: &PermissionFacts, setting: Option<&Setting>) -> Fault {
        let what = match setting {
            Some(setting) => format!("{:?}", setting.property),
            None => "the type".to_owned(),
        };
        let fault = Fault::new(format!(
            "{what} makes the handlers of {} call {} on something else, which is not named",
            self.facts.type_name, permission.action
        ));
        match setting {
            Some(setting) => fault
                .at(setting.at)
                .help("name it: `using(property, Grant::reaching(…))`"),
            None => fault.at(self.at).help(RULE),
        }
    }
}

const RULE: &str = "write the rule down in permissions.json of synth-aws: which property calls for it";
const UNBOUND: &str = "IAM binds these actions to no resource";
