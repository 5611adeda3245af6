//! What GitHub refuses, loses or has lost: the rest is shown all the same, and nothing twice.

use std::time::Duration;

use contract::{Outcome, ReportError, Step};
use testing::github::{Fault, GitHub};

use super::{SHA, request, test, test_with};

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
    let unknown = |_: &GitHub| "hush-Xy12aB".to_owned();
    let Some(test) = test_with("a secret that nobody has entered", unknown).await else {
        return;
    };
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
