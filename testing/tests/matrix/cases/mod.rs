//! The cases: every state of every journey, and what can go wrong at it.

mod builds;
mod calls;
mod changes;
mod lambda;
mod reconciler;

use crate::builds::Plan;
use crate::case::Case;
use crate::fault::{Expect, Fault, Webhook};
use crate::inject::Found;
use crate::repository::Act;

/// A way of a pull request: what happened before, what happens now, and the tasks that follow, in their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    before: &'static [Act],
    during: Act,
    states: &'static [&'static str],
}

/// From the opened pull request to its environment.
const OPENING: Journey = Journey {
    before: &[],
    during: Act::Open,
    states: &[
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
        "Deployment: check",
        "Deployed",
    ],
};

/// From another commit to the environment that runs it; as far as that is another way.
const PUSHING: Journey = Journey {
    before: &[Act::Open],
    during: Act::Push,
    states: &["Claim", "Stop pipeline", "Apply stack", "Deployed"],
};

/// From the close to nothing left.
const CLOSING: Journey = Journey {
    before: &[Act::Open],
    during: Act::Close,
    states: &[
        "Verify webhook",
        "Claim",
        "Stop pipeline",
        "Teardown is pending",
        "Teardown: check",
        "Torn down",
    ],
};

/// From a fork's pull request to the status that says why it is not deployed.
const FORKED: Journey = Journey {
    before: &[],
    during: Act::OpenFork,
    states: &["Tests are pending", "Unit tests: check", "Not deployed"],
};

/// From the merge to `stage`, and to nothing left of the pull request's own; without the states that are the same as for a pull
/// request.
const MERGING: Journey = Journey {
    before: &[Act::Open],
    during: Act::Merge,
    states: &[
        "Verify webhook",
        "Claim",
        "Stop pipeline",
        "Fetch source for stage",
        "Apply stack",
        "Deployed",
        "Teardown is pending",
        "Teardown: check",
        "Torn down",
    ],
};

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = lambda::cases();
    cases.extend(calls::cases());
    cases.extend(changes::cases());
    cases.extend(builds::cases());
    cases.extend(reconciler::cases());
    cases
}

impl Journey {
    /// A fault at one state, once, after which the pull request gets what it wants.
    fn case(self, state: &'static str, name: impl Into<String>, fault: Fault) -> Case {
        Case {
            before: self.before,
            during: self.during,
            webhook: Webhook::Arrives,
            found: Found::Nothing,
            state,
            name: name.into(),
            fault,
            later: 0,
            times: 1,
            expect: Expect::Recovery,
            plan: Plan::default(),
        }
    }
}

impl Case {
    fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    fn with(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }
}
