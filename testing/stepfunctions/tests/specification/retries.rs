//! Retry and Catch.

use std::{cell::RefCell, time::Duration};

use serde_json::{Value, json};
use stepfunctions_runner::{EventDetail, Execution, Fault, Handlers, Outcome, Reply, Start, TaskCall};

use crate::{failure, json_path, jsonata, machine, output, run, task};

/// The seconds after the start at which a task that always fails with `error` is called.
fn calls(retry: &Value, error: &str, seed: u64) -> Vec<f64> {
    let times = RefCell::new(Vec::new());
    let definition = jsonata(json!({ "Work": task(json!({ "Retry": retry })) }));
    let start = Start::new(json!({})).seed(seed);
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        times.borrow_mut().push(call.at);
        Fault::new(error, "again")
    });
    machine(&definition).run(start, &mut handlers).unwrap();
    drop(handlers);
    let times = times.into_inner();
    times.iter().map(|time| time.since(times[0]).as_secs_f64()).collect()
}

#[test]
fn delays_grow_by_the_backoff_rate_and_three_attempts_are_four_calls() {
    let retry = json!([{ "ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 3 }]);
    assert_eq!(calls(&retry, "Busy", 0), [0.0, 2.0, 8.0, 26.0]);
}

#[test]
fn without_more_fields_a_retrier_tries_three_times_after_1_2_and_4_seconds() {
    assert_eq!(
        calls(&json!([{ "ErrorEquals": ["Busy"] }]), "Busy", 0),
        [0.0, 1.0, 3.0, 7.0]
    );
}

#[test]
fn no_delay_is_longer_than_the_longest() {
    let retry = json!([{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 5, "MaxDelaySeconds": 3 }]);
    assert_eq!(calls(&retry, "Busy", 0), [0.0, 1.0, 3.0, 6.0, 9.0, 12.0]);
}

#[test]
fn full_jitter_draws_each_delay_from_zero_to_the_whole_and_the_seed_decides() {
    let retry = json!([{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 50, "JitterStrategy": "FULL" }]);
    let times = calls(&retry, "Busy", 1);
    let delays: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(delays.iter().all(|delay| (0.0..=10.0).contains(delay)), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay < 5.0) && delays.iter().any(|delay| *delay > 5.0));
    assert_eq!(times, calls(&retry, "Busy", 1));
    assert_ne!(times, calls(&retry, "Busy", 2));
}

#[test]
fn nothing_is_tried_again_that_no_retrier_names() {
    assert_eq!(calls(&json!([{ "ErrorEquals": ["Other"] }]), "Busy", 0), [0.0]);
    assert_eq!(
        calls(&json!([{ "ErrorEquals": ["Busy"], "MaxAttempts": 0 }]), "Busy", 0),
        [0.0]
    );
    assert_eq!(
        calls(
            &json!([{ "ErrorEquals": ["States.Permissions"], "MaxAttempts": 1 }]),
            "States.Permissions",
            0
        )
        .len(),
        2
    );
    assert_eq!(
        calls(
            &json!([{ "ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1 }]),
            "States.Permissions",
            0
        )
        .len(),
        2
    );
}

#[test]
fn each_retrier_counts_its_own_attempts_and_the_first_that_matches_decides() {
    let errors = ["A", "B", "A", "B", "A", "A"];
    let mut call = 0;
    let definition = jsonata(json!({ "Work": task(json!({ "Retry": [
        { "ErrorEquals": ["A"], "MaxAttempts": 2 },
        { "ErrorEquals": ["B"], "MaxAttempts": 2 },
        { "ErrorEquals": ["States.ALL"], "MaxAttempts": 9 }
    ] })) }));
    let mut handlers = Handlers::new().otherwise(|_: &TaskCall| {
        call += 1;
        Fault::new(errors[call - 1], "")
    });
    let execution = run(&definition, json!({}), &mut handlers);
    drop(handlers);
    // A, B, A and B are tried again; the third A has used its retrier up, and the one for all errors is not asked.
    assert_eq!(call, 5);
    assert_eq!(failure(&execution).error.as_deref(), Some("A"));
}

fn silent(more: Value) -> Execution {
    let mut fields = json!({ "TimeoutSeconds": 5 });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let definition = jsonata(json!({
        "Work": task(fields),
        "Caught": { "Type": "Pass", "End": true }
    }));
    run(
        &definition,
        json!({}),
        &mut Handlers::new().otherwise(|_: &TaskCall| Reply::never()),
    )
}

#[test]
fn a_timeout_is_no_task_failure_but_one_of_all() {
    let catch = |name: &str| json!({ "Catch": [{ "ErrorEquals": [name], "Next": "Caught" }] });
    for name in ["States.ALL", "States.Timeout"] {
        assert_eq!(
            output(&silent(catch(name))),
            json!({ "Error": "States.Timeout", "Cause": "" }),
            "{name}"
        );
    }
    let execution = silent(catch("States.TaskFailed"));
    let fault = Fault {
        error: Some("States.Timeout".to_owned()),
        cause: None,
    };
    assert_eq!(execution.outcome(), Some(&Outcome::Failed(fault)));
    assert_eq!(execution.elapsed(), Duration::from_secs(5));
}

#[test]
fn what_is_caught_shows_its_error_to_output_and_assign() {
    let definition = jsonata(json!({
        "Work": task(json!({ "Catch": [{
            "ErrorEquals": ["Broken"],
            "Assign": { "why": "{% $states.errorOutput.Cause %}" },
            "Output": { "was": "{% $states.input.n %}", "error": "{% $states.errorOutput.Error %}" },
            "Next": "Caught"
        }] })),
        "Caught": { "Type": "Pass", "Output": "{% $merge([$states.input, {'why': $why}]) %}", "End": true }
    }));
    let mut handlers = Handlers::new().function("work", |_: &Value| Fault::new("Broken", "a stone"));
    let execution = run(&definition, json!({ "n": 1 }), &mut handlers);
    assert_eq!(
        output(&execution),
        json!({ "was": 1, "error": "Broken", "why": "a stone" })
    );
}

#[test]
fn an_expression_that_fails_after_the_task_is_retried_and_caught_like_any_error() {
    let definition = jsonata(json!({
        "Work": task(json!({
            "Output": "{% $states.result.missing %}",
            "Retry": [{ "ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1 }],
            "Catch": [{ "ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Caught" }]
        })),
        "Caught": { "Type": "Pass", "End": true }
    }));
    let mut calls = 0;
    let mut handlers = Handlers::new().function("work", |_: &Value| {
        calls += 1;
        json!({})
    });
    let execution = run(&definition, json!({}), &mut handlers);
    drop(handlers);
    assert_eq!(output(&execution), json!("States.QueryEvaluationError"));
    assert_eq!(calls, 2);
    let failed = |detail: &EventDetail| matches!(detail, EventDetail::EvaluationFailed { .. });
    assert_eq!(
        execution.events().iter().filter(|event| failed(&event.detail)).count(),
        2
    );
}

#[test]
fn a_runtime_error_is_caught_by_nothing() {
    let definition = json_path(json!({
        "Both": {
            "Type": "Parallel",
            "Branches": [{
                "StartAt": "Bad",
                "States": { "Bad": { "Type": "Pass", "InputPath": "$.missing", "End": true } }
            }],
            "Retry": [{ "ErrorEquals": ["States.ALL"] }],
            "Catch": [{ "ErrorEquals": ["States.Runtime"], "Next": "Caught" }],
            "End": true
        },
        "Caught": { "Type": "Pass", "End": true }
    }));
    let execution = run(&definition, json!({}), &mut Handlers::new());
    assert_eq!(failure(&execution).error.as_deref(), Some("States.Runtime"));
}

#[test]
fn the_context_object_counts_retries() {
    let definition = jsonata(json!({ "Work": task(json!({
        "Arguments": "{% $states.context.State.RetryCount %}",
        "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 2 }]
    })) }));
    let seen = RefCell::new(Vec::new());
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        seen.borrow_mut().push((call.arguments.clone(), call.attempt));
        Fault::new("Busy", "")
    });
    run(&definition, json!({}), &mut handlers);
    drop(handlers);
    assert_eq!(seen.into_inner(), [(json!(0), 0), (json!(1), 1), (json!(2), 2)]);
}
