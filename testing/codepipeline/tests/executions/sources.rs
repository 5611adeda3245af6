//! What an execution is made from, and how it is started.

use codepipeline_local::{Script, Settings};
use serde_json::{Value, json};

use crate::world::{BUCKET, World, pinned, pipeline, test};

fn world() -> World {
    let world = World::new(|request| {
        let environment = request.variables.iter().map(|(name, value)| format!("{name}={value}"));
        environment.fold(Script::succeeds(), |script, line| script.line(&line))
    });
    world.put_project("tests");
    let mut test = test("UnitTest", json!({}));
    test["Configuration"]["EnvironmentVariables"] = json!(
        r##"[{"name":"ENVIRONMENT","value":"#{variables.ENVIRONMENT}"},{"name":"RUN","value":"#{codepipeline.PipelineExecutionId}"}]"##
    );
    let mut properties = pipeline("PARALLEL", &[("Test", vec![test])]);
    properties["Variables"] = json!([{ "Name": "ENVIRONMENT", "DefaultValue": "stage" }, { "Name": "NEEDED" }]);
    world.put_pipeline(&properties);
    world.objects.write(BUCKET, "source/unset.zip", b"default");
    world.objects.write(BUCKET, "source/pr.zip", b"pinned");
    world
}

fn needed(more: Value) -> Value {
    let mut start = json!({ "variables": [{ "name": "NEEDED", "value": "x" }] });
    for (name, value) in more.as_object().unwrap() {
        start[name] = value.clone();
    }
    start
}

#[test]
fn variables_reach_the_build_and_show_in_the_execution() {
    let world = world();
    let given =
        json!({ "variables": [{ "name": "NEEDED", "value": "x" }, { "name": "ENVIRONMENT", "value": "pr-17" }] });
    let id = world.start("line", given);
    world.engine.run_until_idle();
    let story = world.story(&id);
    assert!(story.contains(&"| ENVIRONMENT=pr-17".to_owned()), "{story:?}");
    assert!(story.contains(&format!("| RUN={id}")), "{story:?}");
    assert_eq!(
        world.execution("line", &id)["variables"],
        json!([{ "name": "ENVIRONMENT", "resolvedValue": "pr-17" }, { "name": "NEEDED", "resolvedValue": "x" }])
    );
    let id = world.start("line", needed(json!({})));
    world.engine.run_until_idle();
    assert!(world.story(&id).contains(&"| ENVIRONMENT=stage".to_owned()));
}

#[test]
fn starts_that_cannot_be_meant_are_refused() {
    let world = world();
    let revision = |action: &str, kind: &str| {
        needed(json!({ "sourceRevisions": [{ "actionName": action, "revisionType": kind, "revisionValue": "x" }] }))
    };
    for (start, words) in [
        (json!({}), "The variable NEEDED has no default value"),
        (
            json!({ "variables": [{ "name": "OTHER", "value": "x" }] }),
            "has no variable OTHER",
        ),
        (revision("Other", "S3_OBJECT_KEY"), "has no source action Other"),
        (revision("UnitTest", "S3_OBJECT_KEY"), "has no source action UnitTest"),
        (revision("Fetch", "COMMIT_ID"), "takes no revision of type COMMIT_ID"),
    ] {
        let mut start = start;
        start["name"] = json!("line");
        let refused = world.refused("StartPipelineExecution", start);
        assert_eq!(refused.code, "ValidationException");
        assert!(refused.message.contains(words), "{}", refused.message);
    }
    let mut properties = pipeline("PARALLEL", &[("Test", vec![test("UnitTest", json!({}))])]);
    properties["Stages"][0]["Actions"][0]["Configuration"]["AllowOverrideForS3ObjectKey"] = json!("false");
    world.put_pipeline(&properties);
    let mut start = pinned("source/pr.zip", "v1");
    start["name"] = json!("line");
    assert!(
        world
            .refused("StartPipelineExecution", start)
            .message
            .contains("does not allow")
    );
    let missing = world.refused("StartPipelineExecution", json!({ "name": "other" }));
    assert_eq!(missing.code, "PipelineNotFoundException");
}

#[test]
fn the_same_token_starts_nothing_twice() {
    let world = world();
    let start = needed(json!({ "clientRequestToken": "once" }));
    let first = world.start("line", start.clone());
    world.engine.run_until_idle();
    assert_eq!(world.start("line", start), first);
    assert_ne!(
        world.start("line", needed(json!({ "clientRequestToken": "twice" }))),
        first
    );
    assert_ne!(
        world.start("line", needed(json!({}))),
        world.start("line", needed(json!({})))
    );
}

#[test]
fn a_source_that_is_not_there_is_told() {
    let world = world();
    for (key, version, words) in [
        ("source/none.zip", "v1", "NoSuchKey"),
        (
            "source/pr.zip",
            "v9",
            "the object source/pr.zip in the version v9 of the bucket artifacts",
        ),
    ] {
        let id = world.start("line", needed(pinned(key, version)));
        world.engine.run_until_idle();
        assert_eq!(world.status("line", &id), "Failed");
        let message = world.failure("line", &id, "Fetch");
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(world.begun(), 0);
}

#[test]
fn artifacts_are_stored_where_codepipeline_stores_them() {
    let world = World::new(|_| Script::succeeds().artifact("AnArtifactOfTheBuild", b"zip".to_vec()));
    world.put_project("tests");
    let build = test(
        "Build",
        json!({ "OutputArtifacts": [{ "Name": "AnArtifactOfTheBuild" }] }),
    );
    let mut properties = pipeline("PARALLEL", &[("Test", vec![build])]);
    properties["Name"] = json!("a-pipeline-with-a-very-long-name");
    world.put_pipeline(&properties);
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    world.start("a-pipeline-with-a-very-long-name", json!({}));
    world.engine.run_until_idle();
    let keys = world.objects.keys(BUCKET);
    let stored: Vec<Vec<&str>> = keys.iter().map(|key| key.split('/').collect()).collect();
    assert_eq!(stored[0][..2], ["a-pipeline-with-a-ve", "AnArtifact"]);
    assert_eq!(stored[0][2].len(), 7);
    assert_eq!(stored[1][..2], ["a-pipeline-with-a-ve", "Source"]);
    assert_eq!(stored[1][2].len(), "1234567.zip".len());
}

#[test]
fn a_new_pipeline_starts_by_itself_as_in_aws_and_a_changed_one_does_not() {
    let world = World::with(Settings::default(), |_| Script::succeeds());
    for name in ["UnitTest", "Other"] {
        world.put_pipeline(&pipeline("PARALLEL", &[("Test", vec![test(name, json!({}))])]));
        world.engine.run_until_idle();
        let shown = world.call("ListPipelineExecutions", json!({ "pipelineName": "line" }));
        let [execution] = &shown["pipelineExecutionSummaries"].as_array().unwrap()[..] else {
            panic!("{shown}")
        };
        assert_eq!(execution["trigger"]["triggerType"], "CreatePipeline");
        assert_eq!(execution["status"], "Failed", "its source is not there");
    }
}
