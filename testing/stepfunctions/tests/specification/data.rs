//! Input, output, variables and their limits.

use serde_json::{Value, json};
use stepfunctions_runner::{Handlers, MOST_BYTES, MOST_EVENTS};

use crate::{evaluated, fails, failure, json_path, jsonata, run, task};

#[test]
fn variables_are_assigned_all_at_once() {
    let definition = jsonata(json!({
        "Start": { "Type": "Pass", "Assign": { "a": 1, "b": 2 }, "Next": "Swap" },
        "Swap": { "Type": "Pass", "Assign": { "a": "{% $b %}", "b": "{% $a %}" }, "Output": "{% [$a, $b] %}", "Next": "End" },
        "End": { "Type": "Pass", "Output": "{% $append($states.input, [$a, $b]) %}", "End": true }
    }));
    assert_eq!(evaluated(&definition, json!({})), json!([1, 2, 2, 1]));
}

#[test]
fn an_expression_that_gives_nothing_names_its_field() {
    let definition = jsonata(json!({
        "Bad": { "Type": "Pass", "Output": { "a": [1, { "b": "{% $states.input.gone %}" }] }, "End": true }
    }));
    let fault = fails(&definition, json!({}));
    assert_eq!(fault.error.as_deref(), Some("States.QueryEvaluationError"));
    assert_eq!(
        fault.cause.as_deref(),
        Some(
            "An error occurred while executing the state 'Bad' (entered at the event id #2). The JSONata expression \
             '$states.input.gone' specified for the field 'Output/a[1]/b' returned nothing (undefined)."
        )
    );
}

#[test]
fn an_expression_that_throws_tells_what_jsonata_said() {
    let definition = jsonata(json!({
        "Bad": { "Type": "Pass", "Assign": { "sum": "{% $states.input.text + 1 %}" }, "End": true }
    }));
    let cause = fails(&definition, json!({ "text": "a" })).cause.unwrap();
    assert!(
        cause.contains(
            "The JSONata expression '$states.input.text + 1' specified for the field 'Assign/sum' threw an error \
             during evaluation. T2001: "
        ),
        "{cause}"
    );
}

#[test]
fn null_is_a_value() {
    let definition = jsonata(json!({
        "Same": { "Type": "Pass", "Output": { "v": "{% $states.input.v %}" }, "End": true }
    }));
    assert_eq!(evaluated(&definition, json!({ "v": null })), json!({ "v": null }));
}

#[test]
fn the_order_of_keys_and_every_digit_are_kept() {
    let definition = jsonata(json!({
        "Keep": { "Type": "Pass", "Assign": { "kept": "{% $states.input %}" }, "Next": "Same" },
        "Same": { "Type": "Pass", "Output": { "z": 1, "kept": "{% $kept %}", "a": 0.5 }, "End": true }
    }));
    let output = evaluated(&definition, json!({ "y": [1, 2.5], "b": 20_000_000_000_i64 }));
    assert_eq!(
        output.to_string(),
        r#"{"z":1,"kept":{"y":[1,2.5],"b":20000000000},"a":0.5}"#
    );
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[test]
fn a_result_of_more_than_256_kib_is_an_error_that_all_does_not_stand_for() {
    let caught = |name: &str| {
        let definition = jsonata(json!({
            "Work": task(json!({ "Catch": [{ "ErrorEquals": [name], "Next": "Caught" }] })),
            "Caught": { "Type": "Pass", "End": true }
        }));
        // Two bytes are the quotes.
        let mut handlers = Handlers::new().function("work", |_: &Value| json!(long(MOST_BYTES - 1)));
        run(&definition, json!({}), &mut handlers)
    };
    let fault = failure(&caught("States.ALL"));
    assert_eq!(fault.error.as_deref(), Some("States.DataLimitExceeded"));
    assert_eq!(
        fault.cause.as_deref(),
        Some(
            "The state/task 'Work' returned a result with a size exceeding the maximum number of bytes service limit."
        )
    );
    assert_eq!(
        crate::output(&caught("States.DataLimitExceeded"))["Error"],
        "States.DataLimitExceeded"
    );
}

#[test]
fn a_result_of_exactly_256_kib_is_none() {
    let definition = jsonata(json!({ "Work": task(json!({})) }));
    let mut handlers = Handlers::new().function("work", |_: &Value| json!(long(MOST_BYTES - 2)));
    crate::output(&run(&definition, json!({}), &mut handlers));
}

#[test]
fn variables_of_more_than_256_kib_are_an_error() {
    let half = long(MOST_BYTES / 2);
    let definition = jsonata(json!({
        "Keep": { "Type": "Pass", "Assign": { "a": "{% $states.input %}", "b": "{% $states.input %}" }, "End": true }
    }));
    assert_eq!(
        fails(&definition, json!(half)).error.as_deref(),
        Some("States.DataLimitExceeded")
    );
}

#[test]
fn a_history_of_25_000_events_is_the_end() {
    let definition = jsonata(json!({
        "Round": { "Type": "Pass", "Next": "And round" },
        "And round": {
            "Type": "Choice",
            "Choices": [{ "Condition": "{% false %}", "Next": "Out" }],
            "Default": "Round"
        },
        "Out": { "Type": "Succeed" }
    }));
    let execution = run(&definition, json!({}), &mut Handlers::new());
    let fault = failure(&execution);
    assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
    assert_eq!(
        fault.cause.as_deref(),
        Some("The execution reached the maximum number of history events (25000).")
    );
    assert!(execution.events().len() <= MOST_EVENTS);
}

#[test]
fn json_path_shapes_input_and_output_in_order() {
    let definition = json_path(json!({ "Work": task(json!({
        "InputPath": "$.in",
        "Parameters": { "n.$": "$.n", "text.$": "States.Format('{} of {}', $.n, $$.State.Name)", "literal": "$.n" },
        "ResultSelector": { "kept.$": "$.result" },
        "ResultPath": "$.out.of.it",
        "OutputPath": "$.out"
    })) }));
    let mut handlers = Handlers::new().function("work", |payload: &Value| json!({ "result": payload, "more": 1 }));
    let execution = run(&definition, json!({ "in": { "n": 1 }, "other": 2 }), &mut handlers);
    let kept = json!({ "n": 1, "text": "1 of Work", "literal": "$.n" });
    assert_eq!(crate::output(&execution), json!({ "of": { "it": { "kept": kept } } }));
}

#[test]
fn a_result_path_of_null_drops_the_result() {
    let pass =
        |path: Value| json_path(json!({ "P": { "Type": "Pass", "Result": 1, "ResultPath": path, "End": true } }));
    assert_eq!(evaluated(&pass(json!(null)), json!({ "a": 0 })), json!({ "a": 0 }));
    assert_eq!(evaluated(&pass(json!("$")), json!({ "a": 0 })), json!(1));
    assert_eq!(
        evaluated(&pass(json!("$.a")), json!({ "a": 0, "b": 2 })),
        json!({ "a": 1, "b": 2 })
    );
    assert_eq!(
        evaluated(&pass(json!("$.a[1]")), json!({ "a": [0, 0] })),
        json!({ "a": [0, 1] })
    );
}

#[test]
fn a_result_that_fits_nowhere_fails() {
    let pass = json_path(json!({ "P": { "Type": "Pass", "Result": 1, "ResultPath": "$.a.b", "End": true } }));
    assert_eq!(
        fails(&pass, json!({ "a": 0 })).error.as_deref(),
        Some("States.ResultPathMatchFailure")
    );
}

#[test]
fn an_intrinsic_function_without_a_value_fails() {
    let pass = json_path(json!({ "P": {
        "Type": "Pass",
        "Parameters": { "item.$": "States.ArrayGetItem($.items, 5)" },
        "End": true
    } }));
    let fault = fails(&pass, json!({ "items": [] }));
    assert_eq!(fault.error.as_deref(), Some("States.IntrinsicFailure"));
    assert!(
        fault
            .cause
            .unwrap()
            .contains("The function 'States.ArrayGetItem($.items, 5)'")
    );
}

#[test]
fn states_of_both_languages_pass_data_and_variables_on() {
    let definition = json!({ "StartAt": "Path", "States": {
        "Path": { "Type": "Pass", "Assign": { "n.$": "$.n" }, "Next": "Jsonata" },
        "Jsonata": { "Type": "Pass", "QueryLanguage": "JSONata", "Output": { "n": "{% $n + 1 %}" }, "Next": "Again" },
        "Again": { "Type": "Pass", "Parameters": { "old.$": "$n", "new.$": "$.n" }, "End": true }
    } });
    assert_eq!(evaluated(&definition, json!({ "n": 1 })), json!({ "old": 1, "new": 2 }));
}
