//! What GitHub shows of each step, and of what was superseded.

use contract::{Outcome, ReportError, ReportRequest, Step};
use testing::github::Fault;

use super::{NEXT, SHA, URL, request, target, test};

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
