//! The receipt of a teardown: made from all that the stacks ever had, from tags and from names, and never better than what was seen.

use aws_sdk_dynamodb::types::AttributeValue;
use contract::{Target, TeardownProgress, TeardownRequest};
use runtime::functions::{Function, Teardown};
use serde_json::{Value, json};
use testing::aws::{Cloud, REGION};
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{PROJECT, TABLE, claim, invocation, json_of, put_record, target, variable};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

/// Asks until it is done, stuck, or waits for what may vanish yet.
async fn tear_down(cloud: &Cloud, target: &Target) -> TeardownProgress {
    let bucket = format!("thebestest-artifacts-{}-{REGION}", cloud.account());
    let function: Teardown = cloud.function(&[
        (variable("BUCKET"), &bucket),
        (variable("TABLE"), TABLE),
        (variable("PROJECT"), &json_of(PROJECT)),
    ]);
    for _ in 0..60 {
        let target = target.clone();
        let asked = function.call(TeardownRequest { target }, &invocation()).await;
        let progress = asked.expect("a step");
        if progress.done || !progress.stuck.is_empty() || progress.summary.contains("still carry") {
            return progress;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the teardown comes to no end");
}

/// The application's stack with these resources.
async fn make_stack(cloud: &Cloud, resources: Value) {
    let client = aws_sdk_cloudformation::Client::new(&cloud.config("test"));
    let name = "thebestest-pr-17-app";
    let template = json!({ "Resources": resources }).to_string();
    let create = client.create_stack().stack_name(name).template_body(template);
    let capability = aws_sdk_cloudformation::types::Capability::CapabilityNamedIam;
    create.capabilities(capability).send().await.expect("it is made");
    for _ in 0..100 {
        let stacks = client.describe_stacks().stack_name(name).send().await.expect("there");
        if stacks.stacks()[0]
            .stack_status()
            .is_some_and(|status| status.as_str() == "CREATE_COMPLETE")
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{name} is not made");
}

fn role(name: &str) -> Value {
    let trust: Value = serde_json::from_str(TRUST).expect("it is JSON");
    json!({ "Type": "AWS::IAM::Role", "Properties": { "RoleName": name, "AssumeRolePolicyDocument": trust } })
}

fn retained(mut resource: Value) -> Value {
    resource["DeletionPolicy"] = json!("Retain");
    resource
}

#[tokio::test]
async fn a_role_is_left_though_no_tag_shows_it_and_roles_of_others_are_not_counted() {
    let Some(cloud) = or_skip("roles that are left", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let iam = aws_sdk_iam::Client::new(&cloud.config("test"));
    for name in [
        "thebestest-pr-17-stray",
        "thebestest-pr-170-other",
        "thebestest-stage-other",
    ] {
        let role = iam.create_role().role_name(name).assume_role_policy_document(TRUST);
        role.send().await.expect("it is made");
    }
    let waiting = tear_down(&cloud, &target()).await;
    assert!(
        !waiting.done && waiting.summary.starts_with("1 resources"),
        "{waiting:?}"
    );
    // It had its time to vanish.
    put_record(&cloud, 3, Some(1)).await;
    let stuck = tear_down(&cloud, &target()).await;
    let expected = format!("arn:aws:iam::{}:role/thebestest-pr-17-stray", cloud.account());
    assert_eq!(stuck.stuck, [expected]);
    iam.delete_role()
        .role_name("thebestest-pr-17-stray")
        .send()
        .await
        .expect("deleted");
    let done = tear_down(&cloud, &target()).await;
    assert!(
        done.done && done.summary.contains("the names of 2 roles and policies"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_role_that_the_template_retains_is_named_as_left() {
    let Some(cloud) = or_skip("a retained role", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    make_stack(&cloud, json!({ "Kept": retained(role("thebestest-pr-17-kept")) })).await;
    put_record(&cloud, 3, Some(1)).await;
    let stuck = tear_down(&cloud, &target()).await;
    assert!(!stuck.done && stuck.stuck.len() == 1, "{stuck:?}");
    assert!(stuck.stuck[0].ends_with("role/thebestest-pr-17-kept"), "{stuck:?}");
}

#[tokio::test]
async fn what_cloudformation_left_behind_stands_in_the_receipt_and_in_that_of_every_later_teardown() {
    let Some(cloud) = or_skip("resources that were skipped", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let custom = json!({
        "Type": "Custom::Seed",
        "Properties": { "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:x", "Puppet": { "Never": [] } },
    });
    let log = json!({ "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "kept" } });
    let resources = json!({
        "Gone": role("thebestest-pr-17-gone"), "Log": retained(log), "Seed": retained(custom),
    });
    make_stack(&cloud, resources).await;
    let first = tear_down(&cloud, &target()).await;
    let left = |progress: &TeardownProgress| {
        let words = &progress.summary;
        words.contains("Seed (Custom::Seed), which holds nothing by itself")
            && words.contains(":log-group:kept)")
            && !words.contains("Gone")
            && !words.contains("nothing tagged")
    };
    assert!(first.done && left(&first), "{first:?}");
    assert!(
        first.summary.contains("Looked at: 3 resources of the stacks"),
        "{first:?}"
    );

    // The pull request is opened and closed again: its stack is gone, and what it left is there still.
    let later = Target {
        generation: 4,
        ..target()
    };
    let update = aws_sdk_dynamodb::Client::new(&cloud.config("test"))
        .update_item()
        .table_name(TABLE)
        .key("repository", AttributeValue::S(later.repository.clone()))
        .key("number", AttributeValue::N(later.number.to_string()))
        .update_expression("SET generation = :generation")
        .expression_attribute_values(":generation", AttributeValue::N("4".to_owned()));
    update.send().await.expect("the record is written");
    let second = tear_down(&cloud, &later).await;
    assert!(second.done && left(&second), "{second:?}");
    assert!(second.summary.starts_with("No stack was there"), "{second:?}");
}
