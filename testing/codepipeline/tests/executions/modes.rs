//! What happens to executions that meet, and to those that are stopped.

use std::time::Duration;

use codepipeline_local::Script;
use serde_json::json;

use crate::world::{BUCKET, World, pinned, pipeline, test};

const HOUR: Duration = Duration::from_secs(3_600);

/// One pipeline whose only test takes ten minutes, with three versions of its source.
fn slow(mode: &str) -> World {
    let world = World::new(|_| Script::succeeds().after(Duration::from_secs(600)));
    world.put_project("tests");
    world.put_pipeline(&pipeline(mode, &[("Test", vec![test("UnitTest", json!({}))])]));
    for body in ["one", "two", "three"] {
        world.objects.write(BUCKET, "source/pr.zip", body.as_bytes());
    }
    world
}

fn pass(world: &World, minutes: u64) {
    world.clock.advance(Duration::from_secs(60 * minutes));
    world.engine.run_until_idle();
}

#[test]
fn parallel_executions_build_the_version_that_each_was_started_with() {
    let world = slow("PARALLEL");
    let first = world.start("line", pinned("source/pr.zip", "v1"));
    let second = world.start("line", pinned("source/pr.zip", "v2"));
    // A newer version than either is there already, and is nobody's.
    world.engine.run_until_idle();
    assert_eq!(world.begun(), 2, "both build at once");
    let builds = world.builds.lock().unwrap().clone();
    for (execution, body, version) in [(&first, "one", "v1"), (&second, "two", "v2")] {
        let build = builds.iter().find(|build| build.execution == *execution).unwrap();
        assert_eq!(*build.inputs[0].archive, body.as_bytes());
        assert_eq!(build.inputs[0].revision.as_deref(), Some(version));
        let shown = world.execution("line", execution);
        assert_eq!(shown["artifactRevisions"][0]["revisionId"], version);
    }
    pass(&world, 10);
    assert_eq!(world.status("line", &first), "Succeeded");
    assert_eq!(world.status("line", &second), "Succeeded");
}

#[test]
fn superseded_executions_are_overtaken_only_while_they_wait() {
    let world = slow("SUPERSEDED");
    let ids: Vec<String> = (1..=3)
        .map(|version| {
            let id = world.start("line", pinned("source/pr.zip", &format!("v{version}")));
            world.engine.run_until_idle();
            id
        })
        .collect();
    assert_eq!(world.status("line", &ids[0]), "InProgress", "it is inside the stage");
    assert_eq!(world.status("line", &ids[1]), "Superseded");
    assert_eq!(world.status("line", &ids[2]), "InProgress", "it waits before the stage");
    assert_eq!(world.begun(), 1);
    pass(&world, 10);
    pass(&world, 10);
    assert_eq!(world.status("line", &ids[0]), "Succeeded");
    assert_eq!(world.status("line", &ids[2]), "Succeeded");
    let builds = world.builds.lock().unwrap();
    assert_eq!(builds.len(), 2);
    assert_eq!(*builds[1].inputs[0].archive, b"three");
}

#[test]
fn queued_executions_go_one_after_the_other_in_the_order_of_their_start() {
    let world = slow("QUEUED");
    let ids: Vec<String> = (1..=3)
        .map(|version| world.start("line", pinned("source/pr.zip", &format!("v{version}"))))
        .collect();
    for done in 1..=3 {
        world.engine.run_until_idle();
        assert_eq!(world.begun(), done, "one build at a time");
        pass(&world, 10);
        let statuses: Vec<String> = ids.iter().map(|id| world.status("line", id)).collect();
        for (place, status) in statuses.iter().enumerate() {
            let expected = if place < done { "Succeeded" } else { "InProgress" };
            assert_eq!(status, expected, "{place} after {done}");
        }
    }
}

#[test]
fn a_failure_unlocks_its_stage() {
    let world = World::new(|request| match request.number {
        1 => Script::fails("make", 2),
        _ => Script::succeeds(),
    });
    world.put_project("tests");
    world.put_pipeline(&pipeline("QUEUED", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let (first, second) = (world.start("line", json!({})), world.start("line", json!({})));
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &first), "Failed");
    assert_eq!(world.status("line", &second), "Succeeded");
    assert_eq!(
        world.failure("line", &first, "UnitTest"),
        "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, \
         Message: Error while executing command: make. Reason: exit status 2"
    );
}

#[test]
fn actions_of_one_order_run_beside_each_other_and_those_of_a_higher_one_after_them() {
    let world = slow("PARALLEL");
    let stage = vec![
        test("A", json!({ "RunOrder": 1 })),
        test("B", json!({ "RunOrder": 1 })),
        test("C", json!({ "RunOrder": 7 })),
    ];
    world.put_pipeline(&pipeline("PARALLEL", &[("Test", stage)]));
    let id = world.start("line", pinned("source/pr.zip", "v1"));
    world.engine.run_until_idle();
    assert_eq!(world.begun(), 2);
    pass(&world, 10);
    assert_eq!(world.begun(), 3);
    pass(&world, 10);
    assert_eq!(
        world.story(&id),
        [
            "started",
            "> Source",
            "Fetch",
            "Fetch Succeeded",
            "< Source true",
            "> Test",
            "A",
            "B",
            "A Succeeded",
            "B Succeeded",
            "C",
            "C Succeeded",
            "< Test true",
            "Succeeded"
        ]
    );
}

#[test]
fn who_stops_and_waits_lets_the_action_end_and_no_other_begin() {
    let world = slow("PARALLEL");
    let stages = vec![test("A", json!({})), test("B", json!({ "RunOrder": 2 }))];
    world.put_pipeline(&pipeline("PARALLEL", &[("Test", stages)]));
    let id = world.start("line", pinned("source/pr.zip", "v1"));
    world.engine.run_until_idle();
    let stop = json!({ "pipelineName": "line", "pipelineExecutionId": id, "reason": "a push" });
    world.call("StopPipelineExecution", stop.clone());
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Stopping");
    assert_eq!(
        world.refused("StopPipelineExecution", stop).code,
        "DuplicatedStopRequestException"
    );
    pass(&world, 10);
    assert_eq!(world.status("line", &id), "Stopped");
    assert_eq!(world.execution("line", &id)["statusSummary"], "a push");
    assert_eq!(world.actions("line", &id)["A"]["status"], "Succeeded");
    assert_eq!(world.begun(), 1);
}

#[test]
fn who_stops_and_abandons_ends_at_once_while_the_build_runs_on() {
    let world = slow("PARALLEL");
    let id = world.start("line", pinned("source/pr.zip", "v1"));
    world.engine.run_until_idle();
    let stop = json!({ "pipelineName": "line", "pipelineExecutionId": id });
    let abandon = json!({ "pipelineName": "line", "pipelineExecutionId": id, "abandon": true });
    // Who waits may still abandon.
    world.call("StopPipelineExecution", stop);
    world.call("StopPipelineExecution", abandon.clone());
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Stopped");
    assert_eq!(world.actions("line", &id)["UnitTest"]["status"], "Abandoned");
    assert_eq!(
        world.refused("StopPipelineExecution", abandon).code,
        "PipelineExecutionNotStoppableException"
    );
    assert!(world.engine.is_busy(), "AWS does not end the build either");
    pass(&world, 10);
    assert_eq!(world.engine.builds()[0].status.word(), "SUCCEEDED");
    assert!(!world.engine.is_busy());
    assert_eq!(world.status("line", &id), "Stopped");
}

#[test]
fn what_waits_is_stopped_without_ever_entering_a_stage() {
    let world = slow("QUEUED");
    let first = world.start("line", pinned("source/pr.zip", "v1"));
    let second = world.start("line", pinned("source/pr.zip", "v2"));
    world.engine.run_until_idle();
    world.call(
        "StopPipelineExecution",
        json!({ "pipelineName": "line", "pipelineExecutionId": second }),
    );
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &second), "Stopped");
    assert_eq!(world.status("line", &first), "InProgress");
    assert!(!world.actions("line", &second).contains_key("UnitTest"));
}

#[test]
fn a_build_that_hangs_times_out_by_its_projects_limit() {
    let world = World::new(|_| Script::hangs());
    world.put_project("tests");
    world.put_pipeline(&pipeline("PARALLEL", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let id = world.start("line", json!({}));
    world.engine.run_until_idle();
    pass(&world, 59);
    assert_eq!(world.status("line", &id), "InProgress");
    pass(&world, 1);
    assert_eq!(world.status("line", &id), "Failed");
    assert!(
        world
            .failure("line", &id, "UnitTest")
            .starts_with("Build terminated with state: TIMED_OUT")
    );
    world.clock.advance(HOUR);
}

#[test]
fn a_changed_pipeline_cancels_what_runs_but_not_what_runs_in_parallel() {
    for (mode, expected) in [("QUEUED", "Cancelled"), ("PARALLEL", "InProgress")] {
        let world = slow(mode);
        let id = world.start("line", pinned("source/pr.zip", "v1"));
        world.engine.run_until_idle();
        // The same again changes nothing.
        world.put_pipeline(&pipeline(mode, &[("Test", vec![test("UnitTest", json!({}))])]));
        assert_eq!(world.status("line", &id), "InProgress");
        world.put_pipeline(&pipeline(mode, &[("Test", vec![test("Other", json!({}))])]));
        assert_eq!(world.status("line", &id), expected);
        assert_eq!(
            world.call("GetPipeline", json!({ "name": "line" }))["pipeline"]["version"],
            2
        );
    }
}
