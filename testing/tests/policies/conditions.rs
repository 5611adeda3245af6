//! A condition on a tag is met only by a tag that a template writes itself, in the property that the type has for tags.
//!
//! What CloudFormation makes of a stack's tags differs from type to type: a user pool has only those of `UserPoolTags`
//! (<https://github.com/aws/aws-cdk/issues/14127>), so a role that may make one only with a tag made none. The oracle is the
//! registry: which types call an action, and which property carries their tags.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testing::emission::{self, Emission, Resource};

use crate::statements;

/// Types that take no tags and count as tagged all the same: the type whose tags they have, and who says so.
const PROPAGATED: [(&str, &str, &str); 8] = [
    ("AWS::ApiGateway::Authorizer", "AWS::ApiGateway::RestApi", OF_THE_API),
    ("AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", OF_THE_API),
    (
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::RestApi",
        OF_THE_API,
    ),
    ("AWS::ApiGateway::Method", "AWS::ApiGateway::RestApi", OF_THE_API),
    ("AWS::ApiGateway::Model", "AWS::ApiGateway::RestApi", OF_THE_API),
    (
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::RestApi",
        OF_THE_API,
    ),
    ("AWS::ApiGateway::Resource", "AWS::ApiGateway::RestApi", OF_THE_API),
    (
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPool",
        "a client's actions name its pool as their resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html",
    ),
];
const OF_THE_API: &str = "what lies under a REST API inherits its tags: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html";

/// Types that a condition keeps out on purpose: no statement with a tag is there for them.
const KEPT_OUT: [(&str, &str); 1] = [(
    "AWS::ApiGateway::Account",
    "the account's own settings, which only the shared stack has and no tagged statement is for",
)];

/// What the registry says of a type.
struct Facts(Value);

impl Facts {
    fn of(kind: &str) -> Option<Self> {
        let mut parts = kind.split("::").skip(1);
        let (service, name) = (parts.next()?, parts.next()?);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../synth/aws/spec");
        let text = fs::read_to_string(folder.join(format!("{}.json", service.to_lowercase()))).ok()?;
        let mut facts: Value = serde_json::from_str(&text).ok()?;
        Some(Self(facts["resources"][name].take())).filter(|facts| facts.0.is_object())
    }

    fn calls(&self, action: &str) -> bool {
        self.0["permissions"].get(action).is_some()
    }

    /// The property that carries the tags.
    fn tags(&self) -> Option<&str> {
        match &self.0["tagging"] {
            Value::Null => self.0["properties"].get("Tags").map(|_| "Tags"),
            tagging => tagging["property"].as_str(),
        }
    }
}

/// Whether the template writes the tag in the property.
fn writes(resource: Resource<'_>, property: &str, key: &str, values: &[String]) -> bool {
    let value = match &resource.properties[property] {
        Value::Array(tags) => tags.iter().find(|tag| tag["Key"] == key).map(|tag| &tag["Value"]),
        tags => tags.get(key),
    };
    value.is_some_and(|value| values.contains(&emission::shown(value)))
}

/// What was found of the conditions on tags.
#[derive(Default)]
struct Findings {
    statements: usize,
    looked_at: usize,
    used: BTreeSet<&'static str>,
    unmet: BTreeSet<String>,
}

fn judge(emissions: &[Emission]) -> Findings {
    let mut facts: BTreeMap<&str, Option<Facts>> = BTreeMap::new();
    for resource in emissions.iter().flat_map(Emission::resources) {
        facts.entry(resource.kind).or_insert_with(|| Facts::of(resource.kind));
    }
    let facts = |kind: &str| facts.get(kind).and_then(Option::as_ref);
    let mut findings = Findings::default();
    for statement in statements(emissions) {
        for (_, condition, values) in statement.conditions() {
            let tag = ["aws:RequestTag/", "aws:ResourceTag/"];
            let Some(key) = tag.iter().find_map(|tag| condition.strip_prefix(tag)) else {
                continue;
            };
            findings.statements += 1;
            let owner = &statement.emission.owner;
            // A role of the shared stacks is for every environment.
            let scope = emissions
                .iter()
                .filter(|other| owner == "shared" || other.owner == *owner);
            let actions = statement.list("Action");
            let before = findings.looked_at;
            for (emission, resource) in scope.flat_map(|of| of.resources().map(move |resource| (of, resource))) {
                let Some(known) = facts(resource.kind).filter(|known| actions.iter().any(|action| known.calls(action)))
                else {
                    continue;
                };
                findings.looked_at += 1;
                let tagged = |resource: Resource<'_>| {
                    let property = facts(resource.kind).and_then(Facts::tags);
                    property.is_some_and(|property| writes(resource, property, key, &values))
                };
                let propagated = PROPAGATED.iter().find(|(kind, ..)| *kind == resource.kind);
                let kept_out = KEPT_OUT.iter().find(|(kind, _)| *kind == resource.kind);
                let met = match (known.tags(), propagated, kept_out) {
                    (None, Some((kind, parent, _)), _) => {
                        findings.used.insert(kind);
                        let mut parents = emission.resources().filter(|other| other.kind == *parent).peekable();
                        parents.peek().is_some() && parents.all(tagged)
                    }
                    (None, None, Some((kind, _))) => {
                        findings.used.insert(kind);
                        true
                    }
                    _ => tagged(resource),
                };
                if !met {
                    let place = format!("{} {}", statement.emission.stack.name, statement.id);
                    let (id, kind) = (resource.id, resource.kind);
                    findings.unmet.insert(format!(
                        "{place}: {condition} is {values:?}, but {id} ({kind}) has no such tag"
                    ));
                }
            }
            if findings.looked_at == before {
                let place = statement.place();
                findings
                    .unmet
                    .insert(format!("{place}: {condition} is for no resource of any template"));
            }
        }
    }
    findings
}

#[test]
fn every_condition_on_a_tag_is_met_by_a_tag_that_the_template_writes_on_the_resource() {
    let findings = judge(&emission::everything());
    println!(
        "looked at {} conditions on tags and {} resources that they are for",
        findings.statements, findings.looked_at
    );
    assert!(findings.statements > 10 && findings.looked_at > 50);
    assert!(findings.unmet.is_empty(), "{:#?}", findings.unmet);
    let rows = PROPAGATED
        .iter()
        .map(|(kind, ..)| *kind)
        .chain(KEPT_OUT.iter().map(|(kind, _)| *kind));
    let unused: Vec<&str> = rows.filter(|kind| !findings.used.contains(kind)).collect();
    assert!(
        unused.is_empty(),
        "nothing needs these rows any more, remove them: {unused:?}"
    );
}

/// As it was: the stack is tagged, and the pool is not.
#[test]
fn a_user_pool_whose_tags_are_only_its_stacks_is_found() {
    let mut emissions = emission::everything();
    let mut pools = 0;
    for emission in &mut emissions {
        for (_, resource) in emission.template["Resources"].as_object_mut().into_iter().flatten() {
            if resource["Type"] == "AWS::Cognito::UserPool" {
                pools += 1;
                resource["Properties"]["UserPoolTags"] = json!({});
            }
        }
    }
    let unmet = judge(&emissions).unmet;
    let told = unmet
        .iter()
        .filter(|fault| fault.contains("(AWS::Cognito::UserPool) has no such tag"));
    assert!(pools > 0 && told.count() >= pools, "{pools} pools: {unmet:#?}");
}

/// Every resource whose type takes tags says whose it is, so that a teardown and a bill find it.
#[test]
fn every_resource_that_takes_tags_has_those_of_its_stack() {
    let (mut tagged, mut untagged) = (0, BTreeSet::new());
    for emission in emission::everything() {
        for resource in emission.resources() {
            let Some(facts) = Facts::of(resource.kind) else {
                continue;
            };
            let Some(property) = facts.tags() else { continue };
            for (key, value) in &emission.stack.tags {
                tagged += 1;
                if !writes(resource, property, key, std::slice::from_ref(value)) {
                    untagged.insert(format!(
                        "{} {} ({}): {key}",
                        emission.stack.name, resource.id, resource.kind
                    ));
                }
            }
        }
    }
    println!("looked at {tagged} tags");
    assert!(tagged > 100 && untagged.is_empty(), "{untagged:#?}");
}
