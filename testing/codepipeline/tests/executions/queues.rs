//! An account that may build no more: what waits, what is refused, and in which words.

use std::time::Duration;

use codepipeline_local::{Refusal, Script};
use serde_json::{Value, json};

use crate::world::{BUCKET, World, pipeline, project, test};

/// One pipeline for many executions side by side, each of which tests for ten minutes.
fn parallel(project: &Value) -> World {
    let world = World::new(|_| Script::succeeds().after(Duration::from_secs(600)));
    world
        .engine
        .put_project(project)
        .unwrap_or_else(|faults| panic!("{faults}"));
    world.put_pipeline(&pipeline("PARALLEL", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"one");
    world.engine.run_until_idle();
    world.clock.advance(Duration::from_secs(600));
    world.engine.run_until_idle();
    world
}

fn start(world: &World, count: usize) -> Vec<String> {
    let ids = (0..count).map(|_| world.start("line", json!({}))).collect();
    world.engine.run_until_idle();
    ids
}

fn pass(world: &World, minutes: u64) {
    world.clock.advance(Duration::from_secs(60 * minutes));
    world.engine.run_until_idle();
}

fn count(world: &World, ids: &[String], status: &str) -> usize {
    ids.iter().filter(|id| world.status("line", id) == status).count()
}

fn phases(world: &World, id: &str) -> Vec<String> {
    let build = world.actions("line", id)["UnitTest"]["output"]["executionResult"]["externalExecutionId"].clone();
    let shown = world
        .engine
        .answer_codebuild("BatchGetBuilds", &json!({ "ids": [build] }))
        .unwrap();
    let phases = shown["builds"][0]["phases"].as_array().unwrap();
    let word = |phase: &Value| format!("{} {}", phase["phaseType"], phase["phaseStatus"]).replace('"', "");
    phases.iter().map(word).collect()
}

#[test]
fn so_many_builds_run_five_times_as_many_wait_and_the_rest_is_refused_in_codebuilds_words() {
    let world = parallel(&project("tests"));
    world.engine.limit_builds(Some(2));
    let before = world.begun();
    let ids = start(&world, 13);
    assert_eq!(world.begun() - before, 2, "two run");
    assert_eq!(count(&world, &ids, "InProgress"), 12, "and ten wait");
    let last = ids.last().unwrap();
    assert_eq!(world.status("line", last), "Failed");
    let words = world.failure("line", last, "UnitTest");
    let known = "Error calling startBuild: Cannot have more than 2 builds in queue for the account (Service: AWSCodeBuild; \
                 Status Code: 400; Error Code: AccountLimitExceededException; Request ID: ";
    assert!(words.starts_with(known), "{words}");
    let action = &world.actions("line", last)["UnitTest"];
    assert!(
        action["output"]["executionResult"]["externalExecutionId"].is_null(),
        "there is no build: {action}"
    );
    assert_eq!(phases(&world, &ids[5]), ["SUBMITTED SUCCEEDED", "QUEUED IN_PROGRESS"]);
    for round in 1..=6 {
        pass(&world, 10);
        assert_eq!(count(&world, &ids, "Succeeded"), 2 * round, "in round {round}");
    }
}

#[test]
fn a_build_that_waits_for_too_long_leaves_the_queue_and_never_ran() {
    let mut project = project("tests");
    project["QueuedTimeoutInMinutes"] = json!(5);
    let world = parallel(&project);
    world.engine.limit_builds(Some(1));
    let ids = start(&world, 2);
    pass(&world, 5);
    let words = world.failure("line", &ids[1], "UnitTest");
    assert_eq!(words, "Build terminated with state: TIMED_OUT. Phase: QUEUED");
    assert_eq!(
        phases(&world, &ids[1]),
        ["SUBMITTED SUCCEEDED", "QUEUED TIMED_OUT", "COMPLETED null"]
    );
    pass(&world, 5);
    assert_eq!(world.status("line", &ids[0]), "Succeeded");
}

#[test]
fn a_build_that_waits_can_be_stopped() {
    let world = parallel(&project("tests"));
    world.engine.limit_builds(Some(1));
    let ids = start(&world, 2);
    let build = world.actions("line", &ids[1])["UnitTest"]["output"]["executionResult"]["externalExecutionId"].clone();
    world
        .engine
        .answer_codebuild("StopBuild", &json!({ "id": build }))
        .unwrap();
    world.engine.run_until_idle();
    assert_eq!(
        world.failure("line", &ids[1], "UnitTest"),
        "Build terminated with state: STOPPED. Phase: QUEUED"
    );
    assert_eq!(world.status("line", &ids[0]), "InProgress");
}

#[test]
fn what_is_refused_on_request_is_refused_so_often() {
    let world = parallel(&project("tests"));
    world.engine.refuse_builds(1, Refusal::Denied);
    let ids = start(&world, 2);
    let words = world.failure("line", &ids[0], "UnitTest");
    assert!(
        words.contains("is not authorized to perform: codebuild:StartBuild"),
        "{words}"
    );
    assert_eq!(world.status("line", &ids[1]), "InProgress");
}
