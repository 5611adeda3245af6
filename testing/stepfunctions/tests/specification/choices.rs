//! Choice.

use serde_json::{Value, json};

use crate::{evaluated, fails, json_path, jsonata};

/// Whether a rule holds for the input.
fn holds(rule: &Value, input: Value) -> bool {
    evaluated(&choice(rule), input) == json!(true)
}

fn choice(rule: &Value) -> Value {
    let mut rule = rule.clone();
    rule["Next"] = json!("Yes");
    json_path(json!({
        "Which": { "Type": "Choice", "Choices": [rule], "Default": "No" },
        "Yes": { "Type": "Pass", "Result": true, "End": true },
        "No": { "Type": "Pass", "Result": false, "End": true }
    }))
}

#[test]
fn string_matches_knows_wildcards() {
    let rule = json!({ "Variable": "$.file", "StringMatches": "log-*.txt" });
    assert!(holds(&rule, json!({ "file": "log-17.txt" })));
    assert!(!holds(&rule, json!({ "file": "log-17.txt.gz" })));
    assert!(!holds(&rule, json!({ "file": 17 })));
    let literal = json!({ "Variable": "$.file", "StringMatches": "a\\*" });
    assert!(holds(&literal, json!({ "file": "a*" })));
    assert!(!holds(&literal, json!({ "file": "ab" })));
}

#[test]
fn or_and_not_combine_tests() {
    let either = json!({ "Or": [
        { "Variable": "$.n", "NumericLessThan": 0 },
        { "And": [
            { "Variable": "$.n", "NumericGreaterThan": 10 },
            { "Not": { "Variable": "$.n", "NumericEquals": 12 } }
        ] }
    ] });
    for (number, expected) in [(-1, true), (5, false), (11, true), (12, false)] {
        assert_eq!(holds(&either, json!({ "n": number })), expected, "{number}");
    }
}

#[test]
fn or_does_not_look_further_than_the_first_that_holds() {
    let rule = json!({ "Or": [
        { "Variable": "$.there", "IsBoolean": true },
        { "Variable": "$.missing", "IsBoolean": true }
    ] });
    assert!(holds(&rule, json!({ "there": true })));
}

#[test]
fn is_timestamp_demands_rfc_3339_with_capital_letters() {
    let rule = json!({ "Variable": "$.at", "IsTimestamp": true });
    for text in ["2016-03-14T01:59:00Z", "2016-03-14T01:59:00.123+01:00"] {
        assert!(holds(&rule, json!({ "at": text })), "{text}");
    }
    for text in [
        "2016-03-14",
        "2016-03-14t01:59:00z",
        "2016-03-14 01:59:00Z",
        "2016-03-14T01:59:00",
        "2016-02-30T00:00:00Z",
    ] {
        assert!(!holds(&rule, json!({ "at": text })), "{text}");
    }
    assert!(holds(
        &json!({ "Variable": "$.at", "IsTimestamp": false }),
        json!({ "at": 1 })
    ));
}

#[test]
fn timestamps_are_compared_as_instants() {
    let rule = json!({ "Variable": "$.at", "TimestampEquals": "2016-03-14T00:59:00Z" });
    assert!(holds(&rule, json!({ "at": "2016-03-14T01:59:00+01:00" })));
    let rule = json!({ "Variable": "$.at", "TimestampGreaterThanPath": "$.other" });
    assert!(holds(
        &rule,
        json!({ "at": "2016-03-14T01:00:00Z", "other": "2016-03-14T01:59:00+01:00" })
    ));
}

#[test]
fn a_variable_that_is_not_there_is_an_error_unless_its_presence_is_asked() {
    assert!(holds(&json!({ "Variable": "$.gone", "IsPresent": false }), json!({})));
    assert!(!holds(&json!({ "Variable": "$.gone", "IsPresent": true }), json!({})));
    assert!(holds(
        &json!({ "Variable": "$.null", "IsPresent": true }),
        json!({ "null": null })
    ));
    let fault = fails(&choice(&json!({ "Variable": "$.gone", "IsNull": true })), json!({}));
    assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
    assert!(fault.cause.unwrap().contains("Invalid path '$.gone'"));
}

#[test]
fn a_choice_that_goes_nowhere_fails() {
    let machine = jsonata(json!({
        "Which": { "Type": "Choice", "Choices": [{ "Condition": "{% false %}", "Next": "End" }] },
        "End": { "Type": "Succeed" }
    }));
    let fault = fails(&machine, json!({}));
    assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
    assert_eq!(
        fault.cause.as_deref(),
        Some(
            "An error occurred while executing the state 'Which' (entered at the event id #2). \
             Failed to transition out of the state. The state does not point to a next state."
        )
    );
}

#[test]
fn a_condition_must_be_a_boolean() {
    let machine = jsonata(json!({
        "Which": { "Type": "Choice", "Choices": [
            { "Condition": "{% false %}", "Next": "End" },
            { "Condition": "{% $states.input.n %}", "Next": "End" }
        ] },
        "End": { "Type": "Succeed" }
    }));
    let fault = fails(&machine, json!({ "n": 1 }));
    assert_eq!(fault.error.as_deref(), Some("States.QueryEvaluationError"));
    assert!(fault.cause.unwrap().contains(
        "The JSONata expression '$states.input.n' specified for the field 'Choices[1]/Condition' returned an \
         unexpected result type. Expected 'boolean', but was 'number' for value: 1"
    ));
}

#[test]
fn a_rule_and_the_default_each_have_their_own_assign_and_output() {
    let machine = jsonata(json!({
        "Which": {
            "Type": "Choice",
            "Choices": [{
                "Condition": "{% $states.input.n > 0 %}",
                "Assign": { "sign": "positive" },
                "Output": { "rule": 0 },
                "Next": "End"
            }],
            "Default": "End",
            "Assign": { "sign": "other" },
            "Output": { "rule": "default" }
        },
        "End": { "Type": "Pass", "Output": ["{% $sign %}", "{% $states.input.rule %}"], "End": true }
    }));
    assert_eq!(evaluated(&machine, json!({ "n": 1 })), json!(["positive", 0]));
    assert_eq!(evaluated(&machine, json!({ "n": 0 })), json!(["other", "default"]));
}
