//! [`Grant`]: actions on resources, as a value.

use std::panic::Location;

use synth_aws::{Action, Intrinsic, Node, Part, Resource, ResourceFacts, Value, pseudo};

use crate::fault::Fault;
use crate::render;

/// Leave to do some actions on some resources.
///
/// ```
/// use synth::actions::Sqs;
/// use synth::iam::Grant;
/// use synth::Value;
///
/// let queue: Value<synth::AnyArn> = Value::from("arn:aws:sqs:eu-west-1:123456789012:builds").trusted();
/// let send = Grant::on([Sqs::SendMessage], queue);
/// # let _ = send;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Grant {
    pub(crate) actions: Vec<&'static str>,
    pub(crate) resources: Vec<Node>,
    pub(crate) conditions: Vec<(Operator, String, Node)>,
    /// Why the resources are named by a pattern, where they are.
    pub(crate) wildcard_reason: Option<String>,
    pub(crate) at: &'static Location<'static>,
}

/// The condition operators in use, see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal text.
    StringEquals,
    /// Text that matches a pattern with `*` and `?`.
    StringLike,
    /// An equal ARN, with `*` and `?`.
    ArnLike,
    /// Equal booleans.
    Bool,
    /// An address within a range.
    IpAddress,
    /// An address outside of every range.
    NotIpAddress,
    /// Every value of the request's key is one of these.
    ForAllValuesStringEquals,
}

impl Operator {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StringEquals => "StringEquals",
            Self::StringLike => "StringLike",
            Self::ArnLike => "ArnLike",
            Self::Bool => "Bool",
            Self::IpAddress => "IpAddress",
            Self::NotIpAddress => "NotIpAddress",
            Self::ForAllValuesStringEquals => "ForAllValues:StringEquals",
        }
    }
}

impl Grant {
    /// Actions on exactly one resource. A pattern in its ARN is a fault of synthesis: see [`Grant::on_matching`].
    #[track_caller]
    pub fn on<A: Action>(actions: impl IntoIterator<Item = A>, resource: impl Into<Value<synth_aws::AnyArn>>) -> Self {
        Self::new(actions, resource.into().into_node(), None)
    }

    /// Actions on every resource whose ARN matches a pattern, with the reason why they cannot be named one by one.
    #[track_caller]
    pub fn on_matching<A: Action>(
        actions: impl IntoIterator<Item = A>,
        pattern: impl Into<Value<String>>,
        reason: impl Into<String>,
    ) -> Self {
        Self::new(actions, pattern.into().into_node(), Some(reason.into()))
    }

    /// Actions that IAM cannot bind to a resource, with the reason.
    #[track_caller]
    pub fn on_any_resource<A: Action>(actions: impl IntoIterator<Item = A>, reason: impl Into<String>) -> Self {
        Self::new(actions, Node::from("*"), Some(reason.into()))
    }

    /// Leave to do nothing yet with what matches a pattern: what the actions of a
    /// [`ServiceRole`](crate::cloudformation::ServiceRole) are bound to.
    #[track_caller]
    pub fn reaching(pattern: impl Into<Value<String>>, reason: impl Into<String>) -> Self {
        Self {
            actions: Vec::new(),
            resources: vec![pattern.into().into_node()],
            conditions: Vec::new(),
            wildcard_reason: Some(reason.into()),
            at: Location::caller(),
        }
    }

    /// As [`reaching`](Self::reaching), the resources of a type whose name matches one of these patterns: its ARN, by AWS's own facts.
    ///
    /// A type without an ARN is a fault of synthesis.
    #[track_caller]
    pub fn named<R: Resource>(names: impl IntoIterator<Item = impl Into<String>>, reason: impl Into<String>) -> Self {
        let resources = names.into_iter().map(|name| arn_named(R::FACTS, &name.into()));
        Self {
            actions: Vec::new(),
            resources: resources.collect(),
            conditions: Vec::new(),
            wildcard_reason: Some(reason.into()),
            at: Location::caller(),
        }
    }

    /// On behalf of another line.
    pub(crate) const fn at(mut self, at: &'static Location<'static>) -> Self {
        self.at = at;
        self
    }

    /// Whether both reach the same, for the same reason and under the same conditions.
    pub(crate) fn reaches_as(&self, other: &Self) -> bool {
        self.resources == other.resources
            && self.conditions == other.conditions
            && self.wildcard_reason == other.wildcard_reason
    }

    #[track_caller]
    fn new<A: Action>(actions: impl IntoIterator<Item = A>, resource: Node, wildcard_reason: Option<String>) -> Self {
        let mut actions: Vec<&'static str> = actions.into_iter().map(Action::qualified).collect();
        actions.sort_unstable();
        actions.dedup();
        Self {
            actions,
            resources: vec![resource],
            conditions: Vec::new(),
            wildcard_reason,
            at: Location::caller(),
        }
    }

    /// The same actions on one more resource.
    pub fn and_on(mut self, resource: impl Into<Value<synth_aws::AnyArn>>) -> Self {
        self.resources.push(resource.into().into_node());
        self
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

    /// What is wrong with the grant by itself, whose resources are named.
    pub(crate) fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.actions.is_empty() {
            faults.push(
                Fault::new("the grant has no action, allowed are 1 or more")
                    .at(self.at)
                    .help("name the actions, or leave the grant out"),
            );
        }
        let pattern = self.resources.iter().find(|resource| has_wildcard(resource));
        match (&self.wildcard_reason, pattern) {
            (None, Some(pattern)) => faults.push(
                Fault::new(format!(
                    "the grant of {} names its resources by the pattern {:?} and gives no reason",
                    self.actions.join(", "),
                    render::shown_node(pattern)
                ))
                .at(self.at)
                .help("name the resource, or use `Grant::on_matching` and say why it cannot be named"),
            ),
            (Some(reason), _) if reason.trim().is_empty() => faults.push(
                Fault::new(format!(
                    "the grant of {} names its resources by a pattern and its reason is empty",
                    self.actions.join(", ")
                ))
                .at(self.at)
                .help("say why the resources cannot be named one by one"),
            ),
            _ => {}
        }
        faults
    }
}

/// The ARN of a type with its variables filled in: those of the account by pseudo parameters, everything from the first other on by
/// the name.
fn arn_named(facts: &ResourceFacts, name: &str) -> Node {
    let Some(mut rest) = facts.arn else {
        return Node::Invalid(format!("{} has no ARN that is known", facts.type_name));
    };
    let mut parts = Vec::new();
    while let Some((literal, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}').unwrap_or((after, ""));
        let value = match variable {
            "Partition" => pseudo::partition(),
            "Region" => pseudo::region(),
            "Account" => pseudo::account_id(),
            _ => {
                parts.push(Part::Literal(format!("{literal}{name}").into()));
                return Intrinsic::Sub(parts).into();
            }
        };
        parts.push(Part::Literal(literal.to_owned().into()));
        parts.push(Part::Value(value.into_node()));
        rest = after;
    }
    parts.push(Part::Literal(rest.to_owned().into()));
    Intrinsic::Sub(parts).into()
}

/// Whether an ARN holds `*` or `?` in its literal text.
pub(crate) fn has_wildcard(node: &Node) -> bool {
    let wild = |text: &str| text.contains(['*', '?']);
    match node {
        Node::Text(text) => wild(text),
        Node::List(items) => items.iter().any(has_wildcard),
        Node::Intrinsic(intrinsic) => match &**intrinsic {
            Intrinsic::Sub(parts) => parts.iter().any(|part| match part {
                Part::Literal(text) => wild(text),
                Part::Value(node) => has_wildcard(node),
            }),
            other => other.operands().into_iter().any(has_wildcard),
        },
        _ => false,
    }
}
