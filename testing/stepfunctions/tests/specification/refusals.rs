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
        "Work": task(json!({ "Arguments": { "a": ["{% $x ?? 1 %}", "{% phone %}"] }, "InputPath": "$.a" })),
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": { "Mode": "DISTRIBUTED" },
                "StartAt": "Inner",
                "States": { "Inner": { "Type": "Pass", "Next": "Gone" } }
            },
            "ToleratedFailureCount": 1,
            "End": true
        }
    }));
    let refused = refused(&definition);
    for expected in [
        "state \"Work\": InputPath: not supported here; allowed are ",
        "state \"Work\": Arguments/a[0]: \"$x ?? 1\": `??` is newer than JSONata 2.0.6",
        "state \"Work\": Arguments/a[1]: \"phone\": `phone` at the top level refers to nothing",
        "state \"Each\": ToleratedFailureCount: not supported here",
        "state \"Each\": ItemProcessor/ProcessorConfig/Mode: only \"INLINE\" is supported",
        "state \"Each / Inner\": Next: there is no state \"Gone\" beside it",
    ] {
        assert!(
            refused.iter().any(|line| line.starts_with(expected)),
            "{expected}\n{}",
            refused.join("\n")
        );
    }
    assert_eq!(refused.len(), 6, "{}", refused.join("\n"));
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
