//! The reconciler by hand, with the functions' real binary.

use std::fs;

use testing::{lambda, or_skip};

use crate::world::World;

const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// How many executions of state machines there are.
fn executions(world: &World) -> usize {
    let client = world.cloud.client("test");
    let machines = client.json("states", "AWSStepFunctions.ListStateMachines", &serde_json::json!({}));
    let machines = machines.expect("they are listed");
    let machines = machines["stateMachines"].as_array().cloned().unwrap_or_default();
    let counts = machines.iter().map(|machine| {
        let asked = serde_json::json!({"stateMachineArn": machine["stateMachineArn"]});
        let listed = client.json("states", "AWSStepFunctions.ListExecutions", &asked);
        listed.expect("they are listed")["executions"]
            .as_array()
            .map_or(0, Vec::len)
    });
    counts.sum()
}

#[test]
fn the_reconciler_is_run_by_hand_and_says_what_it_starts() {
    let what = "the reconciler is run by hand";
    let Some(world) = World::new(what) else { return };
    let Some(bootstrap) = or_skip(what, lambda::bootstrap()) else {
        return;
    };
    fs::copy(bootstrap, world.path("bootstrap")).expect("it is copied");
    world.run_functions(true);

    let early = world.run(&["reconcile"]).ends_with(2);
    assert!(early.stderr.contains("run `deploy up` first"), "{early}");
    world.up(&[]).succeeds();
    let quiet = world.run(&["reconcile"]).succeeds();
    assert!(quiet.stdout.contains("nothing to mend"), "{quiet}");

    world.repository().pull_request(18, SHA);
    let planned = world.run(&["reconcile", "--dry-run"]).succeeds();
    assert!(planned.stdout.contains("would start: #18: "), "{planned}");
    assert_eq!(executions(&world), 0);
    let done = world.run(&["reconcile"]).succeeds();
    assert!(done.stdout.contains("started: #18: "), "{done}");
    assert_eq!(executions(&world), 1);
}
