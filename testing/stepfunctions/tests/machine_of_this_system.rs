//! This system's own machine, as it is emitted, on the happy path of a pull request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::RefCell;

use serde_json::{Value, json};
use stacks::Project;
use stepfunctions_runner::{Execution, Fault, Handlers, Machine, Outcome, Start, StateType};

const CONFIGURATION: &str = include_str!("../../../stacks/project.yaml");

/// The emitted definition with its placeholders replaced: `${VerifyWebhook.Arn}` by the ARN of a function of that name.
fn machine() -> Machine {
    let project = Project::from_yaml(CONFIGURATION).unwrap();
    let shared = stacks::shared(&project).unwrap_or_else(|faults| panic!("{faults}"));
    let document = shared
        .stacks
        .iter()
        .flat_map(|stack| &stack.documents)
        .find(|document| document.name.ends_with(".asl.json"))
        .unwrap();
    let mut text = document.text().unwrap().replace("${AWS::Partition}", "aws");
    while let Some((before, rest)) = text.clone().split_once("${") {
        let (name, after) = rest.split_once(".Arn}").unwrap();
        text = format!("{before}arn:aws:lambda:eu-central-1:123456789012:function:{name}{after}");
    }
    let definition: Value = serde_json::from_str(&text).unwrap();
    Machine::load(&definition).unwrap_or_else(|refusals| panic!("{refusals}"))
}

/// Answers the first `times` calls with `first`, all others with `then`.
fn at_first(times: usize, first: Value, then: Value) -> impl FnMut(&Value) -> Value {
    let mut calls = 0;
    move |_: &Value| {
        calls += 1;
        if calls <= times { first.clone() } else { then.clone() }
    }
}

/// A pull request that is opened: its tests run for two polls, its stack is created, it is deployed at once.
fn opened(reports: &RefCell<Vec<String>>) -> Handlers<'_> {
    let target = json!({"number": 17, "sha": "abc", "environment": "pr-17"});
    let mut polls = 0;
    Handlers::new()
        .function("VerifyWebhook", |_: &Value| json!({"decision": "claim"}))
        .function(
            "Claim",
            move |_: &Value| json!({"decision": "deploy", "deployable": true, "superseded": [], "target": target}),
        )
        .function("Report", |payload: &Value| {
            let field = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
            reports
                .borrow_mut()
                .push(format!("{} {}", field("step"), field("outcome")));
            json!({})
        })
        .function(
            "FetchSource",
            |_: &Value| json!({"key": "source/17/abc.zip", "version": "1"}),
        )
        .function(
            "StartPipeline",
            |payload: &Value| json!({"execution": payload["kind"], "url": "https://example.com"}),
        )
        .function("CheckPipeline", move |_: &Value| {
            polls += 1;
            let state = if polls <= 2 { "running" } else { "succeeded" };
            json!({"state": state, "summary": "all is well", "url": "https://example.com"})
        })
        .function("ApplyStack", |_: &Value| json!({"changing": true, "stack_id": "stack"}))
        .function(
            "CheckStack",
            at_first(1, json!({"state": "changing"}), json!({"state": "complete"})),
        )
}

fn run(mut handlers: Handlers<'_>) -> Execution {
    machine()
        .run(Start::new(json!({"body": "e30="})).execution("delivery"), &mut handlers)
        .unwrap()
}

#[test]
fn a_pull_request_that_opens_is_tested_and_deployed() {
    let reports = RefCell::new(Vec::new());
    let execution = run(opened(&reports));
    assert!(
        matches!(execution.outcome(), Some(Outcome::Succeeded(_))),
        "{:?}",
        execution.outcome()
    );
    assert_eq!(
        reports.take(),
        [
            "unit_test pending",
            "unit_test success",
            "deploy pending",
            "deploy success"
        ]
    );
    let waited = execution.path().filter(|(_, _, kind)| *kind == StateType::Wait).count();
    assert_eq!(
        waited,
        3 + 2 + 1,
        "the tests are polled three times, the stack twice, the deployment once"
    );
    // 20, 30 and 45 seconds; 10 and 15; 30.
    assert_eq!(execution.elapsed().as_secs(), 95 + 25 + 30);
    assert_eq!(execution.path().last().unwrap().1, "Done");
}

#[test]
fn an_error_that_nobody_expects_is_reported_on_the_commit() {
    let reports = RefCell::new(Vec::new());
    let handlers = opened(&reports).function("FetchSource", |_: &Value| Err(Fault::of_function("Panic", "bug")));
    let execution = run(handlers);
    assert_eq!(
        execution.outcome(),
        Some(&Outcome::Failed(Fault {
            error: Some("PipelineFailed".to_owned()),
            cause: None
        }))
    );
    assert_eq!(reports.take(), ["unit_test pending", "unit_test error"]);
}
