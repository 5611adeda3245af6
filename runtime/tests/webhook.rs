//! What a delivery becomes: its signature, its shape, and the project's filters.

#![expect(clippy::expect_used, reason = "a test whose own data is broken has failed")]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use contract::{Decision, Delivery, Verified};
use runtime::webhook::{Hint, LARGEST_BODY, PayloadError, SignatureError, parse, survive, unpack, verify};
use serde_json::{Value, json};
use stacks::Project;

const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
const MERGE: &str = "0123456789abcdef0123456789abcdef01234567";
/// GitHub's published vector, see
/// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation>.
const SECRET: &[u8] = b"It's a Secret to Everybody";
const BODY: &[u8] = b"Hello, World!";
const SIGNATURE: &[u8] = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn project(pull_requests: &str) -> Project {
    Project::from_yaml(&format!(
        "project: demo\nrepository: owner/name\nregion: eu-west-1\npull_requests: {{{pull_requests}}}\n\
         unit_test:\n  commands: [make]\napplication:\n  synthesize: [make]\n  code: null\n"
    ))
    .expect("it is a configuration")
}

fn event(action: &str) -> Value {
    json!({
        "action": action,
        "number": 17,
        "repository": { "full_name": "owner/name" },
        "pull_request": {
            "number": 17,
            "state": "open",
            "draft": false,
            "updated_at": "2026-01-31T12:00:00Z",
            "merged_at": null,
            "merge_commit_sha": null,
            "head": { "sha": HEAD, "repo": { "full_name": "owner/name" } },
            "base": { "ref": "main", "repo": { "full_name": "owner/name" } },
            "labels": [{ "name": "bug" }],
        },
    })
}

fn with(action: &str, pointer: &str, value: Value) -> Value {
    let mut event = event(action);
    *event.pointer_mut(pointer).expect("the event has it") = value;
    event
}

fn merged(onto: &str) -> Value {
    let mut event = event("closed");
    let pull = &mut event["pull_request"];
    pull["state"] = json!("closed");
    pull["merged_at"] = json!("2026-01-31T12:00:00Z");
    pull["merge_commit_sha"] = json!(MERGE);
    pull["base"]["ref"] = json!(onto);
    event
}

fn read(body: &Value, project: &Project) -> Result<Hint, PayloadError> {
    parse("pull_request", body.to_string().as_bytes(), project)
}

fn decide(body: &Value, project: &Project, files: Option<&[&str]>) -> Verified {
    let files: Option<Vec<String>> = files.map(|files| files.iter().map(ToString::to_string).collect());
    match read(body, project).expect("it is an event") {
        Hint::PullRequest(event) => event.decide(project, files.as_deref(), "guid").expect("it is decided"),
        Hint::Ignore(reason) => Verified {
            decision: Decision::Ignore,
            reason,
            change: None,
        },
    }
}

#[test]
fn githubs_published_vector_is_accepted() {
    assert_eq!(verify([SECRET], BODY, SIGNATURE), Ok(()));
}

#[test]
fn two_secrets_are_accepted_during_a_rotation_and_no_third() {
    assert_eq!(verify([b"new".as_slice(), SECRET], BODY, SIGNATURE), Ok(()));
    assert_eq!(
        verify([b"new".as_slice(), b"old"], BODY, SIGNATURE),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn an_empty_secret_signs_nothing() {
    // The signature of an empty body under an empty secret, which anybody can make.
    let forged = b"sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    assert_eq!(verify([b"".as_slice()], b"", forged), Err(SignatureError::Mismatch));
}

#[test]
fn a_malformed_signature_is_told_from_a_wrong_one() {
    let upper = SIGNATURE.to_ascii_uppercase();
    let long = [SIGNATURE, b"0"].concat();
    let sha1 = [b"sha1=".as_slice(), &SIGNATURE[7..]].concat();
    for signature in [
        b"".as_slice(),
        b"sha256=",
        &SIGNATURE[..70],
        &long,
        &upper,
        &sha1,
        &SIGNATURE[7..],
    ] {
        assert_eq!(verify([SECRET], BODY, signature), Err(SignatureError::Malformed));
    }
    let mut wrong = SIGNATURE.to_vec();
    wrong[70] = b'0';
    assert_eq!(verify([SECRET], BODY, &wrong), Err(SignatureError::Mismatch));
}

#[test]
fn each_part_of_a_delivery_is_base64_and_of_a_bounded_size() {
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let delivery = Delivery {
        body: encoded(BODY),
        event: encoded(b"ping"),
        delivery: encoded(b"guid"),
        signature: encoded(SIGNATURE),
    };
    let raw = unpack(&delivery).expect("it is a delivery");
    assert_eq!((raw.body.as_slice(), raw.signature.as_slice()), (BODY, SIGNATURE));
    let body = |body: String| Delivery {
        body,
        ..delivery.clone()
    };
    assert_eq!(
        unpack(&body("no base64!".to_owned())).err(),
        Some(PayloadError::NoBase64("body"))
    );
    assert!(unpack(&body(encoded(&vec![0; LARGEST_BODY]))).is_ok());
    assert!(matches!(
        unpack(&body(encoded(&vec![0; LARGEST_BODY + 3]))),
        Err(PayloadError::TooLarge { part: "body", .. })
    ));
    let event = Delivery {
        event: encoded(&[0xff, 0xfe]),
        ..delivery.clone()
    };
    assert_eq!(unpack(&event).err(), Some(PayloadError::NoUtf8("event")));
}

#[test]
fn an_open_pull_request_is_tested_and_deployed() {
    for action in ["opened", "reopened", "synchronize", "ready_for_review"] {
        let verified = decide(&event(action), &project(""), None);
        let change = verified.change.expect("it is of a pull request");
        assert_eq!(verified.decision, Decision::Deploy, "{action}");
        assert!(change.trusted && change.labelled && change.open);
        assert_eq!((change.number, change.sha.as_str()), (17, HEAD));
        assert_eq!(change.reopened, action == "reopened");
        assert_eq!(change.compared, None, "a webhook was compared with no record");
    }
}

#[test]
fn a_merge_into_the_stage_branch_is_promoted_and_any_other_end_is_a_teardown() {
    let promoted = decide(&merged("main"), &project(""), None);
    let change = promoted.change.expect("it is of a pull request");
    assert_eq!(promoted.decision, Decision::Promote);
    assert_eq!(change.sha, MERGE);
    assert_eq!(change.merged_at.as_deref(), Some("2026-01-31T12:00:00Z"));
    assert_eq!(
        decide(&merged("other"), &project(""), None).decision,
        Decision::TearDown
    );
    let closed = with("closed", "/pull_request/state", json!("closed"));
    let verified = decide(&closed, &project(""), None);
    assert_eq!(verified.decision, Decision::TearDown);
    assert_eq!(verified.change.expect("it is of a pull request").sha, HEAD);
}

/// Such a body is among the payloads that people have published.
#[test]
fn what_was_closed_is_closed_whatever_else_the_body_says() {
    let closed = with("closed", "/pull_request/state", json!("open"));
    assert_eq!(decide(&closed, &project(""), None).decision, Decision::TearDown);
    let mut merged = merged("main");
    merged["pull_request"]["state"] = json!("open");
    assert_eq!(decide(&merged, &project(""), None).decision, Decision::Promote);
}

#[test]
fn an_action_that_is_ignored_needs_no_field_of_the_pull_request() {
    for action in [
        "assigned",
        "review_requested",
        "locked",
        "auto_merge_enabled",
        "something_new",
    ] {
        let mut body = event(action);
        body["pull_request"] = json!({ "number": "seventeen" });
        body["label"] = json!(7);
        body["changes"] = json!([]);
        assert_eq!(decide(&body, &project(""), None).decision, Decision::Ignore, "{action}");
    }
    let mut unlabeled = event("unlabeled");
    unlabeled["pull_request"] = Value::Null;
    unlabeled["label"] = json!({ "name": "bug" });
    assert_eq!(decide(&unlabeled, &project(""), None).decision, Decision::Ignore);
    let mut foreign = with("opened", "/repository/full_name", json!("other/name"));
    foreign["pull_request"] = Value::Null;
    assert_eq!(decide(&foreign, &project(""), None).decision, Decision::Ignore);
}

#[test]
fn a_draft_waits_and_loses_what_it_has() {
    let draft = |action| with(action, "/pull_request/draft", json!(true));
    let decision = |action, pull_requests| decide(&draft(action), &project(pull_requests), None).decision;
    assert_eq!(decision("opened", ""), Decision::Ignore);
    assert_eq!(decision("converted_to_draft", ""), Decision::TearDown);
    assert_eq!(decision("synchronize", ""), Decision::TearDown);
    assert_eq!(decision("opened", "drafts: true"), Decision::Deploy);
}

#[test]
fn a_fork_is_not_trusted_whether_its_repository_is_there_or_not() {
    for head in [json!({ "full_name": "stranger/name" }), Value::Null] {
        let body = with("opened", "/pull_request/head/repo", head.clone());
        let verified = decide(&body, &project(""), None);
        let change = verified.change.expect("it is of a pull request");
        assert_eq!(verified.decision, Decision::Deploy);
        assert!(!change.trusted, "{head}");
        assert!(verified.reason.contains("approves"), "{}", verified.reason);
        assert_eq!(
            decide(&body, &project("forks: ignore"), None).decision,
            Decision::Ignore
        );
    }
}

#[test]
fn without_the_label_that_is_needed_there_are_tests_and_no_environment() {
    let project = project("required_label: deploy");
    let verified = decide(&event("opened"), &project, None);
    let change = verified.change.expect("it is of a pull request");
    assert_eq!(verified.decision, Decision::Deploy);
    assert!(!change.labelled && change.trusted);
    assert!(verified.reason.contains("`deploy`"), "{}", verified.reason);
    let mut labelled = with("labeled", "/pull_request/labels", json!([{ "name": "deploy" }]));
    labelled["label"] = json!({ "name": "deploy" });
    assert!(decide(&labelled, &project, None).change.expect("it counts").labelled);
    labelled["label"] = json!({ "name": "bug" });
    assert_eq!(decide(&labelled, &project, None).decision, Decision::Ignore);
}

#[test]
fn only_the_base_branches_that_the_project_names_count() {
    let project = project("base_branches: [main]");
    assert_eq!(decide(&event("opened"), &project, None).decision, Decision::Deploy);
    let mut edited = with("edited", "/pull_request/base/ref", json!("other"));
    assert_eq!(decide(&edited, &project, None).change, None, "a new title is nothing");
    edited["changes"] = json!({ "title": { "from": "old" } });
    assert_eq!(decide(&edited, &project, None).change, None);
    edited["changes"] = json!({ "base": { "ref": { "from": "main" }, "sha": { "from": HEAD } } });
    assert_eq!(decide(&edited, &project, None).decision, Decision::TearDown);
}

#[test]
fn only_changes_under_the_projects_paths_count() {
    let project = project("paths: [src/]");
    let Ok(Hint::PullRequest(read)) = read(&event("synchronize"), &project) else {
        panic!("it is of a pull request");
    };
    assert!(read.needs_files(&project));
    let decision = |body: &Value, files| decide(body, &project, files).decision;
    assert_eq!(
        decision(&event("synchronize"), Some(&["README.md", "src/lib.rs"])),
        Decision::Deploy
    );
    assert_eq!(
        decision(&event("synchronize"), Some(&["README.md", "docs/src/x"])),
        Decision::TearDown
    );
    assert_eq!(
        decision(&event("synchronize"), None),
        Decision::Deploy,
        "more files than GitHub lists"
    );
    assert_eq!(decision(&merged("main"), Some(&["README.md"])), Decision::TearDown);
}

#[test]
fn another_repository_is_ignored_and_letter_case_makes_none() {
    for place in ["/repository/full_name", "/pull_request/base/repo/full_name"] {
        let verified = decide(&with("opened", place, json!("other/name")), &project(""), None);
        assert_eq!(verified.decision, Decision::Ignore);
        assert!(verified.reason.contains("owner/name"), "{}", verified.reason);
    }
    let verified = decide(
        &with("opened", "/repository/full_name", json!("Owner/Name")),
        &project(""),
        None,
    );
    assert_eq!(verified.change.expect("it counts").repository, "owner/name");
}

#[test]
fn a_number_that_names_have_no_room_for_is_refused_with_words() {
    let refused = read(&with("opened", "/pull_request/number", json!(1_000_000)), &project(""));
    let words = refused.expect_err("it is too large").to_string();
    assert!(words.contains("1000000") && words.contains("999999"), "{words}");
}

#[test]
fn a_body_that_is_not_what_its_event_promises_is_refused_without_an_echo() {
    let project = project("");
    let secret = "do-not-repeat-me";
    for (place, value) in [
        ("/action", json!(7)),
        ("/pull_request", Value::Null),
        ("/pull_request", json!(secret)),
        ("/pull_request/number", json!(secret)),
        ("/pull_request/number", json!(-1)),
        ("/pull_request/state", json!(secret)),
        ("/pull_request/head/sha", json!(secret)),
        ("/pull_request/head/sha", json!(HEAD.to_uppercase())),
        ("/pull_request/updated_at", json!(secret)),
        ("/pull_request/updated_at", json!("2026-01-31T12:00:00+00:00")),
        ("/pull_request/merged_at", json!("2026-01-31T12:00:00Z")),
        ("/pull_request/labels", json!({ "name": secret })),
        ("/repository", Value::Null),
    ] {
        let refused = read(&with("opened", place, value), &project).expect_err(place);
        assert!(!refused.to_string().contains(secret), "{refused}");
    }
    let whole = event("opened").to_string();
    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"\xff\xfe",
        &whole.as_bytes()[..whole.len() / 2],
    ] {
        assert!(parse("pull_request", body, &project).is_err());
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let project = project("paths: [src/], required_label: deploy");
    let whole = format!("pull_request\n{}", merged("main"));
    for end in 0..whole.len() {
        survive(&whole.as_bytes()[..end], &project);
        let mut broken = whole.clone().into_bytes();
        broken[end] ^= 0x15;
        survive(&broken, &project);
    }
}
