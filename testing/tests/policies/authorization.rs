//! Every action, resource and condition key of every policy against AWS's Service Authorization Reference.
//!
//! A resource that an action does not take, or a key that it does not know, means that a statement never allows (a refusal on the
//! first deployment) or never denies (a hole). No emulator tells either.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testing::authorization::{self, Known, Reference, Taken, meet};
use testing::emission;
use testing::or_skip;

use crate::{ACCOUNT, statements};

/// Keys that AWS fills for every request, see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>. Those of tags are none of them: only the
/// actions that the reference names know them.
const GLOBAL: [&str; 4] = [
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
];

/// Services whose actions take more resources than the package tells, and why.
const ANY_RESOURCE_OF_THE_SERVICE: [(&str, &str); 1] = [(
    "apigateway",
    "the reference has a page for REST APIs and one for HTTP APIs, both with the same five verbs; the package keeps the second's",
)];

/// Faults that are none: the resource that has the statement, the action, what it is about, and why.
const REASONED: [(&str, &str, &str, &str); 8] = [
    ("AccessLogsRole", "logs:CreateLogGroup", "*", ACCOUNT_LOGS),
    ("AccessLogsRole", "logs:CreateLogStream", "*", ACCOUNT_LOGS),
    ("AccessLogsRole", "logs:DescribeLogStreams", "*", ACCOUNT_LOGS),
    ("AccessLogsRole", "logs:FilterLogEvents", "*", ACCOUNT_LOGS),
    ("AccessLogsRole", "logs:GetLogEvents", "*", ACCOUNT_LOGS),
    ("AccessLogsRole", "logs:PutLogEvents", "*", ACCOUNT_LOGS),
    (
        "CloudFormationRole",
        "s3:UpdateBucketMetadataAnnotationTableConfiguration",
        "",
        "newer than this package; the registry's handlers call it, and the reference in cfn-lint knows it",
    ),
    (
        "CloudFormationRole",
        "sns:Unsubscribe",
        "arn:aws:sns:eu-west-1:123456789012:thebestest-*",
        "the reference in cfn-lint binds it to the topic, this one to nothing; the shared topic declares no subscription, so no handler calls it",
    ),
];
const ACCOUNT_LOGS: &str = "API Gateway has one role an account and region for the logs of all APIs, whoever made them, as in AWS's own \
     AmazonAPIGatewayPushToCloudWatchLogs";

/// One statement as IAM is given it.
struct Asked {
    /// The stack, or the policy.
    policy: String,
    /// The resource that has it.
    id: String,
    actions: Vec<String>,
    /// None where the statement says who may take on a role.
    resources: Vec<String>,
    keys: Vec<String>,
}

/// What is wrong with an action of a statement.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Void {
    policy: String,
    id: String,
    action: String,
    /// The resource or the key.
    about: String,
    why: String,
}

/// Every statement of every template, of the policy of whoever deploys, and of an API that only some addresses reach.
fn asked() -> Vec<Asked> {
    let text = format!(
        "{}\nwebhook:\n  allowed_ranges: [192.30.252.0/22]\n",
        emission::CONFIGURATION
    );
    let restricted = stacks::Project::from_yaml(&text).expect("the configuration is valid");
    let mut all = Vec::new();
    for emissions in [emission::every_stack(), emission::emit(&restricted, &[])] {
        all.extend(statements(&emissions).iter().map(|statement| {
            Asked {
                policy: statement.emission.stack.name.clone(),
                id: statement.id.to_owned(),
                actions: statement.list("Action"),
                resources: statement.resolved(&emissions, "Resource"),
                keys: statement
                    .conditions()
                    .iter()
                    .map(|(_, key, _)| (*key).to_owned())
                    .collect(),
            }
        }));
    }
    let policy = stacks::deployer::policy(&emission::project());
    let own = policy["Statement"].as_array().expect("it has statements");
    all.extend(own.iter().map(|statement| of_document("deployer", statement)));
    all
}

fn of_document(policy: &str, statement: &Value) -> Asked {
    let list = |value: &Value| match value {
        Value::Array(items) => items.iter().map(emission::shown).collect(),
        Value::Null => Vec::new(),
        one => vec![emission::shown(one)],
    };
    let operators = statement["Condition"].as_object().into_iter().flatten();
    Asked {
        policy: policy.to_owned(),
        id: statement["Sid"].as_str().unwrap_or_default().to_owned(),
        actions: list(&statement["Action"]),
        resources: list(&statement["Resource"]),
        keys: operators
            .flat_map(|(_, keys)| keys.as_object().into_iter().flatten())
            .map(|(key, _)| key.clone())
            .collect(),
    }
}

/// Everything that is wrong with a statement.
fn judge(reference: &Reference, asked: &Asked) -> Vec<Void> {
    let void = |action: &str, about: &str, why: &str| Void {
        policy: asked.policy.clone(),
        id: asked.id.clone(),
        action: action.to_owned(),
        about: about.to_owned(),
        why: why.to_owned(),
    };
    let mut found = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for action in &asked.actions {
        let Some(known) = reference.action(action) else {
            found.push(void(action, "", "is no action"));
            continue;
        };
        let resources = takes(reference, action, &known);
        let fits = |resource: &str| resources.iter().any(|one| meet(&in_full(resource), &one.pattern));
        if resources.is_empty() {
            taken.extend(
                asked
                    .resources
                    .iter()
                    .map(String::as_str)
                    .filter(|resource| *resource == "*"),
            );
        } else {
            taken.extend(
                asked
                    .resources
                    .iter()
                    .map(String::as_str)
                    .filter(|resource| fits(resource)),
            );
            if asked.resources.iter().any(|resource| resource == "*") {
                found.push(void(action, "*", "takes resources that could be named"));
            }
        }
        let any = asked.resources.iter().any(|resource| match resources.is_empty() {
            true => resource == "*",
            false => fits(resource),
        });
        if !any && !asked.resources.is_empty() {
            let patterns: Vec<&str> = resources.iter().map(|one| one.pattern.as_str()).collect();
            found.push(void(
                action,
                &asked.resources.join(" "),
                &format!("takes none of these, but {patterns:?}"),
            ));
        }
        let of_types = resources.iter().filter(|one| {
            let mut asked = asked.resources.iter();
            asked.len() == 0 || asked.any(|resource| meet(&in_full(resource), &one.pattern))
        });
        let keys: BTreeSet<&String> = known.keys.iter().chain(of_types.flat_map(|one| &one.keys)).collect();
        for key in &asked.keys {
            if !GLOBAL.contains(&key.as_str()) && !keys.contains(&authorization::general(key)) {
                found.push(void(action, key, "does not know the key"));
            }
        }
    }
    for resource in asked
        .resources
        .iter()
        .filter(|resource| !taken.contains(resource.as_str()))
    {
        found.push(void("", resource, "is taken by no action of the statement"));
    }
    found
}

/// The resource types of an action.
fn takes(reference: &Reference, action: &str, known: &Known) -> Vec<Taken> {
    let service = action.split(':').next().unwrap_or_default();
    match ANY_RESOURCE_OF_THE_SERVICE.iter().any(|(of, _)| *of == service) {
        true => reference.resources(service),
        false => known.resources.clone(),
    }
}

/// The policy of an API may leave out what it is itself, see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html>.
fn in_full(resource: &str) -> String {
    match resource.strip_prefix("execute-api:/") {
        Some(path) => format!("arn:aws:execute-api:eu-west-1:{ACCOUNT}:api/{path}"),
        None => resource.to_owned(),
    }
}

#[test]
fn every_action_takes_its_resources_and_knows_the_keys_of_its_conditions() {
    let Some(reference) = or_skip("no statement is void", authorization::reference()) else {
        return;
    };
    let asked = asked();
    let (mut pairs, mut keys) = (0, 0);
    let mut used = BTreeSet::new();
    let mut found = BTreeSet::new();
    for statement in &asked {
        pairs += statement.actions.len() * statement.resources.len();
        keys += statement.actions.len() * statement.keys.len();
        found.extend(judge(&reference, statement).into_iter().filter(|void| {
            let row = REASONED
                .iter()
                .position(|(id, action, about, _)| (*id, *action, *about) == (&void.id, &void.action, &void.about));
            used.extend(row);
            row.is_none()
        }));
    }
    let actions: BTreeSet<&String> = asked.iter().flat_map(|statement| &statement.actions).collect();
    println!(
        "looked at {} statements, {} actions, {pairs} pairs of an action and a resource, {keys} of an action and a key",
        asked.len(),
        actions.len()
    );
    assert!(asked.len() > 100 && actions.len() > 50 && pairs > 100 && keys > 10);
    assert!(found.is_empty(), "{found:#?}");
    let unused: Vec<_> = (0..REASONED.len())
        .filter(|row| !used.contains(row))
        .map(|row| REASONED[row])
        .collect();
    assert!(
        unused.is_empty(),
        "nothing needs these rows any more, remove them: {unused:?}"
    );
}

#[test]
fn a_statement_that_is_void_is_found_whatever_makes_it_so() {
    let Some(reference) = or_skip("void statements are found", authorization::reference()) else {
        return;
    };
    let bucket = "arn:aws:s3:::artifacts";
    let table = [
        (
            json!({ "Action": "s3:GetObject", "Resource": bucket }),
            "takes none of these",
        ),
        (
            json!({ "Action": "s3:ListBuckets", "Resource": bucket }),
            "is no action",
        ),
        (
            json!({ "Action": "s3:ListAllMyBuckets", "Resource": bucket }),
            "takes none of these",
        ),
        (json!({ "Action": "s3:GetObject", "Resource": "*" }), "could be named"),
        (
            json!({ "Action": ["s3:GetObject"], "Resource": [format!("{bucket}/*"), bucket] }),
            "is taken by no action",
        ),
        (
            json!({ "Action": "logs:DescribeLogGroups", "Resource": "*",
                "Condition": { "StringEquals": { "aws:ResourceTag/team": "a" } } }),
            "does not know the key",
        ),
        (
            json!({ "Action": "s3:GetObject", "Resource": format!("{bucket}/*"),
                "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } } }),
            "does not know the key",
        ),
        (
            json!({ "Action": "cognito-idp:DeleteUserPool", "Resource": "arn:aws:cognito-idp:eu-west-1:1:userpool/*",
                "Condition": { "StringEquals": { "aws:RequestTag/team": "a" } } }),
            "does not know the key",
        ),
    ];
    for (statement, why) in table {
        let found = judge(&reference, &of_document("broken", &statement));
        assert!(
            found.iter().any(|void| void.why.contains(why)),
            "{statement}: {found:?}"
        );
    }
    let sound = json!({ "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [bucket, format!("{bucket}/a/*")] });
    assert_eq!(judge(&reference, &of_document("sound", &sound)), []);
}
