//! Approvals: an action that waits for a person.

use std::time::Duration;

use codepipeline_local::Script;
use serde_json::{Value, json};

use crate::world::{BUCKET, World, action, pipeline, test};

fn waiting() -> (World, String, String) {
    let world = World::new(|_| Script::succeeds());
    world.put_project("tests");
    let approval = action(
        "Approve",
        "Approval",
        "Manual",
        json!({}),
        json!({ "TimeoutInMinutes": 60 }),
    );
    world.put_pipeline(&pipeline(
        "QUEUED",
        &[
            ("Approval", vec![approval]),
            ("Test", vec![test("UnitTest", json!({}))]),
        ],
    ));
    world.objects.write(BUCKET, "source/unset.zip", b"zip");
    let id = world.start("line", json!({}));
    world.engine.run_until_idle();
    let state = world.call("GetPipelineState", json!({ "name": "line" }));
    let token = &state["stageStates"][1]["actionStates"][0]["latestExecution"]["token"];
    let token = token.as_str().unwrap().to_owned();
    (world, id, token)
}

fn answer(token: &str, status: &str) -> Value {
    json!({
        "pipelineName": "line", "stageName": "Approval", "actionName": "Approve", "token": token,
        "result": { "summary": "because", "status": status },
    })
}

#[test]
fn what_is_approved_goes_on_and_what_is_rejected_fails() {
    let (world, id, token) = waiting();
    let other = "00000000-0000-4000-8000-000000000000";
    let refused = world.refused("PutApprovalResult", answer(other, "Approved"));
    assert_eq!(refused.code, "InvalidApprovalTokenException");
    world.call("PutApprovalResult", answer(&token, "Approved"));
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Succeeded");
    let refused = world.refused("PutApprovalResult", answer(&token, "Approved"));
    assert_eq!(refused.code, "ApprovalAlreadyCompletedException");

    let (world, id, token) = waiting();
    world.call("PutApprovalResult", answer(&token, "Rejected"));
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Failed");
    assert_eq!(world.failure("line", &id, "Approve"), "Rejected: because");
}

#[test]
fn nobody_waits_longer_than_the_actions_timeout() {
    let (world, id, _) = waiting();
    world.clock.advance(Duration::from_secs(59 * 60));
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "InProgress");
    world.clock.advance(Duration::from_secs(60));
    world.engine.run_until_idle();
    assert_eq!(world.status("line", &id), "Failed");
}
