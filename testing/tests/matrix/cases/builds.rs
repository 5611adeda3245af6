//! What keeps builds from running: an account at its limit, a missing right, an image or a source that is not there.

use codepipeline_local::{BuildStatus, PhaseKind, Refusal};
use testing::aws;

use super::{FORKED, Journey, MERGING, OPENING, PUSHING};
use crate::builds::{Goes, Plan};
use crate::case::Case;
use crate::fault::{Expect, Fault, Webhook};
use crate::repository::Act;

/// More than the state machine starts again.
const OFTEN: u64 = 9;

/// What CodeBuild says of builds that never came to run a command.
const NEVER_RAN: [(&str, Goes); 8] = [
    (
        "image-cannot-be-pulled",
        Goes::Ends(
            BuildStatus::Failed,
            PhaseKind::Provisioning,
            "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
            "Unable to pull customer's container image. CannotPullContainerError: not found",
        ),
    ),
    (
        "registry-throttles",
        Goes::Ends(
            BuildStatus::Failed,
            PhaseKind::Provisioning,
            "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
            "toomanyrequests: You have reached your pull rate limit",
        ),
    ),
    (
        "codebuild-fault",
        Goes::Ends(
            BuildStatus::Fault,
            PhaseKind::Provisioning,
            "INTERNAL_SERVICE_ERROR",
            "CodeBuild is experiencing an issue",
        ),
    ),
    (
        "timed-out-in-the-queue",
        Goes::Ends(BuildStatus::TimedOut, PhaseKind::Queued, "", ""),
    ),
    (
        "source-denied",
        Goes::Ends(
            BuildStatus::Failed,
            PhaseKind::DownloadSource,
            "CLIENT_ERROR",
            "AccessDenied: Access Denied status code: 403",
        ),
    ),
    (
        "runtime-unknown",
        Goes::Ends(
            BuildStatus::Failed,
            PhaseKind::DownloadSource,
            "YAML_FILE_ERROR",
            "This build image does not support the version java: corretto21",
        ),
    ),
    (
        "install-fails",
        Goes::Ends(
            BuildStatus::Failed,
            PhaseKind::Install,
            "COMMAND_EXECUTION_ERROR",
            "Error while executing command: curl https://sh.rustup.rs. Reason: exit status 22",
        ),
    ),
    (
        "stopped-by-somebody",
        Goes::Ends(BuildStatus::Stopped, PhaseKind::Build, "", ""),
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = refused();
    cases.extend(never_ran());
    cases.extend(executions());
    cases.extend(nobody_waits());
    cases
}

/// CodeBuild starts none: once, often, for ever.
fn refused() -> Vec<Case> {
    let mut cases = Vec::new();
    for (journey, state) in [
        (OPENING, "Start unit tests"),
        (FORKED, "Unit tests: check"),
        (OPENING, "Start deployment"),
        (PUSHING, "Apply stack"),
        (MERGING, "Fetch source for stage"),
    ] {
        for (name, count) in [("refused-once", 1), ("refused-often", OFTEN)] {
            let at_the_limit = Fault::Refused(count, Refusal::AccountLimit);
            cases.push(lasting(journey.case(state, name, at_the_limit), count > 1));
        }
        let denied = journey.case(state, "start-denied", Fault::Refused(1, Refusal::Denied));
        cases.push(lasting(denied, true));
    }
    for (why, name) in [
        (Refusal::AccountLimit, "refused-for-ever"),
        (Refusal::Denied, "denied-for-ever"),
    ] {
        let for_ever = OPENING.case("Start unit tests", name, Fault::Refused(u64::MAX, why));
        cases.push(for_ever.expecting(Expect::NotRun));
        let deployment = OPENING.case("Start deployment", name, Fault::Refused(u64::MAX, why));
        cases.push(deployment.expecting(Expect::FinalStatus));
    }
    for others in [50, 500] {
        for quota in [1, 5, 60] {
            let crowded = Fault::Crowded { others, quota };
            let case = OPENING.case("Start unit tests", format!("{others}-others-quota-{quota}"), crowded);
            cases.push(case.expecting(Expect::FinalStatus));
        }
    }
    cases
}

/// Nobody promotes a commit again whose promotion came to an end; its status says so.
fn lasting(case: Case, lasts: bool) -> Case {
    if lasts && case.during == Act::Merge {
        case.expecting(Expect::FinalStatus)
    } else {
        case
    }
}

/// A build ends before any command of the commit's own, and the next one does not.
fn never_ran() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, goes) in NEVER_RAN {
        let tests = Plan {
            tests: goes,
            ..Plan::default()
        };
        let packaging = Plan {
            packaging: goes,
            ..Plan::default()
        };
        let mended = || Fault::Builds(Plan::default());
        // It is mended before the second time that anybody looks, or starts it again.
        let state = match name {
            "registry-throttles" | "codebuild-fault" | "timed-out-in-the-queue" => {
                ("Unit tests: start again", "Deployment: start again")
            }
            "stopped-by-somebody" => ("Tests were stopped", "Deployment was stopped"),
            _ => ("Tests could not run", "Deployment could not run"),
        };
        cases.push(OPENING.case(state.0, name, mended()).with(tests));
        cases.push(OPENING.case(state.1, name, mended()).with(packaging));
    }
    let mended = OPENING.case("Unit tests: check", "source-gone", Fault::SourceGone);
    cases.push(mended);
    cases.push(OPENING.case("Start unit tests", "source-gone", Fault::SourceGone));
    cases.push(OPENING.case("Start deployment", "source-gone", Fault::SourceGone));
    cases
}

/// A pipeline that takes no more executions.
fn executions() -> Vec<Case> {
    let full = |calls| Fault::Aws {
        service: "codepipeline",
        operation: "StartPipelineExecution",
        nth: 1,
        calls,
        how: aws::Fault::Error {
            status: 400,
            code: "ConcurrentPipelineExecutionsLimitExceededException".to_owned(),
            message: "The pipeline has reached the limit for concurrent pipeline executions.".to_owned(),
        },
    };
    let mut cases = Vec::new();
    for state in ["Start unit tests", "Start deployment"] {
        cases.push(OPENING.case(state, "limit-of-executions", full(1)));
        cases.push(OPENING.case(state, "limit-of-executions-often", full(1)).times(5));
        let for_ever = OPENING
            .case(state, "limit-of-executions-for-ever", full(1))
            .times(u32::MAX);
        let expect = if state == "Start unit tests" {
            Expect::NotRun
        } else {
            Expect::FinalStatus
        };
        cases.push(for_ever.expecting(expect));
    }
    let again = OPENING.case("Unit tests: start again", "limit-of-executions", full(1));
    let faulty = Plan {
        tests: NEVER_RAN[2].1,
        ..Plan::default()
    };
    cases.push(again.with(faulty).expecting(Expect::FinalStatus));
    cases
}

/// Builds that nobody waits for any more do not go on, and keep nobody waiting.
fn nobody_waits() -> Vec<Case> {
    let hanging = |tests, packaging| Plan {
        tests,
        packaging,
        ..Plan::default()
    };
    let mended = || Fault::Builds(Plan::default());
    let (well, nowhere) = (Goes::Well, Goes::Nowhere);
    let case = |journey: Journey, state, name, plan| journey.case(state, name, mended()).with(plan);
    let happens = |acts: &'static [Act]| Fault::Happens {
        acts,
        webhook: Webhook::Arrives,
    };
    let mut cases = vec![case(
        OPENING,
        "Deployment: stop",
        "hangs-and-is-stopped",
        hanging(well, nowhere),
    )];
    // It hangs after it has waited for another's, so that the time is over before its own timeout.
    let queued = Fault::Crowded { others: 1, quota: 1 };
    let queued = OPENING.case("Start unit tests", "hangs-and-is-stopped", queued);
    cases.push(queued.with(hanging(nowhere, well)).expecting(Expect::FinalStatus));
    for act in [&[Act::Push], &[Act::Close]] {
        for (state, plan) in [
            ("Unit tests: check", hanging(nowhere, well)),
            ("Deployment: check", hanging(well, nowhere)),
        ] {
            let name = format!("hangs-{:?}", act[0]);
            let case = OPENING.case(state, name, happens(act)).with(plan);
            cases.push(case.expecting(Expect::FinalStatus));
        }
    }
    let denied = Fault::Aws {
        service: "codebuild",
        operation: "StopBuild",
        nth: 1,
        calls: 1,
        how: crate::fault::denied(),
    };
    let case = OPENING.case("Deployment: stop", "StopBuild-denied", denied);
    cases.push(case.with(hanging(well, nowhere)).expecting(Expect::FinalStatus));
    cases
}
