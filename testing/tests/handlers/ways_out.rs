//! The ways out of the statuses in which a stack is stuck: a function that never answers keeps no environment from being deployed
//! again or torn down.

use contract::{ApplyRequest, ApplyStackError, TeardownRequest};
use runtime::functions::{ApplyStack, Function, Teardown};
use serde_json::{Value, json};
use testing::aws::Cloud;
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{PROJECT, STACK_ROLE, TABLE, answers, claim, invocation, json_of, own, target, variable};

const APPLICATION: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-pr-17-app/6b8a5a41";
const NESTED: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-pr-17-app-Inner-1A2B/6b8a5a42";
const SILENT: &str = "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [c718b62b-b361-4a4e-bbb8-6b4cbc41c08b]";

/// `DescribeStacks` as it is answered next.
fn stack_is(cloud: &Cloud, id: &str, status: &str) {
    let name = id.split('/').nth(1).expect("it has a name");
    let stack = format!(
        "<Stacks><member><StackId>{id}</StackId><StackName>{name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus></member></Stacks>"
    );
    answers(cloud, "DescribeStacks", &stack);
}

fn resource(id: &str, physical: &str, kind: &str, status: &str, reason: &str) -> String {
    format!(
        "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}

fn resources_are(cloud: &Cloud, resources: &[String]) {
    let list = resources.concat();
    let list = format!("<StackResourceSummaries>{list}</StackResourceSummaries>");
    answers(cloud, "ListStackResources", &list);
}

/// The parameters of the last call of an operation.
fn last(cloud: &Cloud, caller: &str, operation: &str) -> Value {
    let mut calls = cloud.calls(caller);
    calls.retain(|call| call.operation == operation);
    calls.pop().expect("it was called").parameters
}

async fn apply(cloud: &Cloud) -> runtime::Failure<ApplyStackError> {
    let bucket = format!("thebestest-artifacts-{}-eu-west-1", cloud.account());
    let function: ApplyStack = cloud.function(&[
        (variable("BUCKET"), &bucket),
        (variable("TABLE"), TABLE),
        (variable("PROJECT"), &json_of(PROJECT)),
        (variable("STACK_ROLE"), &own(cloud, STACK_ROLE)),
    ]);
    let request = ApplyRequest { target: target() };
    function.call(request, &invocation()).await.expect_err("not yet")
}

async fn tear_down(cloud: &Cloud) {
    let bucket = format!("thebestest-artifacts-{}-eu-west-1", cloud.account());
    let function: Teardown = cloud.function(&[
        (variable("BUCKET"), &bucket),
        (variable("TABLE"), TABLE),
        (variable("PROJECT"), &json_of(PROJECT)),
    ]);
    let request = TeardownRequest { target: target() };
    let progress = function.call(request, &invocation()).await.expect("a step");
    assert!(!progress.done && progress.stuck.is_empty(), "{progress:?}");
}

/// The pipeline's own stack is as it should be, and the application's is in this status.
fn application_is(cloud: &Cloud, status: &str) {
    stack_is(
        cloud,
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-deploy-pr-17/1",
        "UPDATE_COMPLETE",
    );
    stack_is(cloud, APPLICATION, status);
}

#[tokio::test]
async fn an_application_that_could_not_go_back_goes_back_without_what_never_answered() {
    let Some(cloud) = or_skip("a rollback that failed", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    application_is(&cloud, "UPDATE_ROLLBACK_FAILED");
    resources_are(
        &cloud,
        &[
            resource("Seed", "seed-1", "Custom::Seed", "UPDATE_FAILED", SILENT),
            resource(
                "Topic",
                "topic-1",
                "AWS::SNS::Topic",
                "UPDATE_FAILED",
                "Resource update cancelled",
            ),
            resource(
                "Inner",
                NESTED,
                "AWS::CloudFormation::Stack",
                "UPDATE_FAILED",
                "it failed",
            ),
        ],
    );
    resources_are(
        &cloud,
        &[resource("Deep", "d-1", "Custom::Deep", "UPDATE_FAILED", SILENT)],
    );
    answers(&cloud, "ContinueUpdateRollback", "");
    assert_eq!(apply(&cloud).await.error, ApplyStackError::StackBusy);
    let asked = last(&cloud, "apply_stack", "ContinueUpdateRollback");
    assert_eq!(asked["StackName"], own(&cloud, APPLICATION));
    assert_eq!(
        asked["ResourcesToSkip"],
        json!(["Seed", "thebestest-pr-17-app-Inner-1A2B.Deep"])
    );
    assert!(asked["RoleARN"].is_null(), "its own role does it: {asked}");

    application_is(&cloud, "UPDATE_ROLLBACK_IN_PROGRESS");
    assert_eq!(apply(&cloud).await.error, ApplyStackError::StackBusy);
    application_is(&cloud, "IMPORT_ROLLBACK_FAILED");
    let error = apply(&cloud).await;
    assert_eq!(error.error, ApplyStackError::StackRejected);
    assert!(error.message.contains("help:"), "{}", error.message);
}

#[tokio::test]
async fn an_application_whose_deletion_failed_is_deleted_without_what_holds_nothing() {
    let Some(cloud) = or_skip("a deletion that failed", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    application_is(&cloud, "DELETE_FAILED");
    let seed = resource("Seed", "seed-1", "Custom::Seed", "DELETE_FAILED", "it says no");
    let table = resource(
        "Items",
        "items",
        "AWS::DynamoDB::Table",
        "DELETE_FAILED",
        "it is protected",
    );
    resources_are(&cloud, &[seed, table]);
    answers(&cloud, "DeleteStack", "");
    assert_eq!(apply(&cloud).await.error, ApplyStackError::StackBusy);
    assert_eq!(
        last(&cloud, "apply_stack", "DeleteStack")["RetainResources"],
        json!(["Seed"])
    );
}

#[tokio::test]
async fn a_teardown_leaves_out_what_never_answered_and_asks_once_more_what_answered_that_it_failed() {
    let Some(cloud) = or_skip("functions that do not answer at a teardown", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let failing = || {
        [
            resource("Seed", "seed-1", "Custom::Seed", "DELETE_FAILED", SILENT),
            resource("Index", "index-1", "Custom::Index", "DELETE_FAILED", "it says no"),
        ]
    };
    let event = |number: usize| {
        format!(
            "<member><StackId>{APPLICATION}</StackId><EventId>{number}</EventId><StackName>x</StackName><PhysicalResourceId>{APPLICATION}</PhysicalResourceId><Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>DELETE_FAILED</ResourceStatus><ClientRequestToken>teardown-g3-{number}</ClientRequestToken></member>"
        )
    };
    for (tries, retained) in [
        (1, json!(["Seed"])),
        (2, json!(["Seed", "Index"])),
        (7, json!(["Seed", "Index"])),
    ] {
        stack_is(&cloud, APPLICATION, "DELETE_FAILED");
        resources_are(&cloud, &failing());
        let events: String = (1..=tries).map(event).collect();
        answers(
            &cloud,
            "DescribeStackEvents",
            &format!("<StackEvents>{events}</StackEvents>"),
        );
        resources_are(&cloud, &failing());
        answers(&cloud, "DeleteStack", "");
        tear_down(&cloud).await;
        let asked = last(&cloud, "teardown", "DeleteStack");
        assert_eq!(asked["RetainResources"], retained, "after {tries}");
        assert!(asked["DeletionMode"].is_null(), "nothing else is ever left behind");
    }
}

#[tokio::test]
async fn a_stack_in_the_stack_is_deleted_by_itself_first() {
    let Some(cloud) = or_skip("a nested stack that cannot be deleted", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    stack_is(&cloud, APPLICATION, "DELETE_FAILED");
    let inner = resource(
        "Inner",
        NESTED,
        "AWS::CloudFormation::Stack",
        "DELETE_FAILED",
        "it failed",
    );
    resources_are(&cloud, &[inner]);
    stack_is(&cloud, NESTED, "DELETE_FAILED");
    resources_are(
        &cloud,
        &[resource("Deep", "d-1", "Custom::Deep", "DELETE_FAILED", SILENT)],
    );
    answers(&cloud, "DescribeStackEvents", "<StackEvents></StackEvents>");
    resources_are(&cloud, &[]);
    answers(&cloud, "DeleteStack", "");
    tear_down(&cloud).await;
    let asked = last(&cloud, "teardown", "DeleteStack");
    assert_eq!(asked["StackName"], own(&cloud, NESTED));
    assert_eq!(asked["RetainResources"], json!(["Deep"]));
}
