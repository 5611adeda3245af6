//! What AWS and GitHub do on a bad day, at every call of every handler.

use std::time::Duration;

use testing::{aws, github};

use super::{CLOSING, Journey, MERGING, OPENING};
use crate::case::Case;
use crate::fault::{Expect, Fault, denied};
use crate::repository::Act;

/// How often the SDK sends a request in all.
pub(super) const ATTEMPTS: u32 = 3;

/// The calls of AWS by state: the service, the operation, and which of its calls.
const AWS: &[(Journey, &str, &str, &str, u64)] = &[
    (OPENING, "Verify webhook", "secretsmanager", "GetSecretValue", 1),
    (OPENING, "Claim", "dynamodb", "GetItem", 1),
    (OPENING, "Claim", "dynamodb", "UpdateItem", 1),
    (OPENING, "Claim", "dynamodb", "PutItem", 2),
    (OPENING, "Tests are pending", "dynamodb", "GetItem", 1),
    (OPENING, "Tests are pending", "dynamodb", "UpdateItem", 1),
    (OPENING, "Fetch source", "s3", "PutObject", 1),
    (OPENING, "Start unit tests", "codepipeline", "StartPipelineExecution", 1),
    (OPENING, "Start unit tests", "dynamodb", "UpdateItem", 1),
    (OPENING, "Unit tests: check", "codepipeline", "GetPipelineExecution", 1),
    (OPENING, "Unit tests: check", "codepipeline", "ListActionExecutions", 1),
    (OPENING, "Apply stack", "cloudformation", "DescribeStacks", 1),
    (OPENING, "Apply stack", "cloudformation", "CreateChangeSet", 1),
    (OPENING, "Apply stack", "cloudformation", "DescribeChangeSet", 1),
    (OPENING, "Apply stack", "cloudformation", "ExecuteChangeSet", 1),
    (OPENING, "Pipeline stack: check", "cloudformation", "DescribeStacks", 1),
    (OPENING, "Start deployment", "codepipeline", "StartPipelineExecution", 1),
    (OPENING, "Deployed", "cloudformation", "DescribeStacks", 1),
    (OPENING, "Deployed", "dynamodb", "UpdateItem", 1),
    (CLOSING, "Stop pipeline", "codepipeline", "StopPipelineExecution", 1),
    (CLOSING, "Teardown: check", "codepipeline", "ListPipelineExecutions", 1),
    (CLOSING, "Teardown: check", "cloudformation", "DescribeStacks", 1),
    (CLOSING, "Teardown: check", "cloudformation", "ListStackResources", 1),
    (CLOSING, "Teardown: check", "cloudformation", "DeleteStack", 1),
    (CLOSING, "Teardown: check", "dynamodb", "UpdateItem", 1),
    (CLOSING, "Torn down", "dynamodb", "UpdateItem", 1),
    (MERGING, "Claim", "dynamodb", "UpdateItem", 1),
];

/// The requests to GitHub by state.
const GITHUB: &[(Journey, &str, &str)] = &[
    (OPENING, "Tests are pending", "POST /statuses"),
    (OPENING, "Tests are pending", "GET /comments"),
    (OPENING, "Tests are pending", "POST /comments"),
    (OPENING, "Fetch source", "GET /zipball"),
    (OPENING, "Deployment is pending", "GET /deployments"),
    (OPENING, "Deployment is pending", "POST /deployments"),
    (OPENING, "Deployed", "PATCH /comments"),
    (CLOSING, "Torn down", "POST /deployments"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (journey, state, service, operation, nth) in AWS.iter().copied() {
        cases.extend(of_aws(journey, state, (service, operation, nth)));
    }
    for (journey, state, request) in GITHUB.iter().copied() {
        cases.extend(of_github(journey, state, request));
    }
    cases
}

fn of_aws(
    journey: Journey,
    state: &'static str,
    (service, operation, nth): (&'static str, &'static str, u64),
) -> Vec<Case> {
    let case = |name: &str, calls, how| {
        let fault = Fault::Aws {
            service,
            operation,
            nth,
            calls,
            how,
        };
        journey.case(state, format!("{operation}-{name}"), fault)
    };
    let reads = ["Get", "List", "Describe"]
        .iter()
        .any(|verb| operation.starts_with(verb));
    let mut cases = Vec::new();
    // What reads has no effect that could come without its answer.
    if reads {
        cases.push(case("throttled", ATTEMPTS, aws::Fault::Throttled));
    } else {
        cases.push(case("denied", 1, denied()));
        cases.push(case("out-of-service", ATTEMPTS, aws::Fault::Unavailable));
        cases.push(case("done-but-not-answered", 1, aws::Fault::AnswerLost));
    }
    if ["PutObject", "StartPipelineExecution", "CreateChangeSet", "DeleteStack"].contains(&operation) {
        cases.push(case("hangs", 1, aws::Fault::Hang));
    }
    cases
}

fn of_github(journey: Journey, state: &'static str, request: &'static str) -> Vec<Case> {
    let case = |name: &str, faults: &[github::Fault]| {
        let fault = Fault::GitHub {
            request,
            faults: faults.to_vec(),
        };
        let request = request.replace(" /", "-");
        journey.case(state, format!("{request}-{name}"), fault)
    };
    let at_once = Some(Duration::ZERO);
    // A commit that GitHub does not show is no fault of the pipeline.
    let refused = |name, status| {
        let refused = case(name, &[github::Fault::status(status)]);
        if request.ends_with("/zipball") {
            refused.expecting(Expect::FinalStatus)
        } else {
            refused
        }
    };
    let mut cases = vec![
        case(
            "limited",
            &[
                github::Fault::secondary_limit(at_once),
                github::Fault::secondary_limit(None),
            ],
        ),
        case("502", &[github::Fault::status(502), github::Fault::status(502)]),
        case("cut", &[github::Fault::cut(), github::Fault::cut()]),
    ];
    // A deployment that GitHub does not show any more is as good as ended.
    if journey.during != Act::Close {
        cases.push(refused("404", 404));
    }
    if !request.starts_with("GET") {
        cases.push(case("done-but-502", &[github::Fault::status(502).once_carried_out()]));
        cases.push(case(
            "done-but-cut",
            &[github::Fault::cut_in_answer().once_carried_out()],
        ));
        cases.push(case("422", &[github::Fault::status(422)]));
    }
    if request.ends_with("/statuses") || request.ends_with("/zipball") {
        cases.push(case("401", &[github::Fault::status(401)]));
        cases.push(refused("403", 403));
        cases.push(case("hangs", &[github::Fault::hang()]));
        cases.push(case(
            "primary-limit",
            &[github::Fault::primary_limit(Duration::from_secs(3_600))],
        ));
    }
    cases
}
