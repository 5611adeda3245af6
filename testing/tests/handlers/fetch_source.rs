//! `fetch_source` between a local GitHub and a local S3: archives arrive whole and verified, or not at all.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use contract::{FetchRequest, FetchSourceError, Source, Target};
use runtime::Failure;
use runtime::functions::{FetchSource, Function, Invocation};
use runtime::record::Record;
use runtime::records::Records;
use runtime::upload::PART;
use serde_json::json;
use sha2::{Digest, Sha256};
use testing::aws::{Cloud, Fault, REGION};
use testing::github::{Archive, GitHub, Repository};
use testing::or_skip;

use crate::cloud::Configured;

use archives::{Item, Sums, archive, item, link, rewrite};

#[path = "../../../runtime/zipball/tests/rewriter/archives.rs"]
pub(crate) mod archives;

const NAME: &str = "octo-org/octo.app";
const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const TABLE: &str = "thebestest-pull-requests";
const SECRET: &str = "thebestest-github-credentials";

struct Test {
    cloud: Cloud,
    github: GitHub,
    repository: Repository,
    bucket: String,
    fetch: FetchSource,
}

async fn test(what: &str) -> Option<Test> {
    let github = or_skip(what, GitHub::start())?;
    let cloud = or_skip(what, Cloud::start())?;
    let (bucket, fetch) = set_up(&cloud, &github).await;
    Some(Test {
        repository: github.repository(NAME),
        cloud,
        github,
        bucket,
        fetch,
    })
}

/// The handler with a table, a secret and a versioned bucket.
async fn set_up(cloud: &Cloud, github: &GitHub) -> (String, FetchSource) {
    let admin = cloud.config("test");
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("complete")
    };
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("complete")
    };
    aws_sdk_dynamodb::Client::new(&admin)
        .create_table()
        .table_name(TABLE)
        .key_schema(key("repository", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .attribute_definitions(attribute("repository", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("the table is made");
    let secret = aws_sdk_secretsmanager::Client::new(&admin)
        .create_secret()
        .name(SECRET)
        .secret_string(github.token())
        .send()
        .await
        .expect("the secret is made");
    // Bucket names are shared by all accounts.
    let bucket = format!("thebestest-artifacts-{}-{REGION}", cloud.account());
    let s3 = aws_sdk_s3::Client::new(&admin);
    let region = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION));
    let made = s3
        .create_bucket()
        .bucket(&bucket)
        .create_bucket_configuration(region.build());
    made.send().await.expect("the bucket is made");
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let versioning = s3.put_bucket_versioning().bucket(&bucket);
    let versioning = versioning.versioning_configuration(versioned.build()).send();
    versioning.await.expect("the bucket keeps versions");
    use contract::FetchSource as Variables;
    let fetch = cloud.function(&[
        (Variables::BUCKET, &bucket),
        (Variables::TABLE, TABLE),
        (Variables::GITHUB_CREDENTIALS, &secret.arn.unwrap_or_default()),
        (Variables::GITHUB_API, github.api()),
    ]);
    claim(cloud, 1, None).await;
    (bucket, fetch)
}

/// The record as a claim of this generation leaves it.
async fn claim(cloud: &Cloud, generation: u64, read: Option<u64>) {
    let record: Record = serde_json::from_value(json!({
        "repository": NAME, "number": 17, "revision": generation, "generation": generation, "decision": "deploy", "reason": "",
        "sha": SHA, "open": true, "wanted": true, "updated_at": "", "execution": "", "claimed_at": 0, "attempts": 1,
    }))
    .expect("a record");
    let records = Records::new(&cloud.config("test"), TABLE.to_owned());
    assert_eq!(records.put(&record, read).await, Ok(true));
}

async fn fetch(handler: &FetchSource, time: Duration) -> Result<Source, Failure<FetchSourceError>> {
    let target = Target {
        repository: NAME.to_owned(),
        number: 17,
        sha: SHA.to_owned(),
        environment: "pr-17".to_owned(),
        generation: 1,
    };
    let request = FetchRequest { target };
    handler.call(request, &Invocation::lasting("request", time)).await
}

impl Test {
    async fn fetch(&self, zip: Vec<u8>) -> Result<Source, Failure<FetchSourceError>> {
        self.repository.archive(SHA, Archive::new(zip));
        fetch(&self.fetch, Duration::from_secs(60)).await
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.cloud.config("test"))
    }

    async fn assert_nothing_is_left(&self, after: &str) {
        let versions = self.s3().list_object_versions().bucket(&self.bucket).send().await;
        let versions = versions.expect("versions are listed");
        assert!(versions.versions().is_empty(), "{after}: {versions:?}");
        let uploads = self.s3().list_multipart_uploads().bucket(&self.bucket).send().await;
        let uploads = uploads.expect("uploads are listed");
        assert!(uploads.uploads().is_empty(), "{after}: {uploads:?}");
    }

    fn operations(&self) -> Vec<String> {
        let calls = self.cloud.calls("fetch_source");
        calls.into_iter().map(|call| call.operation).collect()
    }

    async fn assert_arrived(&self, zip: &[u8], source: &Source) {
        let (expected, _) = rewrite(zip).expect("it is a good archive");
        let object = self.s3().get_object().bucket(&self.bucket).key(&source.key);
        let object = object
            .version_id(&source.version_id)
            .send()
            .await
            .expect("that version is there");
        let bytes = object.body.collect().await.expect("it can be read").into_bytes();
        assert!(bytes == expected, "{} bytes, expected {}", bytes.len(), expected.len());
        assert_eq!(source.size, expected.len() as u64);
        let digest: String = Sha256::digest(&expected)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(source.sha256, digest);
        assert_eq!(source.key, format!("source/{NAME}/17/{SHA}.zip"));
    }
}

/// Bytes that no compressor makes shorter and no two places of which are alike.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(step).take(length).collect()
}

fn small() -> Vec<u8> {
    let files = [
        item("octo-org-octo.app-6dcb09b/", b""),
        Item {
            mode: 0o100_755,
            deflated: true,
            ..item("octo-org-octo.app-6dcb09b/run.sh", b"#!/bin/sh\nexit 0\n")
        },
        link("octo-org-octo.app-6dcb09b/link", "run.sh"),
    ];
    archive(&files, SHA.as_bytes())
}

/// An archive of two parts and a bit, then these entries.
fn large(comment: &str, more: impl IntoIterator<Item = Item>) -> Vec<u8> {
    let mut items = vec![item("r/", b""), item("r/noise", &noise(2 * PART))];
    items.extend(more);
    archive(&items, comment.as_bytes())
}

/// Makes the handler do every AWS call that it can make, and asserts that it succeeds.
pub(super) async fn exercise(cloud: &Cloud, github: &GitHub) {
    let (_, handler) = set_up(cloud, github).await;
    let repository = github.repository(NAME);
    for zip in [small(), large(SHA, None)] {
        repository.archive(SHA, Archive::new(zip));
        fetch(&handler, Duration::from_secs(60)).await.expect("it arrives");
    }
    repository.archive(SHA, Archive::new(large("another commit", None)));
    let refused = fetch(&handler, Duration::from_secs(60))
        .await
        .expect_err("it is refused");
    assert_eq!(refused.error, FetchSourceError::SourceRejected);
}

#[tokio::test]
async fn it_asks_aws_for_its_record_the_secret_and_the_upload() {
    let Some(github) = or_skip("what fetch_source asks of AWS", GitHub::start()) else {
        return;
    };
    let Some(cloud) = or_skip("what fetch_source asks of AWS", Cloud::start()) else {
        return;
    };
    exercise(&cloud, &github).await;
    let mut operations: Vec<_> = cloud
        .calls("fetch_source")
        .into_iter()
        .map(|call| call.operation)
        .collect();
    operations.sort();
    operations.dedup();
    let expected = [
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "GetItem",
        "GetSecretValue",
        "PutObject",
        "UploadPart",
    ];
    assert_eq!(operations, expected);
}

#[tokio::test]
async fn a_small_archive_arrives_as_one_object() {
    let Some(test) = test("small archives").await else {
        return;
    };
    let source = test.fetch(small()).await.expect("it arrives");
    test.assert_arrived(&small(), &source).await;
    assert!(!test.operations().contains(&"CreateMultipartUpload".to_owned()));
    let again = test.fetch(small()).await.expect("it arrives again");
    assert_ne!(
        source.version_id, again.version_id,
        "each upload is a version of its own"
    );
    assert_eq!(source.sha256, again.sha256);
}

#[tokio::test]
async fn a_large_archive_arrives_in_parts() {
    let Some(test) = test("large archives").await else {
        return;
    };
    let zip = large(SHA, [item("r/more", &noise(3 * PART))]);
    let source = test.fetch(zip.clone()).await.expect("it arrives");
    test.assert_arrived(&zip, &source).await;
    let parts = test
        .operations()
        .into_iter()
        .filter(|operation| operation == "UploadPart")
        .count();
    assert_eq!(parts, 6);
    let uploads = test.s3().list_multipart_uploads().bucket(&test.bucket).send().await;
    assert!(uploads.expect("uploads are listed").uploads().is_empty());
}

#[tokio::test]
async fn a_hostile_archive_leaves_nothing() {
    let Some(test) = test("hostile archives").await else {
        return;
    };
    let hostile = [
        item("r/../x", b""),
        item("/x", b""),
        item("r/a\\b", b""),
        item("r/C:/x", b""),
        item("elsewhere/x", b""),
        item("r/noise", b"twice"),
        item("r/noise/inside", b""),
        Item {
            flags: 1,
            ..item("r/secret", b"")
        },
        Item {
            method: Some(99),
            ..item("r/x", b"")
        },
        Item {
            central_offset: Some(0),
            ..item("r/x", b"")
        },
        Item {
            central_name: Some(b"r/y".to_vec()),
            ..item("r/x", b"")
        },
        Item {
            in_directory: false,
            ..item("r/x", b"")
        },
    ];
    for entry in hostile {
        let what = format!("{:?}", String::from_utf8_lossy(&entry.name));
        let refused = test.fetch(large(SHA, [entry.clone()])).await.expect_err(&what);
        assert_eq!(
            refused.error,
            FetchSourceError::SourceRejected,
            "{what}: {}",
            refused.message
        );
        let short = test
            .fetch(archive(&[item("r/", b""), item("r/noise", b""), entry], SHA.as_bytes()))
            .await;
        assert_eq!(short.expect_err(&what).error, FetchSourceError::SourceRejected);
        test.assert_nothing_is_left(&what).await;
    }
    for (what, zip) in [
        ("no zip", b"<html>".to_vec()),
        ("another commit", large(&SHA.replace('6', "7"), None)),
        ("no commit", large("", None)),
        ("something behind it", [large(SHA, None), vec![0]].concat()),
    ] {
        let refused = test.fetch(zip).await.expect_err(what);
        assert_eq!(
            refused.error,
            FetchSourceError::SourceRejected,
            "{what}: {}",
            refused.message
        );
        test.assert_nothing_is_left(what).await;
    }
    // Nothing is written through a link, so one is kept wherever it leads.
    let hidden = Sums::After {
        signed: true,
        wide: false,
        size_before: false,
    };
    let away = Item {
        sums: hidden,
        deflated: true,
        ..link("r/away", "/etc/passwd")
    };
    let kept = test.fetch(large(SHA, [link("r/link", "../../x"), away])).await;
    kept.expect("links are kept");
}

#[tokio::test]
async fn a_truncated_archive_is_fetched_again_and_then_refused() {
    let Some(test) = test("truncated archives").await else {
        return;
    };
    let mut zip = large(SHA, None);
    zip.truncate(zip.len() - 1);
    let refused = test.fetch(zip).await.expect_err("it is not whole");
    assert_eq!(refused.error, FetchSourceError::SourceRejected, "{}", refused.message);
    test.assert_nothing_is_left("a truncated archive").await;
}

#[tokio::test]
async fn a_connection_that_is_cut_is_tried_again_and_leaves_nothing() {
    let Some(test) = test("cut connections").await else {
        return;
    };
    let zip = large(SHA, None);
    test.repository
        .archive(SHA, Archive::new(zip).cut_after(PART + PART / 2));
    let failure = fetch(&test.fetch, Duration::from_secs(60))
        .await
        .expect_err("it never ends");
    assert_eq!(failure.error, FetchSourceError::Unavailable, "{}", failure.message);
    let begun = test
        .operations()
        .into_iter()
        .filter(|operation| operation == "CreateMultipartUpload")
        .count();
    assert_eq!(begun, 4, "it was tried as often as that");
    test.assert_nothing_is_left("cut connections").await;
}

#[tokio::test]
async fn a_host_that_is_out_of_service_for_a_moment_does_no_harm() {
    let Some(test) = test("a host out of service").await else {
        return;
    };
    test.repository.archive(SHA, Archive::new(small()).out_of_service(1));
    let source = fetch(&test.fetch, Duration::from_secs(60)).await.expect("it arrives");
    test.assert_arrived(&small(), &source).await;
}

#[tokio::test]
async fn a_source_that_hangs_ends_in_time_and_leaves_nothing() {
    let Some(test) = test("a source that hangs").await else {
        return;
    };
    test.repository
        .archive(SHA, Archive::new(large(SHA, None)).hanging_after(PART + PART / 2));
    let failure = fetch(&test.fetch, Duration::from_secs(8))
        .await
        .expect_err("it never ends");
    assert_eq!(failure.error, FetchSourceError::Unavailable, "{}", failure.message);
    test.assert_nothing_is_left("a source that hangs").await;
}

#[tokio::test]
async fn an_invocation_that_is_dropped_aborts_its_upload() {
    let Some(test) = test("a dropped invocation").await else {
        return;
    };
    test.repository
        .archive(SHA, Archive::new(large(SHA, None)).hanging_after(PART + PART / 2));
    let fetching = fetch(&test.fetch, Duration::from_secs(60));
    let begun = async {
        while !test.operations().contains(&"UploadPart".to_owned()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        result = fetching => panic!("it cannot end: {result:?}"),
        () = begun => {}
    }
    while !test.operations().contains(&"AbortMultipartUpload".to_owned()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    test.assert_nothing_is_left("a dropped invocation").await;
}

#[tokio::test]
async fn a_superseded_execution_touches_nothing() {
    let Some(test) = test("superseded executions").await else {
        return;
    };
    test.repository.archive(SHA, Archive::new(small()));
    claim(&test.cloud, 2, Some(1)).await;
    let failure = fetch(&test.fetch, Duration::from_secs(60))
        .await
        .expect_err("it is superseded");
    assert_eq!(failure.error, FetchSourceError::Superseded);
    assert_eq!(test.operations(), ["GetItem"]);
    assert!(test.github.requests().is_empty());
}

#[tokio::test]
async fn an_execution_that_is_superseded_on_its_way_makes_no_object() {
    let Some(test) = test("executions superseded on their way").await else {
        return;
    };
    let slow = Archive::new(large(SHA, None)).in_chunks(PART / 2, Duration::from_millis(400));
    test.repository.archive(SHA, slow);
    let newer = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        claim(&test.cloud, 2, Some(1)).await;
    };
    let (result, ()) = tokio::join!(fetch(&test.fetch, Duration::from_secs(60)), newer);
    assert_eq!(
        result.expect_err("it is superseded").error,
        FetchSourceError::Superseded
    );
    test.assert_nothing_is_left("a superseded execution").await;
}

#[tokio::test]
async fn a_commit_that_github_does_not_have_is_missing() {
    let Some(test) = test("missing commits").await else {
        return;
    };
    let failure = fetch(&test.fetch, Duration::from_secs(60))
        .await
        .expect_err("there is none");
    assert_eq!(failure.error, FetchSourceError::SourceMissing, "{}", failure.message);
    test.assert_nothing_is_left("a missing commit").await;
}

#[tokio::test]
async fn an_upload_that_s3_refuses_is_aborted() {
    let Some(test) = test("refused uploads").await else {
        return;
    };
    for operation in ["UploadPart", "CompleteMultipartUpload"] {
        let denied = Fault::Error {
            status: 403,
            code: "AccessDenied".to_owned(),
            message: "Access Denied".to_owned(),
        };
        test.cloud.fail("s3", operation, 1, denied);
        let failure = test.fetch(large(SHA, None)).await.expect_err(operation);
        assert_eq!(failure.error, FetchSourceError::Unavailable);
        assert!(failure.message.contains(operation), "{}", failure.message);
        test.assert_nothing_is_left(operation).await;
    }
}

#[tokio::test]
async fn s3_that_asks_for_patience_gets_it() {
    let Some(test) = test("a busy S3").await else { return };
    for operation in ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] {
        test.cloud.fail("s3", operation, 1, Fault::Throttled);
    }
    let zip = large(SHA, None);
    let source = test.fetch(zip.clone()).await.expect("it arrives");
    test.assert_arrived(&zip, &source).await;
}
