//! Events, their numbers, and what is billed.

use serde_json::{Value, json};
use stepfunctions_runner::{Event, Fault, Handlers, Machine, Reply, Start, TaskCall, Workflow};

use crate::{evaluated, jsonata, output, run, task};

#[test]
fn a_task_has_the_events_of_its_kind_of_resource() {
    for (resource, family) in [
        ("arn:aws:lambda:us-east-1:123456789012:function:work", "LambdaFunction"),
        ("arn:aws:states:us-east-1:123456789012:activity:work", "Activity"),
        ("arn:aws:states:::lambda:invoke", "Task"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "Task"),
    ] {
        let definition =
            jsonata(json!({ "Work": task(json!({ "Resource": resource, "Retry": [{ "ErrorEquals": ["Busy"] }] })) }));
        let mut calls = 0;
        let mut handlers = Handlers::new().otherwise(|_: &TaskCall| {
            calls += 1;
            if calls == 1 {
                Reply::from(Fault::new("Busy", ""))
            } else {
                Reply::from(json!(1))
            }
        });
        let execution = run(&definition, json!({}), &mut handlers);
        let types: Vec<String> = execution.events().iter().map(Event::type_name).collect();
        let of_task = |what: &str| format!("{family}{what}");
        assert_eq!(
            types,
            [
                "ExecutionStarted".to_owned(),
                "TaskStateEntered".to_owned(),
                of_task("Scheduled"),
                of_task("Started"),
                of_task("Failed"),
                of_task("Scheduled"),
                of_task("Started"),
                of_task("Succeeded"),
                "TaskStateExited".to_owned(),
                "ExecutionSucceeded".to_owned(),
            ]
        );
        assert_eq!(execution.transitions(), 2, "one entry and one retry");
    }
}

#[test]
fn events_are_numbered_and_follow_one_another_within_their_branch() {
    let pass = |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } });
    let definition =
        jsonata(json!({ "Both": { "Type": "Parallel", "Branches": [pass("A"), pass("B")], "End": true } }));
    let execution = run(&definition, json!({}), &mut Handlers::new());
    let ids: Vec<u64> = execution.events().iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    let started = execution
        .events()
        .iter()
        .find(|event| event.type_name() == "ParallelStateStarted")
        .unwrap();
    for branch in ["A", "B"] {
        let mut own = execution
            .events()
            .iter()
            .filter(|event| event.state.as_deref() == Some(branch));
        let entered = own.next().unwrap();
        assert_eq!(entered.previous, started.id);
        assert_eq!(own.next().unwrap().previous, entered.id);
    }
}

#[test]
fn an_event_is_written_as_json() {
    let definition = jsonata(json!({ "Work": task(json!({ "TimeoutSeconds": 9 })) }));
    let execution = run(
        &definition,
        json!({ "n": 1 }),
        &mut Handlers::new().function("work", |_: &Value| json!(2)),
    );
    let scheduled = &execution.events()[2];
    assert_eq!(
        scheduled.to_json(),
        json!({
            "id": 3,
            "previousEventId": 2,
            "timestamp": "2026-01-01T00:00:00.000Z",
            "type": "LambdaFunctionScheduled",
            "state": "Work",
            "task": 1,
            "resource": "arn:aws:lambda:us-east-1:123456789012:function:work",
            "input": { "n": 1 },
            "attempt": 0,
            "timeoutInSeconds": 9
        })
    );
}

#[test]
fn the_context_object_has_the_executions_names() {
    let definition = jsonata(json!({ "See": { "Type": "Pass", "Output": "{% $states.context %}", "End": true } }));
    assert_eq!(
        evaluated(&definition, json!(1)),
        json!({
            "Execution": {
                "Id": "arn:aws:states:us-east-1:123456789012:execution:machine:execution",
                "Input": 1,
                "StartTime": "2026-01-01T00:00:00.000Z",
                "Name": "execution",
                "RoleArn": "arn:aws:iam::123456789012:role/machine",
                "RedriveCount": 0
            },
            "StateMachine": { "Id": "arn:aws:states:us-east-1:123456789012:stateMachine:machine", "Name": "machine" },
            "State": { "Name": "See", "EnteredTime": "2026-01-01T00:00:00.000Z" }
        })
    );
}

#[test]
fn an_express_execution_has_five_minutes() {
    let definition = jsonata(json!({ "Wait": { "Type": "Wait", "Seconds": 301, "End": true } }));
    let start = Start::new(json!({})).workflow(Workflow::Express);
    let execution = Machine::load(&definition)
        .unwrap()
        .run(start, &mut Handlers::new())
        .unwrap();
    assert_eq!(execution.elapsed().as_secs(), 300);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let definition = jsonata(json!({
        "Draw": { "Type": "Pass", "Output": "{% [$uuid(), $string($random()), $string($random())] %}", "End": true }
    }));
    let drawn = |seed: u64| {
        let start = Start::new(json!({})).seed(seed);
        output(
            &Machine::load(&definition)
                .unwrap()
                .run(start, &mut Handlers::new())
                .unwrap(),
        )
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    assert_ne!(drawn(1)[1], drawn(1)[2]);
}

#[test]
fn an_execution_can_move_to_another_thread_and_a_machine_can_be_shared_by_many() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<stepfunctions_runner::Execution>();
    is_send::<Machine>();
    is_sync::<Machine>();
}
