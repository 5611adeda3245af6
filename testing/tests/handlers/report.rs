//! `report` on a local AWS and a local GitHub: what GitHub shows after each step, and after each fault.

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
use testing::github::{Fault, GitHub, Repository};
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
    let github = or_skip(what, GitHub::start())?;
    let cloud = or_skip(what, Cloud::start())?;
    let report = set_up(&cloud, &github, &github.token()).await;
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
        .stack_name("thebestest-app-pr-17")
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

#[tokio::test]
async fn a_pull_request_is_reported_from_its_tests_to_its_teardown() {
    let Some(test) = test("a pull request's reports").await else {
        return;
    };
    let first = test
        .reported(Step::UnitTest, Outcome::Pending, "The unit tests are starting.")
        .await;
    test.reported(Step::UnitTest, Outcome::Success, "38 tests passed").await;
    test.reported(Step::Deploy, Outcome::Pending, "The environment is being prepared.")
        .await;
    let last = test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    assert_eq!(first, last, "the comment stays the same one");
    assert!(
        first.comment_url.contains("/octo-org/report/pull/17#issuecomment-"),
        "{first:?}"
    );
    assert_eq!(
        test.statuses(SHA),
        [
            "thebestest/unit-tests: pending The unit tests are starting.",
            "thebestest/unit-tests: success 38 tests passed",
            "thebestest/deploy: pending The environment is being prepared.",
            "thebestest/deploy: success Deployed",
        ]
    );
    assert_eq!(test.deployments(), [["in_progress", "success"]]);
    let [deployment] = test.repository.deployments("pr-17").try_into().expect("one deployment");
    assert_eq!(deployment.statuses[1]["environment_url"], URL);
    assert_eq!(deployment.statuses[1]["log_url"], "https://example.com/log");
    let comment = test.comment();
    assert!(
        comment.contains("| ✅ | Unit tests | `38 tests passed` · [details](https://example.com/log)"),
        "{comment}"
    );
    assert!(comment.contains(&format!("**`pr-17`**: <{URL}>")), "{comment}");
    assert!(comment.contains("| `UserPoolId` | `eu-west-1_A1b2` |"), "{comment}");

    test.reported(Step::Teardown, Outcome::Pending, "The environment is being deleted.")
        .await;
    assert!(test.comment().contains(URL), "it is still there");
    test.reported(
        Step::Teardown,
        Outcome::Success,
        "Nothing is left: 2 stacks, 31 objects",
    )
    .await;
    let comment = test.comment();
    assert!(
        comment.contains("| ✅ | Teardown | `Nothing is left: 2 stacks, 31 objects`"),
        "{comment}"
    );
    assert!(!comment.contains(URL), "{comment}");
    assert_eq!(test.deployments(), [["in_progress", "success", "inactive"]]);
}

#[tokio::test]
async fn a_report_that_is_repeated_changes_nothing() {
    let Some(test) = test("repeated reports").await else {
        return;
    };
    let deployed = request(Step::Deploy, Outcome::Success, "Deployed");
    let first = test.send(&deployed).await.expect("GitHub takes it");
    let before = (
        test.statuses(SHA),
        test.deployments(),
        test.comment(),
        test.github.requests().len(),
    );
    let again = test.send(&deployed).await.expect("it is known");
    assert_eq!(first, again);
    assert_eq!(
        before,
        (
            test.statuses(SHA),
            test.deployments(),
            test.comment(),
            test.github.requests().len()
        )
    );
}

#[tokio::test]
async fn what_was_left_out_blocks_nothing_and_says_why() {
    let Some(test) = test("skipped steps").await else {
        return;
    };
    test.reported(
        Step::Deploy,
        Outcome::Skipped,
        "a fork, and nobody has approved this commit",
    )
    .await;
    assert_eq!(
        test.statuses(SHA),
        ["thebestest/deploy: success Skipped: a fork, and nobody has approved this commit"]
    );
    assert_eq!(test.deployments(), [[""; 0]; 0]);
    assert!(test.comment().contains("⏭️"), "{}", test.comment());
}

#[tokio::test]
async fn a_long_summary_is_cut_to_what_a_status_takes() {
    let Some(test) = test("long summaries").await else {
        return;
    };
    test.reported(Step::UnitTest, Outcome::Failure, &"ä@octocat\n".repeat(40))
        .await;
    let [status] = test.repository.statuses(SHA).try_into().expect("one status");
    assert_eq!(status.description.chars().count(), 140);
    assert!(status.description.ends_with('…') && !status.description.contains('\n'));
}

#[tokio::test]
async fn a_newer_commits_environment_takes_the_place_of_the_earlier_one() {
    let Some(test) = test("a second commit").await else {
        return;
    };
    test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    test.repository.commit(NEXT);
    test.claim(2, NEXT).await;
    let next = |outcome, summary: &str| ReportRequest {
        target: target(2, NEXT),
        ..request(Step::Deploy, outcome, summary)
    };
    test.send(&next(Outcome::Pending, "Deploying"))
        .await
        .expect("GitHub takes it");
    assert_eq!(
        test.deployments(),
        [vec!["success"], vec!["in_progress"]],
        "the earlier one still runs"
    );
    test.send(&next(Outcome::Success, "Deployed"))
        .await
        .expect("GitHub takes it");
    assert_eq!(
        test.deployments(),
        [vec!["success", "inactive"], vec!["in_progress", "success"]]
    );
    // The same comment.
    assert!(test.comment().contains("`7638417`"), "{}", test.comment());
}

#[tokio::test]
async fn what_an_earlier_generation_left_pending_is_given_its_end() {
    let Some(test) = test("steps that were superseded").await else {
        return;
    };
    test.reported(Step::UnitTest, Outcome::Pending, "The unit tests are starting.")
        .await;
    test.claim(2, SHA).await;
    let teardown = ReportRequest {
        target: target(2, SHA),
        ..request(Step::Teardown, Outcome::Pending, "The environment is being deleted.")
    };
    test.send(&teardown).await.expect("GitHub takes it");
    let expected = [
        "thebestest/unit-tests: pending The unit tests are starting.",
        "thebestest/unit-tests: error Stopped: the pull request has changed.",
        "thebestest/teardown: pending The environment is being deleted.",
    ];
    assert_eq!(test.statuses(SHA), expected);
    // The same commit once more: what is pending is the new generation's own.
    test.claim(3, SHA).await;
    let tests = ReportRequest {
        target: target(3, SHA),
        ..request(Step::UnitTest, Outcome::Pending, "The unit tests are starting.")
    };
    test.send(&tests).await.expect("GitHub takes it");
    let statuses = test.statuses(SHA);
    let expected = [
        "thebestest/teardown: error Stopped: the pull request has changed.",
        "thebestest/unit-tests: pending The unit tests are starting.",
    ];
    assert_eq!(statuses[3..], expected);
}

#[tokio::test]
async fn a_deployment_is_remembered_until_github_shows_it_as_ended() {
    let Some(test) = test("deployments that cannot be ended at once").await else {
        return;
    };
    test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    test.github.faults().on("POST /deployments", [Fault::status(422)]);
    let gone = request(Step::Teardown, Outcome::Success, "Nothing is left.");
    let refused = test.send(&gone).await.expect_err("GitHub refuses a part");
    assert_eq!(refused.error, ReportError::ReportRejected);
    assert_eq!(test.deployments(), [["success"]]);
    test.send(&gone).await.expect("GitHub takes it");
    assert_eq!(test.deployments(), [["success", "inactive"]]);
}

#[tokio::test]
async fn what_has_succeeded_is_not_made_an_error_by_what_fails_after_it() {
    let Some(test) = test("errors after the success").await else {
        return;
    };
    let deployed = test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    // The function ran, and its answer was lost.
    let told = test
        .reported(Step::Deploy, Outcome::Error, "The pipeline failed.")
        .await;
    assert_eq!(told, deployed);
    assert_eq!(test.statuses(SHA), ["thebestest/deploy: success Deployed"]);
    // The tests' step stands for all that comes until the deployment is pending.
    test.reported(Step::UnitTest, Outcome::Success, "38 tests passed").await;
    test.reported(Step::UnitTest, Outcome::Error, "The pipeline failed.")
        .await;
    let statuses = test.statuses(SHA);
    assert_eq!(
        statuses.last().map(String::as_str),
        Some("thebestest/unit-tests: error The pipeline failed.")
    );
}

#[tokio::test]
async fn a_superseded_report_tells_github_nothing() {
    let Some(test) = test("superseded reports").await else {
        return;
    };
    test.claim(2, NEXT).await;
    let failure = test.send(&request(Step::UnitTest, Outcome::Success, "passed")).await;
    assert_eq!(failure.expect_err("it is superseded").error, ReportError::Superseded);
    assert_eq!(test.github.requests(), []);
    assert_eq!(test.operations(), ["GetItem"]);
}

#[tokio::test]
async fn what_github_refuses_of_one_part_does_not_keep_it_from_the_others() {
    let Some(test) = test("refused parts").await else {
        return;
    };
    let refused = [
        ("POST /statuses", "the status thebestest/deploy"),
        ("POST /deployments", "the status of deployment"),
        ("POST /issues/17/comments", "a comment on"),
    ];
    for (part, words) in refused {
        test.github.faults().on(part, [Fault::status(403)]);
        let summary = format!("without {part}");
        let failure = test
            .send(&request(Step::Deploy, Outcome::Pending, &summary))
            .await
            .expect_err("it is refused");
        assert_eq!(failure.error, ReportError::ReportRejected, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
        assert!(test.memory().await.unfinished);
        test.github.faults().clear();
        for comment in test.repository.comments(17) {
            test.repository.delete_comment(comment.id);
        }
    }
    // The other parts went through.
    let summaries = test.statuses(SHA);
    assert_eq!(summaries.len(), 2, "{summaries:?}");
    // And once nothing is refused any more, the same report is not taken for one that is known.
    test.reported(Step::Deploy, Outcome::Pending, "without POST /issues/17/comments")
        .await;
    assert!(!test.memory().await.unfinished);
    assert!(test.comment().contains("without POST"));
}

#[tokio::test]
async fn faults_that_pass_do_not_show() {
    let Some(test) = test("faults that pass").await else {
        return;
    };
    let faults = test.github.faults();
    faults.on("POST /statuses", [Fault::status(502), Fault::cut()]);
    faults.on(
        "POST /deployments",
        [Fault::cut().once_carried_out(), Fault::status(500)],
    );
    faults.on("POST /issues", [Fault::status(502).once_carried_out()]);
    faults.on("PATCH /issues", [Fault::too_many_requests(Duration::from_secs(1))]);
    test.reported(Step::Deploy, Outcome::Pending, "Deploying").await;
    test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    assert_eq!(
        test.statuses(SHA),
        [
            "thebestest/deploy: pending Deploying",
            "thebestest/deploy: success Deployed"
        ]
    );
    assert_eq!(test.deployments(), [["in_progress", "success"]]);
    assert!(test.comment().contains("`Deployed`"));
}

#[tokio::test]
async fn a_github_that_is_out_of_reach_is_unavailable_and_the_next_attempt_makes_nothing_twice() {
    let Some(test) = test("GitHub out of reach").await else {
        return;
    };
    let deployed = request(Step::Deploy, Outcome::Success, "Deployed");
    let limits = [
        Fault::secondary_limit(None),
        Fault::primary_limit(Duration::from_secs(900)),
        Fault::hang(),
    ];
    for (part, limit) in ["POST /statuses", "POST /deployments", "/issues/17/comments"]
        .into_iter()
        .zip(limits)
    {
        test.github
            .faults()
            .always_on(&format!("* {}", part.trim_start_matches("POST ")), limit);
        let failure = test.within(&deployed, 5).await.expect_err("there is no time for it");
        assert_eq!(failure.error, ReportError::Unavailable, "{failure}");
        assert!(
            failure.message.contains("try again in") || failure.message.contains("no answer within"),
            "{failure}"
        );
        test.github.faults().clear();
    }
    test.send(&deployed).await.expect("GitHub takes it");
    assert_eq!(test.deployments().len(), 1);
    assert!(test.comment().contains("`Deployed`"));
}

#[tokio::test]
async fn a_comment_or_deployment_that_somebody_deleted_is_made_anew() {
    let Some(test) = test("deleted comments").await else {
        return;
    };
    let first = test.reported(Step::UnitTest, Outcome::Pending, "starting").await;
    let id = test.repository.comments(17)[0].id;
    test.repository.delete_comment(id);
    let second = test.reported(Step::UnitTest, Outcome::Success, "passed").await;
    assert_ne!(first, second);
    assert!(test.comment().contains("`passed`"));
}

#[tokio::test]
async fn a_word_that_opens_nothing_is_told_from_a_credential_and_never_shown() {
    let Some(github) = or_skip("a secret that nobody has entered", GitHub::start()) else {
        return;
    };
    let Some(cloud) = or_skip("a secret that nobody has entered", Cloud::start()) else {
        return;
    };
    let report = set_up(&cloud, &github, "hush-Xy12aB").await;
    let repository = github.repository(NAME);
    repository.pull_request(17, SHA);
    let test = Test {
        cloud,
        github,
        repository,
        report,
    };
    test.claim(1, SHA).await;
    let failure = test
        .send(&request(Step::UnitTest, Outcome::Pending, "starting"))
        .await
        .expect_err("it opens nothing");
    assert_eq!(failure.error, ReportError::ReportRejected, "{failure}");
    assert!(failure.message.contains("enter a token"), "{failure}");
    assert!(
        !format!("{failure} {failure:?} {:?}", test.report).contains("hush"),
        "{failure}"
    );
}
