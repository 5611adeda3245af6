//! The role of CloudFormation: from types of resources and their properties to grants.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that called it")]

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use synth::actions::{CognitoIdp, Iam, S3};
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{self, Grant, Operator, PolicyDocument, Role};
use synth::{App, Called, ResourceHandler, cognito, dynamodb, lambda, logs, scheduler, sqs};

const TABLES: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/pr-17-*";
const ROLES: &str = "arn:aws:iam::123456789012:role/pr-17-*";

/// Resources of a type with the names of an environment.
fn named(pattern: &'static str) -> Grant {
    Grant::reaching(pattern, "they come and go")
}

/// The statements of a role that applies these.
fn statements(applied: impl IntoIterator<Item = Applied>) -> Vec<Json> {
    let mut app = App::new();
    app.stack("app", "What the tests look at.", |stack| {
        let role = applied.into_iter().fold(ServiceRole::new(), ServiceRole::applies);
        stack.add("Role", role);
    });
    let template = app.synthesize().unwrap().stacks.remove(0).template.to_json().unwrap();
    let mut template: Json = serde_json::from_str(&template).unwrap();
    let statements = &mut template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements.as_array().unwrap().clone()
}

fn faults(applied: Applied) -> Vec<String> {
    let mut app = App::new();
    app.stack("app", "What the tests look at.", |stack| {
        stack.add("Role", ServiceRole::new().applies(applied));
    });
    let faults = app.synthesize().unwrap_err().0;
    faults.into_iter().map(|fault| fault.message).collect()
}

/// The actions of the statements on a resource.
fn actions(statements: &[Json], resource: &str) -> BTreeSet<String> {
    let on = statements.iter().filter(|statement| statement["Resource"] == resource);
    on.flat_map(|statement| match &statement["Action"] {
        Json::Array(many) => many.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    })
    .collect()
}

#[test]
fn a_type_is_applied_with_what_its_handlers_call_on_it_and_no_more() {
    let granted = actions(&statements([Applied::of::<dynamodb::Table>(named(TABLES))]), TABLES);
    for called in [
        "dynamodb:CreateTable",
        "dynamodb:DescribeContributorInsights",
        "dynamodb:DescribeKinesisStreamingDestination",
        "dynamodb:GetResourcePolicy",
        "dynamodb:DeleteTable",
        "dynamodb:TagResource",
    ] {
        assert!(granted.contains(called), "{called}");
    }
    for uncalled in [
        "dynamodb:ListTables",
        "dynamodb:ImportTable",
        "dynamodb:GetItem",
        "dynamodb:DeleteBackup",
    ] {
        assert!(!granted.contains(uncalled), "{uncalled}");
    }
}

#[test]
fn an_action_that_iam_binds_to_nothing_is_granted_on_everything_and_says_so() {
    let mut app = App::new();
    app.stack("app", "What the tests look at.", |stack| {
        let groups = named("arn:aws:logs:eu-west-1:123456789012:log-group:pr-17-*");
        stack.add(
            "Role",
            ServiceRole::new().applies(Applied::of::<logs::LogGroup>(groups)),
        );
    });
    let stack = app.synthesize().unwrap().stacks.remove(0);
    let everything = stack
        .wildcards
        .iter()
        .find(|wildcard| wildcard.resources == ["*"])
        .unwrap();
    assert_eq!(everything.reason, "IAM binds these actions to no resource");
    assert_eq!(
        everything.actions,
        [
            "logs:DescribeIndexPolicies",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies"
        ]
    );
}

#[test]
fn a_permission_of_another_service_is_granted_with_the_property_that_calls_for_it() {
    let functions = "arn:aws:lambda:eu-west-1:123456789012:function:pr-17-*";
    let applied = || Applied::of::<lambda::Function>(named(functions));
    let without = statements([applied()]);
    assert!(
        !without.iter().any(|statement| statement.to_string().contains("kms:")),
        "{without:?}"
    );
    assert!(
        !without.iter().any(|statement| statement.to_string().contains("ec2:")),
        "{without:?}"
    );

    let key = "arn:aws:kms:eu-west-1:123456789012:key/1";
    let with = statements([applied()
        .using("KmsKeyArn", named(key))
        .using("VpcConfig", named("*"))
        .using("Role", named(ROLES))
        .only(
            [Iam::PassRole],
            Operator::StringEquals,
            "iam:PassedToService",
            "lambda.amazonaws.com",
        )]);
    assert_eq!(
        actions(&with, key).into_iter().collect::<Vec<_>>(),
        [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey"
        ]
    );
    assert!(actions(&with, "*").contains("ec2:DescribeNetworkInterfaces"));
    let passing = with
        .iter()
        .find(|statement| statement["Action"] == "iam:PassRole")
        .unwrap();
    assert_eq!(
        *passing,
        json!({
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": ROLES,
            "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } },
        })
    );
}

#[test]
fn a_condition_holds_for_the_permissions_that_it_names_and_for_no_other() {
    let boundary = "arn:aws:iam::123456789012:policy/limit";
    let statements = statements([Applied::of::<iam::RoleResource>(named(ROLES))
        .setting("PermissionsBoundary")
        .only(
            [Iam::CreateRole, Iam::PutRolePermissionsBoundary],
            Operator::StringEquals,
            "iam:PermissionsBoundary",
            boundary,
        )]);
    let [bounded, free] = statements.as_slice() else {
        panic!("two statements: {statements:?}")
    };
    let (bounded, free) = if bounded["Condition"].is_null() {
        (free, bounded)
    } else {
        (bounded, free)
    };
    assert_eq!(
        bounded["Action"],
        json!(["iam:CreateRole", "iam:PutRolePermissionsBoundary"])
    );
    assert_eq!(
        bounded["Condition"]["StringEquals"]["iam:PermissionsBoundary"],
        boundary
    );
    assert!(free["Condition"].is_null());
    assert!(!free.to_string().contains("DeleteRolePermissionsBoundary"));
}

#[test]
fn what_has_no_arn_yet_is_made_where_the_caller_says() {
    let pools = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/*";
    let new = named("*").when(Operator::StringEquals, "aws:RequestTag/environment", "pr-17");
    let statements =
        statements([Applied::of::<cognito::UserPool>(named(pools)).creating([CognitoIdp::CreateUserPool], new)]);
    let created: Vec<&Json> = statements
        .iter()
        .filter(|statement| statement["Resource"] == "*")
        .collect();
    let [created] = created.as_slice() else {
        panic!("one statement on everything: {statements:?}")
    };
    assert_eq!(created["Action"], "cognito-idp:CreateUserPool");
    assert_eq!(
        created["Condition"]["StringEquals"]["aws:RequestTag/environment"],
        "pr-17"
    );
}

#[test]
fn what_no_rule_tells_is_a_fault_and_no_guess() {
    let found = faults(Applied::of::<cognito::UserPoolGroup>(named("*")));
    assert!(
        found.iter().all(|fault| fault.contains("no rule says when")),
        "{found:?}"
    );
    assert!(!found.is_empty());
}

#[test]
fn what_a_type_has_nothing_to_do_with_is_a_fault() {
    let queues = || Applied::of::<sqs::Queue>(named("arn:aws:sqs:eu-west-1:123456789012:pr-17-*"));
    assert_eq!(
        faults(queues().setting("DelaySeconds")),
        ["no permission of AWS::SQS::Queue is called for by \"DelaySeconds\""]
    );
    assert_eq!(
        faults(queues().only([S3::PutObject], Operator::StringEquals, "aws:SourceVpc", "vpc-1")),
        ["no handler of AWS::SQS::Queue calls s3:PutObject"]
    );
    assert_eq!(
        faults(Applied::of::<lambda::Function>(named("*")).setting("Role")),
        [
            "\"Role\" makes the handlers of AWS::Lambda::Function call iam:PassRole on something else, which is not named"
        ]
    );
}

#[test]
fn every_rule_is_about_a_permission_that_is_not_for_listing_alone() {
    let mut rules = 0;
    for facts in synth::RESOURCES {
        for permission in facts.permissions {
            if matches!(permission.called, Called::For(_) | Called::Never(_)) {
                assert_ne!(
                    permission.handlers,
                    [ResourceHandler::List],
                    "{}: {}",
                    facts.type_name,
                    permission.action
                );
                rules += 1;
            }
        }
    }
    assert!(rules > 50, "only {rules} permissions have a rule");
}

/// Grants whose statement is about as long as the text.
fn long(characters: usize) -> Vec<Grant> {
    let key = "k".repeat(100);
    let grant = |index: usize| Grant::on_matching([S3::GetObject], format!("arn:aws:s3:::{key}{index:04}*"), "many");
    (0..characters / 170).map(grant).collect()
}

#[test]
fn a_role_longer_than_iam_takes_is_a_fault_that_says_by_how_much() {
    let fault = |characters: usize| {
        let mut app = App::new();
        app.stack("app", "What the tests look at.", |stack| {
            let role = long(characters).into_iter().enumerate().fold(
                Role::assumed_by("lambda.amazonaws.com"),
                |role, (index, grant)| {
                    // Statements that differ in their conditions do not merge.
                    role.allow(grant.when(Operator::StringEquals, "aws:SourceVpc", index.to_string()))
                },
            );
            stack.add("Role", role);
        });
        app.synthesize().err().map(|faults| faults.0[0].message.clone())
    };
    assert_eq!(fault(4_000), None);
    let told = fault(12_000).unwrap();
    assert!(
        told.starts_with("the role's inline policies are at least 1")
            && told.ends_with("characters long, allowed are 10240"),
        "{told}"
    );
}

#[test]
fn a_managed_policy_longer_than_iam_takes_is_a_fault() {
    let fault = |characters: usize| {
        let mut app = App::new();
        app.stack("app", "What the tests look at.", |stack| {
            stack.add("Limit", iam::ManagedPolicy::new(PolicyDocument::from(long(characters))));
        });
        app.synthesize().err().map(|faults| faults.0[0].to_string())
    };
    assert_eq!(fault(3_000), None);
    let told = fault(9_000).unwrap();
    assert!(told.contains("characters long, allowed are 6144"), "{told}");
    assert!(told.contains("help: split it into several policies"), "{told}");
}

#[test]
fn a_role_with_more_managed_policies_than_iam_takes_is_a_fault() {
    let fault = |count: usize| {
        let mut app = App::new();
        app.stack("app", "What the tests look at.", |stack| {
            let role = stack.add("Role", Role::assumed_by("lambda.amazonaws.com"));
            let arns = (0..count).map(|index| format!("arn:aws:iam::aws:policy/P{index}").into());
            if let Some(properties) = stack.properties_mut(role) {
                properties.set("ManagedPolicyArns", synth::Node::List(arns.collect()));
            }
        });
        app.synthesize().err().map(|faults| faults.0[0].message.clone())
    };
    assert_eq!(fault(10), None);
    assert_eq!(fault(11).unwrap(), "the role has 11 managed policies, allowed are 10");
}

/// A type with the rules of its permissions, applied with all its properties.
fn with_everything<R: synth::Resource>() -> Applied {
    let mut properties: BTreeSet<&'static str> = BTreeSet::new();
    for permission in R::FACTS.permissions {
        if let Called::For(names) = permission.called {
            properties.extend(names);
        }
    }
    let reach = Grant::named::<R>(["pr-17-*"], "they come and go");
    properties
        .into_iter()
        .fold(Applied::of::<R>(reach), |applied, property| {
            applied.using(property, named("*"))
        })
}

#[test]
fn a_type_with_rules_is_applied_with_every_permission_of_its_handlers_once_all_its_properties_are_allowed() {
    fn check<R: synth::Resource>(checked: &mut usize) {
        let mut granted = BTreeSet::new();
        for statement in statements([with_everything::<R>()]) {
            let actions: Vec<String> = match &statement["Action"] {
                Json::Array(many) => many.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                one => vec![one.as_str().unwrap().to_owned()],
            };
            let distinct: BTreeSet<String> = actions.iter().cloned().collect();
            assert_eq!(distinct.len(), actions.len(), "{statement}");
            granted.extend(distinct);
        }
        let expected: BTreeSet<String> = R::FACTS
            .permissions
            .iter()
            .filter(|permission| permission.handlers != [ResourceHandler::List])
            .filter(|permission| !matches!(permission.called, Called::Never(_)))
            .map(|permission| permission.action.to_owned())
            .collect();
        assert_eq!(granted, expected, "{}", R::FACTS.type_name);
        *checked += expected.len();
    }
    let mut checked = 0;
    check::<synth::apigateway::Account>(&mut checked);
    check::<synth::apigateway::Authorizer>(&mut checked);
    check::<synth::apigateway::Deployment>(&mut checked);
    check::<synth::apigateway::GatewayResponse>(&mut checked);
    check::<synth::apigateway::Method>(&mut checked);
    check::<synth::apigateway::Model>(&mut checked);
    check::<synth::apigateway::RequestValidator>(&mut checked);
    check::<synth::apigateway::Resource>(&mut checked);
    check::<synth::apigateway::RestApi>(&mut checked);
    check::<synth::apigateway::Stage>(&mut checked);
    check::<synth::cloudwatch::Alarm>(&mut checked);
    check::<synth::codebuild::Project>(&mut checked);
    check::<synth::codepipeline::Pipeline>(&mut checked);
    check::<cognito::UserPool>(&mut checked);
    check::<cognito::UserPoolClient>(&mut checked);
    check::<cognito::UserPoolResourceServer>(&mut checked);
    check::<dynamodb::Table>(&mut checked);
    check::<synth::events::EventBus>(&mut checked);
    check::<synth::events::Rule>(&mut checked);
    check::<iam::ManagedPolicy>(&mut checked);
    check::<iam::RolePolicy>(&mut checked);
    check::<iam::RoleResource>(&mut checked);
    check::<lambda::Alias>(&mut checked);
    check::<lambda::EventSourceMapping>(&mut checked);
    check::<lambda::Function>(&mut checked);
    check::<lambda::LayerVersion>(&mut checked);
    check::<lambda::Permission>(&mut checked);
    check::<lambda::Url>(&mut checked);
    check::<lambda::Version>(&mut checked);
    check::<logs::LogGroup>(&mut checked);
    check::<synth::s3::Bucket>(&mut checked);
    check::<synth::s3::BucketPolicy>(&mut checked);
    check::<scheduler::Schedule>(&mut checked);
    check::<synth::secretsmanager::Secret>(&mut checked);
    check::<synth::sns::Subscription>(&mut checked);
    check::<synth::sns::Topic>(&mut checked);
    check::<synth::sns::TopicPolicy>(&mut checked);
    check::<sqs::Queue>(&mut checked);
    check::<sqs::QueuePolicy>(&mut checked);
    check::<synth::stepfunctions::StateMachineResource>(&mut checked);
    assert!(checked > 400, "only {checked} permissions");
}

#[test]
fn the_arn_of_a_name_is_that_of_the_type() {
    let table = statements([Applied::of::<dynamodb::Table>(Grant::named::<dynamodb::Table>(
        ["pr-17-*"],
        "they come and go",
    ))]);
    assert_eq!(
        table[0]["Resource"],
        json!({ "Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/pr-17-*" })
    );
    let nameless = faults(Applied::of::<sqs::Queue>(Grant::named::<iam::AccessKey>(
        ["pr-17-*"],
        "none",
    )));
    assert!(
        nameless
            .iter()
            .all(|fault| fault.contains("AWS::IAM::AccessKey has no ARN that is known")),
        "{nameless:?}"
    );
}
