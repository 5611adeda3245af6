//! The binary as it is deployed: small enough, at home where Lambda runs it, and every handler in it answers through the Runtime API.
//!
//! It is built by the README's command, which takes minutes when anything has changed, and is started as Lambda starts it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use object::read::elf::ElfFile64;
use serde_json::{Value, json};
use sha2::Sha256;
use testing::aws::{Cloud, REGION};
use testing::emission;
use testing::github::{Archive, GitHub};
use testing::lambda::{self, Answer, Process};
use testing::or_skip;

use crate::app;
use crate::cloud::Configured;
use crate::fetch_source::archives::{archive, item};

/// The greatest size of the binary, in bytes.
const LARGEST: u64 = 8_500_000;
/// The newest glibc of Amazon Linux 2023, which is under the runtime `provided.al2023`.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

const REPOSITORY: &str = "thebestest/thebestest";
const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const TABLE: &str = "thebestest-pull-requests";
const WEBHOOK_SECRET: &str = "It's a Secret to Everybody";

#[test]
fn the_binary_is_small_and_needs_nothing_newer_than_lambda_has() {
    let path = lambda::bootstrap().expect("it can be built");
    let binary = fs::read(&path).expect("it can be read");
    assert!(
        binary.len() as u64 <= LARGEST,
        "{} bytes, allowed are {LARGEST}",
        binary.len()
    );
    let file = ElfFile64::<object::Endianness>::parse(&*binary).expect("it is a program for Linux");
    let (endian, sections) = (file.endian(), file.elf_section_table());
    let (mut needs, strings) = sections
        .gnu_verneed(endian, &*binary)
        .ok()
        .flatten()
        .expect("it says which versions it needs");
    let strings = sections.strings(endian, &*binary, strings).expect("it names them");
    let mut versions = BTreeSet::new();
    while let Some((_, mut each)) = needs.next().expect("they can be read") {
        while let Some(version) = each.next().expect("they can be read") {
            let name = version.name(endian, strings).expect("each has a name");
            let name = String::from_utf8_lossy(name);
            if let Some((major, minor)) = name.strip_prefix("GLIBC_").and_then(|number| number.split_once('.')) {
                let minor = minor.split('.').next().unwrap_or(minor);
                versions.insert((
                    major.parse::<u32>().expect("a number"),
                    minor.parse::<u32>().expect("a number"),
                ));
            }
        }
    }
    assert!(!versions.is_empty(), "it is linked to no glibc at all?");
    assert!(versions.iter().all(|version| *version <= NEWEST_GLIBC), "{versions:?}");
}

/// One account and one repository with the pull request 17, and the variables that every function's template sets.
struct Stage {
    binary: PathBuf,
    cloud: Cloud,
    github: GitHub,
    variables: BTreeMap<String, String>,
    answered: BTreeSet<&'static str>,
    logs: String,
}

impl Stage {
    async fn set() -> Option<Self> {
        let what = "every handler answers as the binary that is deployed";
        let github = or_skip(what, GitHub::start())?;
        let cloud = or_skip(what, Cloud::start())?;
        let files = [
            item("root/", b""),
            item("root/README.md", b"# The best of everything\n"),
        ];
        github
            .repository(REPOSITORY)
            .archive(SHA, Archive::new(archive(&files, SHA.as_bytes())))
            .pull_request(17, SHA);
        let bucket = make_bucket(&cloud).await;
        make_records(&cloud).await;
        app::set_up(&cloud).await;
        let mut project = emission::project();
        project.github_api = github.api().to_owned();
        let account = cloud.account();
        let variables = [
            ("WEBHOOK_SECRET", make_secret(&cloud, "webhook", WEBHOOK_SECRET).await),
            (
                "GITHUB_CREDENTIALS",
                make_secret(&cloud, "github", &github.token()).await,
            ),
            ("GITHUB_API", github.api().to_owned()),
            ("BUCKET", bucket),
            ("TABLE", TABLE.to_owned()),
            ("PROJECT", serde_json::to_string(&project).expect("it is JSON")),
            ("STACK_ROLE", format!("arn:aws:iam::{account}:role/thebestest-stacks")),
            (
                "STATE_MACHINE",
                format!("arn:aws:states:{REGION}:{account}:stateMachine:thebestest-pipeline-manager"),
            ),
        ];
        Some(Self {
            binary: lambda::bootstrap().expect("it can be built"),
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            cloud,
            github,
            answered: BTreeSet::new(),
            logs: String::new(),
        })
    }

    /// Starts the handler in a process of its own, and invokes it once.
    fn invoke(&mut self, handler: &'static str, input: &Value) -> Answer {
        let mut variables = self.cloud.variables(handler);
        variables.extend(self.variables.clone());
        if ["list_items", "get_item", "put_item", "delete_item"].contains(&handler) {
            variables.insert("TABLE".to_owned(), app::TABLE.to_owned());
        }
        let function = format!("thebestest-{}", handler.replace('_', "-"));
        let mut process =
            Process::start(self.binary.as_os_str(), &[], handler, &function, &variables).expect("it can be started");
        let answer = process.invoke(input, Duration::from_secs(30));
        self.logs += &process.end();
        self.answered.insert(handler);
        answer
    }

    fn output(&mut self, handler: &'static str, input: &Value) -> Value {
        match self.invoke(handler, input) {
            Answer::Output(output) => output,
            other => panic!("{handler} answered {other:?}\n{}", self.logs),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_handler_answers_through_the_runtime_api() {
    let Some(mut stage) = Stage::set().await else { return };

    let verified = stage.output("verify_webhook", &json!({ "webhook": delivery() }));
    assert_eq!(verified["decision"], "deploy", "{verified}");
    let execution = format!("arn:aws:states:{REGION}:123456789012:execution:thebestest-pipeline-manager:1");
    let claimed = stage.output("claim", &json!({ "verified": verified, "execution": execution }));
    assert_eq!(claimed["target"]["environment"], "pr-17", "{claimed}");
    let target = claimed["target"].clone();
    let pending =
        json!({ "target": target, "step": "unit_test", "outcome": "pending", "summary": "Starting.", "url": null });
    stage.output("report", &pending);
    assert_eq!(stage.github.repository(REPOSITORY).statuses(SHA).len(), 1);

    let source = stage.output("fetch_source", &json!({ "target": target }));
    assert_eq!(source["key"], format!("source/{REPOSITORY}/17/{SHA}.zip"));
    stage.cloud.pipelines().script("thebestest-unit-test", []);
    let run = stage.output(
        "start_pipeline",
        &json!({ "target": target, "kind": "unit_test", "source": source, "attempt": 0 }),
    );
    let progress = stage.output("check_pipeline", &json!({ "target": target, "run": run }));
    assert!(progress["state"].is_string(), "{progress}");
    stage.output("stop_pipeline", &json!({ "runs": [run], "reason": "enough" }));

    // The local CloudFormation knows no pipelines, so it refuses the stack, and the handler says so by the name that the machine catches.
    let applied = stage.invoke("apply_stack", &json!({ "target": target }));
    assert!(!matches!(applied, Answer::Nothing), "{}", stage.logs);
    let id = format!(
        "arn:aws:cloudformation:{REGION}:{}:stack/thebestest-deploy-pr-17/none",
        stage.cloud.account()
    );
    let checked = stage.invoke("check_stack", &json!({ "target": target, "stack_id": id }));
    assert!(!matches!(checked, Answer::Nothing), "{}", stage.logs);

    stage.github.token_ends("9999-12-31 23:59:59 UTC");
    let reconciled = stage.output("reconcile", &json!({ "dry_run": false }));
    assert_eq!(reconciled["compared"], 1, "{reconciled}");
    let torn_down = stage.output("teardown", &json!({ "target": target }));
    assert!(torn_down["stuck"].is_array(), "{torn_down}");
    // Nobody listens at the address, and that it is said by name is all that can be done.
    let unanswered = stage.invoke(
        "stage_deployer",
        &json!({ "ResponseURL": "http://127.0.0.1:9/", "RequestType": "Delete" }),
    );
    assert!(
        matches!(&unanswered, Answer::Error { name, .. } if name == "Unanswered"),
        "{unanswered:?}"
    );

    let user = json!({ "authorizer": { "claims": { "sub": "u" } } });
    let path = json!({ "category_name": "pizza" });
    let body = json!({ "place_name": "Da Michele" }).to_string();
    for (handler, body, status) in [
        ("put_item", Some(body), 201),
        ("get_item", None, 200),
        ("list_items", None, 200),
        ("delete_item", None, 204),
    ] {
        let request =
            json!({ "pathParameters": path, "queryStringParameters": null, "body": body, "requestContext": user });
        assert_eq!(stage.output(handler, &request)["statusCode"], status, "{handler}");
    }
    assert_eq!(stage.answered.len(), 16, "{:?}", stage.answered);
    check_logs(&stage);
}

/// One JSON line an event, with what it belongs to, and no secret in any.
fn check_logs(stage: &Stage) {
    let mut of_target = 0;
    for line in stage.logs.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?} is no JSON"));
        let span = &line["span"];
        if span["sha"] == SHA && span["number"] == 17 && span["repository"] == REPOSITORY && span["generation"] == 1 {
            of_target += 1;
        }
    }
    assert!(
        of_target >= 9,
        "only {of_target} lines say what they are about:\n{}",
        stage.logs
    );
    check_metrics(&stage.logs);
    for secret in [WEBHOOK_SECRET, &stage.github.token()] {
        assert!(!stage.logs.contains(secret), "a secret is in the logs");
    }
}

/// Each metric is published in the namespace that the alarms watch, without dimensions, and there are no others: each costs money.
fn check_metrics(logs: &str) {
    let lines = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut published = Vec::new();
    for line in lines.filter(|line| !line["_aws"].is_null()) {
        for metric in line["_aws"]["CloudWatchMetrics"].as_array().expect("metrics") {
            assert_eq!(metric["Namespace"], emission::project().project, "{line}");
            assert_eq!(metric["Dimensions"], json!([[]]), "{line}");
            for named in metric["Metrics"].as_array().expect("names") {
                let name = named["Name"].as_str().expect("a name").to_owned();
                assert!(line[&name].is_number(), "{line}");
                published.push(name);
            }
        }
    }
    published.sort_unstable();
    assert_eq!(
        published,
        ["CredentialDaysLeft", "StuckPullRequests"],
        "one run of the reconciler"
    );
    assert!(
        published
            .iter()
            .all(|name| contract::metric::ALL.contains(&name.as_str()))
    );
}

#[test]
fn a_handler_that_is_not_there_is_named() {
    let binary = lambda::bootstrap().expect("it can be built");
    let mut process =
        Process::start(binary.as_os_str(), &[], "launch_missiles", "f", &BTreeMap::new()).expect("it can be started");
    assert_eq!(process.invoke(&json!({}), Duration::from_secs(2)), Answer::Nothing);
    let log = process.end();
    assert!(
        log.contains("launch_missiles") && log.contains("verify_webhook"),
        "{log}"
    );
}

/// A signed webhook, as API Gateway passes it on.
fn delivery() -> Value {
    let repository = json!({ "full_name": REPOSITORY });
    let body = json!({
        "action": "opened",
        "number": 17,
        "repository": repository,
        "pull_request": {
            "number": 17, "state": "open", "draft": false, "merged": false, "merged_at": null, "merge_commit_sha": null,
            "updated_at": "2026-01-31T12:00:00Z", "labels": [],
            "head": { "sha": SHA, "ref": "change", "repo": repository },
            "base": { "sha": SHA, "ref": "main", "repo": repository },
        },
    })
    .to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("a key of any length");
    mac.update(body.as_bytes());
    let signature: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    json!({
        "body": encoded(&body),
        "event": encoded("pull_request"),
        "delivery": encoded("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        "signature": encoded(&format!("sha256={signature}")),
    })
}

async fn make_secret(cloud: &Cloud, name: &str, value: &str) -> String {
    let secret = aws_sdk_secretsmanager::Client::new(&cloud.config("test"))
        .create_secret()
        .name(name)
        .secret_string(value)
        .send()
        .await;
    secret.expect("the secret is made").arn.unwrap_or_default()
}

async fn make_records(cloud: &Cloud) {
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("complete")
    };
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("complete")
    };
    let table = aws_sdk_dynamodb::Client::new(&cloud.config("test"))
        .create_table()
        .table_name(TABLE)
        .key_schema(key("repository", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .attribute_definitions(attribute("repository", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    table.expect("the table is made");
}

/// A versioned bucket; names of buckets are shared by all accounts.
async fn make_bucket(cloud: &Cloud) -> String {
    let bucket = format!("thebestest-artifacts-{}-{REGION}", cloud.account());
    let s3 = aws_sdk_s3::Client::new(&cloud.config("test"));
    let region = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION));
    let made = s3
        .create_bucket()
        .bucket(&bucket)
        .create_bucket_configuration(region.build());
    made.send().await.expect("the bucket is made");
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let versioning = s3
        .put_bucket_versioning()
        .bucket(&bucket)
        .versioning_configuration(versioned.build());
    versioning.send().await.expect("the bucket keeps versions");
    bucket
}
