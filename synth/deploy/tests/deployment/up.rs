//! `up` from nothing, again, and after something has changed.

use crate::world::{NO_CREDENTIALS, World};

#[test]
fn from_nothing_all_shared_stacks_are_complete_and_the_webhook_is_pinged() {
    let Some(world) = World::new("everything is deployed from nothing") else {
        return;
    };
    let outcome = world.up(&[]).succeeds();
    world.assert_complete("from nothing");
    assert!(
        outcome.stdout.contains("webhook answered GitHub's ping with 202 (OK)"),
        "{outcome}"
    );
    for stack in world.shared() {
        assert!(outcome.stdout.contains(&format!("{stack} is created:")), "{outcome}");
    }
    assert!(
        !outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'),
        "{outcome}"
    );

    let before = world.cloud.calls("deploy").len();
    let requests = world.github.requests().len();
    let outcome = world.up(&[NO_CREDENTIALS]).succeeds();
    for stack in world.shared() {
        assert!(outcome.stdout.contains(&format!("{stack}: nothing to do")), "{outcome}");
    }
    let calls = world.calls_since(before);
    let rounds = calls.iter().filter(|call| call.service == "cloudformation");
    let rounds: Vec<&str> = rounds.map(|call| call.operation.as_str()).collect();
    assert_eq!(rounds, ["DescribeStacks"; 3], "one round for each stack");
    let written = calls.iter().filter(|call| call.operation.starts_with("Put"));
    let written: Vec<&str> = written.filter_map(|call| call.parameters["Key"].as_str()).collect();
    assert_eq!(written, ["deploy/state.json"; 2], "the lock is taken and given back");
    assert!(
        world.github.requests()[requests..]
            .iter()
            .all(|request| request.method == "GET")
    );
    world.assert_complete("again");
}
