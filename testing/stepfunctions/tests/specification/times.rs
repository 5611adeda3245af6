//! Waits, timeouts, heartbeats and the end of executions from outside.

use std::time::Duration;

use serde_json::{Value, json};
use stepfunctions_runner::{Effect, Execution, Fault, Outcome, Start, TaskCall};

use crate::{alone, evaluated, failure, jsonata, machine, output, run, task};

fn started(definition: &Value) -> Execution {
    machine(definition).start(Start::new(json!({})))
}

fn asked(execution: &mut Execution) -> Box<TaskCall> {
    match execution.next_effect() {
        Some(Effect::Task(call)) => call,
        other => panic!("{other:?}"),
    }
}

fn waiting_for_token(more: Value) -> Value {
    let mut fields = json!({
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": { "token": "{% $states.context.Task.Token %}" }
    });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    alone("Work", task(fields))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_task_that_is_silent_for_too_long_has_timed_out() {
    let definition = waiting_for_token(json!({ "HeartbeatSeconds": 5, "TimeoutSeconds": 60 }));
    let mut execution = started(&definition);
    let call = asked(&mut execution);
    assert_eq!(call.heartbeat, Some(SECOND * 5));
    execution.advance(call.at + SECOND * 4);
    assert_eq!(execution.outcome(), None);
    execution.advance(call.at + SECOND * 5);
    let fault = Fault {
        error: Some("States.Timeout".to_owned()),
        cause: None,
    };
    assert_eq!(execution.outcome(), Some(&Outcome::Failed(fault)));
    assert_eq!(execution.next_effect(), Some(Effect::Cancel(call.id)));
}

#[test]
fn each_heartbeat_starts_the_silence_anew_until_the_timeout() {
    let definition = waiting_for_token(json!({ "HeartbeatSeconds": 5, "TimeoutSeconds": 12 }));
    let mut execution = started(&definition);
    let call = asked(&mut execution);
    for second in [4, 8, 11] {
        execution.heartbeat(call.id, call.at + SECOND * second).unwrap();
        assert_eq!(execution.outcome(), None, "{second}");
    }
    assert_eq!(execution.next_deadline(), Some(call.at + SECOND * 12));
    execution.advance(call.at + SECOND * 12);
    assert_eq!(failure(&execution).error.as_deref(), Some("States.Timeout"));
}

#[test]
fn a_missing_heartbeat_is_caught_by_its_own_name_and_a_plain_timeout_is_not() {
    let catch = json!([{ "ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught" }]);
    let mut execution = started(&waiting_for_token(json!({ "HeartbeatSeconds": 5, "Catch": catch })));
    let call = asked(&mut execution);
    execution.advance(call.at + SECOND * 5);
    assert_eq!(output(&execution), json!({ "Error": "States.Timeout", "Cause": "" }));

    let mut execution = started(&waiting_for_token(json!({ "TimeoutSeconds": 5, "Catch": catch })));
    let call = asked(&mut execution);
    execution.advance(call.at + SECOND * 5);
    assert_eq!(failure(&execution).error.as_deref(), Some("States.Timeout"));
}

#[test]
fn a_task_is_found_by_its_token() {
    let mut execution = started(&waiting_for_token(json!({})));
    let call = asked(&mut execution);
    let token = call.token.unwrap();
    assert_eq!(call.arguments, json!({ "token": token }));
    assert_eq!(execution.task_of_token("another"), None);
    let task = execution.task_of_token(&token).unwrap();
    execution.submitted(task, json!({ "MessageId": "1" }), call.at).unwrap();
    execution.complete(task, Ok(json!("done")), call.at + SECOND).unwrap();
    assert_eq!(output(&execution), json!("done"));
}

#[test]
fn an_answer_that_comes_too_late_changes_nothing() {
    let mut execution = started(&jsonata(json!({ "Work": task(json!({ "TimeoutSeconds": 5 })) })));
    let call = asked(&mut execution);
    let late = execution.complete(call.id, Ok(json!(1)), call.at + SECOND * 6);
    assert_eq!(late.unwrap_err().0, call.id);
    assert_eq!(failure(&execution).error.as_deref(), Some("States.Timeout"));
    let events = execution.events().len();
    assert!(execution.complete(call.id, Ok(json!(1)), call.at + SECOND * 7).is_err());
    assert_eq!(execution.events().len(), events);
}

#[test]
fn an_answer_in_the_very_instant_of_the_deadline_counts() {
    let mut execution = started(&jsonata(json!({ "Work": task(json!({ "TimeoutSeconds": 5 })) })));
    let call = asked(&mut execution);
    execution
        .complete(call.id, Ok(json!(1)), call.deadline.unwrap())
        .unwrap();
    assert_eq!(output(&execution), json!(1));
}

#[test]
fn the_machines_own_timeout_cuts_a_wait() {
    let mut definition = jsonata(json!({ "Wait": { "Type": "Wait", "Seconds": 100, "End": true } }));
    definition["TimeoutSeconds"] = json!(30);
    let execution = run(&definition, json!({}), &mut stepfunctions_runner::Handlers::new());
    assert_eq!(execution.outcome(), Some(&Outcome::TimedOut));
    assert_eq!(execution.elapsed(), SECOND * 30);
    assert_eq!(execution.events().last().unwrap().type_name(), "ExecutionTimedOut");
    assert_eq!(execution.next_deadline(), None);
}

#[test]
fn an_execution_that_is_stopped_takes_its_tasks_back() {
    let mut execution = started(&jsonata(json!({ "Work": task(json!({})) })));
    let call = asked(&mut execution);
    let fault = Fault::new("Enough", "it is late");
    execution.stop(fault.clone(), call.at + SECOND);
    assert_eq!(execution.outcome(), Some(&Outcome::Aborted(fault)));
    assert_eq!(execution.next_effect(), Some(Effect::Cancel(call.id)));
    assert_eq!(execution.open_tasks().count(), 0);
    execution.stop(Fault::new("Again", ""), call.at + SECOND * 2);
    assert_eq!(execution.events().last().unwrap().at, call.at + SECOND);
}

#[test]
fn a_wait_ends_at_its_timestamp_or_at_once_when_that_is_past() {
    let definition = jsonata(json!({
        "Wait": { "Type": "Wait", "Timestamp": "{% $states.input.until %}", "Next": "Now" },
        "Now": { "Type": "Pass", "Output": "{% $now() %}", "End": true }
    }));
    let now = |until: &str| evaluated(&definition, json!({ "until": until }));
    assert_eq!(now("2026-01-01T01:00:30+01:00"), json!("2026-01-01T00:00:30.000Z"));
    assert_eq!(now("2001-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.000Z"));
}

#[test]
fn time_never_runs_backwards() {
    let mut execution = started(&jsonata(
        json!({ "Wait": { "Type": "Wait", "Seconds": 10, "End": true } }),
    ));
    let start = execution.now();
    execution.advance(start + SECOND * 5);
    execution.advance(start);
    assert_eq!(execution.now(), start + SECOND * 5);
    execution.advance(start + SECOND * 10);
    assert_eq!(output(&execution), json!({}));
}
