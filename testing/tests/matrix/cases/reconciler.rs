//! What AWS, GitHub and Lambda do to the reconciler, when all depends on it: the webhook is lost. Its next run mends what is left.
//!
//! The files of a pull request are not asked for: this project has no filter by path.

use std::time::Duration;

use testing::{aws, github};

use super::calls::ATTEMPTS;
use super::{CLOSING, FORKED, Journey, MERGING, OPENING, PUSHING};
use crate::case::Case;
use crate::fault::{Break, Fault, Webhook, denied};
use crate::inject::Found;
use crate::timeline::RECONCILER;

/// What it reads from AWS.
const READS: [(&str, &str); 3] = [
    ("dynamodb", "Query"),
    ("secretsmanager", "GetSecretValue"),
    ("cloudformation", "ListStacks"),
];

/// What it asks GitHub, and when it does.
const GITHUB: [(Journey, Found, &str, &str); 5] = [
    (OPENING, Found::Nothing, "open", "GET /pulls?state=open"),
    (CLOSING, Found::Nothing, "closed", "GET /pulls?state=closed"),
    (CLOSING, Found::Crowd, "one", "GET /pulls/17"),
    (FORKED, Found::Approval, "reviews", "GET /pulls/17/reviews"),
    (
        FORKED,
        Found::Approval,
        "permission",
        "GET /collaborators/keeper/permission",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = reads();
    cases.extend(writes());
    cases.extend(github());
    cases.extend(lambda());
    cases
}

/// A fault of the reconciler's first run after a lost webhook.
fn case(journey: Journey, name: impl Into<String>, fault: Fault) -> Case {
    Case {
        webhook: Webhook::Lost,
        ..journey.case(RECONCILER, name, fault)
    }
}

fn aws(service: &'static str, operation: &'static str, calls: u32, how: aws::Fault) -> Fault {
    Fault::Aws {
        service,
        operation,
        nth: 1,
        calls,
        how,
    }
}

fn reads() -> Vec<Case> {
    let mut cases = Vec::new();
    for (service, operation) in READS {
        let throttled = aws(service, operation, ATTEMPTS, aws::Fault::Throttled);
        cases.push(case(OPENING, format!("{operation}-throttled"), throttled));
    }
    let hangs = aws("cloudformation", "ListStacks", 1, aws::Fault::Hang);
    cases.push(case(OPENING, "ListStacks-hangs", hangs));
    cases
}

fn writes() -> Vec<Case> {
    let mut cases = Vec::new();
    let start = |calls, how| aws("states", "StartExecution", calls, how);
    for journey in [OPENING, PUSHING, FORKED, CLOSING, MERGING] {
        cases.push(case(journey, "StartExecution-denied", start(1, denied())));
        // The one that was started goes on; the next run must not start another.
        let lost = start(ATTEMPTS, aws::Fault::AnswerLost);
        cases.push(case(journey, "StartExecution-done-but-never-answered", lost));
    }
    let once = start(1, aws::Fault::AnswerLost);
    cases.push(case(OPENING, "StartExecution-done-but-not-answered", once));
    for (found, journey, name) in [
        (Found::LeakedPlace, OPENING, "release"),
        (Found::NoPlace, PUSHING, "hold"),
    ] {
        let update = |calls, how| aws("dynamodb", "UpdateItem", calls, how);
        for (what, fault) in [
            ("denied", update(1, denied())),
            ("done-but-not-answered", update(1, aws::Fault::AnswerLost)),
        ] {
            let case = case(journey, format!("{name}-{what}"), fault);
            cases.push(Case { found, ..case });
        }
    }
    cases
}

fn github() -> Vec<Case> {
    let mut cases = Vec::new();
    for (journey, found, name, request) in GITHUB {
        let limit = github::Fault::primary_limit(Duration::from_secs(3_600));
        for (what, fault) in [("403", github::Fault::status(403)), ("primary-limit", limit)] {
            let faults = vec![fault];
            let case = case(journey, format!("{name}-{what}"), Fault::GitHub { request, faults });
            cases.push(Case { found, ..case });
        }
    }
    let request = "GET /pulls?state=open";
    for (what, fault) in [
        ("401", github::Fault::status(401)),
        ("cut", github::Fault::cut()),
        ("hangs", github::Fault::hang()),
    ] {
        let faults = vec![fault];
        cases.push(case(OPENING, format!("open-{what}"), Fault::GitHub { request, faults }));
    }
    cases
}

fn lambda() -> Vec<Case> {
    let mut cases = vec![
        case(OPENING, "crash", Fault::Before(Break::Crash)),
        case(OPENING, "timeout", Fault::Before(Break::Timeout)),
    ];
    for journey in [OPENING, CLOSING, MERGING] {
        cases.push(case(journey, "crash-after-all-was-done", Fault::After(Break::Crash)));
    }
    cases
}
