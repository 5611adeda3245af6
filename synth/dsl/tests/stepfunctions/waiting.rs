//! Polls: what they are made of, and that their bounds are what they say.

use serde_json::json;
use synth::stepfunctions::{Expr, fail, poll, restarts, task};
use synth::{ErrorName, days, minutes, seconds};

use crate::support::{Build, CheckBuild, Report, StartBuild, Verdict, blamed_line, emitted, only_fault};

fn finished(build: &Expr<Build>) -> Expr<bool> {
    !build.verdict.equals(Verdict::Running)
}

#[test]
fn a_poll_waits_longer_each_round_and_ends() {
    let polling = poll("Unit tests", task(CheckBuild)).for_at_most(minutes(10));
    assert_eq!(polling.bounds().rounds, 12);
    let machine = task(StartBuild)
        .then(
            polling
                .until(|build| finished(&build))
                .otherwise(fail("Unit tests: too long", ErrorName("BuildTimedOut"))),
        )
        .then(task(Report));
    let states = &emitted(machine)["States"];
    assert_eq!(
        states["Unit tests: start"],
        json!({
            "Type": "Pass",
            "Assign": {"unitTestsInput": "{% $states.input %}", "unitTestsAttempts": 0, "unitTestsWait": 10},
            "Output": "{% $states.input %}",
            "Next": "Unit tests: wait",
        })
    );
    assert_eq!(
        states["Unit tests: wait"],
        json!({
            "Type": "Wait",
            "Seconds": "{% $unitTestsWait %}",
            "Assign": {
                "unitTestsWait": "{% $min([$ceil($unitTestsWait * 1.5), 60]) %}",
                "unitTestsAttempts": "{% $unitTestsAttempts + 1 %}",
            },
            "Output": "{% $unitTestsInput %}",
            "Next": "Unit tests: check",
        })
    );
    assert_eq!(
        states["Unit tests: done?"],
        json!({
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.verdict != 'running' %}", "Next": "Report"},
                {"Condition": "{% $unitTestsAttempts >= 12 %}", "Next": "Unit tests: too long"},
            ],
            "Default": "Unit tests: wait",
        })
    );
}

#[test]
fn the_bounds_are_those_of_the_machine_played_out() {
    let polling = poll("Build", task(CheckBuild))
        .first(seconds(15))
        .growing_by(1.25)
        .for_at_most(minutes(60));
    let bounds = polling.bounds();
    let (mut wait, mut waited) = (15.0_f64, 0.0);
    for _ in 0..bounds.rounds {
        waited += wait;
        wait = (wait * 1.25).ceil().min(60.0);
    }
    assert_eq!(bounds.waiting, seconds(waited as u64));
    assert!(
        waited <= 3_600.0 && waited + wait > 3_600.0,
        "{waited} seconds, and {wait} more"
    );
    assert_eq!(bounds.transitions, 1 + 3 * bounds.rounds);
}

#[test]
fn what_is_begun_again_waits_longer_each_time_counts_and_polls_on() {
    let refused = |build: Expr<Build>| build.verdict.equals(Verdict::Failed);
    let again = restarts(3).waiting_from(minutes(1)).up_to(minutes(3));
    assert_eq!(again.waiting(), minutes(1 + 2 + 3));
    let machine = task(StartBuild)
        .then(
            poll("Build", task(CheckBuild))
                .for_at_most(minutes(10))
                .until(|build| build.verdict.equals(Verdict::Passed))
                .beginning_again(again, refused, |_| task(CheckBuild).named("Start again"))
                .otherwise(fail("Too long", ErrorName("BuildTimedOut"))),
        )
        .then(task(Report));
    let states = &emitted(machine)["States"];
    assert_eq!(states["Build: start"]["Assign"]["buildRestarts"], 0);
    assert_eq!(states["Build: start"]["Assign"]["buildPause"], 60);
    assert_eq!(
        states["Build: wait to begin again"],
        json!({
            "Type": "Wait",
            "Seconds": "{% $buildPause %}",
            "Assign": {
                "buildPause": "{% $min([$ceil($buildPause * 2.0), 180]) %}",
                "buildRestarts": "{% $buildRestarts + 1 %}",
            },
            "Next": "Start again",
        })
    );
    assert_eq!(states["Start again"]["Next"], "Build: wait");
    let choices = &states["Build: done?"]["Choices"];
    let next = |index: usize| choices[index]["Next"].as_str().unwrap_or_default();
    assert_eq!(
        [next(0), next(1), next(2), next(3)],
        ["Report", "Build: wait to begin again", "Report", "Too long"]
    );
    let condition = choices[1]["Condition"].as_str().unwrap_or_default();
    assert!(
        condition.contains("$buildRestarts < 3") && condition.contains("$buildAttempts < 12"),
        "{condition}"
    );
}

#[test]
fn equal_waits_need_no_variable() {
    let machine = poll("Build", task(CheckBuild))
        .first(seconds(30))
        .growing_by(1.0)
        .until(|build| finished(&build))
        .otherwise(fail("Too long", ErrorName("BuildTimedOut")));
    let states = &emitted(machine)["States"];
    assert_eq!(states["Build: wait"]["Seconds"], 30);
    assert_eq!(states["Build: done?"]["Choices"][0]["Next"], "Build: done?: end");
}

#[test]
fn a_poll_that_would_overflow_the_history_is_a_fault() {
    let machine = poll("Build", task(CheckBuild))
        .for_at_most(days(3))
        .until(|build| finished(&build));
    let fault = only_fault(machine.otherwise(fail("Too long", ErrorName("BuildTimedOut"))));
    assert_eq!(
        fault.message,
        "a poll for 259200 seconds makes more than the 25000 events that an execution may have"
    );
    assert_eq!(fault.path, "Build: start");
    assert!(
        blamed_line(&fault, include_str!("waiting.rs")).contains("poll(\"Build\""),
        "{fault}"
    );
}

#[test]
fn a_poll_that_never_begins_is_a_fault() {
    let machine = poll("Build", task(CheckBuild))
        .for_at_most(seconds(5))
        .until(|build| finished(&build));
    let fault = only_fault(machine.otherwise(fail("Too long", ErrorName("BuildTimedOut"))));
    assert_eq!(
        fault.message,
        "a poll for at most 5 seconds never gets past its first wait of 10"
    );
}
