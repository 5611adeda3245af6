//! Secrets are where they must be, and nowhere else.

use std::io::Write;
use std::process::Stdio;

use crate::world::{CALLER, NO_CREDENTIALS, Outcome, World};

#[test]
fn without_credentials_and_somebody_to_ask_nothing_is_changed() {
    let Some(world) = World::new("credentials are needed") else {
        return;
    };
    let outcome = world.up(&[NO_CREDENTIALS]).ends_with(3);
    assert!(outcome.stderr.contains("`--credentials FILE`"), "{outcome}");
    world.write("token", "github_pat_of_somebody_else");
    let outcome = world.up(&[]).ends_with(3);
    assert!(
        outcome.stderr.contains("GitHub does not take the credentials"),
        "{outcome}"
    );
    world.write("token", &world.github.token());
    world.github.token_sees_hooks(false);
    let outcome = world.up(&[]).ends_with(3);
    assert!(outcome.stderr.contains("admin:repo_hook"), "{outcome}");
    assert_eq!(world.stacks(), 0);
}

#[test]
fn credentials_that_were_rotated_replace_those_that_open_nothing_any_more() {
    let Some(world) = World::new("credentials are rotated") else {
        return;
    };
    world.up(&[]).succeeds();
    let token = world.github.rotate_token();
    let refused = world.up(&[NO_CREDENTIALS]).ends_with(3);
    assert!(
        refused.stderr.contains("GitHub does not take what the secret"),
        "{refused}"
    );
    world.write("token", &token);
    world.up(&[]).succeeds();
    world.up(&[NO_CREDENTIALS]).succeeds();
    let set = |call: &testing::aws::Call| call.operation == "PutSecretValue";
    assert_eq!(world.cloud.calls(CALLER).iter().filter(|call| set(call)).count(), 2);
}

#[test]
fn a_secret_appears_in_no_output_template_or_request_but_the_one_that_sets_it() {
    let Some(world) = World::new("secrets stay where they are") else {
        return;
    };
    let mut process = world.begin_with(&["up", "--yes", "--json", "--credentials", "-"], Stdio::piped());
    let mut input = process.stdin.take().expect("it reads it");
    writeln!(input, "{}", world.github.token()).expect("it is read");
    drop(input);
    let first = Outcome::of(process).succeeds();
    let second = world.up(&[NO_CREDENTIALS, "--json"]).succeeds();

    let signs = world.repository().hooks()[0].secret.clone().expect("it signs");
    let secrets = [world.github.token(), signs];
    let mut told = vec![first.to_string(), second.to_string(), world.memory().to_string()];
    let calls = world.cloud.calls(CALLER).into_iter();
    told.extend(
        calls
            .filter(|call| call.operation != "PutSecretValue")
            .map(|call| format!("{call:?}")),
    );
    told.extend(world.github.requests().iter().map(|request| format!("{request:?}")));
    told.extend(world.shared().iter().map(|stack| world.template(stack).to_string()));
    for secret in &secrets {
        let shows: Vec<&String> = told.iter().filter(|text| text.contains(secret)).collect();
        assert!(shows.is_empty(), "{shows:?}");
    }
    for line in first.stdout.lines().chain(second.stdout.lines()) {
        let event: serde_json::Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(event["event"].is_string(), "{line}");
    }
}
