//! Policy documents: resource policies by hand, role policies from grants.

use std::panic::Location;

use synth_aws::{Action, AnyArn, Json, Node, Object, Value};

use super::grant::{Grant, Operator};

/// The version of IAM's policy language that every document here is written in.
const VERSION: &str = "2012-10-17";

/// A policy that stands on a resource: a bucket's, a key's, a REST API's.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct PolicyDocument {
    statements: Vec<Node>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What matches may be done.
    Allow,
    /// What matches may not be done, whatever else allows it.
    Deny,
}

/// Whom a statement of a resource policy speaks of.
#[derive(Debug, Clone)]
pub enum Principal {
    /// Everybody, authenticated or not.
    Anyone,
    /// An AWS service, such as `lambda.amazonaws.com`.
    Service(String),
    /// A role, user or account.
    Aws(Value<AnyArn>),
}

/// One statement of a resource policy.
#[derive(Debug, Clone)]
#[must_use]
pub struct Statement {
    object: Object,
    conditions: Vec<(Operator, String, Node)>,
}

impl Statement {
    /// A statement about some actions on some resources; the resources of a resource policy are parts of its own resource.
    #[track_caller]
    pub fn new<A: Action>(
        effect: Effect,
        principal: &Principal,
        actions: impl IntoIterator<Item = A>,
        resources: impl Into<Value<Vec<String>>>,
    ) -> Self {
        let actions = actions.into_iter().map(|action| Node::from(action.qualified()));
        Self::of(effect, principal, Node::List(actions.collect()), resources.into())
    }

    /// A denial of every action of a service, those that AWS has not made yet included: `s3:*`.
    ///
    /// Only a denial can be whole: what it leaves out would stay allowed, while what a permission leaves out is asked for.
    #[track_caller]
    pub fn deny_all<A: Action>(principal: &Principal, resources: impl Into<Value<Vec<String>>>) -> Self {
        let actions = Node::from(format!("{}:*", A::SERVICE));
        Self::of(Effect::Deny, principal, actions, resources.into())
    }

    #[track_caller]
    fn of(effect: Effect, principal: &Principal, actions: Node, resources: Value<Vec<String>>) -> Self {
        let effect = match effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let principal = match principal {
            Principal::Anyone => Node::from("*"),
            Principal::Service(name) => Object::new().with("Service", name.clone()).into(),
            Principal::Aws(arn) => Object::new().with("AWS", arn.node().clone()).into(),
        };
        let object = Object::new()
            .with("Effect", effect)
            .with("Principal", principal)
            .with("Action", actions)
            .with("Resource", resources.into_node());
        Self {
            object,
            conditions: Vec::new(),
        }
    }

    /// Only where the condition key has such a value.
    pub fn when(mut self, operator: Operator, key: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        self.conditions.push((operator, key.into(), value.into().into_node()));
        self
    }

    /// Only where the condition key has one of these values.
    pub fn when_any(
        mut self,
        operator: Operator,
        key: impl Into<String>,
        values: impl Into<Value<Vec<String>>>,
    ) -> Self {
        self.conditions.push((operator, key.into(), values.into().into_node()));
        self
    }
}

impl PolicyDocument {
    /// A document without statements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement.
    #[track_caller]
    pub fn with(mut self, statement: Statement) -> Self {
        let mut object = statement.object;
        if !statement.conditions.is_empty() {
            object.set(
                "Condition",
                conditions(&statement.conditions, Location::caller()).into(),
            );
        }
        self.statements.push(object.into());
        self
    }

    /// The document that lets a service assume a role.
    #[track_caller]
    pub(crate) fn trusting(service: &str, restrictions: &[(Operator, String, Node)]) -> Node {
        let mut statement = Object::new()
            .with("Effect", "Allow")
            .with("Principal", Object::new().with("Service", service.to_owned()))
            .with("Action", "sts:AssumeRole");
        if !restrictions.is_empty() {
            statement.set("Condition", conditions(restrictions, Location::caller()).into());
        }
        Object::new()
            .with("Version", VERSION)
            .with("Statement", vec![Node::from(statement)])
            .into()
    }

    /// The union of grants: statements that differ only in their actions or only in their resources become one.
    pub(crate) fn of_grants(grants: &[Grant], at: &'static Location<'static>) -> Node {
        let mut merged: Vec<Grant> = Vec::new();
        for grant in grants {
            let same = merged
                .iter_mut()
                .find(|other| other.resources == grant.resources && other.conditions == grant.conditions);
            match same {
                Some(other) => {
                    other.actions.extend(&grant.actions);
                    other.actions.sort_unstable();
                    other.actions.dedup();
                }
                None => merged.push(grant.clone()),
            }
        }
        let mut statements: Vec<Grant> = Vec::new();
        for grant in merged {
            let same = statements
                .iter_mut()
                .find(|other| other.actions == grant.actions && other.conditions == grant.conditions);
            match same {
                Some(other) => other.resources.extend(grant.resources),
                None => statements.push(grant),
            }
        }
        let statements: Vec<Node> = statements.iter().map(statement_of).collect();
        let mut document = Object::new();
        document.set_from("Version", VERSION.into(), at);
        document.set_from("Statement", statements.into(), at);
        document.into()
    }
}

/// The statement of a grant, on behalf of the line that made the grant.
fn statement_of(grant: &Grant) -> Node {
    let actions: Vec<Node> = grant.actions.iter().map(|action| Node::from(*action)).collect();
    let mut object = Object::new();
    object.set_from("Effect", "Allow".into(), grant.at);
    object.set_from("Action", one_or_many(actions), grant.at);
    object.set_from("Resource", one_or_many(grant.resources.clone()), grant.at);
    if !grant.conditions.is_empty() {
        object.set_from("Condition", conditions(&grant.conditions, grant.at).into(), grant.at);
    }
    object.into()
}

/// IAM takes one value for a list of one, and people read it more easily.
fn one_or_many(mut nodes: Vec<Node>) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            Node::List(nodes)
        }
        None => Node::List(nodes),
    }
}

/// Conditions by operator and key.
fn conditions(conditions: &[(Operator, String, Node)], at: &'static Location<'static>) -> Object {
    let mut object = Object::new();
    for (operator, key, value) in conditions {
        let mut keys = match object.remove(operator.name()) {
            Some(Node::Object(keys)) => keys,
            _ => Object::new(),
        };
        keys.set_from(key.clone(), value.clone(), at);
        object.set_from(operator.name(), keys.into(), at);
    }
    object
}

impl From<PolicyDocument> for Value<Json> {
    #[track_caller]
    fn from(document: PolicyDocument) -> Self {
        Self::from_node(
            Object::new()
                .with("Version", VERSION)
                .with("Statement", document.statements)
                .into(),
        )
    }
}

impl From<Vec<Grant>> for PolicyDocument {
    fn from(grants: Vec<Grant>) -> Self {
        Self {
            statements: grants.iter().map(statement_of).collect(),
        }
    }
}
