//! The cases: every state of every journey, and what can go wrong at it.

use crate::builds::Plan;
use crate::case::Case;
use crate::fault::{Break, Expect, Fault};
use crate::repository::Act;

/// The tasks from an opened pull request to its environment.
const OPENING: [&str; 12] = [
    "Verify webhook",
    "Claim",
    "Tests are pending",
    "Fetch source",
    "Start unit tests",
    "Unit tests: check",
    "Tests passed",
    "Deployment is pending",
    "Apply stack",
    "Pipeline stack: check",
    "Start deployment",
    "Deployed",
];

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for state in OPENING {
        cases.push(opening(state, "throttled", Fault::Before(Break::Lambda("Lambda.TooManyRequestsException"))));
        cases.push(opening(state, "crash", Fault::Before(Break::Crash)));
    }
    cases
}

fn opening(state: &'static str, name: &str, fault: Fault) -> Case {
    Case {
        before: &[],
        during: Act::Open,
        state,
        name: name.to_owned(),
        fault,
        times: 1,
        expect: Expect::Recovery,
        plan: Plan::default(),
    }
}
