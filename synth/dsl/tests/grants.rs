//! Grants: how they merge into the one policy of a role, and what else every role has.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that called it")]

use serde_json::{Value as Json, json};
use synth::actions::{S3, Sqs};
use synth::iam::{Grant, Operator, Role};
use synth::prelude::*;
use synth::{AnyArn, App, Stack, SynthesizedStack, Value, iam, s3, sqs, sub};

fn synthesized(build: impl FnOnce(&mut Stack)) -> SynthesizedStack {
    let mut app = App::new();
    app.stack("app", "What the tests look at.", build);
    app.synthesize().unwrap().stacks.remove(0)
}

fn json(stack: &SynthesizedStack) -> Json {
    serde_json::from_str(&stack.template.to_json().unwrap()).unwrap()
}

fn template(build: impl FnOnce(&mut Stack)) -> Json {
    json(&synthesized(build))
}

fn text(text: &str) -> Value<String> {
    Value::from(text)
}

/// The statements of a role with these grants on two queues.
fn statements(grants: impl FnOnce(Value<AnyArn>, Value<AnyArn>) -> Vec<Grant>) -> Json {
    let mut template = template(|stack| {
        let first = stack.add("First", sqs::Queue::new());
        let second = stack.add("Second", sqs::Queue::new());
        let role = stack.add("Worker", Role::assumed_by("lambda.amazonaws.com"));
        for grant in grants(first.arn().into(), second.arn().into()) {
            stack.grant(role, grant);
        }
    });
    template["Resources"]["Worker"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].take()
}

#[test]
fn grants_on_one_resource_become_one_statement_of_their_actions() {
    let merged = statements(|first, _| {
        vec![
            Grant::on([Sqs::SendMessage], first.clone()),
            Grant::on([Sqs::ReceiveMessage, Sqs::SendMessage], first),
        ]
    });
    assert_eq!(
        merged,
        json!([{
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"],
            "Resource": { "Fn::GetAtt": ["First", "Arn"] },
        }])
    );
}

#[test]
fn grants_of_the_same_actions_become_one_statement_of_their_resources() {
    let merged = statements(|first, second| {
        vec![
            Grant::on([Sqs::SendMessage], first),
            Grant::on([Sqs::SendMessage], second),
        ]
    });
    assert_eq!(
        merged,
        json!([{
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": [{ "Fn::GetAtt": ["First", "Arn"] }, { "Fn::GetAtt": ["Second", "Arn"] }],
        }])
    );
}

#[test]
fn grants_that_differ_in_actions_and_resources_or_in_conditions_stay_apart() {
    let apart = statements(|first, second| {
        let send = |queue| Grant::on([Sqs::SendMessage], queue);
        vec![
            send(first.clone()),
            send(first).when(Operator::StringEquals, "aws:PrincipalTag/team", "pipeline"),
            Grant::on([Sqs::ReceiveMessage], second),
        ]
    });
    assert_eq!(
        apart,
        json!([
            { "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": { "Fn::GetAtt": ["First", "Arn"] } },
            {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": { "Fn::GetAtt": ["First", "Arn"] },
                "Condition": { "StringEquals": { "aws:PrincipalTag/team": "pipeline" } },
            },
            { "Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": { "Fn::GetAtt": ["Second", "Arn"] } },
        ])
    );
}

#[test]
fn conditions_of_one_operator_stand_under_it_by_key() {
    let statements = statements(|first, _| {
        vec![
            Grant::on([Sqs::SendMessage], first)
                .when(Operator::StringEquals, "aws:SourceAccount", synth::pseudo::account_id())
                .when(Operator::ArnLike, "aws:SourceArn", "arn:aws:s3:::sources")
                .when_any(Operator::StringEquals, "aws:PrincipalTag/team", ["a", "b"]),
        ]
    });
    assert_eq!(
        statements[0]["Condition"],
        json!({
            "ArnLike": { "aws:SourceArn": "arn:aws:s3:::sources" },
            "StringEquals": {
                "aws:SourceAccount": { "Ref": "AWS::AccountId" },
                "aws:PrincipalTag/team": ["a", "b"],
            },
        })
    );
}

#[test]
fn grants_are_added_to_the_policies_that_a_raw_role_has() {
    let template = template(|stack| {
        let queue = stack.add("Events", sqs::Queue::new());
        let trust = iam::PolicyDocument::new();
        let own = iam::role::Policy::new(iam::PolicyDocument::new(), "own");
        let role = stack.add("Raw", iam::RoleResource::new(trust).policies([own]));
        stack.grant(role, Grant::on([Sqs::SendMessage], queue.arn()));
    });
    let policies = template["Resources"]["Raw"]["Properties"]["Policies"]
        .as_array()
        .unwrap();
    let names: Vec<&Json> = policies.iter().map(|policy| &policy["PolicyName"]).collect();
    assert_eq!(names, ["own", "grants"]);
}

#[test]
fn a_permissions_boundary_is_on_every_role_of_the_stack_and_on_nothing_else() {
    let template = template(|stack| {
        stack.add("Before", Role::assumed_by("lambda.amazonaws.com"));
        stack.permissions_boundary(text("arn:aws:iam::123456789012:policy/boundary").trusted::<AnyArn>());
        stack.add("After", iam::RoleResource::new(iam::PolicyDocument::new()));
        stack.add("Events", sqs::Queue::new());
    });
    for (id, resource) in template["Resources"].as_object().unwrap() {
        let boundary = &resource["Properties"]["PermissionsBoundary"];
        if id == "Events" {
            assert!(boundary.is_null());
        } else {
            assert_eq!(boundary, "arn:aws:iam::123456789012:policy/boundary");
        }
    }
}

#[test]
fn roles_ask_for_a_capability_and_named_roles_for_the_greater_one() {
    let capabilities = |role: Option<Role>| {
        let stack = synthesized(|stack| {
            stack.add("Events", sqs::Queue::new());
            if let Some(role) = role {
                stack.add("Worker", role);
            }
        });
        stack.capabilities
    };
    let role = Role::assumed_by("lambda.amazonaws.com");
    assert_eq!(capabilities(None), Vec::<&str>::new());
    assert_eq!(capabilities(Some(role.clone())), ["CAPABILITY_IAM"]);
    assert_eq!(capabilities(Some(role.name("worker"))), ["CAPABILITY_NAMED_IAM"]);
}

/// By the registry's facts, so that no type is forgotten: an instance profile with a name once was.
#[test]
fn every_resource_of_iam_with_a_name_of_its_own_asks_for_the_greater_capability() {
    /// What a stack asks for that has just this.
    fn of<R: synth::Resource>(resource: R) -> Vec<&'static str> {
        let stack = synthesized(|stack| {
            stack.add("It", resource);
        });
        stack.capabilities
    }
    let policy = || {
        let objects = Value::from("arn:aws:s3:::x/y").trusted::<AnyArn>();
        iam::ManagedPolicy::new(iam::PolicyDocument::from(vec![Grant::on([S3::GetObject], objects)]))
    };
    let profile = || iam::InstanceProfile::new(["worker"]);
    for unnamed in [of(profile()), of(policy()), of(iam::User::new()), of(iam::Group::new())] {
        assert_eq!(unnamed, ["CAPABILITY_IAM"]);
    }
    for named in [
        of(profile().instance_profile_name("worker")),
        of(policy().managed_policy_name("worker")),
        of(iam::User::new().user_name("worker")),
        of(iam::Group::new().group_name("workers")),
        of(iam::SAMLProvider::new().name("worker")),
    ] {
        assert_eq!(named, ["CAPABILITY_NAMED_IAM"]);
    }
    // The name of somebody else.
    assert_eq!(of(iam::AccessKey::new("worker")), ["CAPABILITY_IAM"]);
}

#[test]
fn grants_of_patterns_are_listed_with_their_reasons() {
    let stack = synthesized(|stack| {
        let sources = stack.add("Sources", s3::Bucket::new());
        let role = Role::assumed_by("lambda.amazonaws.com")
            .allow(sources.get_objects("source/17.zip"))
            .allow(Grant::on_matching(
                [S3::GetObject],
                sub![sources.arn(), "/*"],
                "keys are made when it runs",
            ));
        stack.add("Worker", role);
    });
    assert_eq!(
        serde_json::to_value(&stack.wildcards).unwrap(),
        json!([{
            "role": "Worker",
            "actions": ["s3:GetObject"],
            "resources": ["${Sources.Arn}/*"],
            "reason": "keys are made when it runs",
        }])
    );
}
