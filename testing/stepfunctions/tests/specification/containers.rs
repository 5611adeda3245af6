//! Parallel and Map.

use std::{cell::RefCell, time::Duration};

use serde_json::{Value, json};
use stepfunctions_runner::{Effect, Fault, Handlers, Reply, Start, StateType, TaskCall};

use crate::{alone, evaluated, failure, json_path, jsonata, machine, output, run, task};

/// A branch with one task, whose name is also its argument.
fn branch(name: &str) -> Value {
    json!({ "StartAt": name, "States": { name: task(json!({ "Arguments": name })) } })
}

fn parallel(branches: &[Value], more: Value) -> Value {
    let mut state = json!({ "Type": "Parallel", "Branches": branches, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    alone("Both", state)
}

#[test]
fn results_are_in_the_order_of_the_branches_whichever_ends_first() {
    let definition = parallel(&[branch("slow"), branch("fast")], json!({}));
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        let seconds = if &*call.state == "slow" { 10 } else { 1 };
        Reply::new(Ok(call.arguments.clone())).after(Duration::from_secs(seconds))
    });
    let execution = run(&definition, json!({}), &mut handlers);
    assert_eq!(output(&execution), json!(["slow", "fast"]));
    assert_eq!(execution.elapsed().as_secs(), 10);
}

#[test]
fn a_branch_that_fails_cuts_the_others_off() {
    let definition = parallel(&[branch("endless"), branch("bad")], json!({}));
    let mut execution = machine(&definition).start(Start::new(json!({})));
    let mut calls = Vec::new();
    while let Some(Effect::Task(call)) = execution.next_effect() {
        calls.push(call);
    }
    let [endless, bad] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(bad.within[0].index, 1);
    execution
        .complete(bad.id, Err(Fault::new("Broken", "a stone")), bad.at)
        .unwrap();
    assert_eq!(failure(&execution), Fault::new("Broken", "a stone"));
    assert_eq!(execution.next_effect(), Some(Effect::Cancel(endless.id)));
    let types: Vec<String> = execution
        .events()
        .iter()
        .map(stepfunctions_runner::Event::type_name)
        .collect();
    assert_eq!(
        &types[types.len() - 4..],
        [
            "LambdaFunctionFailed",
            "TaskStateAborted",
            "ParallelStateFailed",
            "ExecutionFailed"
        ]
    );
}

#[test]
fn a_parallel_is_tried_again_as_a_whole_and_then_caught() {
    let definition = parallel(
        &[branch("good"), branch("bad")],
        json!({
            "Retry": [{ "ErrorEquals": ["Broken"], "MaxAttempts": 1 }],
            "Catch": [{ "ErrorEquals": ["Broken"], "Output": "{% $states.errorOutput.Cause %}", "Next": "Caught" }]
        }),
    );
    let calls = RefCell::new(Vec::new());
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        calls.borrow_mut().push(call.state.to_string());
        match &*call.state {
            "bad" => Reply::from(Fault::new("Broken", "a stone")),
            _ => Reply::from(json!("fine")),
        }
    });
    let execution = run(&definition, json!({}), &mut handlers);
    drop(handlers);
    assert_eq!(output(&execution), json!("a stone"));
    assert_eq!(calls.into_inner(), ["good", "bad", "good", "bad"]);
}

#[test]
fn a_branch_reads_variables_from_outside_and_keeps_its_own() {
    let definition = jsonata(json!({
        "Start": { "Type": "Pass", "Assign": { "outer": 1 }, "Next": "Both" },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                { "StartAt": "A", "States": {
                    "A": { "Type": "Pass", "Assign": { "own": "{% $outer + 1 %}" }, "Next": "B" },
                    "B": { "Type": "Pass", "Output": "{% $own %}", "End": true }
                } },
                { "StartAt": "C", "States": {
                    "C": { "Type": "Pass", "Output": "{% $exists($own) %}", "End": true }
                } }
            ],
            "Next": "End"
        },
        "End": { "Type": "Pass", "Output": "{% $append($states.input, $exists($own)) %}", "End": true }
    }));
    assert_eq!(evaluated(&definition, json!({})), json!([2, false, false]));
}

fn map(more: Value, processor: Value) -> Value {
    let mut state =
        json!({ "Type": "Map", "Items": "{% $states.input.items %}", "ItemProcessor": processor, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    alone("Each", state)
}

fn one_task() -> Value {
    json!({ "StartAt": "Work", "States": { "Work": task(json!({})) } })
}

#[test]
fn no_more_iterations_run_at_once_than_allowed() {
    let definition = map(json!({ "MaxConcurrency": 2 }), one_task());
    let input = json!({ "items": [0, 1, 2, 3, 4] });
    let mut handlers = Handlers::new()
        .otherwise(|call: &TaskCall| Reply::new(Ok(json!({ "item": call.arguments }))).after(Duration::from_secs(10)));
    let execution = run(&definition, input, &mut handlers);
    assert_eq!(execution.elapsed().as_secs(), 30);
    assert_eq!(output(&execution)[4], json!({ "item": 4 }));
}

#[test]
fn forty_iterations_of_an_inline_map_run_at_once_at_most() {
    let items: Vec<usize> = (0..41).collect();
    let mut handlers = Handlers::new()
        .otherwise(|call: &TaskCall| Reply::new(Ok(call.arguments.clone())).after(Duration::from_secs(10)));
    let execution = run(&map(json!({}), one_task()), json!({ "items": items }), &mut handlers);
    assert_eq!(execution.elapsed().as_secs(), 20);
    assert_eq!(output(&execution), json!(items));
}

#[test]
fn an_item_is_selected_with_its_index_and_the_maps_input() {
    let selector = json!({
        "index": "{% $states.context.Map.Item.Index %}",
        "value": "{% $states.context.Map.Item.Value %}",
        "of": "{% $states.input.name %}"
    });
    let identity = json!({ "StartAt": "Same", "States": { "Same": { "Type": "Pass", "End": true } } });
    let definition = map(json!({ "ItemSelector": selector }), identity);
    assert_eq!(
        evaluated(&definition, json!({ "name": "list", "items": ["a", "b"] })),
        json!([{ "index": 0, "value": "a", "of": "list" }, { "index": 1, "value": "b", "of": "list" }])
    );
}

#[test]
fn a_map_of_nothing_is_an_empty_list() {
    assert_eq!(
        evaluated(&map(json!({}), one_task()), json!({ "items": [] })),
        json!([])
    );
}

#[test]
fn an_iteration_that_fails_cuts_the_others_off_and_starts_no_more() {
    let definition = map(
        json!({ "MaxConcurrency": 2, "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }] }),
        one_task(),
    );
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| match call.arguments.as_u64() {
        Some(1) => Reply::from(Fault::new("Broken", "a stone")).after(Duration::from_secs(1)),
        _ => Reply::new(Ok(json!("fine"))).after(Duration::from_secs(60)),
    });
    let execution = run(&definition, json!({ "items": [0, 1, 2, 3] }), &mut handlers);
    assert_eq!(output(&execution), json!({ "Error": "Broken", "Cause": "a stone" }));
    let entered = execution.path().filter(|(_, _, kind)| *kind == StateType::Task).count();
    assert_eq!(entered, 2);
    let types: Vec<String> = execution
        .events()
        .iter()
        .map(stepfunctions_runner::Event::type_name)
        .collect();
    for expected in [
        "MapIterationFailed",
        "TaskStateAborted",
        "MapIterationAborted",
        "MapStateFailed",
    ] {
        assert!(types.iter().any(|kind| kind == expected), "{expected}: {types:?}");
    }
}

#[test]
fn a_json_path_map_selects_items_and_shapes_its_result() {
    let definition = json_path(json!({ "Each": {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": { "n.$": "$$.Map.Item.Value", "of.$": "$.name" },
        "ItemProcessor": { "StartAt": "Same", "States": { "Same": { "Type": "Pass", "OutputPath": "$.n", "End": true } } },
        "ResultSelector": { "all.$": "$[*]" },
        "ResultPath": "$.result",
        "End": true
    } }));
    assert_eq!(
        evaluated(&definition, json!({ "name": "list", "items": [1, 2] })),
        json!({ "name": "list", "items": [1, 2], "result": { "all": [1, 2] } })
    );
}

#[test]
fn what_is_nested_knows_where_it_is() {
    let inner = map(json!({ "Items": [10, 20] }), one_task())["States"]["Each"].clone();
    let definition = parallel(&[json!({ "StartAt": "Each", "States": { "Each": inner } })], json!({}));
    let mut handlers = Handlers::new().otherwise(|call: &TaskCall| {
        let place: Vec<String> = call
            .within
            .iter()
            .map(|one| format!("{} {}", one.state, one.index))
            .collect();
        json!(place)
    });
    let execution = run(&definition, json!({}), &mut handlers);
    assert_eq!(
        output(&execution),
        json!([[["Both 0", "Each 0"], ["Both 0", "Each 1"]]])
    );
}
