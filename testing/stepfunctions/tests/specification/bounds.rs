//! How far an expression may go, and what is said of one that goes further: measured on AWS, see
//! <https://github.com/floci-io/floci/issues/2737> and <https://github.com/floci-io/floci/issues/2735>.

use serde_json::json;
use stepfunctions_runner::{Handlers, Start};

use crate::{evaluated, fails, failure, json_path, jsonata, machine, task};

const STACK: &str =
    "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive";
const MEMORY: &str = "Expression evaluation memory limit exceeded: Check for excessive memory usage";

/// Evaluates an expression in a Pass state; the cause if it fails.
fn go(expression: &str) -> Result<serde_json::Value, String> {
    let pass = json!({ "Type": "Pass", "Output": { "r": format!("{{% {expression} %}}") }, "End": true });
    let definition = jsonata(json!({ "E": pass }));
    let execution = machine(&definition).run(Start::new(json!({})), &mut Handlers::new());
    let execution = execution.unwrap();
    match execution.outcome() {
        Some(stepfunctions_runner::Outcome::Succeeded(output)) => Ok(output["r"].clone()),
        _ => Err(failure(&execution).cause.unwrap_or_default()),
    }
}

/// Asserts that the first is evaluated and the second is not, for this reason.
fn bound(taken: &str, refused: &str, reason: &str) {
    assert!(go(taken).is_ok(), "{taken}: {:?}", go(taken));
    let cause = go(refused).unwrap_err();
    let expected = format!("specified for the field 'Output/r' threw an error during evaluation: {reason}");
    assert!(cause.ends_with(&expected), "{refused}: {cause}");
}

#[test]
fn an_expression_nests_a_hundred_levels_and_no_more() {
    let sum = |terms: usize| vec!["1"; terms].join("+");
    let joined = |terms: usize| vec!["'a'"; terms].join(" & ");
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let chained = |stages: usize| format!("1{}", " ~> $string()".repeat(stages));
    let recursive = |depth: usize| format!("($f := function($n){{ $n = 0 ? 0 : 1 + $f($n - 1) }}; $f({depth}))");
    bound(&sum(100), &sum(101), STACK);
    bound(&sum(100), &sum(200), STACK);
    bound(&joined(100), &joined(101), STACK);
    bound(&nested("(", ")", 99), &nested("(", ")", 100), STACK);
    bound(&nested("[", "]", 99), &nested("[", "]", 100), STACK);
    bound(&chained(99), &chained(100), STACK);
    bound(&recursive(31), &recursive(32), STACK);
}

#[test]
fn an_expression_holds_seven_million_bytes_and_no_more() {
    let doubled = |times: usize| {
        format!("($p := function($s, $n) {{ $n = 0 ? $s : $p($s & $s, $n - 1) }}; $length($p('x', {times})))")
    };
    bound(&doubled(22), &doubled(23), MEMORY);
    bound("[1..873782] ~> $count()", "[1..873783] ~> $count()", MEMORY);
    bound("[1..873782] ~> $count()", "$sum([1..900000])", MEMORY);
    bound("$count($range(1, 360145, 1))", "$count($range(1, 360146, 1))", MEMORY);
    // What is joined is what `&` makes of it, whatever its type.
    assert_eq!(
        go("'a' & 1 & true & null & [1, 'b'] & $states.input.gone"),
        Ok(json!("a1truenull[1,\"b\"]"))
    );
}

#[test]
fn a_call_of_eval_is_taken_and_fails_when_it_is_made() {
    let cause = go("$eval('1+1')").unwrap_err();
    assert!(
        cause.ends_with("threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        "{cause}"
    );
    assert_eq!(go("false ? $eval('1') : 2"), Ok(json!(2)));
}

#[test]
fn a_picture_of_a_number_keeps_the_rules_of_xpath() {
    let cause = go("$formatNumber(1, 'x')").unwrap_err();
    let rule = "D3086: The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character";
    assert!(cause.ends_with(rule), "{cause}");
}

#[test]
fn a_template_of_format_tells_an_escaped_brace_from_an_escaped_backslash() {
    let format = |call: &str| json_path(json!({ "A": { "Type": "Pass", "Parameters": { "r.$": call }, "End": true } }));
    assert_eq!(
        evaluated(&format(r"States.Format('\{ {} \}', 1)"), json!({})),
        json!({ "r": "{ 1 }" })
    );
    // What CDK once made of it, see https://github.com/aws/aws-cdk/issues/29261.
    let fault = fails(&format(r"States.Format('\\{ x \\}')"), json!({}));
    assert_eq!(fault.error.as_deref(), Some("States.IntrinsicFailure"));
    let cause = fault.cause.unwrap();
    assert!(
        cause.ends_with("Invalid template in States.Format: matching '}' not found for '{'."),
        "{cause}"
    );
}

#[test]
fn the_number_of_a_path_says_why_it_does_not_fit() {
    let wait = json_path(json!({ "W": { "Type": "Wait", "SecondsPath": "$.n", "End": true } }));
    let map = |more: serde_json::Value| {
        let mut map = json!({
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": { "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } },
            "End": true
        });
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json_path(json!({ "M": map }))
    };
    let concurrent = map(json!({ "MaxConcurrencyPath": "$.n" }));
    let count = map(json!({ "ToleratedFailureCountPath": "$.n" }));
    let percentage = map(json!({ "ToleratedFailurePercentagePath": "$.n" }));
    for (definition, n, cause) in [
        (
            &wait,
            json!(-1),
            "The SecondsPath parameter references a negative value: $.n == -1",
        ),
        (
            &wait,
            json!(-1.5),
            "The SecondsPath parameter cannot be parsed as a long value: $.n == -1.5",
        ),
        (
            &concurrent,
            json!("x"),
            "The MaxConcurrencyPath field refers to value \"x\" which is not a valid integer: $.n",
        ),
        (
            &concurrent,
            json!(-1),
            "Expected non-negative integer for MaxConcurrency, got '-1' instead.",
        ),
        (
            &count,
            json!("x"),
            "The ToleratedFailureCountPath field refers to value \"x\" which is not a valid integer: $.n",
        ),
        (&count, json!(-1), "ToleratedFailureCount cannot be negative."),
        (
            &percentage,
            json!(101),
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
        (
            &percentage,
            json!("x"),
            "The ToleratedFailurePercentagePath field refers to value \"x\" which is not a valid float: $.n",
        ),
    ] {
        let fault = fails(definition, json!({ "n": n, "items": [1] }));
        assert_eq!(fault.error.as_deref(), Some("States.Runtime"), "{n}");
        assert!(
            fault.cause.as_deref().unwrap_or_default().ends_with(cause),
            "{n}: {fault:?}"
        );
    }
    let absent = fails(&wait, json!({})).cause.unwrap();
    assert!(
        absent.ends_with("The SecondsPath parameter does not reference an input value: $.n"),
        "{absent}"
    );
    // A text that is a number is one.
    assert_eq!(
        evaluated(&concurrent, json!({ "n": "1", "items": [1, 2] })),
        json!([1, 2])
    );
    assert_eq!(evaluated(&count, json!({ "n": 1, "items": [1, 2] })), json!([1, 2]));
    let literal = map(json!({ "ToleratedFailureCount": 1, "ToleratedFailurePercentage": 50 }));
    assert_eq!(evaluated(&literal, json!({ "items": [1] })), json!([1]));
}

#[test]
fn a_name_in_brackets_is_what_stands_between_its_quotes() {
    let path = r#"$['Test\""Name"']"#;
    let pass = json_path(json!({ "A": { "Type": "Pass", "Parameters": { "v.$": path }, "End": true } }));
    let input = json!({ r#"Test\""Name""#: "found" });
    assert_eq!(evaluated(&pass, input), json!({ "v": "found" }));
}

#[test]
fn a_task_that_is_answered_later_has_a_token() {
    for resource in [
        "arn:aws:states:::ecs:runTask.sync",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    ] {
        let task =
            json!({ "Type": "Task", "Resource": resource, "Parameters": { "t.$": "$$.Task.Token" }, "End": true });
        let mut token = None;
        let mut handlers = Handlers::new().state("T", |call| {
            token = call.arguments["t"].as_str().map(str::to_owned);
            json!({})
        });
        machine(&json_path(json!({ "T": task })))
            .run(Start::new(json!({})), &mut handlers)
            .unwrap();
        drop(handlers);
        assert!(token.is_some_and(|token| !token.is_empty()), "{resource}");
    }
}

#[test]
fn an_activity_that_is_not_there_fails_its_state() {
    let arn = "arn:aws:states:us-east-1:123456789012:activity:gone";
    let definition = json_path(json!({ "T": task(json!({ "Resource": arn })) }));
    let fault = fails(&definition, json!({}));
    assert_eq!(fault.error.as_deref(), Some("States.Runtime"));
    assert!(
        fault
            .cause
            .unwrap()
            .ends_with(&format!("Activity Does Not Exist: '{arn}'"))
    );
}
