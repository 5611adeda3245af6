//! What a person at a terminal sees and is asked.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::world::{Outcome, World, text};

/// `up` at a terminal, with these answers to what it asks.
fn up(world: &World, answers: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deployment/terminal.py"))
        .arg(json!(answers).to_string())
        .arg(env!("CARGO_BIN_EXE_deploy"));
    let mut command = world.command(command, &["up", "--bootstrap", text(&world.path("bootstrap"))]);
    command.env("TERM", "xterm-256color").stdin(Stdio::null());
    Outcome::of(command.spawn().expect("it starts"))
}

#[test]
fn a_person_is_asked_for_the_token_and_for_each_plan_and_sees_colours_and_bars() {
    let Some(world) = World::new("a person is asked") else {
        return;
    };
    let token = world.github.token();
    let [artifacts, unit_test, manager] = world.shared();
    let questions = [
        "GitHub token (it is not shown): ".to_owned(),
        format!("Change {artifacts} so? [y/N] "),
        format!("Change {unit_test} so? [y/N] "),
        format!("Change {manager} so? [y/N] "),
    ];
    let answers = [token.as_str(), "y", "yes", "Y"];
    let answers: Vec<(&str, &str)> = questions.iter().map(String::as_str).zip(answers).collect();
    let outcome = up(&world, &answers).succeeds();
    world.assert_complete("a person has agreed");
    for question in &questions {
        assert!(outcome.stdout.contains(question.as_str()), "{question}: {outcome}");
    }
    assert!(!outcome.stdout.contains(&token), "the token is shown: {outcome}");
    assert!(
        outcome.stdout.contains("\u{1b}[32m+"),
        "what is added is green: {outcome}"
    );
    assert!(
        outcome.stdout.contains(&format!("{manager} CREATE_IN_PROGRESS")),
        "a bar says what is at work: {outcome}"
    );
}

#[test]
fn a_person_who_does_not_agree_changes_nothing() {
    let Some(world) = World::new("a person says no") else {
        return;
    };
    let [artifacts, ..] = world.shared();
    let question = format!("Change {artifacts} so? [y/N] ");
    let token = world.github.token();
    let answers = [
        ("GitHub token (it is not shown): ", token.as_str()),
        (question.as_str(), ""),
    ];
    let outcome = up(&world, &answers).ends_with(4);
    assert!(outcome.stdout.contains("was not confirmed"), "{outcome}");
    assert_eq!(
        world.status(&artifacts).as_deref(),
        Some("REVIEW_IN_PROGRESS"),
        "{outcome}"
    );
    world.up(&[]).succeeds();
    world.assert_complete("agreed later");
}
