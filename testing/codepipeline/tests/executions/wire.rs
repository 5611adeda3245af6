//! The API's answers: pages, states, builds.

use codepipeline_local::{Report, Script};
use serde_json::{Value, json};

use crate::world::{BUCKET, World, pipeline, test};

fn world() -> (World, Vec<String>) {
    let world = World::new(|_| {
        let report = Report {
            name: "unit-tests".to_owned(),
            succeeded: 3,
            failed: 1,
            ..Report::default()
        };
        Script::succeeds().export("KEY", "value").report(report)
    });
    world.put_project("tests");
    world.put_pipeline(&pipeline(
        "QUEUED",
        &[("Test", vec![test("UnitTest", json!({ "Namespace": "Tests" }))])],
    ));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let ids = (0..5).map(|_| world.start("line", json!({}))).collect();
    world.engine.run_until_idle();
    (world, ids)
}

#[test]
fn lists_are_newest_first_and_come_in_pages() {
    let (world, ids) = world();
    let mut seen = Vec::new();
    let mut parameters = json!({ "pipelineName": "line", "maxResults": 2 });
    loop {
        let page = world.call("ListPipelineExecutions", parameters.clone());
        let items = page["pipelineExecutionSummaries"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|item| item["pipelineExecutionId"].as_str().unwrap().to_owned()),
        );
        match page["nextToken"].as_str() {
            Some(token) => parameters["nextToken"] = json!(token),
            None => break,
        }
    }
    assert_eq!(seen, ids.iter().rev().cloned().collect::<Vec<_>>());
    parameters["nextToken"] = json!("nonsense");
    assert_eq!(
        world.refused("ListPipelineExecutions", parameters).code,
        "InvalidNextTokenException"
    );
    let actions = world.call("ListActionExecutions", json!({ "pipelineName": "line" }));
    let actions = actions["actionExecutionDetails"].as_array().unwrap();
    assert_eq!(actions.len(), 10);
    assert_eq!(actions[0]["actionName"], "UnitTest");
    assert_eq!(actions[0]["pipelineExecutionId"], *ids[4]);
    let unknown = json!({ "pipelineName": "line", "filter": { "pipelineExecutionId": "no" } });
    assert_eq!(
        world.refused("ListActionExecutions", unknown).code,
        "PipelineExecutionNotFoundException"
    );
}

#[test]
fn an_actions_details_say_what_went_in_and_what_came_out() {
    let (world, ids) = world();
    let details = &world.actions("line", &ids[0])["UnitTest"];
    assert_eq!(details["input"]["resolvedConfiguration"]["ProjectName"], "tests");
    assert_eq!(details["input"]["namespace"], "Tests");
    assert_eq!(details["output"]["outputVariables"], json!({ "KEY": "value" }));
    let result = &details["output"]["executionResult"];
    let build = result["externalExecutionId"].as_str().unwrap();
    assert!(build.starts_with("tests:"));
    let id = build.replace(':', "%3A");
    assert_eq!(
        result["externalExecutionUrl"],
        format!("https://console.aws.amazon.com/codebuild/home?region=eu-west-1#/builds/{id}/view/new")
    );
    let fetched = &world.actions("line", &ids[0])["Fetch"]["output"];
    assert_eq!(fetched["outputVariables"]["VersionId"], "v1");
    assert_eq!(
        fetched["executionResult"]["externalExecutionSummary"],
        "Amazon S3 version id: v1"
    );
}

#[test]
fn builds_and_their_reports_are_shown_as_codebuild_shows_them() {
    let (world, ids) = world();
    let details = &world.actions("line", &ids[0])["UnitTest"];
    let build = &details["output"]["executionResult"]["externalExecutionId"];
    let ask = |operation: &str, parameters: Value| world.engine.answer_codebuild(operation, &parameters).unwrap();
    let answer = ask("BatchGetBuilds", json!({ "ids": [build, "tests:none"] }));
    assert_eq!(answer["buildsNotFound"], json!(["tests:none"]));
    let shown = &answer["builds"][0];
    assert_eq!(shown["buildStatus"], "SUCCEEDED");
    assert_eq!(shown["currentPhase"], "COMPLETED");
    assert_eq!(shown["buildComplete"], true);
    assert_eq!(shown["initiator"], "codepipeline/line");
    assert_eq!(shown["resolvedSourceVersion"], "v1");
    assert_eq!(shown["phases"][6]["phaseType"], "BUILD");
    assert_eq!(shown["phases"][6]["durationInSeconds"], 0);
    let arns = shown["reportArns"].clone();
    assert!(
        arns[0].as_str().unwrap().contains(":report/tests-unit-tests:"),
        "{arns}"
    );
    let reports = ask("BatchGetReports", json!({ "reportArns": arns }));
    let report = &reports["reports"][0];
    assert_eq!(report["status"], "FAILED");
    assert_eq!(report["testSummary"]["statusCounts"]["SUCCEEDED"], 3);
    let all = ask("ListBuildsForProject", json!({ "projectName": "tests" }));
    assert_eq!(all["ids"].as_array().unwrap().len(), 5);
    assert_eq!(all["ids"][4], *build, "newest first");
}

#[test]
fn a_build_can_be_stopped_and_its_action_fails() {
    let world = World::new(|_| Script::hangs());
    world.put_project("tests");
    world.put_pipeline(&pipeline("QUEUED", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let id = world.start("line", json!({}));
    world.engine.run_until_idle();
    let build = world.engine.builds()[0].id.clone();
    world
        .engine
        .answer_codebuild("StopBuild", &json!({ "id": build }))
        .unwrap();
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Failed");
    assert!(
        world
            .failure("line", &id, "UnitTest")
            .starts_with("Build terminated with state: STOPPED")
    );
}

#[test]
fn the_pipelines_state_shows_who_is_in_each_stage_and_who_waits() {
    let world = World::new(|_| Script::hangs());
    world.put_project("tests");
    world.put_pipeline(&pipeline("QUEUED", &[("Test", vec![test("UnitTest", json!({}))])]));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let (first, second) = (world.start("line", json!({})), world.start("line", json!({})));
    world.engine.run_until_idle();
    let state = world.call("GetPipelineState", json!({ "name": "line" }));
    let stages = &state["stageStates"];
    assert_eq!(stages[0]["latestExecution"]["pipelineExecutionId"], *second);
    assert_eq!(stages[0]["latestExecution"]["status"], "Succeeded");
    assert_eq!(stages[1]["latestExecution"]["pipelineExecutionId"], *first);
    assert_eq!(stages[1]["latestExecution"]["status"], "InProgress");
    assert_eq!(stages[1]["inboundExecution"]["pipelineExecutionId"], *second);
    assert_eq!(stages[1]["actionStates"][0]["latestExecution"]["status"], "InProgress");
}

#[test]
fn pipelines_are_created_listed_and_deleted_by_the_api() {
    let (world, ids) = world();
    let mut declared = world.call("GetPipeline", json!({ "name": "line" }))["pipeline"].clone();
    assert_eq!(
        world.refused("CreatePipeline", json!({ "pipeline": declared })).code,
        "PipelineNameInUseException"
    );
    declared["name"] = json!("other");
    world.call("CreatePipeline", json!({ "pipeline": declared }));
    let listed = world.call("ListPipelines", json!({}));
    assert_eq!(listed["pipelines"].as_array().unwrap().len(), 2);
    declared["stages"] = json!([]);
    let refused = world.refused("UpdatePipeline", json!({ "pipeline": declared }));
    assert_eq!(refused.code, "InvalidStructureException");
    world.call("DeletePipeline", json!({ "name": "line" }));
    assert!(!world.engine.has_pipeline("line"));
    let ask = json!({ "pipelineName": "line", "pipelineExecutionId": ids[0] });
    assert_eq!(
        world.refused("GetPipelineExecution", ask).code,
        "PipelineNotFoundException"
    );
    assert_eq!(world.refused("Other", json!({})).code, "UnknownOperationException");
}

#[test]
fn the_same_seed_gives_the_same_ids() {
    let (one, other) = (world(), world());
    assert_eq!(one.1, other.1);
    assert_eq!(one.0.objects.keys(BUCKET), other.0.objects.keys(BUCKET));
}
