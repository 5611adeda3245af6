//! The front itself, through the SDK's clients: it reads what they write in every protocol, and refuses what AWS would.

use std::time::Duration;

use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{SourceRevisionOverride, SourceRevisionType};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use serde_json::json;
use testing::aws::{Action, ActionStatus, Cloud, ExecutionStatus, Fault, Grants, REGION, Step};
use testing::or_skip;

use crate::cloud::{Configured, emissions};

async fn table(cloud: &Cloud, name: &str) {
    let client = aws_sdk_dynamodb::Client::new(&cloud.config("test"));
    let key = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S);
    let hash = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(key.build().expect("complete"))
        .key_schema(hash.build().expect("complete"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("the table is made");
}

#[tokio::test]
async fn calls_are_recorded_by_caller_with_their_parameters() {
    let Some(cloud) = or_skip("calls are recorded", Cloud::start()) else {
        return;
    };
    table(&cloud, "things").await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.config("claim"));
    let put = client.put_item().table_name("things");
    put.item("id", AttributeValue::S("a".to_owned()))
        .send()
        .await
        .expect("put");
    let calls = cloud.calls("claim");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(
        (calls[0].service.as_str(), calls[0].operation.as_str()),
        ("dynamodb", "PutItem")
    );
    assert_eq!(
        calls[0].parameters,
        json!({ "TableName": "things", "Item": { "id": { "S": "a" } } })
    );
    assert_eq!(calls[0].status, Some(200));
    assert_eq!(cloud.all_calls().len(), 2);
}

#[tokio::test]
async fn accounts_are_apart() {
    let Some(cloud) = or_skip("accounts are apart", Cloud::start()) else {
        return;
    };
    let Some(other) = or_skip("accounts are apart", Cloud::start()) else {
        return;
    };
    table(&cloud, "same").await;
    table(&other, "same").await;
    assert_ne!(cloud.account(), other.account());
}

#[tokio::test]
async fn uploads_in_parts_are_told_from_whole_ones() {
    let Some(cloud) = or_skip("uploads are recorded", Cloud::start()) else {
        return;
    };
    let client = aws_sdk_s3::Client::new(&cloud.config("fetch_source"));
    let bucket = format!("parts-{}", cloud.account());
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(REGION))
        .build();
    let create = client.create_bucket().bucket(&bucket).create_bucket_configuration(here);
    create.send().await.expect("the bucket is made");
    let body = ByteStream::from_static(b"whole");
    let key = "source/ü + &.zip";
    client
        .put_object()
        .bucket(&bucket)
        .key(key)
        .body(body)
        .send()
        .await
        .expect("put");
    let upload = client
        .create_multipart_upload()
        .bucket(&bucket)
        .key("parts")
        .send()
        .await
        .expect("begun");
    let id = upload.upload_id().expect("an id");
    let body = ByteStream::from(vec![7; 6 << 20]);
    let part = client
        .upload_part()
        .bucket(&bucket)
        .key("parts")
        .upload_id(id)
        .part_number(1)
        .body(body);
    part.send().await.expect("a part");
    client
        .abort_multipart_upload()
        .bucket(&bucket)
        .key("parts")
        .upload_id(id)
        .send()
        .await
        .expect("aborted");
    client
        .list_objects_v2()
        .bucket(&bucket)
        .prefix("source/")
        .send()
        .await
        .expect("listed");
    client
        .list_object_versions()
        .bucket(&bucket)
        .send()
        .await
        .expect("listed");
    let got = client.get_object().bucket(&bucket).key(key).send().await.expect("got");
    assert_eq!(got.body.collect().await.expect("read").to_vec(), b"whole");
    let calls = cloud.calls("fetch_source");
    let operations: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(
        operations,
        [
            "CreateBucket",
            "PutObject",
            "CreateMultipartUpload",
            "UploadPart",
            "AbortMultipartUpload",
            "ListObjectsV2",
            "ListObjectVersions",
            "GetObject"
        ]
    );
    assert_eq!(calls[1].parameters["Key"], key);
    assert_eq!(calls[5].parameters["Prefix"], "source/");
}

#[tokio::test]
async fn the_query_protocol_is_read_with_lists() {
    let Some(cloud) = or_skip("CloudFormation is read", Cloud::start()) else {
        return;
    };
    let client = aws_sdk_cloudformation::Client::new(&cloud.config("apply_stack"));
    let parameter = aws_sdk_cloudformation::types::Parameter::builder()
        .parameter_key("Name")
        .parameter_value("value")
        .build();
    client
        .create_change_set()
        .stack_name("deploy-pr-17")
        .change_set_name("change")
        .change_set_type(aws_sdk_cloudformation::types::ChangeSetType::Create)
        .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityNamedIam)
        .parameters(parameter)
        .template_body(r#"{"Parameters":{"Name":{"Type":"String"}},"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#)
        .send()
        .await
        .expect("the change set is made");
    let calls = cloud.calls("apply_stack");
    assert_eq!(calls[0].operation, "CreateChangeSet");
    assert_eq!(calls[0].parameters["Capabilities"], json!(["CAPABILITY_NAMED_IAM"]));
    assert_eq!(
        calls[0].parameters["Parameters"],
        json!([{ "ParameterKey": "Name", "ParameterValue": "value" }])
    );
}

#[tokio::test]
async fn what_breaks_a_rule_of_the_model_is_refused() {
    let Some(cloud) = or_skip("rules are kept", Cloud::start()) else {
        return;
    };
    let client = aws_sdk_codepipeline::Client::new(&cloud.config("start_pipeline"));
    let start = client
        .start_pipeline_execution()
        .name("tests")
        .client_request_token("a token");
    let fault = start.send().await.expect_err("a blank is no character of a token");
    assert!(fault.into_service_error().is_validation_exception());
    let violations = cloud.take_violations();
    assert_eq!(
        violations,
        [
            "start_pipeline: codepipeline:StartPipelineExecution: clientRequestToken is `a token`, allowed is what matches ^[a-zA-Z0-9-]+$"
        ]
    );
}

#[tokio::test]
async fn a_fault_hits_the_call_it_was_meant_for() {
    let Some(cloud) = or_skip("faults hit", Cloud::start()) else {
        return;
    };
    table(&cloud, "things").await;
    let once = RetryConfig::disabled();
    let config = cloud.config("claim").to_builder().retry_config(once).build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    cloud.fail("dynamodb", "PutItem", 2, Fault::Throttled);
    cloud.fail("dynamodb", "PutItem", 3, Fault::Lost);
    cloud.fail("dynamodb", "PutItem", 4, Fault::AnswerLost);
    cloud.fail("dynamodb", "PutItem", 5, Fault::Hang);
    let put = async |id: &str| {
        let put = client
            .put_item()
            .table_name("things")
            .item("id", AttributeValue::S(id.to_owned()));
        tokio::time::timeout(Duration::from_secs(2), put.send()).await
    };
    put("1").await.expect("answered").expect("put");
    let throttled = put("2").await.expect("answered").expect_err("throttled");
    assert!(throttled.into_service_error().is_throttling_exception());
    put("3").await.expect("cut").expect_err("cut");
    put("4").await.expect("cut").expect_err("cut");
    assert!(put("5").await.is_err(), "it hangs");
    let scan = client.scan().table_name("things").send().await.expect("scanned");
    let ids = scan
        .items()
        .iter()
        .map(|item| item["id"].as_s().expect("text").as_str());
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>(), ["1", "4"].into());
}

#[tokio::test]
async fn a_pipeline_follows_its_script() {
    let Some(cloud) = or_skip("pipelines follow", Cloud::start()) else {
        return;
    };
    let failed = Action::new("Test", "UnitTests", ActionStatus::Failed)
        .with_result(json!({ "externalExecutionUrl": "https://example.com/log", "errorDetails": { "code": "JobFailed", "message": "2 tests failed" } }));
    let fetched = Action::new("Source", "Fetch", ActionStatus::Succeeded);
    cloud.pipelines().script(
        "tests",
        [
            Step::new(ExecutionStatus::InProgress, [fetched.clone()]),
            Step::new(ExecutionStatus::Failed, [fetched, failed]),
        ],
    );
    let client = aws_sdk_codepipeline::Client::new(&cloud.config("check_pipeline"));
    let revision = SourceRevisionOverride::builder()
        .action_name("Fetch")
        .revision_type(SourceRevisionType::S3ObjectVersionId)
        .revision_value("v1");
    let start = client
        .start_pipeline_execution()
        .name("tests")
        .client_request_token("once");
    let start = start.source_revisions(revision.build().expect("complete"));
    let id = start
        .clone()
        .send()
        .await
        .expect("started")
        .pipeline_execution_id
        .expect("an id");
    assert_eq!(
        start.send().await.expect("the same").pipeline_execution_id,
        Some(id.clone())
    );
    let get = client
        .get_pipeline_execution()
        .pipeline_name("tests")
        .pipeline_execution_id(&id);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let execution = get.clone().send().await.expect("there").pipeline_execution.expect("it");
        seen.push(execution.status.expect("a status").to_string());
    }
    assert_eq!(seen, ["InProgress", "Failed", "Failed"]);
    let list = client.list_action_executions().pipeline_name("tests").max_results(1);
    let mut pages = list.into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(action) = pages.next().await {
        names.push(action.expect("listed").action_name.expect("a name"));
    }
    assert_eq!(names, ["UnitTests", "Fetch"]);
    let stop = client
        .stop_pipeline_execution()
        .pipeline_name("tests")
        .pipeline_execution_id(&id);
    let fault = stop.send().await.expect_err("it has ended").into_service_error();
    assert!(fault.is_pipeline_execution_not_stoppable_exception());
    let gone = client
        .start_pipeline_execution()
        .name("none")
        .send()
        .await
        .expect_err("not there");
    assert!(gone.into_service_error().is_pipeline_not_found_exception());
}

#[tokio::test]
async fn a_pipeline_that_is_not_granted_is_denied() {
    let Some(cloud) = or_skip("pipelines are guarded", Cloud::enforcing()) else {
        return;
    };
    let grants = Grants::of(emissions(), "shared", "stop_pipeline", cloud.account()).expect("the function is there");
    cloud.give_role("stop_pipeline", &grants).expect("the role is assumed");
    for name in ["pr-17-thebestest-deploy", "another"] {
        cloud.pipelines().script(name, []);
    }
    let client = aws_sdk_codepipeline::Client::new(&cloud.config("stop_pipeline"));
    let stop = client
        .stop_pipeline_execution()
        .pipeline_execution_id("00000001-0000-4000-8000-111111111111");
    let granted = stop
        .clone()
        .pipeline_name("pr-17-thebestest-deploy")
        .send()
        .await
        .expect_err("it never ran");
    assert_eq!(granted.code(), Some("PipelineExecutionNotFoundException"));
    let denied = stop
        .pipeline_name("another")
        .send()
        .await
        .expect_err("it is not granted");
    assert_eq!(denied.code(), Some("AccessDeniedException"));
}
