//! Every example that GitHub publishes of a webhook, signed and read as it comes.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::hmac;
use contract::Decision;
use runtime::webhook::{Hint, SignatureError, parse, verify};
use serde_json::Value;
use stacks::Project;
use testing::{or_skip, tools};

const SECRET: &[u8] = b"a secret of the test's own";

/// What each action of the examples' one pull request becomes: without a label that is needed, and with its label `bug` needed.
const DECISIONS: [(&str, Decision, Decision); 14] = [
    ("assigned", Decision::Ignore, Decision::Ignore),
    ("closed", Decision::TearDown, Decision::TearDown),
    ("converted_to_draft", Decision::TearDown, Decision::TearDown),
    ("labeled", Decision::Ignore, Decision::Deploy),
    ("locked", Decision::Ignore, Decision::Ignore),
    ("opened", Decision::Deploy, Decision::Deploy),
    ("ready_for_review", Decision::Deploy, Decision::Deploy),
    ("reopened", Decision::Deploy, Decision::Deploy),
    ("review_request_removed", Decision::Ignore, Decision::Ignore),
    ("review_requested", Decision::Ignore, Decision::Ignore),
    ("synchronize", Decision::Deploy, Decision::Deploy),
    ("unassigned", Decision::Ignore, Decision::Ignore),
    // The example still carries the label that it says was removed; what a pull request carries is what counts.
    ("unlabeled", Decision::Ignore, Decision::Deploy),
    ("unlocked", Decision::Ignore, Decision::Ignore),
];

fn project(more: &str) -> Project {
    Project::from_yaml(&format!(
        "project: demo\nrepository: Codertocat/Hello-World\nregion: eu-west-1\nstage_branch: master\n{more}\
         unit_test:\n  commands: [make]\napplication:\n  synthesize: [make]\n  code: null\n"
    ))
    .expect("it is a configuration")
}

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).expect("it is JSON")
}

/// Signs with another implementation than the one that verifies.
fn sign(body: &[u8]) -> Vec<u8> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}").into_bytes()
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn every_example_of_a_pull_request_gets_its_decision() {
    let Some(examples) = or_skip("webhook examples", tools::webhook_examples()) else {
        return;
    };
    let expected: BTreeMap<&str, [Decision; 2]> = DECISIONS
        .map(|(action, plain, labelled)| (action, [plain, labelled]))
        .into();
    let projects = [project(""), project("pull_requests:\n  required_label: bug\n")];
    let mut seen = BTreeSet::new();
    for (_, body) in examples.iter().filter(|(event, _)| event == "pull_request") {
        let action = body["action"].as_str().expect("it has an action");
        let decisions = expected
            .get(action)
            .unwrap_or_else(|| panic!("{action} is not expected"));
        seen.insert(action);
        let raw = bytes(body);
        assert_eq!(verify([SECRET], &raw, &sign(&raw)), Ok(()));
        for (project, expected) in projects.iter().zip(decisions) {
            let (decision, reason) = match parse("pull_request", &raw, project).expect("it is read") {
                Hint::Ignore(reason) => (Decision::Ignore, reason),
                Hint::PullRequest(event) => {
                    let verified = event.decide(project, None, "guid").expect("it is decided");
                    let change = verified.change.expect("it is of a pull request");
                    // Some of the examples' labels were opened without any.
                    let unlabelled = project.pull_requests.required_label.is_some()
                        && body["pull_request"]["labels"].as_array().is_some_and(Vec::is_empty);
                    assert_eq!(change.labelled, !unlabelled);
                    assert_eq!(change.number, 2);
                    assert_eq!(change.repository, "Codertocat/Hello-World");
                    assert_eq!(change.sha, body["pull_request"]["head"]["sha"]);
                    assert_eq!(change.updated_at, body["pull_request"]["updated_at"]);
                    (verified.decision, verified.reason)
                }
            };
            assert_eq!(decision, *expected, "{action}: {reason}");
            assert!(reason.len() > 10, "{action}: {reason:?}");
        }
    }
    let all: BTreeSet<&str> = expected.keys().copied().collect();
    assert_eq!(seen, all, "the table lists what GitHub shows, and nothing else");
}

#[test]
fn every_other_event_is_ignored_for_a_reason() {
    let Some(examples) = or_skip("webhook examples", tools::webhook_examples()) else {
        return;
    };
    let project = project("");
    let mut events = BTreeSet::new();
    for (event, body) in examples.iter().filter(|(event, _)| event != "pull_request") {
        events.insert(event);
        match parse(event, &bytes(body), &project) {
            Ok(Hint::Ignore(reason)) => assert!(reason.len() > 10, "{event}: {reason:?}"),
            other => panic!("{event} becomes {other:?}"),
        }
        // Its name is not signed: whoever replays it under another name gains nothing.
        if let Ok(Hint::PullRequest(read)) = parse("pull_request", &bytes(body), &project) {
            panic!("{event} poses as {read:?}");
        }
    }
    assert!(events.len() > 50, "GitHub shows more than {} events", events.len());
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let Some(examples) = or_skip("webhook examples", tools::webhook_examples()) else {
        return;
    };
    let mut bodies: Vec<Vec<u8>> = examples.iter().map(|(_, body)| bytes(body)).collect();
    bodies.sort_by_key(Vec::len);
    for (rank, body) in bodies.iter().enumerate() {
        let signature = sign(body);
        assert_eq!(verify([SECRET], body, &signature), Ok(()));
        let bits = body.len() * 8;
        // Every bit of the smallest, and of all others the first, the last and some between.
        let step = if rank < 3 { 1 } else { bits / 7 };
        for bit in (0..bits).step_by(step.max(1)).chain([bits - 1]) {
            let refused = verify([SECRET], &flipped(body, bit), &signature);
            assert_eq!(
                refused,
                Err(SignatureError::Mismatch),
                "bit {bit} of {} bytes",
                body.len()
            );
        }
        let every = if rank % 50 == 0 { 1 } else { 97 };
        for bit in (0..signature.len() * 8).step_by(every) {
            assert!(
                verify([SECRET], body, &flipped(&signature, bit)).is_err(),
                "bit {bit} of the signature"
            );
        }
    }
}
