//! Flows that are used more than once, and defaults that are applied to every task of one.

use serde_json::json;
use synth::stepfunctions::{
    Expr, Flow, LambdaService, Never, States, TRANSIENT, attempts, choice, parallel, pass, rethrow, task,
};

use crate::support::{
    Build, CheckBuild, Commit, FetchError, FetchSource, Report, StartBuild, blamed_line, emitted, only_fault,
};

#[test]
fn a_flow_that_is_used_twice_is_there_once() {
    let report = task(Report).end();
    let machine: Flow<Build, Never> = choice("Logs?")
        .when(|build: Expr<Build>| build.logs.is_empty(), report.clone())
        .otherwise(task(CheckBuild).then(report));
    let machine = emitted(machine);
    assert_eq!(machine["States"].as_object().unwrap().len(), 3);
    assert_eq!(machine["States"]["Check build"]["Next"], "Report");
}

#[test]
fn equal_states_that_are_written_twice_are_there_once() {
    let machine = choice("Logs?")
        .when(|build: Expr<Build>| build.logs.is_empty(), task(CheckBuild))
        .otherwise(task(CheckBuild))
        .then(task(Report));
    assert_eq!(emitted(machine)["States"].as_object().unwrap().len(), 3);
}

#[test]
fn two_different_states_of_one_name_are_a_fault_that_names_both_lines() {
    let fault = only_fault(task(StartBuild).then(task(CheckBuild).named("Start build")));
    assert!(
        fault
            .message
            .starts_with("two states are named `Start build`, here and at"),
        "{fault}"
    );
    assert!(fault.message.contains(file!()), "{fault}");
    assert!(
        blamed_line(&fault, include_str!("sharing.rs")).contains("task(CheckBuild)"),
        "{fault}"
    );
}

#[test]
fn one_state_that_different_states_follow_is_a_fault() {
    let check = task(CheckBuild).into_flow();
    let fault = only_fault(
        choice("Logs?")
            .when(|build: Expr<Build>| build.logs.is_empty(), check.clone())
            .otherwise(check.then(pass("Once more", |build: Expr<Build>| build)))
            .then(task(Report)),
    );
    assert!(fault.message.ends_with("different states follow them"), "{fault}");
}

#[test]
fn names_are_unique_across_branches() {
    let fault = only_fault(parallel("Both", (task(CheckBuild), task(CheckBuild))));
    assert!(
        fault
            .message
            .starts_with("the name `Check build` is taken in another branch"),
        "{fault}"
    );
}

#[test]
fn a_default_retry_is_added_where_the_errors_are_not_retried_yet() {
    let machine = parallel(
        "Both",
        (
            task(FetchSource)
                .retry(LambdaService::ServiceException, attempts(9))
                .retry(States::All, attempts(1)),
            task(FetchSource).named("Fetch again"),
        ),
    );
    let machine = emitted(
        pass("First", |commit: Expr<Commit>| commit)
            .then(machine)
            .retry_each(TRANSIENT, attempts(4)),
    );
    let both = &machine["States"]["Both"];
    let errors = |branch: usize, name: &str| -> Vec<_> {
        let retries = both["Branches"][branch]["States"][name]["Retry"].as_array().unwrap();
        retries.iter().map(|retry| retry["ErrorEquals"].clone()).collect()
    };
    assert_eq!(
        errors(0, "Fetch source"),
        [
            json!(["Lambda.ServiceException"]),
            json!([
                "Lambda.AWSLambdaException",
                "Lambda.SdkClientException",
                "Lambda.TooManyRequestsException"
            ]),
            json!(["States.ALL"]),
        ]
    );
    assert_eq!(errors(1, "Fetch again")[0].as_array().unwrap().len(), 4);
    assert_eq!(both.get("Retry"), None);
}

#[test]
fn a_default_catch_is_added_to_every_task_but_its_own() {
    let machine = task(FetchSource)
        .catch(FetchError::SourceRejected, rethrow("Rejected"))
        .then(parallel(
            "Both",
            (task(StartBuild), task(StartBuild).named("Start another")),
        ))
        .catch_each(States::All, rethrow("Failed"));
    let machine = emitted(machine);
    assert_eq!(
        machine["States"]["Fetch source"]["Catch"],
        json!([
            {"ErrorEquals": ["SourceRejected"], "Next": "Rejected"},
            {"ErrorEquals": ["States.ALL"], "Next": "Failed"},
        ])
    );
    assert_eq!(
        machine["States"]["Both"]["Catch"],
        json!([{"ErrorEquals": ["States.ALL"], "Next": "Failed"}])
    );
    assert_eq!(
        machine["States"]["Both"]["Branches"][0]["States"]["Start build"].get("Catch"),
        None
    );
}
