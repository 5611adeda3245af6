//! `report` on a local AWS and a local GitHub: what GitHub shows after each step, and after each fault.

mod environment;
mod faults;
mod steps;

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use contract::{Outcome, ReportError, ReportRequest, Reported, Step, Target};
use runtime::Failure;
use runtime::functions::{Environment, Function, Invocation, Report};
use runtime::record::{Record, ReportMemory};
use runtime::records::Records;
use serde_json::json;
use testing::aws::Cloud;
use testing::github::{GitHub, Repository};
use testing::or_skip;

use crate::cloud::Configured;

const NAME: &str = "octo-org/report";
const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const NEXT: &str = "7638417db6d59f3c431d3e1f261cc637155684cd";
const TABLE: &str = "thebestest-pull-requests";
const URL: &str = "https://abc.example.com/live";

struct Test {
    cloud: Cloud,
    github: GitHub,
    repository: Repository,
    report: Report,
}

async fn test(what: &str) -> Option<Test> {
    test_with(what, GitHub::token).await
}

/// The same with another credential than GitHub's token.
async fn test_with(what: &str, credential: impl FnOnce(&GitHub) -> String) -> Option<Test> {
    let github = or_skip(what, GitHub::start())?;
    let cloud = or_skip(what, Cloud::start())?;
    let report = set_up(&cloud, &github, &credential(&github)).await;
    let repository = github.repository(NAME);
    repository.pull_request(17, SHA);
    let test = Test {
        cloud,
        github,
        repository,
        report,
    };
    test.claim(1, SHA).await;
    Some(test)
}

/// The handler with a table, a secret and a deployed application.
async fn set_up(cloud: &Cloud, github: &GitHub, credential: &str) -> Report {
    let admin = cloud.config("test");
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
    };
    let table = aws_sdk_dynamodb::Client::new(&admin)
        .create_table()
        .table_name(TABLE)
        .key_schema(key("repository", KeyType::Hash).expect("complete"))
        .key_schema(key("number", KeyType::Range).expect("complete"))
        .attribute_definitions(attribute("repository", ScalarAttributeType::S).expect("complete"))
        .attribute_definitions(attribute("number", ScalarAttributeType::N).expect("complete"))
        .billing_mode(BillingMode::PayPerRequest);
    // Another handler may have been set up in the same account.
    if let Err(fault) = table.send().await {
        assert_eq!(fault.code(), Some("ResourceInUseException"), "{fault:?}");
    }
    let secrets = aws_sdk_secretsmanager::Client::new(&admin);
    let name = "thebestest-github-credentials";
    let secret = match secrets
        .create_secret()
        .name(name)
        .secret_string(credential)
        .send()
        .await
    {
        Ok(made) => made.arn,
        Err(_) => {
            let put = secrets
                .put_secret_value()
                .secret_id(name)
                .secret_string(credential)
                .send()
                .await;
            put.expect("the secret is changed").arn
        }
    };
    let application = json!({
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
        "Outputs": { "Url": { "Value": URL }, "UserPoolId": { "Value": "eu-west-1_A1b2" } },
    });
    aws_sdk_cloudformation::Client::new(&admin)
        .create_stack()
        .stack_name("thebestest-pr-17-app")
        .template_body(application.to_string())
        .send()
        .await
        .expect("the application is deployed");
    let project = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../stacks/project.yaml"));
    let mut project = stacks::Project::from_yaml(&project.expect("it is there")).expect("it is valid");
    project.github_api = github.api().to_owned();
    let variables = [
        ("TABLE", TABLE.to_owned()),
        ("GITHUB_CREDENTIALS", secret.unwrap_or_default()),
        ("PROJECT", serde_json::to_string(&project).expect("JSON")),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Report::new(&Environment::new(variables, cloud.config("report"))).expect("it starts")
}

fn target(generation: u64, sha: &str) -> Target {
    Target {
        repository: NAME.to_owned(),
        number: 17,
        sha: sha.to_owned(),
        environment: "pr-17".to_owned(),
        generation,
    }
}

fn request(step: Step, outcome: Outcome, summary: &str) -> ReportRequest {
    ReportRequest {
        target: target(1, SHA),
        step,
        outcome,
        summary: summary.to_owned(),
        url: Some("https://example.com/log".to_owned()),
    }
}

impl Test {
    /// The record as a claim of this commit leaves it; what was remembered stays.
    async fn claim(&self, generation: u64, sha: &str) {
        let records = self.records();
        let known = records.read(NAME, 17).await.expect("an answer");
        let record: Record = serde_json::from_value(json!({
            "repository": NAME, "number": 17, "revision": 1, "generation": generation, "decision": "deploy", "reason": "",
            "sha": sha, "open": true, "wanted": true, "updated_at": "", "execution": "", "claimed_at": 0, "attempts": 1,
            "memory": known.as_ref().map(|record| record.memory.clone()).unwrap_or_default(),
        }))
        .expect("a record");
        let written = records.put(&record, known.map(|record| record.revision)).await;
        assert_eq!(written, Ok(true));
    }

    fn records(&self) -> Records {
        Records::new(&self.cloud.config("test"), TABLE.to_owned())
    }

    async fn memory(&self) -> ReportMemory {
        let record = self.records().read(NAME, 17).await.expect("an answer");
        record.expect("a record").memory
    }

    async fn send(&self, request: &ReportRequest) -> Result<Reported, Failure<ReportError>> {
        self.within(request, 30).await
    }

    async fn within(&self, request: &ReportRequest, seconds: u64) -> Result<Reported, Failure<ReportError>> {
        let invocation = Invocation::lasting("request", Duration::from_secs(seconds));
        self.report.call(request.clone(), &invocation).await
    }

    async fn reported(&self, step: Step, outcome: Outcome, summary: &str) -> Reported {
        self.send(&request(step, outcome, summary))
            .await
            .expect("GitHub takes it")
    }

    /// The commit's statuses, as `context: state description`.
    fn statuses(&self, sha: &str) -> Vec<String> {
        let statuses = self.repository.statuses(sha).into_iter();
        statuses
            .map(|status| format!("{}: {} {}", status.context, status.state, status.description))
            .collect()
    }

    /// The states of the environment's deployments.
    fn deployments(&self) -> Vec<Vec<String>> {
        let states = |statuses: Vec<serde_json::Value>| {
            statuses
                .iter()
                .map(|status| status["state"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        self.repository
            .deployments("pr-17")
            .into_iter()
            .map(|deployment| states(deployment.statuses))
            .collect()
    }

    fn comment(&self) -> String {
        let comments = self.repository.comments(17);
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments[0].body.clone()
    }

    fn operations(&self) -> Vec<String> {
        self.cloud
            .calls("report")
            .into_iter()
            .map(|call| call.operation)
            .collect()
    }
}

/// Makes the handler do every AWS call that it can make, and asserts that it succeeds.
pub(super) async fn exercise(cloud: &Cloud, github: &GitHub) {
    let report = set_up(cloud, github, &github.token()).await;
    github.repository(NAME).pull_request(17, SHA);
    let record: Record = serde_json::from_value(json!({
        "repository": NAME, "number": 17, "revision": 1, "generation": 1, "decision": "deploy", "reason": "", "sha": SHA,
        "open": true, "wanted": true, "updated_at": "", "execution": "", "claimed_at": 0, "attempts": 1,
    }))
    .expect("a record");
    let records = Records::new(&cloud.config("test"), TABLE.to_owned());
    assert_eq!(records.put(&record, None).await, Ok(true));
    let invocation = Invocation::lasting("request", Duration::from_secs(60));
    let deployed = request(Step::Deploy, Outcome::Success, "Deployed");
    report.call(deployed, &invocation).await.expect("GitHub takes it");
}

#[tokio::test]
async fn it_asks_aws_for_its_record_the_secret_and_the_applications_outputs() {
    let Some(github) = or_skip("what report asks of AWS", GitHub::start()) else {
        return;
    };
    let Some(cloud) = or_skip("what report asks of AWS", Cloud::start()) else {
        return;
    };
    exercise(&cloud, &github).await;
    let mut operations: Vec<_> = cloud.calls("report").into_iter().map(|call| call.operation).collect();
    operations.sort();
    operations.dedup();
    assert_eq!(
        operations,
        ["DescribeStacks", "GetItem", "GetSecretValue", "UpdateItem"]
    );
}
