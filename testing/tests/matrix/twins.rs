//! The same machine on two interpreters: what the project's runner makes of every journey, MiniStack's Step Functions makes of it too.
//!
//! Each journey is run with the real handlers on the runner, and what they were asked and answered is recorded. Then the emitted
//! definition, untouched, runs on MiniStack, whose functions give the recorded answers again. Both must enter the same states in the
//! same order, ask the same functions for the same, and end alike. MiniStack's waits and retries' delays take no time
//! (`_SFN_WAIT_SCALE` of its own configuration), so that no literal of the definition is changed.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codepipeline_local::{BuildStatus, PhaseKind, Refusal};
use http::Request;
use serde_json::{Value, json};
use stepfunctions_runner::{Outcome, StateType};
use testing::aws::{Client, REGION};
use testing::{aws, github};

use crate::account::{Account, MACHINE, definition};
use crate::builds::{Goes, Plan};
use crate::case::Case;
use crate::fault::{Break, Expect, Fault, Webhook};
use crate::functions::Functions;
use crate::inject::Found;
use crate::replay::{self, Replay};
use crate::repository::Act;
use crate::timeline::Running;

/// How long an execution may take on MiniStack, without its waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tasks that no journey here comes to: a resource that cannot be deleted, and an end that cannot be reported.
const NOT_ENTERED: [&str; 1] = ["Something is left"];

fn journey(during: Act, before: &'static [Act], state: &'static str, fault: Fault) -> Case {
    Case {
        before,
        during,
        webhook: Webhook::Arrives,
        found: Found::Nothing,
        state,
        name: "twins".to_owned(),
        fault,
        later: 0,
        times: 1,
        expect: Expect::FinalStatus,
        plan: Plan::default(),
    }
}

/// Every journey, some of them with what makes them turn off the way.
fn journeys() -> Vec<Case> {
    let open = |state, fault| journey(Act::Open, &[], state, fault);
    let happens = |acts| Fault::Happens {
        acts,
        webhook: Webhook::Arrives,
    };
    let tests = |tests| Plan {
        tests,
        ..Plan::default()
    };
    let packaging = |packaging| Plan {
        packaging,
        ..Plan::default()
    };
    let missing = Fault::GitHub {
        request: "GET /zipball",
        faults: vec![github::Fault::status(404)],
    };
    let refused = || Fault::Refused(1, Refusal::AccountLimit);
    let no_image = Goes::Ends(
        BuildStatus::Failed,
        PhaseKind::Provisioning,
        "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
        "not found",
    );
    let full = || Fault::Aws {
        service: "codepipeline",
        operation: "StartPipelineExecution",
        nth: 1,
        calls: 1,
        how: aws::Fault::Error {
            status: 400,
            code: "ConcurrentPipelineExecutionsLimitExceededException".to_owned(),
            message: "The pipeline has reached the limit for concurrent pipeline executions.".to_owned(),
        },
    };
    let mended = || Fault::Builds(Plan::default());
    let throttled = Fault::Before(Break::Lambda("Lambda.TooManyRequestsException"));
    vec![
        open("Fetch source", throttled),
        open("Fetch source", missing),
        open("Fetch source", Fault::Before(Break::Own("SourceRejected"))),
        open("Start unit tests", Fault::Before(Break::Crash)),
        open("Unit tests: check", happens(&[Act::Push])),
        open("Unit tests: check", Fault::Redelivered),
        open("Unit tests: check", happens(&[Act::Label])),
        open("Unit tests: check", Fault::Builds(tests(Goes::Badly))).with_plan(tests(Goes::Badly)),
        open("Unit tests: check", Fault::Builds(tests(Goes::Nowhere))).with_plan(tests(Goes::Nowhere)),
        open("Unit tests: check", Fault::PipelineStopped("thebestest-unit-test")),
        open("Start unit tests", refused()),
        open("Start deployment", refused()),
        open("Tests could not run", mended()).with_plan(tests(no_image)),
        open("Deployment could not run", mended()).with_plan(packaging(no_image)),
        open("Deployment: stop", mended()).with_plan(packaging(Goes::Nowhere)),
        open("Start unit tests", Fault::Crowded { others: 1, quota: 1 }).with_plan(tests(Goes::Nowhere)),
        open("Start unit tests", full()).for_ever(),
        open("Start deployment", full()).for_ever(),
        open(
            "Pipeline stack: check",
            Fault::StackIs("thebestest-deploy-pr-17", "UPDATE_IN_PROGRESS"),
        ),
        open(
            "Pipeline stack: check",
            Fault::StackIs("thebestest-deploy-pr-17", "ROLLBACK_COMPLETE"),
        ),
        open("Deployment: check", Fault::Builds(packaging(Goes::Badly))).with_plan(packaging(Goes::Badly)),
        open("Deployment: check", Fault::PipelineStopped("pr-17-thebestest-deploy")),
        open("Deployment: check", happens(&[Act::Close])),
        journey(Act::OpenFork, &[], "Not deployed", Fault::Redelivered),
        journey(Act::Push, &[Act::Open], "Deployed", Fault::Redelivered),
        journey(Act::Merge, &[Act::Open], "Fetch source for stage", Fault::Redelivered),
    ]
}

impl Case {
    fn with_plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    fn for_ever(self) -> Self {
        Self {
            times: u32::MAX,
            ..self
        }
    }
}

/// How an execution went, as both interpreters tell it.
#[derive(Debug, PartialEq)]
struct Went {
    states: Vec<String>,
    status: &'static str,
    output: Value,
    error: Option<String>,
}

impl Went {
    fn on_the_runner(running: &Running) -> Self {
        let states = running.execution.path().map(|(_, state, _)| state.to_owned()).collect();
        let (status, output, error) = match running.execution.outcome() {
            Some(Outcome::Succeeded(output)) => ("SUCCEEDED", with_cause_read(output.clone()), None),
            Some(Outcome::Failed(fault)) => ("FAILED", Value::Null, fault.error.clone()),
            other => panic!("{}: {other:?}", running.name),
        };
        Self {
            states,
            status,
            output,
            error,
        }
    }
}

/// The cause of a function's error is JSON as text; how that is spaced is up to who has run the function.
fn with_cause_read(mut output: Value) -> Value {
    let cause = output["Cause"]
        .as_str()
        .and_then(|cause| serde_json::from_str(cause).ok());
    if let Some(cause) = cause {
        output["Cause"] = cause;
    }
    output
}

/// The account's Step Functions of MiniStack, past the front.
struct Twin {
    client: Client,
    machine: String,
}

impl Twin {
    /// The machine as it is emitted, with functions that give recorded answers.
    fn make(account: &Account) -> (Self, Replay) {
        let (replay, server) = Replay::serve();
        let client = account.cloud.observer();
        for function in Functions::ids() {
            replay::make_function(&client, &function, server);
        }
        let body = json!({ "stepfunctions._SFN_WAIT_SCALE": 0 }).to_string();
        let request = Request::post("/_ministack/config")
            .body(Bytes::from(body))
            .expect("it is a request");
        let configured = client.send("states", request).expect("MiniStack answers");
        let applied = String::from_utf8_lossy(configured.body()).into_owned();
        assert!(applied.contains("_SFN_WAIT_SCALE"), "{applied}");
        let own = account.cloud.account();
        let twin = Self {
            client,
            machine: format!("arn:aws:states:{REGION}:{own}:stateMachine:{MACHINE}"),
        };
        twin.ask(
            "UpdateStateMachine",
            json!({ "stateMachineArn": twin.machine, "definition": definition(own) }),
        );
        (twin, replay)
    }

    fn ask(&self, operation: &str, parameters: Value) -> Value {
        let target = format!("AWSStepFunctions.{operation}");
        let answer = self.client.json("states", &target, &parameters);
        answer.unwrap_or_else(|fault| panic!("{operation}: {fault}"))
    }

    fn run(&self, running: &Running) -> Went {
        let started = self.ask(
            "StartExecution",
            json!({ "stateMachineArn": self.machine, "name": running.name, "input": running.input.to_string() }),
        );
        let which = json!({ "executionArn": started["executionArn"] });
        let begun = Instant::now();
        let told = loop {
            let told = self.ask("DescribeExecution", which.clone());
            if told["status"] != "RUNNING" {
                break told;
            }
            assert!(begun.elapsed() < PATIENCE, "{} still runs", running.name);
            thread::sleep(Duration::from_millis(5));
        };
        let status = match told["status"].as_str() {
            Some("SUCCEEDED") => "SUCCEEDED",
            Some("FAILED") => "FAILED",
            other => panic!("{}: {other:?}", running.name),
        };
        // What MiniStack calls the output of an execution that failed is the error.
        let output = told["output"]
            .as_str()
            .filter(|_| status == "SUCCEEDED")
            .and_then(|output| serde_json::from_str(output).ok());
        Went {
            states: self.states(&which),
            status,
            output: with_cause_read(output.unwrap_or_default()),
            error: told["error"].as_str().filter(|_| status == "FAILED").map(str::to_owned),
        }
    }

    /// The states that were entered, in order.
    fn states(&self, which: &Value) -> Vec<String> {
        let (mut states, mut asked) = (Vec::new(), which.clone());
        asked["maxResults"] = json!(1_000);
        loop {
            let page = self.ask("GetExecutionHistory", asked.clone());
            let events = page["events"].as_array().into_iter().flatten();
            let entered = events.filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str());
            states.extend(entered.map(str::to_owned));
            match page["nextToken"].as_str() {
                Some(token) => asked["nextToken"] = json!(token),
                None => return states,
            }
        }
    }
}

#[test]
fn every_journey_goes_the_same_way_on_the_runner_and_on_ministack() {
    let machine = Account::machine();
    let Some(mut account) = Account::prepare() else { return };
    let (twin, replay) = Twin::make(&account);
    // Each way is compared once: most journeys end with the same teardown.
    let (mut entered, mut ways) = (BTreeSet::new(), BTreeSet::new());
    for journey in journeys() {
        for running in journey.executions(&machine, &mut account) {
            let expected = Went::on_the_runner(&running);
            if !ways.insert(expected.states.clone()) {
                continue;
            }
            replay.give(&running.asked);
            let went = twin.run(&running);
            assert_eq!(went, expected, "{} of {}", running.name, journey.full_name());
            assert_eq!(
                replay.differences(),
                [""; 0],
                "{} of {}",
                running.name,
                journey.full_name()
            );
            entered.extend(went.states);
        }
        account.clear_stage();
    }
    println!("{} ways were the same on both", ways.len());
    assert!(ways.len() >= 20, "only {} ways were compared", ways.len());
    let all = machine
        .states()
        .into_iter()
        .filter(|(_, kind)| *kind == StateType::Task);
    let left: Vec<&str> = all
        .map(|(state, _)| state)
        .filter(|state| !entered.contains(*state))
        .collect();
    assert_eq!(left, NOT_ENTERED, "every other task was entered on both");
}

#[test]
fn what_is_asked_otherwise_is_a_difference() {
    let (replay, _) = Replay::serve();
    replay.give(&[crate::timeline::Asked {
        function: "Claim".to_owned(),
        payload: json!({}),
        answer: Ok(json!({})),
    }]);
    assert_eq!(replay.differences(), ["Claim was not asked again"]);
}
