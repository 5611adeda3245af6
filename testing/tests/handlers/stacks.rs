//! Applying and checking the pipeline stacks. What MiniStack's CloudFormation never comes to is answered by the front.

use contract::{ApplyRequest, ApplyStackError, CheckStackError, StackChange, StackProgress, StackQuery, StackState};
use runtime::Failure;
use runtime::functions::{ApplyStack, CheckStack, Function};
use serde_json::{Value, json};
use testing::aws::{Cloud, Fault};
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{
    PROJECT, STACK_ROLE, TABLE, answers, asked, claim, fails, invocation, json_of, own, put_record, target, times,
    variable,
};

const STACK: &str = "thebestest-deploy-pr-17";
const ID: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-deploy-pr-17/6b8a5a40";
const APPLICATION: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-pr-17-app/6b8a5a41";
const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

async fn apply_with(cloud: &Cloud, project: &str) -> Result<StackChange, Failure<ApplyStackError>> {
    let function: ApplyStack = cloud.function(&[
        (variable("BUCKET"), &bucket(cloud)),
        (variable("TABLE"), TABLE),
        (variable("PROJECT"), &json_of(project)),
        (variable("STACK_ROLE"), &own(cloud, STACK_ROLE)),
    ]);
    function.call(ApplyRequest { target: target() }, &invocation()).await
}

async fn apply(cloud: &Cloud) -> Result<StackChange, Failure<ApplyStackError>> {
    apply_with(cloud, PROJECT).await
}

async fn check(cloud: &Cloud) -> Result<StackProgress, Failure<CheckStackError>> {
    let function: CheckStack = cloud.function(&[(variable("TABLE"), TABLE)]);
    let query = StackQuery {
        target: target(),
        stack_id: own(cloud, ID),
    };
    function.call(query, &invocation()).await
}

fn bucket(cloud: &Cloud) -> String {
    format!("thebestest-artifacts-{}-eu-west-1", cloud.account())
}

fn stack_is(cloud: &Cloud, status: &str, more: &str) {
    let stack = format!(
        "<Stacks><member><StackId>{ID}</StackId><StackName>{STACK}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>{more}</member></Stacks>"
    );
    answers(cloud, "DescribeStacks", &stack);
}

fn change_set_is(cloud: &Cloud, status: &str, execution: &str, reason: &str) {
    let set = format!(
        "<StackId>{ID}</StackId><Status>{status}</Status><ExecutionStatus>{execution}</ExecutionStatus><StatusReason>{reason}</StatusReason>"
    );
    answers(cloud, "DescribeChangeSet", &set);
}

/// The parameters of the one call of an operation.
fn call(cloud: &Cloud, operation: &str) -> Value {
    let calls = cloud.calls("apply_stack");
    let mut calls = calls.into_iter().filter(|call| call.operation == operation);
    calls.next().expect("it was called").parameters
}

/// A stack that is not there is created: the calls that CloudFormation answers as it does.
fn will_create(cloud: &Cloud) {
    answers(cloud, "CreateChangeSet", &format!("<StackId>{ID}</StackId>"));
    change_set_is(cloud, "CREATE_IN_PROGRESS", "UNAVAILABLE", "");
    change_set_is(cloud, "CREATE_COMPLETE", "AVAILABLE", "");
    answers(cloud, "ExecuteChangeSet", "");
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_created_through_a_change_set() {
    let Some(cloud) = or_skip("a stack is created", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    will_create(&cloud);
    let change = apply(&cloud).await.expect("applied");
    assert_eq!((change.stack_id, change.changing), (own(&cloud, ID), true));
    let created = call(&cloud, "CreateChangeSet");
    assert_eq!(created["ChangeSetType"], "CREATE");
    assert_eq!(created["StackName"], STACK);
    assert_eq!(created["RoleARN"], own(&cloud, STACK_ROLE));
    assert_eq!(created["Capabilities"], json!(["CAPABILITY_NAMED_IAM"]));
    let tags = created["Tags"].as_array().expect("tags");
    assert!(
        tags.contains(&json!({ "Key": "pipeline:environment", "Value": "pr-17" })),
        "{tags:?}"
    );
    let template: Value = serde_json::from_str(created["TemplateBody"].as_str().expect("inline")).expect("JSON");
    assert_eq!(
        template["Resources"]["Pipeline"]["Properties"]["Name"],
        "pr-17-thebestest-deploy"
    );
    let name = created["ChangeSetName"].as_str().expect("a name");
    assert!(name.starts_with("g3-"), "{name}");
    assert_eq!(call(&cloud, "ExecuteChangeSet")["ChangeSetName"], name);
}

#[tokio::test]
async fn a_retry_finds_the_change_set_of_the_call_before_it() {
    let Some(cloud) = or_skip("a change set is found again", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    stack_is(&cloud, "REVIEW_IN_PROGRESS", "");
    fails(
        &cloud,
        "cloudformation",
        "CreateChangeSet",
        "AlreadyExistsException",
        "ChangeSet exists",
    );
    change_set_is(&cloud, "CREATE_COMPLETE", "AVAILABLE", "");
    answers(&cloud, "ExecuteChangeSet", "");
    assert!(apply(&cloud).await.expect("applied").changing);

    // The call before it has executed the change set, and its answer was lost.
    let name = call(&cloud, "ExecuteChangeSet")["ChangeSetName"].clone();
    let last = format!(
        "<ChangeSetId>arn:aws:cloudformation:eu-west-1:1:changeSet/{}/1</ChangeSetId>",
        name.as_str().expect("a name")
    );
    stack_is(&cloud, "CREATE_IN_PROGRESS", &last);
    assert_eq!(apply(&cloud).await.map(|change| change.changing), Ok(true));
    assert_eq!(times(&cloud, "apply_stack", "ExecuteChangeSet"), 1);
}

#[tokio::test]
async fn a_change_set_without_a_change_is_success_and_leaves_nothing_behind() {
    let Some(cloud) = or_skip("nothing changes", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    for reason in [NO_CHANGES, "No updates are to be performed."] {
        stack_is(&cloud, "UPDATE_COMPLETE", "");
        answers(&cloud, "CreateChangeSet", &format!("<StackId>{ID}</StackId>"));
        change_set_is(&cloud, "FAILED", "UNAVAILABLE", reason);
        answers(&cloud, "DeleteChangeSet", "");
        assert_eq!(apply(&cloud).await.map(|change| change.changing), Ok(false));
    }
    assert_eq!(call(&cloud, "CreateChangeSet")["ChangeSetType"], "UPDATE");
    assert_eq!(times(&cloud, "apply_stack", "DeleteChangeSet"), 2);
    assert_eq!(times(&cloud, "apply_stack", "ExecuteChangeSet"), 0);
}

#[tokio::test]
async fn a_stack_that_can_only_be_deleted_is_deleted_and_waited_for() {
    let Some(cloud) = or_skip("an unusable stack", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let unusable = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"];
    for status in unusable {
        stack_is(&cloud, status, "<StackStatusReason>the role exists</StackStatusReason>");
        answers(&cloud, "DeleteStack", "");
        let error = apply(&cloud).await.expect_err("not yet");
        assert_eq!(error.error, ApplyStackError::StackBusy, "{status}");
        assert!(error.message.contains("the role exists"), "{}", error.message);
    }
    assert_eq!(times(&cloud, "apply_stack", "DeleteStack"), unusable.len());
    assert_eq!(call(&cloud, "DeleteStack")["RoleARN"], own(&cloud, STACK_ROLE));
    stack_is(&cloud, "DELETE_IN_PROGRESS", "");
    assert_eq!(
        apply(&cloud).await.expect_err("not yet").error,
        ApplyStackError::StackBusy
    );
    assert_eq!(times(&cloud, "apply_stack", "CreateChangeSet"), 0);
}

/// The pipeline's stack is complete, and the application's is in this status.
fn application_is(cloud: &Cloud, status: &str) {
    stack_is(cloud, "UPDATE_COMPLETE", "");
    let stack = format!(
        "<Stacks><member><StackId>{APPLICATION}</StackId><StackName>thebestest-pr-17-app</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus></member></Stacks>"
    );
    answers(cloud, "DescribeStacks", &stack);
}

#[tokio::test]
async fn an_application_that_never_came_to_be_is_deleted_before_the_next_commit_and_any_other_is_left() {
    let Some(cloud) = or_skip("an application's stack that was rolled back", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let failed = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"];
    for status in failed {
        application_is(&cloud, status);
        answers(&cloud, "DeleteStack", "");
        let error = apply(&cloud).await.expect_err("not yet");
        assert_eq!(error.error, ApplyStackError::StackBusy, "{status}");
    }
    let deleted = call(&cloud, "DeleteStack");
    assert_eq!(deleted["StackName"], own(&cloud, APPLICATION));
    assert!(
        deleted["RoleARN"].is_null(),
        "the stack's own role deletes it: {deleted}"
    );
    application_is(&cloud, "DELETE_IN_PROGRESS");
    assert_eq!(
        apply(&cloud).await.expect_err("not yet").error,
        ApplyStackError::StackBusy
    );
    assert_eq!(times(&cloud, "apply_stack", "CreateChangeSet"), 0);
    for status in [
        "CREATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_IN_PROGRESS",
    ] {
        application_is(&cloud, status);
        answers(&cloud, "CreateChangeSet", &format!("<StackId>{ID}</StackId>"));
        change_set_is(&cloud, "FAILED", "UNAVAILABLE", NO_CHANGES);
        answers(&cloud, "DeleteChangeSet", "");
        assert!(!apply(&cloud).await.expect("applied").changing, "{status}");
    }
    assert_eq!(times(&cloud, "apply_stack", "DeleteStack"), failed.len());
}

#[tokio::test]
async fn an_update_that_could_not_go_back_is_helped_once_and_then_left_to_a_person() {
    let Some(cloud) = or_skip("a torn stack", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    stack_is(&cloud, "UPDATE_ROLLBACK_FAILED", "");
    answers(&cloud, "ContinueUpdateRollback", "");
    assert_eq!(
        apply(&cloud).await.expect_err("not yet").error,
        ApplyStackError::StackBusy
    );
    let tried = "<LastOperations><member><OperationType>CONTINUE_ROLLBACK</OperationType></member></LastOperations>";
    stack_is(&cloud, "UPDATE_ROLLBACK_FAILED", tried);
    let error = apply(&cloud).await.expect_err("never");
    assert_eq!(error.error, ApplyStackError::StackRejected);
    assert!(error.message.contains("continue-update-rollback"), "{}", error.message);
    assert_eq!(times(&cloud, "apply_stack", "ContinueUpdateRollback"), 1);
}

#[tokio::test]
async fn a_stack_at_work_on_something_else_is_busy() {
    let Some(cloud) = or_skip("a busy stack", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    for status in [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
    ] {
        stack_is(&cloud, status, "");
        assert_eq!(
            apply(&cloud).await.expect_err("busy").error,
            ApplyStackError::StackBusy,
            "{status}"
        );
    }
    assert_eq!(
        asked(&cloud, "apply_stack"),
        ["cloudformation:DescribeStacks", "dynamodb:GetItem"]
    );
}

#[tokio::test]
async fn a_large_template_goes_through_the_bucket_under_its_hash() {
    let Some(cloud) = or_skip("a large template", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let made = aws_sdk_s3::Client::new(&cloud.config("test"));
    crate::teardown::make_bucket(&made, &bucket(&cloud)).await;
    will_create(&cloud);
    let long = format!("package:\n    - echo {}\n", "x".repeat(60_000));
    let project = PROJECT.replacen("package:\n", &long, 1);
    assert!(apply_with(&cloud, &project).await.expect("applied").changing);
    let created = call(&cloud, "CreateChangeSet");
    assert!(created["TemplateBody"].is_null());
    let url = created["TemplateURL"].as_str().expect("an address");
    let place = format!("https://{}.s3.eu-west-1.amazonaws.com/", bucket(&cloud));
    let key = url.strip_prefix(&place).expect("in the bucket");
    assert!(key.starts_with("templates/") && key.ends_with(".json"), "{key}");
    let object = made
        .get_object()
        .bucket(bucket(&cloud))
        .key(key)
        .send()
        .await
        .expect("it is there");
    let body = object.body.collect().await.expect("read").into_bytes();
    let template: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(template["Resources"]["Pipeline"].is_object());
}

#[tokio::test]
async fn what_cloudformation_refuses_for_good_is_told_from_what_passes() {
    let Some(cloud) = or_skip("refusals", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let refusals = [
        (
            "InsufficientCapabilitiesException",
            "Requires capabilities",
            ApplyStackError::StackRejected,
        ),
        (
            "ValidationError",
            "Template format error: unsupported structure.",
            ApplyStackError::StackRejected,
        ),
        (
            "ValidationError",
            "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.",
            ApplyStackError::StackBusy,
        ),
    ];
    for (code, message, expected) in refusals {
        fails(&cloud, "cloudformation", "CreateChangeSet", code, message);
        let error = apply(&cloud).await.expect_err("refused");
        assert_eq!(error.error, expected, "{message}");
        assert!(error.message.contains(message), "{}", error.message);
    }
    for _ in 0..3 {
        cloud.fail("cloudformation", "DescribeStacks", 1, Fault::Throttled);
    }
    assert_eq!(
        apply(&cloud).await.expect_err("throttled").error,
        ApplyStackError::Unavailable
    );
    stack_is(&cloud, "UPDATE_COMPLETE", "");
    answers(&cloud, "CreateChangeSet", &format!("<StackId>{ID}</StackId>"));
    change_set_is(&cloud, "FAILED", "UNAVAILABLE", "Transform failed");
    answers(&cloud, "DeleteChangeSet", "");
    let error = apply(&cloud).await.expect_err("refused");
    assert_eq!(error.error, ApplyStackError::StackRejected);
    assert!(error.message.contains("Transform failed"), "{}", error.message);
}

#[tokio::test]
async fn a_superseded_execution_touches_no_stack() {
    let Some(cloud) = or_skip("stacks of a superseded execution", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    put_record(&cloud, 4, None).await;
    assert_eq!(
        apply(&cloud).await.expect_err("superseded").error,
        ApplyStackError::Superseded
    );
    assert_eq!(
        check(&cloud).await.expect_err("superseded").error,
        CheckStackError::Superseded
    );
    assert_eq!(asked(&cloud, "apply_stack"), ["dynamodb:GetItem"]);
    assert_eq!(asked(&cloud, "check_stack"), ["dynamodb:GetItem"]);
}

fn event(id: &str, physical: &str, kind: &str, status: &str, reason: &str) -> String {
    format!(
        "<member><StackId>{ID}</StackId><EventId>{id}-{status}</EventId><StackName>{STACK}</StackName><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}</ResourceStatusReason></member>"
    )
}

#[tokio::test]
async fn a_failed_change_is_reported_with_its_cause_from_a_later_page() {
    let Some(cloud) = or_skip("a root cause", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    stack_is(&cloud, "UPDATE_IN_PROGRESS", "");
    assert_eq!(check(&cloud).await.expect("seen").state, StackState::Changing);
    stack_is(&cloud, "UPDATE_COMPLETE", "");
    assert_eq!(check(&cloud).await.expect("seen").state, StackState::Complete);

    stack_is(&cloud, "UPDATE_ROLLBACK_COMPLETE", "");
    let stack = "AWS::CloudFormation::Stack";
    let newest = [
        event(STACK, ID, stack, "UPDATE_ROLLBACK_COMPLETE", ""),
        event(
            "Package",
            "p",
            "AWS::CodeBuild::Project",
            "UPDATE_FAILED",
            "Resource update cancelled",
        ),
    ];
    let older = [
        event("PackageRole", "r", "AWS::IAM::Role", "UPDATE_FAILED", "the cause"),
        event(STACK, ID, stack, "UPDATE_IN_PROGRESS", "User Initiated"),
        event(
            "Pipeline",
            "q",
            "AWS::CodePipeline::Pipeline",
            "CREATE_FAILED",
            "long ago",
        ),
    ];
    let next = "<NextToken>more</NextToken>";
    answers(
        &cloud,
        "DescribeStackEvents",
        &format!("<StackEvents>{}</StackEvents>{next}", newest.concat()),
    );
    answers(
        &cloud,
        "DescribeStackEvents",
        &format!("<StackEvents>{}</StackEvents>{next}", older.concat()),
    );
    let progress = check(&cloud).await.expect("seen");
    assert_eq!(progress.state, StackState::Failed);
    assert!(
        progress.summary.contains("PackageRole (AWS::IAM::Role): the cause"),
        "{}",
        progress.summary
    );
    assert!(
        progress.url.contains("stackId=arn%3Aaws%3Acloudformation"),
        "{}",
        progress.url
    );
    assert_eq!(
        times(&cloud, "check_stack", "DescribeStackEvents"),
        2,
        "older changes are not read"
    );
}

/// Makes both handlers ask for everything that they can.
pub(super) async fn exercise(cloud: &Cloud) {
    claim(cloud).await;
    crate::teardown::make_bucket(&aws_sdk_s3::Client::new(&cloud.config("test")), &bucket(cloud)).await;
    will_create(cloud);
    let long = format!("package:\n    - echo {}\n", "x".repeat(60_000));
    apply_with(cloud, &PROJECT.replacen("package:\n", &long, 1))
        .await
        .expect("applied");
    stack_is(cloud, "UPDATE_COMPLETE", "");
    answers(cloud, "CreateChangeSet", &format!("<StackId>{ID}</StackId>"));
    change_set_is(cloud, "FAILED", "UNAVAILABLE", NO_CHANGES);
    answers(cloud, "DeleteChangeSet", "");
    apply(cloud).await.expect("applied");
    stack_is(cloud, "ROLLBACK_COMPLETE", "");
    answers(cloud, "DeleteStack", "");
    apply(cloud).await.expect_err("not yet");
    application_is(cloud, "ROLLBACK_COMPLETE");
    answers(cloud, "DeleteStack", "");
    apply(cloud).await.expect_err("not yet");
    application_is(cloud, "UPDATE_ROLLBACK_FAILED");
    answers(cloud, "ContinueUpdateRollback", "");
    apply(cloud).await.expect_err("not yet");
    stack_is(cloud, "UPDATE_ROLLBACK_FAILED", "");
    answers(cloud, "ContinueUpdateRollback", "");
    apply(cloud).await.expect_err("not yet");
    stack_is(cloud, "ROLLBACK_COMPLETE", "");
    answers(cloud, "DescribeStackEvents", "<StackEvents></StackEvents>");
    check(cloud).await.expect("seen");
}

#[tokio::test]
async fn the_handlers_ask_for_what_their_roles_allow() {
    let Some(cloud) = or_skip("calls about stacks", Cloud::start()) else {
        return;
    };
    exercise(&cloud).await;
    let apply = [
        "cloudformation:ContinueUpdateRollback",
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DeleteStack",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:ListStackResources",
        "dynamodb:GetItem",
        "s3:PutObject",
    ];
    assert_eq!(asked(&cloud, "apply_stack"), apply);
    let check = [
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "dynamodb:GetItem",
    ];
    assert_eq!(asked(&cloud, "check_stack"), check);
}
