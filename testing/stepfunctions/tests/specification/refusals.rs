//! What is refused when a machine is loaded.

use serde_json::{Value, json};
use stepfunctions_runner::Machine;

use crate::{json_path, jsonata, task};

/// The refusals, one line each.
fn refused(definition: &Value) -> Vec<String> {
    match Machine::load(definition) {
        Ok(_) => Vec::new(),
        Err(refusals) => refusals.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn all_reasons_are_told_at_once_with_their_state_and_field() {
    let definition = jsonata(json!({
        "Work": task(json!({ "Arguments": { "a": ["{% $x ?? 1 %}", "{% phone %}"] }, "InputPath": "$.a", "Next": "Each" })),
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": { "Mode": "DISTRIBUTED" },
                "StartAt": "Inner",
                "States": { "Inner": { "Type": "Pass", "Next": "Gone" } }
            },
            "ItemReader": {},
            "End": true
        }
    }));
    let refused = refused(&definition);
    for expected in [
        "state \"Work\": InputPath: not supported here; allowed are ",
        "state \"Work\": Arguments/a[0]: \"$x ?? 1\": `??` is newer than JSONata 2.0.6",
        "state \"Work\": Arguments/a[1]: \"phone\": `phone` at the top level refers to nothing",
        "state \"Each\": ItemReader: not supported here",
        "state \"Each\": ItemProcessor/ProcessorConfig/Mode: only \"INLINE\" is supported",
        "state \"Each / Inner\": Next: there is no state \"Gone\" beside it",
        "state \"Each\": ItemProcessor/States: no state ends it",
    ] {
        assert!(
            refused.iter().any(|line| line.starts_with(expected)),
            "{expected}\n{}",
            refused.join("\n")
        );
    }
    assert_eq!(refused.len(), 7, "{}", refused.join("\n"));
}

#[test]
fn what_cannot_be_a_machine_is_refused() {
    let pass = json!({ "Type": "Pass", "End": true });
    for (definition, reason) in [
        (json!([]), "an object is due"),
        (json!({ "StartAt": "A" }), "States: an object of states is due"),
        (
            json!({ "StartAt": "B", "States": { "A": pass } }),
            "StartAt: there is no state \"B\"",
        ),
        (
            json!({ "StartAt": "A", "States": { "A": pass }, "Version": "2.0" }),
            "Version: allowed is",
        ),
        (
            json!({ "StartAt": "A", "States": { "A": pass }, "QueryLanguage": "jsonata" }),
            "QueryLanguage: allowed are",
        ),
        (
            json!({ "StartAt": "A", "States": { "A": pass }, "TimeoutSeconds": 0 }),
            "TimeoutSeconds: 0: a whole number",
        ),
        (
            jsonata(json!({ "A": { "Type": "Pass" } })),
            "either Next with a state's name or End",
        ),
        (
            jsonata(json!({ "A": { "Type": "Nap", "End": true } })),
            "\"Nap\" is no type of states",
        ),
        (
            jsonata(json!({ "A": { "Type": "Pass", "QueryLanguage": "JSONPath", "End": true } })),
            "has no JSONPath states",
        ),
        (
            jsonata(json!({ "A": task(json!({ "Resource": "arn:aws:s3:::bucket" })) })),
            "neither a Lambda function's ARN",
        ),
        (
            jsonata(json!({ "A": task(json!({ "TimeoutSeconds": 5, "HeartbeatSeconds": 5 })) })),
            "HeartbeatSeconds: it must be less",
        ),
        (
            jsonata(json!({ "A": task(json!({ "Retry": [{ "ErrorEquals": ["States.ALL", "X"] }] })) })),
            "Retry[0]/ErrorEquals: States.ALL must stand alone",
        ),
        (
            jsonata(json!({ "A": { "Type": "Wait", "Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z", "End": true } })),
            "either seconds or a timestamp",
        ),
        (
            json_path(
                json!({ "A": { "Type": "Choice", "Choices": [{ "Variable": "$.a", "StringIs": "b", "Next": "A" }] } }),
            ),
            "Choices[0]/StringIs: there is no such operator",
        ),
        (
            json_path(
                json!({ "A": { "Type": "Choice", "Choices": [{ "Variable": "$.a", "NumericEquals": "b", "Next": "A" }] } }),
            ),
            "is not of the type that is compared",
        ),
        (
            json_path(json!({ "A": { "Type": "Pass", "Parameters": { "a.$": "$.b.length()" }, "End": true } })),
            "the function length() in a path is not supported",
        ),
        (
            json_path(json!({ "A": { "Type": "Pass", "Parameters": { "a.$": "States.Nothing()" }, "End": true } })),
            "there is no function States.Nothing",
        ),
        (
            json_path(json!({ "A": { "Type": "Pass", "ResultPath": "$.a[*]", "End": true } })),
            "a path of names and indices",
        ),
    ] {
        let refused = refused(&definition);
        assert!(
            refused.iter().any(|line| line.contains(reason)),
            "{reason}: {refused:?}"
        );
    }
}

#[test]
fn an_inner_state_does_not_assign_what_is_assigned_outside() {
    let definition = jsonata(json!({
        "Start": { "Type": "Pass", "Assign": { "n": 1 }, "Next": "Both" },
        "Both": {
            "Type": "Parallel",
            "Branches": [{ "StartAt": "A", "States": { "A": { "Type": "Pass", "Assign": { "n": 2 }, "End": true } } }],
            "End": true
        }
    }));
    assert_eq!(
        refused(&definition),
        ["state \"Both / A\": Assign/n: a variable of this name is assigned outside of this branch"]
    );
}

/// What `CreateStateMachine` refuses, by the codes of its diagnostics, see <https://github.com/floci-io/floci/issues/2735> and the tests of
/// <https://github.com/aws/amazon-states-language-service>.
#[test]
fn a_machine_that_cannot_be_gone_through_is_refused() {
    let pass = |next: &str| json!({ "Type": "Pass", "Next": next });
    let end = || json!({ "Type": "Pass", "End": true });
    let parallel = |branches: Value| json!({ "Type": "Parallel", "Branches": branches, "End": true });
    let branch = |name: &str, state: Value| json!({ "StartAt": name, "States": { name: state } });
    for (states, code, place) in [
        (
            json!({ "A": pass("B"), "B": pass("A") }),
            "MISSING_END_STATE",
            "States: ",
        ),
        (json!({ "A": pass("A") }), "MISSING_END_STATE", "States: "),
        (
            json!({ "A": pass("B"), "B": pass("A"), "C": end() }),
            "MISSING_TRANSITION_TARGET",
            "state \"C\": ",
        ),
        (
            json!({ "A": end(), "B": pass("C"), "C": pass("B") }),
            "MISSING_TRANSITION_TARGET",
            "state \"B\": ",
        ),
        (
            json!({ "A": parallel(json!([branch("L", pass("L"))])) }),
            "MISSING_END_STATE",
            "state \"A\": Branches[0]/States: ",
        ),
        (
            json!({ "A": parallel(json!([branch("X", end()), branch("X", end())])) }),
            "DUPLICATE_STATE_NAME",
            "state \"A / X\": ",
        ),
        (
            json!({ "A": parallel(json!([branch("A", end())])) }),
            "DUPLICATE_STATE_NAME",
            "state \"A / A\": ",
        ),
    ] {
        let refused = refused(&jsonata(states.clone()));
        let found = refused
            .iter()
            .any(|line| line.starts_with(place) && line.contains(code));
        assert!(found, "{states}: {refused:?}");
    }
    // A loop with a way out, and an end that only a catcher or a default leads to, are machines.
    let choice = json!({ "Type": "Choice", "Choices": [{ "Condition": "{% true %}", "Next": "A" }], "Default": "Z" });
    for states in [
        json!({ "A": pass("B"), "B": choice, "Z": { "Type": "Succeed" } }),
        json!({ "A": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "A",
            "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Z" }] }, "Z": { "Type": "Fail" } }),
    ] {
        assert_eq!(refused(&jsonata(states)), Vec::<String>::new());
    }
}

/// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
#[test]
fn a_retrier_counts_whole_seconds() {
    let retrying = |field: &str, value: Value| {
        let mut retrier = json!({ "ErrorEquals": ["States.ALL"] });
        retrier[field] = value;
        refused(&jsonata(json!({ "T": task(json!({ "Retry": [retrier] })) })))
    };
    for (field, value) in [
        ("IntervalSeconds", json!(1.5)),
        ("IntervalSeconds", json!(0)),
        ("IntervalSeconds", json!(100_000_000)),
        ("MaxDelaySeconds", json!(1.5)),
        ("MaxDelaySeconds", json!(0)),
        ("MaxDelaySeconds", json!(31_622_400)),
        ("MaxDelaySeconds", json!(99_999_999)),
        ("BackoffRate", json!(0.5)),
        ("MaxAttempts", json!(-1)),
    ] {
        let refused = retrying(field, value.clone());
        assert_eq!(refused.len(), 1, "{field} {value}: {refused:?}");
        assert!(refused[0].contains(&format!("Retry[0]/{field}")), "{refused:?}");
    }
    for (field, value) in [
        ("IntervalSeconds", json!(1)),
        ("MaxDelaySeconds", json!(31_622_399)),
        ("BackoffRate", json!(1.5)),
    ] {
        assert_eq!(retrying(field, value), Vec::<String>::new());
    }
}

/// See <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>.
#[test]
fn a_text_of_an_intrinsic_function_escapes_quotes_braces_and_backslashes_only() {
    let call = |call: &str| {
        refused(&json_path(
            json!({ "A": { "Type": "Pass", "Parameters": { "v.$": call }, "End": true } }),
        ))
    };
    let illegal = call(r#"States.StringToJson('{"text":"An \"escaped double quote\" here"}')"#);
    assert!(illegal.len() == 1 && illegal[0].contains("is no escape"), "{illegal:?}");
    assert_eq!(call(r"States.Format('it\'s \{\} \\ {}', 1)"), Vec::<String>::new());
}
