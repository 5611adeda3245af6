//! CloudFormation does what the stack's role may do, and nothing else.
//!
//! What a handler calls is the registry's, which condition keys a service fills is the Service Authorization Reference's, and what
//! policies come to is decided by MiniStack's evaluation of them.

use serde_json::{Value, json};

use crate::account::{Account, refused, template};

const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";
const STACK: &str = "acted";

fn allow(actions: &Value, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// Creates the stack with a role that has these statements.
fn created(account: &Account, name: &str, statements: &Value, template: &Value) -> Result<(), String> {
    let role = account.role(name, CLOUDFORMATION, statements, &[]);
    let more = [
        ("RoleARN", role.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    account
        .call("CreateStack", name, template, &more)
        .expect("it is asked for");
    let stack = account.settled(name);
    if stack.status == "CREATE_COMPLETE" {
        return Ok(());
    }
    assert_eq!(stack.status, "ROLLBACK_COMPLETE");
    Err(account.failures(name))
}

#[test]
fn a_resource_that_the_role_may_not_make_fails_in_the_words_of_aws() {
    let Some(account) = Account::start("what a role may not make is not made") else {
        return;
    };
    let queue = template(json!({ "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "jobs" } } }));
    let refusal = created(&account, "without", &json!([allow(&json!("sns:*"), "*")]), &queue).unwrap_err();
    let id = account.cloud.account();
    let expected = format!(
        "User: arn:aws:sts::{id}:assumed-role/without/AWSCloudFormation is not authorized to perform: sqs:CreateQueue on resource: \
         arn:aws:sqs:eu-west-1:{id}:jobs because no identity-based policy allows the sqs:CreateQueue action"
    );
    assert!(refusal.contains(&expected), "{refusal}");
    assert!(refusal.contains("HandlerErrorCode: AccessDenied"), "{refusal}");
    let of_others = format!("arn:aws:sqs:eu-west-1:{id}:others-*");
    let elsewhere = created(
        &account,
        "elsewhere",
        &json!([allow(&json!("sqs:*"), &of_others)]),
        &queue,
    );
    assert!(elsewhere.unwrap_err().contains("sqs:CreateQueue"));
    let of_its_own = format!("arn:aws:sqs:eu-west-1:{id}:jobs");
    created(&account, "own", &json!([allow(&json!("sqs:*"), &of_its_own)]), &queue).unwrap();
    let denied =
        json!([allow(&json!("sqs:*"), "*"), { "Effect": "Deny", "Action": "sqs:CreateQueue", "Resource": "*" }]);
    let denied = created(&account, "denied", &denied, &queue).unwrap_err();
    assert!(
        denied.contains("with an explicit deny in an identity-based policy"),
        "{denied}"
    );
}

#[test]
fn a_deletion_that_the_role_may_not_make_stays_failed_until_it_may() {
    let Some(account) = Account::start("what a role may not delete stays") else {
        return;
    };
    let topic = template(json!({ "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "t" } } }));
    let all = allow(&json!("sns:*"), "*");
    let kept = json!([all, { "Effect": "Deny", "Action": "sns:DeleteTopic", "Resource": "*" }]);
    created(&account, STACK, &kept, &topic).unwrap();
    assert_eq!(account.delete(STACK).status, "DELETE_FAILED");
    assert!(
        account
            .reason(STACK, "Topic", "DELETE_FAILED")
            .contains("sns:DeleteTopic")
    );
    account.allow(STACK, "grants", &json!([all]));
    assert_eq!(account.delete(STACK).status, "DELETE_COMPLETE");
}

#[test]
fn conditions_hold_for_what_the_request_says_and_no_other_key() {
    let Some(account) = Account::start("conditions of a role") else {
        return;
    };
    let id = account.cloud.account();
    let when = |actions: Value, key: &str, value: &str| {
        let mut statement = allow(&actions, "*");
        statement["Condition"] = json!({ "StringEquals": { key: value } });
        statement
    };
    let read = allow(
        &json!([
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListQueueTags",
            "sqs:TagQueue"
        ]),
        "*",
    );
    let queue = |tags: Value| {
        let properties = json!({ "QueueName": "jobs", "Tags": tags });
        template(json!({ "Queue": { "Type": "AWS::SQS::Queue", "Properties": properties } }))
    };
    let tagged = json!([when(json!("sqs:CreateQueue"), "aws:RequestTag/team", "a"), read]);
    created(
        &account,
        "tagged",
        &tagged,
        &queue(json!([{ "Key": "team", "Value": "a" }])),
    )
    .unwrap();
    let other = created(
        &account,
        "other",
        &tagged,
        &queue(json!([{ "Key": "team", "Value": "b" }])),
    );
    assert!(other.unwrap_err().contains("sqs:CreateQueue"));

    let boundary = format!("arn:aws:iam::{id}:policy/boundary");
    let document = json!({ "Version": "2012-10-17", "Statement": [allow(&json!("*"), "*")] }).to_string();
    let made = [("PolicyName", "boundary"), ("PolicyDocument", document.as_str())];
    account.client.query("iam", "CreatePolicy", &made).unwrap();
    let roles = json!([
        when(
            json!(["iam:CreateRole", "iam:PutRolePolicy"]),
            "iam:PermissionsBoundary",
            &boundary
        ),
        when(
            json!("iam:AttachRolePolicy"),
            "iam:PolicyARN",
            "arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        allow(
            &json!([
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListRolePolicies",
                "iam:ListAttachedRolePolicies"
            ]),
            "*"
        ),
    ]);
    let role = |name: &str, properties: Value| {
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
        let mut all = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
        all.as_object_mut()
            .unwrap()
            .extend(properties.as_object().unwrap().clone());
        template(json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": all } }))
    };
    let read_only = json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    let bounded = json!({ "PermissionsBoundary": boundary, "ManagedPolicyArns": read_only });
    created(&account, "bounded", &roles, &role("one", bounded)).unwrap();
    let free = created(&account, "free", &roles, &role("two", json!({}))).unwrap_err();
    assert!(free.contains("iam:CreateRole"), "{free}");
    let admin = json!({ "PermissionsBoundary": boundary, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"] });
    let admin = created(&account, "admin", &roles, &role("three", admin)).unwrap_err();
    assert!(admin.contains("iam:AttachRolePolicy"), "{admin}");
}

#[test]
fn a_role_is_passed_only_to_the_service_that_it_may_be_passed_to() {
    let Some(account) = Account::start("roles that are passed") else {
        return;
    };
    let passed = account.role(
        "runs",
        "lambda.amazonaws.com",
        &json!([allow(&json!("logs:*"), "*")]),
        &[],
    );
    let code = json!({ "ZipFile": "def handler(event, context): return 1" });
    let function = template(json!({ "Function": { "Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": "f", "Runtime": "python3.12", "Handler": "index.handler", "Role": passed, "Code": code } } }));
    let to = |service: &str| {
        let mut pass = allow(&json!("iam:PassRole"), &passed);
        pass["Condition"] = json!({ "StringEquals": { "iam:PassedToService": service } });
        json!([allow(&json!("lambda:*"), "*"), pass])
    };
    let elsewhere = created(&account, "elsewhere", &to("states.amazonaws.com"), &function).unwrap_err();
    assert!(
        elsewhere.contains("iam:PassRole") && elsewhere.contains(&passed),
        "{elsewhere}"
    );
    created(&account, "here", &to("lambda.amazonaws.com"), &function).unwrap();
}

#[test]
fn a_boundary_takes_away_what_the_policies_of_a_role_allow() {
    let Some(account) = Account::start("the boundary of a role") else {
        return;
    };
    let document = json!({ "Version": "2012-10-17", "Statement": [allow(&json!("sqs:*"), "*")] }).to_string();
    let made = [("PolicyName", "queues"), ("PolicyDocument", document.as_str())];
    account.client.query("iam", "CreatePolicy", &made).unwrap();
    let boundary = format!("arn:aws:iam::{}:policy/queues", account.cloud.account());
    let bounded = [("PermissionsBoundary", boundary.as_str())];
    let role = account.role("bounded", CLOUDFORMATION, &json!([allow(&json!("*"), "*")]), &bounded);
    let both = template(json!({
        "Queue": { "Type": "AWS::SQS::Queue" },
        "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": "Queue" } }));
    account
        .call("CreateStack", STACK, &both, &[("RoleARN", role.as_str())])
        .unwrap();
    assert_eq!(account.settled(STACK).status, "ROLLBACK_COMPLETE");
    assert!(
        account
            .reason(STACK, "Topic", "CREATE_FAILED")
            .contains("sns:CreateTopic")
    );
}

#[test]
fn a_role_that_is_not_there_or_not_cloudformations_is_refused_before_anything_begins() {
    let Some(account) = Account::start("roles that cannot be assumed") else {
        return;
    };
    let lambdas = account.role(
        "lambdas",
        "lambda.amazonaws.com",
        &json!([allow(&json!("*"), "*")]),
        &[],
    );
    let missing = lambdas.replace("lambdas", "nobody");
    let topic = template(json!({ "Topic": { "Type": "AWS::SNS::Topic" } }));
    for role in [lambdas, missing] {
        for operation in ["CreateStack", "CreateChangeSet"] {
            let set = [
                ("RoleARN", role.as_str()),
                ("ChangeSetName", "c"),
                ("ChangeSetType", "CREATE"),
            ];
            let more = if operation == "CreateStack" {
                &set[..1]
            } else {
                &set[..]
            };
            let words = refused(account.call(operation, STACK, &topic, more));
            assert_eq!(
                words,
                (
                    "ValidationError".to_owned(),
                    format!("Role {role} is invalid or cannot be assumed")
                )
            );
        }
    }
}
