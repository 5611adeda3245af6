//! GitHub's own environment of a pull request: deleted with it where that may be, and never in the way.

use std::time::Duration;

use contract::{Outcome, Step};
use testing::github::Fault;

use super::test;

/// The pull request is deployed, and torn down.
async fn live_through(test: &super::Test) {
    test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    assert_eq!(test.repository.environments(), ["pr-17"]);
    test.reported(Step::Teardown, Outcome::Success, "Nothing is left").await;
}

#[tokio::test]
async fn githubs_environment_goes_with_the_pull_request_and_its_deployments_stay() {
    let Some(test) = test("an environment of GitHub's").await else {
        return;
    };
    live_through(&test).await;
    assert_eq!(test.repository.environments(), [""; 0]);
    assert_eq!(test.deployments(), [["success", "inactive"]]);
    // Once more changes nothing.
    test.reported(Step::Teardown, Outcome::Success, "Nothing is left").await;
}

#[tokio::test]
async fn what_keeps_githubs_environment_from_going_is_no_failure_of_the_teardown() {
    for fault in [
        None,
        Some(Fault::status(500)),
        Some(Fault::secondary_limit(None)),
        Some(Fault::cut()),
    ] {
        let Some(test) = test("an environment that is kept").await else {
            return;
        };
        match fault {
            Some(fault) => drop(test.github.faults().always_on("DELETE /environments", fault)),
            None => test.github.token_administers(false),
        }
        let begun = std::time::Instant::now();
        live_through(&test).await;
        assert_eq!(test.repository.environments(), ["pr-17"]);
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits for it");
    }
}

#[tokio::test]
async fn an_environment_that_others_deploy_to_is_not_deleted() {
    let Some(test) = test("an environment of others").await else {
        return;
    };
    test.reported(Step::Deploy, Outcome::Success, "Deployed").await;
    test.repository.deployed_by_another("pr-17", super::SHA);
    test.reported(Step::Teardown, Outcome::Success, "Nothing is left").await;
    assert_eq!(test.repository.environments(), ["pr-17"]);
}

#[tokio::test]
async fn only_the_status_of_a_report_that_another_follows_is_waited_for() {
    let Some(test) = test("a GitHub that takes no more contents").await else {
        return;
    };
    let limit = || Fault::secondary_limit(Some(Duration::from_secs(3_600)));
    test.github.faults().always_on("POST /deployments", limit());
    test.github.faults().always_on("* /issues/17/comments", limit());
    for (step, outcome) in [
        (Step::UnitTest, Outcome::Pending),
        (Step::UnitTest, Outcome::Success),
        (Step::Deploy, Outcome::Pending),
    ] {
        test.reported(step, outcome, "it goes on").await;
        assert!(test.memory().await.unfinished, "{step:?} {outcome:?}");
    }
    assert_eq!(test.statuses(super::SHA).len(), 3);
    // The last report is not given up: what it shows stays.
    let last = super::request(Step::Deploy, Outcome::Success, "Deployed");
    test.within(&last, 5).await.expect_err("there is no time for it");
    test.github.faults().clear();
    test.send(&last).await.expect("GitHub takes it");
    assert_eq!(test.deployments(), [["success"]]);
    assert!(test.comment().contains("`Deployed`"));
    assert!(!test.memory().await.unfinished);
}
