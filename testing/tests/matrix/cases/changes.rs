//! What people, webhooks and builds do at an awkward moment.

use testing::aws::Kind;

use super::{CLOSING, FORKED, MERGING, OPENING, PUSHING};
use crate::builds::{Application, Goes, Plan};
use crate::case::Case;
use crate::fault::{Break, Expect, Fault, Webhook};
use crate::repository::Act;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = while_it_opens();
    cases.extend(while_it_closes());
    cases.extend(builds());
    cases.extend(stacks());
    cases.extend(silence());
    cases.extend(throttles());
    cases
}

/// The pull request changes while it is tested and deployed.
fn while_it_opens() -> Vec<Case> {
    let happens = |acts: &'static [Act], webhook| Fault::Happens { acts, webhook };
    let mut cases = Vec::new();
    for (place, state) in OPENING.states.iter().copied().enumerate() {
        let case = |name: &str, fault| OPENING.case(state, name, fault);
        let arrives = Webhook::Arrives;
        cases.push(case("push", happens(&[Act::Push], arrives)));
        cases.push(case("close", happens(&[Act::Close], arrives)));
        if place.is_multiple_of(2) {
            cases.push(case("redelivered", Fault::Redelivered));
        }
        let in_turns = match place % 4 {
            0 => case("merge", happens(&[Act::Merge], arrives)),
            1 => case("close-and-reopen", happens(&[Act::Close, Act::Reopen], arrives)),
            2 => case("draft", happens(&[Act::Draft], arrives)).expecting(Expect::NoEnvironment),
            // This project takes pull requests onto any branch.
            _ => case("other-base", happens(&[Act::Rebase], arrives)),
        };
        cases.push(in_turns);
        let in_turns = match place % 5 {
            0 => case("push-lost", happens(&[Act::Push], Webhook::Lost)),
            1 => case("close-lost", happens(&[Act::Close], Webhook::Lost)),
            2 => case("push-twice", happens(&[Act::Push], Webhook::Twice)),
            3 => case(
                "pushes-out-of-order",
                happens(&[Act::Push, Act::Push], Webhook::Reversed),
            ),
            _ => case("label", happens(&[Act::Label], arrives)),
        };
        cases.push(in_turns);
    }
    for state in FORKED.states.iter().copied() {
        cases.push(FORKED.case(state, "close", happens(&[Act::Close], Webhook::Arrives)));
    }
    cases.push(OPENING.case("Claim", "close-late", happens(&[Act::Close], Webhook::Late)));
    cases.push(OPENING.case("Deployment: check", "merge-lost", happens(&[Act::Merge], Webhook::Lost)));
    cases
}

/// The pull request changes while it is torn down or promoted.
fn while_it_closes() -> Vec<Case> {
    let happens = |acts: &'static [Act], webhook| Fault::Happens { acts, webhook };
    let mut cases = Vec::new();
    for state in CLOSING.states.iter().copied() {
        cases.push(CLOSING.case(state, "reopen", happens(&[Act::Reopen], Webhook::Arrives)));
        cases.push(CLOSING.case(state, "redelivered", Fault::Redelivered));
    }
    let reopen_lost = happens(&[Act::Reopen], Webhook::Lost);
    cases.push(CLOSING.case("Teardown: check", "reopen-lost", reopen_lost));
    for state in [
        "Claim",
        "Fetch source for stage",
        "Deployment: check",
        "Teardown: check",
    ] {
        cases.push(MERGING.case(state, "redelivered", Fault::Redelivered));
    }
    cases
}

/// Builds fail, hang, and are stopped; and what reports that fails as well.
fn builds() -> Vec<Case> {
    let tests = |tests| Plan {
        tests,
        ..Plan::default()
    };
    let packaging = |packaging| Plan {
        packaging,
        ..Plan::default()
    };
    let nothing = || Fault::Before(Break::Lambda("Lambda.ServiceException"));
    let mut cases = Vec::new();
    let of_builds = [
        ("tests-fail", "Unit tests: check", tests(Goes::Badly)),
        ("tests-hang", "Unit tests: check", tests(Goes::Nowhere)),
        ("packaging-fails", "Deployment: check", packaging(Goes::Badly)),
        ("packaging-hangs", "Deployment: check", packaging(Goes::Nowhere)),
    ];
    for (name, state, plan) in of_builds {
        let mut case = OPENING.case(state, name, Fault::Builds(plan.clone())).with(plan);
        case = case.expecting(Expect::FinalStatus);
        cases.push(case);
    }
    for (state, plan) in [
        ("Tests failed", tests(Goes::Badly)),
        ("Deployment failed", packaging(Goes::Badly)),
    ] {
        for (name, fault) in [
            ("throttled", nothing()),
            ("crash", Fault::Before(Break::Crash)),
            ("answer-lost", Fault::After(Break::Lambda("Lambda.SdkClientException"))),
            ("executions-lost", Fault::Crashed),
        ] {
            let case = OPENING.case(state, name, fault).with(plan.clone());
            cases.push(case.expecting(Expect::FinalStatus));
        }
    }
    let stopped = Fault::PipelineStopped("thebestest-unit-test");
    cases.push(OPENING.case("Unit tests: check", "pipeline-stopped", stopped));
    let stopped = Fault::PipelineStopped("pr-17-thebestest-deploy");
    cases.push(OPENING.case("Deployment: check", "pipeline-stopped", stopped));
    cases
}

/// Stacks that cannot be made, are at work, or cannot be deleted.
fn stacks() -> Vec<Case> {
    let broken = Plan {
        application: Application::Broken,
        ..Plan::default()
    };
    let with_bucket = Plan {
        application: Application::WithBucket,
        ..Plan::default()
    };
    let rolled_back = OPENING.case("Deployment: check", "rolled-back", Fault::Builds(broken.clone()));
    let mut cases = vec![rolled_back.with(broken.clone()).expecting(Expect::FinalStatus)];
    // The first deployment is rolled back; the push mends it.
    let mended = PUSHING.case("Apply stack", "after-a-rollback", Fault::Builds(Plan::default()));
    cases.push(mended.with(broken.clone()));
    let closed = CLOSING.case("Teardown: check", "after-a-rollback", Fault::Builds(Plan::default()));
    cases.push(closed.with(broken));
    let filled = CLOSING.case("Teardown: check", "bucket-filled", Fault::BucketFilled);
    cases.push(filled.with(with_bucket));
    for state in ["Apply stack", "Pipeline stack: check"] {
        let at_work = Fault::StackIs("thebestest-deploy-pr-17", "UPDATE_IN_PROGRESS");
        cases.push(OPENING.case(state, "stack-at-work", at_work));
    }
    let at_work = Fault::StackIs("thebestest-pr-17-app", "UPDATE_IN_PROGRESS");
    cases.push(CLOSING.case("Teardown: check", "stack-at-work", at_work));
    cases
}

/// Custom resources of the application whose function, the pull request's own code, never answers: at creation, at an update, at a
/// deletion, and when any of these is rolled back.
fn silence() -> Vec<Case> {
    let never = |requests| Plan {
        application: Application::Never(requests),
        ..Plan::default()
    };
    let becomes = |plan: &Plan| Fault::Builds(plan.clone());
    let heard = never(&[]);
    let mut cases = Vec::new();
    for (name, requests) in [
        ("never-at-create", &["Create"][..]),
        ("never-at-create-and-rollback", &["Create", "Delete"]),
    ] {
        let plan = never(requests);
        let created = OPENING.case("Deployment: check", name, becomes(&plan));
        cases.push(created.with(plan.clone()).expecting(Expect::FinalStatus));
        // The next commit has no such resource.
        let mended = PUSHING.case("Apply stack", format!("after-{name}"), becomes(&Plan::default()));
        cases.push(mended.with(plan.clone()));
        let closed = CLOSING.case("Teardown: check", name, becomes(&plan));
        cases.push(closed.with(plan));
    }
    for (name, before, requests) in [
        ("never-at-update", &heard, &["Update"][..]),
        ("never-at-update-and-rollback", &never(&["Update"]), &["Update"]),
        (
            "never-at-all-after-the-first",
            &never(&["Update", "Delete"]),
            &["Create", "Update", "Delete"],
        ),
    ] {
        let plan = never(requests);
        let updated = PUSHING.case("Apply stack", name, becomes(&plan));
        cases.push(updated.with(before.clone()).expecting(Expect::FinalStatus));
        let mended = PUSHING.case("Apply stack", format!("after-{name}"), becomes(&Plan::default()));
        let mended = Case {
            before: &[Act::Open, Act::Push],
            ..mended
        };
        cases.push(mended.with(before.clone()));
    }
    let silent = never(&["Delete"]);
    cases.push(
        CLOSING
            .case("Teardown: check", "never-at-delete", becomes(&silent))
            .with(silent.clone()),
    );
    // The pull request is opened again while its stack waits for the function.
    let reopens = Fault::Happens {
        acts: &[Act::Reopen],
        webhook: Webhook::Arrives,
    };
    let reopened = CLOSING.case("Teardown: check", "never-at-delete-and-reopened", reopens);
    cases.push(Case { later: 1, ..reopened }.with(silent));
    let closes = Fault::Happens {
        acts: &[Act::Close],
        webhook: Webhook::Arrives,
    };
    let closed = OPENING.case("Deployment: check", "never-at-create-and-closed", closes);
    cases.push(closed.with(never(&["Create", "Delete"])));
    cases
}

/// API Gateway takes one deletion in thirty seconds and one creation in three, of all stacks of the account together.
fn throttles() -> Vec<Case> {
    let plan = Plan {
        application: Application::WithApi,
        ..Plan::default()
    };
    let throttled = |journey: super::Journey, state, times, step| {
        let case = journey.case(
            state,
            format!("{step:?}-throttled-{times}-times"),
            Fault::ApiThrottled(step),
        );
        case.times(times).with(plan.clone())
    };
    vec![
        throttled(CLOSING, "Teardown: check", 1, Kind::Delete),
        throttled(CLOSING, "Teardown: check", 12, Kind::Delete),
        throttled(MERGING, "Teardown: check", 5, Kind::Delete),
        throttled(OPENING, "Deployment: check", 1, Kind::Create),
    ]
}
