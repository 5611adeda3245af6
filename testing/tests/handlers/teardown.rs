//! Tearing environments down: everything of one pull request, and nothing of another.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use contract::{Target, TeardownError, TeardownProgress, TeardownRequest};
use runtime::Failure;
use runtime::functions::{Function, Teardown};
use runtime::records::Records;
use serde_json::json;
use testing::aws::{Cloud, ExecutionStatus, REGION};
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{
    PROJECT, TABLE, answers, asked, claim, invocation, json_of, own, put_record, target, times, variable,
};

const PIPELINE: &str = "pr-17-thebestest-deploy";
const ID: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-pr-17-app/6b8a5a40";

pub(crate) fn bucket(cloud: &Cloud) -> String {
    format!("thebestest-artifacts-{}-eu-west-1", cloud.account())
}

async fn tear_down_of(cloud: &Cloud, target: Target) -> Result<TeardownProgress, Failure<TeardownError>> {
    let function: Teardown = cloud.function(&[
        (variable("BUCKET"), &bucket(cloud)),
        (variable("TABLE"), TABLE),
        (variable("PROJECT"), &json_of(PROJECT)),
    ]);
    function.call(TeardownRequest { target }, &invocation()).await
}

async fn tear_down(cloud: &Cloud) -> TeardownProgress {
    tear_down_of(cloud, target()).await.expect("a step")
}

/// Asks again as the state machine does, until it is done or stuck.
async fn tear_all_down(cloud: &Cloud) -> TeardownProgress {
    for _ in 0..60 {
        let progress = tear_down(cloud).await;
        if progress.done || !progress.stuck.is_empty() {
            return progress;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the teardown comes to no end");
}

/// A bucket that keeps versions.
pub(crate) async fn make_bucket(client: &aws_sdk_s3::Client, name: &str) {
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(REGION))
        .build();
    let create = client.create_bucket().bucket(name).create_bucket_configuration(here);
    create.send().await.expect("the bucket is made");
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let keep = client.put_bucket_versioning().bucket(name);
    keep.versioning_configuration(versions.build())
        .send()
        .await
        .expect("it keeps versions");
}

pub(crate) async fn put(client: &aws_sdk_s3::Client, bucket: &str, key: &str) {
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
    client
        .put_object()
        .bucket(bucket)
        .key(key)
        .body(body)
        .send()
        .await
        .expect("put");
}

/// Makes a stack with a bucket of versions, as the environment's are made and tagged.
async fn make_stack(cloud: &Cloud, stack: &str, environment: &str) -> String {
    let client = aws_sdk_cloudformation::Client::new(&cloud.config("test"));
    let what = if stack.ends_with("-app") { "app" } else { "deploy" };
    let files = format!("thebestest-{environment}-{}-{what}", cloud.account());
    let template = json!({ "Resources": {
        "Files": {
            "Type": "AWS::S3::Bucket",
            "Properties": { "BucketName": files, "VersioningConfiguration": { "Status": "Enabled" } },
        },
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": { "LogGroupName": format!("/aws/lambda/{files}") },
        },
    }});
    let tag = |key: &str, value: &str| {
        aws_sdk_cloudformation::types::Tag::builder()
            .key(key)
            .value(value)
            .build()
    };
    let create = client
        .create_stack()
        .stack_name(stack)
        .template_body(template.to_string());
    create
        .tags(tag("pipeline:project", "thebestest"))
        .tags(tag("pipeline:environment", environment))
        .send()
        .await
        .expect("the stack is made");
    for _ in 0..100 {
        let stacks = client
            .describe_stacks()
            .stack_name(stack)
            .send()
            .await
            .expect("it is there");
        if stacks.stacks()[0]
            .stack_status()
            .is_some_and(|status| status.as_str() == "CREATE_COMPLETE")
        {
            return files;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{stack} is not made");
}

async fn is_there(cloud: &Cloud, stack: &str) -> bool {
    let client = aws_sdk_cloudformation::Client::new(&cloud.config("test"));
    client.describe_stacks().stack_name(stack).send().await.is_ok()
}

async fn keys(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<String> {
    let listed = client
        .list_object_versions()
        .bucket(bucket)
        .send()
        .await
        .expect("listed");
    let versions = listed.versions().iter().filter_map(|version| version.key());
    let markers = listed.delete_markers().iter().filter_map(|marker| marker.key());
    let mut keys: Vec<String> = versions.chain(markers).map(str::to_owned).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn everything_of_the_pull_request_goes_and_nothing_of_any_other() {
    let Some(cloud) = or_skip("an environment is torn down", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let objects = aws_sdk_s3::Client::new(&cloud.config("test"));
    make_bucket(&objects, &bucket(&cloud)).await;
    let own = make_stack(&cloud, "thebestest-pr-17-app", "pr-17").await;
    make_stack(&cloud, "thebestest-deploy-pr-17", "pr-17").await;
    make_stack(&cloud, "thebestest-pr-1-app", "pr-1").await;
    for _ in 0..2 {
        put(&objects, &own, "file").await;
        put(&objects, &bucket(&cloud), "source/thebestest/thebestest/17/a.zip").await;
    }
    objects
        .delete_object()
        .bucket(&own)
        .key("file")
        .send()
        .await
        .expect("a marker");
    let ours = ["packages/pr-17/b.zip", "pr-17-thebestest-dep/Source/c.zip"];
    let others = [
        "code/bootstrap.zip",
        "packages/pr-1/b.zip",
        "packages/pr-170/b.zip",
        "packages/stage/b.zip",
        "pr-1-thebestest-depl/Source/c.zip",
        "source/thebestest/other/17/a.zip",
        "source/thebestest/thebestest/1/a.zip",
        "source/thebestest/thebestest/170/a.zip",
    ];
    for key in ours.into_iter().chain(others) {
        put(&objects, &bucket(&cloud), key).await;
    }

    let done = tear_all_down(&cloud).await;
    assert!(done.done, "{done:?}");
    assert!(!is_there(&cloud, "thebestest-pr-17-app").await && !is_there(&cloud, "thebestest-deploy-pr-17").await);
    assert!(is_there(&cloud, "thebestest-pr-1-app").await);
    assert_eq!(keys(&objects, &bucket(&cloud)).await, others);
    // Two versions and a marker in its own bucket, four versions in the artifacts'.
    let told = "Deleted the stacks thebestest-pr-17-app, thebestest-deploy-pr-17 and 7 versions of objects; nothing tagged pr-17 was left at ";
    assert!(done.summary.starts_with(told), "{}", done.summary);
    let records = Records::new(&cloud.config("test"), TABLE.to_owned());
    let record = records
        .read(&target().repository, 17)
        .await
        .expect("read")
        .expect("a record");
    assert_eq!(
        (record.finished, record.receipt.as_ref()),
        (Some(3), Some(&done.summary))
    );

    let deletions: Vec<_> = cloud
        .calls("teardown")
        .into_iter()
        .filter(|call| call.operation == "DeleteStack")
        .map(|call| call.parameters["StackName"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(deletions.len(), 2);
    assert!(
        deletions[0].contains("pr-17-app") && deletions[1].contains("deploy-pr-17"),
        "{deletions:?}"
    );
    assert_eq!(tear_down(&cloud).await, done, "once more says the same");
}

#[tokio::test]
async fn where_nothing_is_nothing_is_done() {
    let Some(cloud) = or_skip("nothing to tear down", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let done = tear_down(&cloud).await;
    assert!(
        done.done && done.summary.starts_with("No stack was there and 0 versions"),
        "{done:?}"
    );
}

#[tokio::test]
async fn stage_and_others_environments_are_refused_and_a_reopened_pull_request_is_left_alone() {
    let Some(cloud) = or_skip("teardowns that must not be", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    for environment in ["stage", "pr-1", "nonsense"] {
        let environment = environment.to_owned();
        let refused = tear_down_of(
            &cloud,
            Target {
                environment,
                ..target()
            },
        )
        .await
        .expect("an answer");
        assert!(!refused.done && refused.stuck.len() == 1, "{refused:?}");
    }
    assert!(cloud.calls("teardown").is_empty());
    put_record(&cloud, 4, None).await;
    let error = tear_down_of(&cloud, target()).await.expect_err("superseded");
    assert_eq!(error.error, TeardownError::Superseded);
    assert_eq!(asked(&cloud, "teardown"), ["dynamodb:GetItem"]);
}

#[tokio::test]
async fn running_executions_are_stopped_before_any_stack_is_touched() {
    let Some(cloud) = or_skip("executions before stacks", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(PIPELINE, []);
    let client = aws_sdk_codepipeline::Client::new(&cloud.config("test"));
    client
        .start_pipeline_execution()
        .name(PIPELINE)
        .send()
        .await
        .expect("started");
    let first = tear_down(&cloud).await;
    assert!(!first.done && first.summary.contains("stopping"), "{first:?}");
    assert_eq!(
        cloud.pipelines().executions(PIPELINE)[0].status,
        ExecutionStatus::Stopping
    );
    assert_eq!(times(&cloud, "teardown", "DescribeStacks"), 0);
    assert!(tear_all_down(&cloud).await.done);
    assert_eq!(times(&cloud, "teardown", "StopPipelineExecution"), 1);
}

fn stack_is(cloud: &Cloud, status: &str, reason: &str) {
    let stack = format!(
        "<Stacks><member><StackId>{ID}</StackId><StackName>thebestest-pr-17-app</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus><StackStatusReason>{reason}</StackStatusReason></member></Stacks>"
    );
    answers(cloud, "DescribeStacks", &stack);
}

/// This teardown has tried so often.
fn tried(cloud: &Cloud, times: usize) {
    let event = |number: usize| {
        format!(
            "<member><StackId>{ID}</StackId><EventId>{number}</EventId><StackName>x</StackName><PhysicalResourceId>{ID}</PhysicalResourceId><Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>DELETE_FAILED</ResourceStatus><ClientRequestToken>teardown-g3-{number}</ClientRequestToken></member>"
        )
    };
    let events: String = (1..=times).map(event).collect();
    answers(
        cloud,
        "DescribeStackEvents",
        &format!("<StackEvents>{events}</StackEvents>"),
    );
}

fn resources_are(cloud: &Cloud, status: &str) {
    let table = format!(
        "<member><LogicalResourceId>Items</LogicalResourceId><PhysicalResourceId>thebestest-pr-17-items</PhysicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>deletion protection is on</ResourceStatusReason></member>"
    );
    answers(
        cloud,
        "ListStackResources",
        &format!("<StackResourceSummaries>{table}</StackResourceSummaries>"),
    );
}

#[tokio::test]
async fn a_deletion_that_fails_is_tried_again_and_then_its_cause_is_named() {
    let Some(cloud) = or_skip("a deletion fails", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    stack_is(&cloud, "DELETE_FAILED", "");
    tried(&cloud, 2);
    resources_are(&cloud, "DELETE_FAILED");
    answers(&cloud, "DeleteStack", "");
    let again = tear_down(&cloud).await;
    assert!(!again.done && again.stuck.is_empty(), "{again:?}");
    let calls = cloud.calls("teardown");
    let deletion = calls
        .iter()
        .find(|call| call.operation == "DeleteStack")
        .expect("deleted");
    assert_eq!(deletion.parameters["ClientRequestToken"], "teardown-g3-3");

    stack_is(&cloud, "DELETE_FAILED", "");
    tried(&cloud, 3);
    resources_are(&cloud, "DELETE_FAILED");
    let stuck = tear_down(&cloud).await;
    assert_eq!(
        stuck.stuck,
        [own(
            &cloud,
            "arn:aws:dynamodb:eu-west-1:123456789012:table/thebestest-pr-17-items"
        )]
    );
    assert!(stuck.summary.contains("deletion protection is on"), "{}", stuck.summary);
    assert_eq!(times(&cloud, "teardown", "DeleteStack"), 1);
}

#[tokio::test]
async fn a_stack_that_changes_is_waited_for_and_a_protected_one_is_named() {
    let Some(cloud) = or_skip("a stack at work", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    for status in [
        "CREATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
    ] {
        stack_is(&cloud, status, "");
        let waiting = tear_down(&cloud).await;
        assert!(!waiting.done && waiting.stuck.is_empty(), "{status}: {waiting:?}");
    }
    assert_eq!(times(&cloud, "teardown", "DeleteStack"), 0);
    stack_is(&cloud, "UPDATE_COMPLETE", "");
    resources_are(&cloud, "CREATE_COMPLETE");
    let words = "Role arn:aws:iam::123456789012:role/thebestest-pr-17-cloudformation is invalid or cannot be assumed";
    crate::environments::fails(&cloud, "cloudformation", "DeleteStack", "ValidationError", words);
    let stuck = tear_down(&cloud).await;
    assert_eq!(stuck.stuck, [own(&cloud, ID)]);
    assert!(stuck.summary.contains("cannot be assumed"), "{}", stuck.summary);
}

#[tokio::test]
async fn what_carries_the_tags_and_belongs_to_no_stack_is_named_after_a_while() {
    let Some(cloud) = or_skip("leftovers", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let stray = tag_stray(&cloud).await;
    let waiting = tear_down(&cloud).await;
    assert!(!waiting.done && waiting.stuck.is_empty(), "{waiting:?}");
    put_record(&cloud, 3, Some(1)).await;
    let stuck = tear_down(&cloud).await;
    assert!(
        !stuck.done && stuck.stuck.len() == 1 && stuck.stuck[0].ends_with(&stray),
        "{stuck:?}"
    );
}

/// A bucket with the environment's tags that no stack has made.
async fn tag_stray(cloud: &Cloud) -> String {
    use aws_sdk_s3::types::{Tag, Tagging};
    let client = aws_sdk_s3::Client::new(&cloud.config("test"));
    let name = format!("thebestest-pr-17-{}-stray", cloud.account());
    make_bucket(&client, &name).await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().expect("complete");
    let tags = Tagging::builder()
        .tag_set(tag("pipeline:project", "thebestest"))
        .tag_set(tag("pipeline:environment", "pr-17"));
    let tagging = tags.build().expect("complete");
    client
        .put_bucket_tagging()
        .bucket(&name)
        .tagging(tagging)
        .send()
        .await
        .expect("tagged");
    name
}

/// Makes the handler ask for everything that it can.
pub(super) async fn exercise(cloud: &Cloud) {
    claim(cloud).await;
    let objects = aws_sdk_s3::Client::new(&cloud.config("test"));
    make_bucket(&objects, &bucket(cloud)).await;
    put(&objects, &bucket(cloud), "packages/pr-17/b.zip").await;
    cloud.pipelines().script(PIPELINE, []);
    let client = aws_sdk_codepipeline::Client::new(&cloud.config("test"));
    client
        .start_pipeline_execution()
        .name(PIPELINE)
        .send()
        .await
        .expect("started");
    while tear_down(cloud).await.summary.contains("stopping") {}
    put(&objects, &bucket(cloud), "packages/pr-17/c.zip").await;
    stack_is(cloud, "DELETE_FAILED", "");
    tried(cloud, 1);
    resources_are(cloud, "DELETE_FAILED");
    answers(cloud, "DeleteStack", "");
    tear_down(cloud).await;
    assert!(tear_down(cloud).await.done);
}

#[tokio::test]
async fn the_handler_asks_for_what_its_role_allows() {
    let Some(cloud) = or_skip("calls of a teardown", Cloud::start()) else {
        return;
    };
    exercise(&cloud).await;
    let all = [
        "cloudformation:DeleteStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "codepipeline:ListPipelineExecutions",
        "codepipeline:StopPipelineExecution",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "iam:ListPolicies",
        "iam:ListRoles",
        "s3:DeleteObjects",
        "s3:ListObjectVersions",
        "tagging:GetResources",
    ];
    assert_eq!(asked(&cloud, "teardown"), all);
}
