//! Every policy of every emitted template: who may do what, and nothing more than that.
//!
//! `cargo test -p testing --test policies -- --nocapture` prints every pattern of resources with its reason.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot read what it judges has failed"
)]

mod artifact_store;
mod authorization;
mod conditions;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use testing::emission::{self, Emission, shown};

/// Patterns that no grant of a role explains: those of resource policies and of boundaries. `{environment}` is the owner's name.
const EXPLAINED: [(&str, &str, &str); 6] = [
    (
        "ArtifactsPolicy",
        "${Artifacts.Arn}/*",
        "a denial of what does not come over TLS, for every object",
    ),
    (
        BOUNDARY,
        "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/thebestest-{environment}-*",
        OWN,
    ),
    (
        BOUNDARY,
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:thebestest-{environment}-*",
        OWN,
    ),
    (
        BOUNDARY,
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/thebestest-{environment}-*",
        OWN,
    ),
    (
        BOUNDARY,
        "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/*/*",
        UNNAMED,
    ),
    (BOUNDARY, "*", "tracing: X-Ray has no resources to name"),
];
/// The account in which the templates are taken to be deployed.
const ACCOUNT: &str = "123456789012";
const BOUNDARY: &str = "Boundary";
const OWN: &str = "the environment's own resources, which its template names with the environment's prefix";
const UNNAMED: &str = "API Gateway makes up the ids of REST APIs";

/// One statement, where it stands.
struct Statement<'a> {
    emission: &'a Emission,
    /// The resource that has it, by logical id.
    id: &'a str,
    kind: &'a str,
    statement: &'a Map<String, Value>,
}

impl Statement<'_> {
    fn place(&self) -> String {
        format!("{} {}: {}", self.emission.stack.name, self.id, json!(self.statement))
    }

    fn allows(&self) -> bool {
        self.statement["Effect"] == "Allow"
    }

    /// The values of an element as they are once the stack is deployed; none without the element.
    fn resolved(&self, emissions: &[Emission], element: &str) -> Vec<String> {
        let text = |value| testing::aws::resolved(emissions, self.emission, ACCOUNT, value);
        match self.statement.get(element) {
            Some(Value::Array(items)) => items.iter().map(text).collect(),
            Some(one) => vec![text(one)],
            None => Vec::new(),
        }
    }

    /// Operator, key and values of every condition.
    fn conditions(&self) -> Vec<(&str, &str, Vec<String>)> {
        let operators = self.statement.get("Condition").and_then(Value::as_object);
        let conditions = operators.into_iter().flatten().flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| {
                let values = match values {
                    Value::Array(values) => values.iter().map(shown).collect(),
                    one => vec![shown(one)],
                };
                (operator.as_str(), key.as_str(), values)
            })
        });
        conditions.collect()
    }

    fn list(&self, key: &str) -> Vec<String> {
        match self.statement.get(key) {
            Some(Value::Array(items)) => items.iter().map(shown).collect(),
            Some(one) => vec![shown(one)],
            None => Vec::new(),
        }
    }

    fn is_of_identity(&self) -> bool {
        matches!(
            self.kind,
            "AWS::IAM::Role" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy"
        ) && !self.is_trust()
    }

    /// Whether it says who may assume a role.
    fn is_trust(&self) -> bool {
        self.kind == "AWS::IAM::Role" && self.statement.contains_key("Principal")
    }
}

/// Every statement of every policy document, wherever in a resource's properties it stands.
fn statements(emissions: &[Emission]) -> Vec<Statement<'_>> {
    fn within<'a>(value: &'a Value, found: &mut Vec<&'a Map<String, Value>>) {
        match value {
            Value::Object(object) => {
                if let Some(statements) = object.get("Statement") {
                    let statements = statements.as_array().expect("a policy's statements are a list");
                    found.extend(statements.iter().map(|statement| statement.as_object().unwrap()));
                }
                object.values().for_each(|value| within(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| within(value, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for emission in emissions {
        for resource in emission.resources() {
            let mut found = Vec::new();
            within(resource.properties, &mut found);
            all.extend(found.into_iter().map(|statement| Statement {
                emission,
                id: resource.id,
                kind: resource.kind,
                statement,
            }));
        }
    }
    assert!(all.len() > 50, "only {} statements were found", all.len());
    all
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[test]
fn every_allowed_action_is_named_and_nothing_is_said_by_exclusion() {
    for statement in statements(&emission::everything()) {
        let place = statement.place();
        for excluding in ["NotAction", "NotResource", "NotPrincipal"] {
            assert!(!statement.statement.contains_key(excluding), "{place}");
        }
        let actions = statement.list("Action");
        assert!(!actions.is_empty(), "{place}");
        for action in actions {
            let whole = !statement.allows() && action.ends_with(":*") && action.matches('*').count() == 1;
            assert!(whole || !is_pattern(&action), "{action} in {place}");
            assert!(action.contains(':'), "{action} in {place}");
        }
        assert!(
            statement.is_trust() || !statement.list("Resource").is_empty(),
            "{place}"
        );
    }
}

#[test]
fn every_pattern_of_resources_has_a_reason() {
    let emissions = emission::everything();
    let mut unexplained = BTreeSet::new();
    let mut shown = BTreeSet::new();
    for statement in statements(&emissions) {
        for resource in statement
            .list("Resource")
            .into_iter()
            .filter(|resource| is_pattern(resource))
        {
            let owner = &statement.emission.owner;
            let general = resource.replace(owner.as_str(), "{environment}");
            let listed = EXPLAINED
                .iter()
                .find(|(id, pattern, _)| *id == statement.id && [&resource, &general].contains(&&(*pattern).to_owned()))
                .map(|(.., reason)| (*reason).to_owned());
            for action in statement.list("Action") {
                let granted = statement.emission.stack.wildcards.iter().find(|wildcard| {
                    wildcard.role == statement.id
                        && wildcard.resources.contains(&resource)
                        && wildcard.actions.iter().any(|granted| *granted == action)
                });
                let reason = listed
                    .clone()
                    .or_else(|| Some(granted?.reason.clone()))
                    .unwrap_or_default();
                if reason.trim().len() < 10 {
                    unexplained.insert(format!(
                        "{} {}: {action} on {resource}",
                        statement.emission.stack.name, statement.id
                    ));
                }
                shown.insert(format!("{} {resource}: {reason}", statement.id));
            }
        }
    }
    assert!(unexplained.is_empty(), "no reason is given for: {unexplained:#?}");
    println!("{shown:#?}");
}

#[test]
fn every_reason_is_for_a_pattern_that_is_emitted() {
    let emissions = emission::everything();
    let all = statements(&emissions);
    for (id, pattern, _) in EXPLAINED {
        let stands = all.iter().any(|statement| {
            let pattern = pattern.replace("{environment}", &statement.emission.owner);
            statement.id == id && statement.list("Resource").contains(&pattern)
        });
        assert!(stands, "{id} has no {pattern} any more, remove the row");
    }
}

#[test]
fn every_role_is_assumed_by_one_service() {
    let mut roles = 0;
    for statement in statements(&emission::everything())
        .iter()
        .filter(|statement| statement.is_trust())
    {
        roles += 1;
        let service = statement.statement["Principal"]["Service"].as_str();
        assert!(
            service.is_some_and(|service| service.ends_with(".amazonaws.com") && !is_pattern(service)),
            "{}",
            statement.place()
        );
        assert_eq!(statement.list("Action"), ["sts:AssumeRole"], "{}", statement.place());
    }
    assert!(roles > 20, "only {roles} roles were found");
}

#[test]
fn nothing_is_open_to_everybody() {
    let (mut with_principals, mut permissions) = (0, 0);
    for statement in statements(&emission::everything()) {
        with_principals += usize::from(statement.statement.contains_key("Principal"));
        let open = json!(statement.statement.get("Principal"))
            .to_string()
            .contains("\"*\"");
        // A webhook API that takes only GitHub's addresses allows everybody and then denies the others.
        let webhook = statement.id == "Webhook" && statement.kind == "AWS::ApiGateway::RestApi";
        assert!(
            !open || !statement.allows() || webhook || statement.statement.contains_key("Condition"),
            "{}",
            statement.place()
        );
    }
    for emission in emission::everything() {
        for permission in emission.resources().filter(|of| of.kind == "AWS::Lambda::Permission") {
            let place = format!("{} {}", emission.stack.name, permission.id);
            assert_ne!(permission.properties["Principal"], "*", "{place}");
            let source = &permission.properties["SourceArn"];
            assert!(!source.is_null(), "{place}: any account's API could call the function");
            permissions += 1;
        }
    }
    println!("{with_principals} statements name principals, and {permissions} permissions of functions");
    assert!(with_principals > 10 && permissions > 3);
}

#[test]
fn an_api_that_takes_only_some_addresses_denies_the_others() {
    let text = format!(
        "{}\nwebhook:\n  allowed_ranges: [192.30.252.0/22]\n",
        emission::CONFIGURATION
    );
    let project = stacks::Project::from_yaml(&text).expect("the configuration is valid");
    let emissions = emission::emit(&project, &[]);
    let all = statements(&emissions);
    let policy: Vec<&Statement<'_>> = all.iter().filter(|statement| statement.id == "Webhook").collect();
    let [allow, deny] = policy.as_slice() else {
        panic!("{} statements", policy.len())
    };
    assert!(allow.allows() && !deny.allows());
    assert_eq!(
        deny.statement["Condition"],
        json!({ "NotIpAddress": { "aws:SourceIp": ["192.30.252.0/22"] } })
    );
}

#[test]
fn every_role_of_an_application_is_bounded_by_its_environment() {
    let mut applications = 0;
    for emission in emission::everything() {
        let environment = &emission.owner;
        if emission.stack.name != format!("thebestest-{environment}-app") {
            continue;
        }
        let boundary =
            format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/thebestest-{environment}-boundary");
        let roles: Vec<_> = emission
            .resources()
            .filter(|resource| resource.kind == "AWS::IAM::Role")
            .collect();
        assert!(!roles.is_empty());
        for role in roles {
            assert_eq!(
                shown(&role.properties["PermissionsBoundary"]),
                boundary,
                "{environment} {}",
                role.id
            );
        }
        let all = emission::everything();
        let exists = all
            .iter()
            .filter(|other| other.owner == *environment)
            .flat_map(Emission::resources)
            .any(|resource| resource.properties["ManagedPolicyName"] == *format!("thebestest-{environment}-boundary"));
        assert!(exists, "{environment} declares its boundary");
        applications += 1;
    }
    assert!(applications >= 2, "a pull request's and `stage`'s: {applications}");
}

#[test]
fn the_application_role_makes_roles_only_with_the_boundary() {
    const RAISING: [&str; 6] = [
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
        "iam:UpdateAssumeRolePolicy",
    ];
    let mut bounded = 0;
    for statement in statements(&emission::everything()) {
        if statement.id != "CloudFormationRole" || !statement.is_of_identity() {
            continue;
        }
        let actions = statement.list("Action");
        if actions.iter().any(|action| RAISING.contains(&action.as_str())) {
            let condition = &statement.statement["Condition"];
            assert_eq!(
                *condition,
                json!({ "StringEquals": { "iam:PermissionsBoundary": { "Ref": "Boundary" } } }),
                "{}",
                statement.place()
            );
            bounded += 1;
        }
        for action in actions {
            assert!(
                ![
                    "iam:CreatePolicyVersion",
                    "iam:SetDefaultPolicyVersion",
                    "iam:DeletePolicy"
                ]
                .contains(&action.as_str()),
                "the boundary itself is out of reach: {}",
                statement.place()
            );
        }
    }
    assert!(bounded >= emission::ENVIRONMENTS.len());
}

#[test]
fn a_role_is_passed_only_to_services_that_are_named() {
    for statement in statements(&emission::everything()) {
        if statement.list("Action").contains(&"iam:PassRole".to_owned()) && statement.kind == "AWS::IAM::Role" {
            let to = &statement.statement["Condition"]["StringEquals"]["iam:PassedToService"];
            assert!(!to.is_null(), "{}", statement.place());
        }
    }
}
