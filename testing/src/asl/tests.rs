use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::or_skip;

fn machine() -> Value {
    json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Fetch",
        "States": {
            "Fetch": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {
                    "FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:fetch",
                    "Payload": "{% $states.input %}"
                },
                "Assign": { "polls": "{% 0 %}", "source": "{% $states.result.Payload.source %}" },
                "Output": "{% $states.result.Payload %}",
                "Retry": [{
                    "ErrorEquals": ["Lambda.ServiceException", "Lambda.TooManyRequestsException"],
                    "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2.0, "MaxDelaySeconds": 30, "JitterStrategy": "FULL"
                }],
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Report", "Output": "{% $states.errorOutput %}" }],
                "Next": "Wait"
            },
            "Wait": { "Type": "Wait", "Seconds": 15, "Assign": { "polls": "{% $polls + 1 %}" }, "Next": "Done?" },
            "Done?": {
                "Type": "Choice",
                "Choices": [{ "Condition": "{% $polls < 240 and $states.input.status = 'running' %}", "Next": "Wait" }],
                "Default": "Both"
            },
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    { "StartAt": "Left", "States": { "Left": { "Type": "Pass", "Output": { "side": "left", "empty": [] }, "End": true } } },
                    { "StartAt": "Right", "States": { "Right": { "Type": "Pass", "End": true } } }
                ],
                "Next": "Report"
            },
            "Report": { "Type": "Succeed", "Output": { "source": "{% $source %}" } }
        }
    })
}

fn written(machines: &[Value]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let paths = machines.iter().enumerate().map(|(number, machine)| {
        let path = folder.path().join(format!("{number}.json"));
        fs::write(&path, machine.to_string()).unwrap();
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn set(machine: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = machine.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
    match parent {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
}

#[test]
fn a_sound_machine_with_jsonata_variables_and_branches_passes() {
    let (_folder, paths) = written(&[machine()]);
    let Some(findings) = or_skip("a sound machine", validate(&paths)) else {
        return;
    };
    assert_eq!(findings, []);
}

/// Who catches a fault. The rows of `Nobody` are what these tools cannot promise: the typed DSL has to.
#[derive(Debug, PartialEq)]
enum CaughtBy {
    AslValidator(&'static str),
    JsonataParser(&'static str),
    Walk(&'static str),
    Nobody,
}
use CaughtBy::{AslValidator, JsonataParser, Nobody, Walk};

#[test]
fn every_fault_is_caught_by_the_one_who_is_said_to() {
    const STRUCTURE: CaughtBy = AslValidator("SCHEMA_VALIDATION_FAILED");
    const TARGET: CaughtBy = AslValidator("MISSING_TRANSITION_TARGET");
    let table = [
        ("a dangling Next", "/States/Wait/Next", json!("Nowhere"), TARGET),
        (
            "a dangling Next of a Catch",
            "/States/Fetch/Catch/0/Next",
            json!("Nowhere"),
            TARGET,
        ),
        (
            "a dangling Next of a Choice",
            "/States/Done?/Choices/0/Next",
            json!("Nowhere"),
            TARGET,
        ),
        ("a dangling Default", "/States/Done?/Default", json!("Nowhere"), TARGET),
        ("a dangling StartAt", "/StartAt", json!("Nowhere"), TARGET),
        (
            "an unreachable state",
            "/States/Lost",
            json!({ "Type": "Succeed" }),
            TARGET,
        ),
        (
            "an unreachable loop",
            "/States/Lost",
            json!({ "Type": "Pass", "Next": "Lost" }),
            Walk("NOT_REACHABLE"),
        ),
        (
            "a Next out of a branch",
            "/States/Both/Branches/0/States/Left",
            json!({ "Type": "Pass", "Next": "Report" }),
            AslValidator("BRANCH_OUTBOUND_TRANSITION_TARGET"),
        ),
        (
            "a Next into a branch",
            "/States/Fetch/Catch/0/Next",
            json!("Left"),
            Walk("NO_SUCH_TARGET"),
        ),
        (
            "a name in two branches",
            "/States/Both/Branches/1/States/Left",
            json!({ "Type": "Succeed" }),
            AslValidator("DUPLICATE_STATE_NAMES"),
        ),
        (
            "Next and End at once",
            "/States/Wait/End",
            json!(true),
            AslValidator("TERMINAL_STATE_WITH_NEXT"),
        ),
        ("a misspelt field", "/States/Fetch/Assing", json!({}), STRUCTURE),
        ("an unknown type", "/States/Wait/Type", json!("Sleep"), STRUCTURE),
        (
            "a resource that is no ARN",
            "/States/Fetch/Resource",
            json!("lambda:invoke"),
            STRUCTURE,
        ),
        (
            "a JSONPath field in a JSONata state",
            "/States/Wait/ResultPath",
            json!("$.x"),
            STRUCTURE,
        ),
        (
            "a wait without a duration",
            "/States/Wait",
            json!({ "Type": "Wait", "Next": "Done?" }),
            AslValidator("WAIT_DURATION"),
        ),
        (
            "no JSONata in a condition",
            "/States/Done?/Choices/0/Condition",
            json!("$polls < 3"),
            STRUCTURE,
        ),
        (
            "malformed JSONata in Output",
            "/States/Report/Output/source",
            json!("{% $source. %}"),
            JsonataParser("JSONATA_SYNTAX"),
        ),
        (
            "malformed JSONata in Assign",
            "/States/Wait/Assign/polls",
            json!("{% $polls + %}"),
            JsonataParser("JSONATA_SYNTAX"),
        ),
        (
            "malformed JSONata in Arguments",
            "/States/Fetch/Arguments/Payload",
            json!("{% {'a': %}"),
            JsonataParser("JSONATA_SYNTAX"),
        ),
        (
            "malformed JSONata in a condition",
            "/States/Done?/Choices/0/Condition",
            json!("{% (1 %}"),
            JsonataParser("JSONATA_SYNTAX"),
        ),
        (
            "malformed JSONata without spaces",
            "/States/Report/Output/source",
            json!("{%(1%}"),
            JsonataParser("JSONATA_SYNTAX"),
        ),
        (
            "unclosed braces",
            "/States/Report/Output/source",
            json!("{% $source"),
            JsonataParser("JSONATA_BRACES"),
        ),
        (
            "a call of $eval",
            "/States/Report/Output/source",
            json!("{% $map([1], function($x) { $eval('1') }) %}"),
            JsonataParser("JSONATA_EVAL"),
        ),
        (
            "an undefined variable",
            "/States/Report/Output/source",
            json!("{% $sauce %}"),
            Nobody,
        ),
        (
            "an undefined function",
            "/States/Report/Output/source",
            json!("{% $upercase('x') %}"),
            Nobody,
        ),
    ];
    let mutants: Vec<Value> = table
        .iter()
        .map(|(_, pointer, value, _)| {
            let mut mutant = machine();
            set(&mut mutant, pointer, value.clone());
            mutant
        })
        .collect();
    let (_folder, paths) = written(&mutants);
    let Some(findings) = or_skip("faulty machines", validate(&paths)) else {
        return;
    };

    for ((what, pointer, _, expected), path) in table.iter().zip(&paths) {
        let of_this: Vec<&Finding> = findings.iter().filter(|finding| finding.file == *path).collect();
        match expected {
            AslValidator(rule) => assert!(
                of_this.iter().any(|finding| finding.rule == *rule),
                "{what}: {of_this:#?}"
            ),
            JsonataParser(rule) | Walk(rule) => {
                let caught = of_this
                    .iter()
                    .find(|finding| finding.rule == *rule)
                    .unwrap_or_else(|| panic!("{what}: {of_this:#?}"));
                assert!(
                    !caught.path.is_empty() && pointer.starts_with(&caught.path),
                    "{what}: {caught}"
                );
            }
            Nobody => assert!(of_this.is_empty(), "{what} is caught now, say by whom: {of_this:#?}"),
        }
    }
}

#[test]
fn what_step_functions_takes_and_asl_validator_alone_would_refuse_passes() {
    let values = ["{%$source%}", "{% $source\n  & 'x' %}", "", "two\nlines"];
    let mutants = values.map(|value| {
        let mut mutant = machine();
        set(&mut mutant, "/States/Report/Output/source", json!(value));
        mutant
    });
    let (_folder, paths) = written(&mutants);
    let Some(findings) = or_skip("lenient text", validate(&paths)) else {
        return;
    };
    assert_eq!(findings, []);
}

#[test]
fn a_comment_may_hold_anything() {
    let mut mutant = machine();
    set(&mut mutant, "/States/Report/Comment", json!("{% not an expression"));
    let (_folder, paths) = written(&[mutant]);
    let Some(findings) = or_skip("comments", validate(&paths)) else {
        return;
    };
    assert_eq!(findings, []);
}

#[test]
fn a_file_that_is_not_json_is_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.json");
    fs::write(&path, "{").unwrap();
    let Some(findings) = or_skip("a broken file", validate(&[path])) else {
        return;
    };
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, "NOT_JSON");
}
