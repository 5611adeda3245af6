//! What the Amazon States Language and the documentation of Step Functions say, and no recording shows: from the specification.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod choices;
mod containers;
mod data;
mod history;
mod properties;
mod refusals;
mod retries;
mod times;

use serde_json::{Value, json};
use stepfunctions_runner::{Execution, Fault, Handlers, Machine, Outcome, Start};

fn machine(definition: &Value) -> Machine {
    Machine::load(definition).unwrap_or_else(|refusals| panic!("{refusals}"))
}

/// A machine of JSONata states that begins with the first of them.
fn jsonata(states: Value) -> Value {
    json!({ "QueryLanguage": "JSONata", "StartAt": first(&states), "States": states })
}

/// A machine of JSONPath states that begins with the first of them.
fn json_path(states: Value) -> Value {
    json!({ "StartAt": first(&states), "States": states })
}

/// A machine of one JSONata state and of the state that its catcher goes on to, if it has one.
fn alone(name: &str, state: Value) -> Value {
    let mut states = json!({});
    let caught = state.get("Catch").is_some();
    states[name] = state;
    if caught {
        states["Caught"] = json!({ "Type": "Pass", "End": true });
    }
    jsonata(states)
}

fn first(states: &Value) -> String {
    states.as_object().unwrap().keys().next().unwrap().clone()
}

fn run(definition: &Value, input: Value, handlers: &mut Handlers<'_>) -> Execution {
    machine(definition).run(Start::new(input), handlers).unwrap()
}

fn output(execution: &Execution) -> Value {
    match execution.outcome() {
        Some(Outcome::Succeeded(output)) => output.clone(),
        other => panic!("{other:?}"),
    }
}

fn failure(execution: &Execution) -> Fault {
    match execution.outcome() {
        Some(Outcome::Failed(fault)) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

/// The output of a machine without tasks.
fn evaluated(definition: &Value, input: Value) -> Value {
    output(&run(definition, input, &mut Handlers::new()))
}

/// The failure of a machine without tasks.
fn fails(definition: &Value, input: Value) -> Fault {
    failure(&run(definition, input, &mut Handlers::new()))
}

/// A Task of a Lambda function by its ARN, with more fields.
fn task(more: Value) -> Value {
    let mut task = json!({ "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work" });
    let fields = task.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    if !fields.contains_key("Next") {
        fields.insert("End".to_owned(), json!(true));
    }
    task
}
