//! IAM's limits of policies, which a deployment would meet only when the role is made.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>: white space does not count.

use synth_aws::{Intrinsic, Node, Object, Part, Target};

use crate::fault::Fault;
use crate::stack::{Body, Stack};

/// Characters of all inline policies of a role together.
const LONGEST_INLINE: usize = 10_240;
/// Characters of a managed policy.
const LONGEST_MANAGED: usize = 6_144;
/// Managed policies of a role, unless the account's quota was raised.
const MOST_MANAGED: usize = 10;

/// Reports roles and policies that IAM would refuse.
pub(super) fn check(stack: &Stack, faults: &mut Vec<Fault>) {
    for element in &stack.elements {
        let Body::Resource(body) = &element.body else { continue };
        let mut report = |property: &str, message: String, help: &str| {
            let at = body
                .properties
                .entry(property)
                .map_or(element.added_at, |entry| entry.set_at);
            let fault = Fault::new(message).path(property).at(at).help(help);
            faults.push(fault.within(&stack.name, &element.logical_id));
        };
        match body.type_name.as_str() {
            "AWS::IAM::Role" => {
                let length = inline(&body.properties);
                if length > LONGEST_INLINE {
                    let message = format!(
                        "the role's inline policies are at least {length} characters long, allowed are {LONGEST_INLINE}"
                    );
                    report("Policies", message, "grant less, or grant a part by a managed policy");
                }
                if let Some(Node::List(policies)) = body.properties.get("ManagedPolicyArns")
                    && policies.len() > MOST_MANAGED
                {
                    let message = format!(
                        "the role has {} managed policies, allowed are {MOST_MANAGED}",
                        policies.len()
                    );
                    report("ManagedPolicyArns", message, "put what they allow into fewer policies");
                }
            }
            "AWS::IAM::ManagedPolicy" => {
                let length = body.properties.get("PolicyDocument").map_or(0, length);
                if length > LONGEST_MANAGED {
                    let message =
                        format!("the policy is at least {length} characters long, allowed are {LONGEST_MANAGED}");
                    report("PolicyDocument", message, "split it into several policies");
                }
            }
            _ => {}
        }
    }
}

/// Characters of a role's inline policies.
fn inline(role: &Object) -> usize {
    let Some(Node::List(policies)) = role.get("Policies") else {
        return 0;
    };
    let documents = policies
        .iter()
        .filter_map(|policy| policy.as_object()?.get("PolicyDocument"));
    documents.map(length).sum()
}

/// Characters of a document in JSON without white space, at least: AWS fills in the values of references, which are told here by the
/// least that they can be.
fn length(node: &Node) -> usize {
    match node {
        Node::Text(text) => text.chars().filter(|character| !character.is_whitespace()).count() + 2,
        Node::Intrinsic(_) => value_length(node) + 2,
        Node::List(items) => enclosed(items.iter().map(length)),
        Node::Object(object) => {
            let entries = object.entries().iter();
            enclosed(entries.map(|entry| entry.key.chars().count() + 3 + length(&entry.value)))
        }
        Node::Null | Node::Bool(true) => 4,
        Node::Bool(false) => 5,
        Node::Integer(number) => number.to_string().len(),
        Node::Unsigned(number) => number.to_string().len(),
        Node::Number(number) => number.to_string().len(),
        Node::Invalid(_) => 0,
    }
}

/// Brackets around, commas between.
fn enclosed(parts: impl Iterator<Item = usize>) -> usize {
    let (count, sum) = parts.fold((0_usize, 0), |(count, sum), part| (count + 1, sum + part));
    sum + count.saturating_sub(1) + 2
}

/// Characters of the text that an intrinsic gives.
fn value_length(node: &Node) -> usize {
    match node {
        Node::Text(text) => text.chars().filter(|character| !character.is_whitespace()).count(),
        Node::Intrinsic(intrinsic) => match &**intrinsic {
            Intrinsic::Ref(Target::Named(name)) => match &**name {
                "AWS::AccountId" => 12,
                // `aws`, and `eu-west-1`: no region has a shorter name.
                "AWS::Partition" => 3,
                "AWS::Region" => 9,
                _ => 1,
            },
            Intrinsic::GetAtt(_, attribute) if attribute.ends_with("Arn") => "arn:aws:s3:::abc".len(),
            Intrinsic::Sub(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.chars().filter(|character| !character.is_whitespace()).count(),
                    Part::Value(node) => value_length(node),
                })
                .sum(),
            _ => 1,
        },
        _ => 0,
    }
}
