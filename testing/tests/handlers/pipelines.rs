//! Starting, checking and stopping executions of pipelines.

use contract::{
    CheckPipelineError, PipelineKind, Progress, Run, RunQuery, RunState, Source, StartPipelineError, StartRequest,
    StopPipelineError, StopRequest, Target,
};
use runtime::Failure;
use runtime::functions::{CheckPipeline, Function, StartPipeline, StopPipeline};
use runtime::records::Records;
use serde_json::json;
use testing::aws::{Action, ActionStatus, Cloud, ExecutionStatus, Step};
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{PROJECT, TABLE, asked, claim, fails, invocation, json_of, put_record, target, variable};

const UNIT_TEST: &str = "thebestest-unit-test";
const DEPLOY: &str = "pr-17-thebestest-deploy";

fn start_of(cloud: &Cloud) -> StartPipeline {
    cloud.function(&[(variable("TABLE"), TABLE), (variable("PROJECT"), &json_of(PROJECT))])
}

fn request(kind: PipelineKind) -> StartRequest {
    StartRequest {
        target: target(),
        kind,
        source: Source {
            key: "source/thebestest/thebestest/17/6dcb09b.zip".to_owned(),
            version_id: "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo".to_owned(),
            size: 1,
            sha256: "0".repeat(64),
        },
        attempt: 0,
    }
}

async fn start(cloud: &Cloud, kind: PipelineKind) -> Result<Run, Failure<StartPipelineError>> {
    start_of(cloud).call(request(kind), &invocation()).await
}

async fn check(cloud: &Cloud, run: &Run) -> Result<Progress, Failure<CheckPipelineError>> {
    let function: CheckPipeline = cloud.function(&[(variable("TABLE"), TABLE)]);
    let query = RunQuery {
        target: target(),
        run: run.clone(),
    };
    function.call(query, &invocation()).await
}

async fn stop(cloud: &Cloud, runs: &[&Run]) -> Result<u32, Failure<StopPipelineError>> {
    let function: StopPipeline = cloud.function(&[]);
    let request = StopRequest {
        runs: runs.iter().copied().cloned().collect(),
        reason: format!("superseded by {}", "0".repeat(300)),
    };
    function.call(request, &invocation()).await.map(|stopped| stopped.count)
}

#[tokio::test]
async fn a_unit_test_is_pinned_to_its_object_told_its_environment_and_recorded() {
    let Some(cloud) = or_skip("unit tests are started", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(UNIT_TEST, []);
    let run = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let executions = cloud.pipelines().executions(UNIT_TEST);
    assert_eq!((executions.len(), run.pipeline.as_str()), (1, UNIT_TEST));
    assert_eq!(executions[0].id, run.execution_id);
    let source = request(PipelineKind::UnitTest).source;
    assert_eq!(
        executions[0].request["sourceRevisions"],
        json!([
            { "actionName": "Fetch", "revisionType": "S3_OBJECT_KEY", "revisionValue": source.key },
            { "actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": source.version_id },
        ])
    );
    assert_eq!(
        executions[0].request["variables"],
        json!([{ "name": "ENVIRONMENT", "value": "pr-17" }])
    );
    let records = Records::new(&cloud.config("test"), TABLE.to_owned());
    let record = records
        .read(&target().repository, 17)
        .await
        .expect("read")
        .expect("a record");
    assert_eq!(record.runs.get(UNIT_TEST), Some(&run.execution_id));
}

#[tokio::test]
async fn a_repeated_start_is_the_same_execution_and_another_generation_another() {
    let Some(cloud) = or_skip("a start is repeated", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(DEPLOY, []);
    let first = start(&cloud, PipelineKind::Deploy).await.expect("started");
    assert_eq!(start(&cloud, PipelineKind::Deploy).await, Ok(first.clone()));
    assert_eq!(cloud.pipelines().executions(DEPLOY).len(), 1);
    assert!(cloud.pipelines().executions(DEPLOY)[0].request["variables"].is_null());
    put_record(&cloud, 4, None).await;
    let mut later = request(PipelineKind::Deploy);
    later.target = Target {
        generation: 4,
        ..target()
    };
    let second = start_of(&cloud).call(later, &invocation()).await.expect("started");
    assert_ne!(second.execution_id, first.execution_id);
}

#[tokio::test]
async fn each_attempt_is_an_execution_of_its_own() {
    let Some(cloud) = or_skip("a start is attempted again", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(UNIT_TEST, []);
    let first = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let again = StartRequest {
        attempt: 1,
        ..request(PipelineKind::UnitTest)
    };
    for _ in 0..2 {
        let second = start_of(&cloud)
            .call(again.clone(), &invocation())
            .await
            .expect("started");
        assert_ne!(second.execution_id, first.execution_id);
    }
    assert_eq!(cloud.pipelines().executions(UNIT_TEST).len(), 2);
}

#[tokio::test]
async fn a_pipeline_that_takes_no_more_executions_has_an_error_of_its_own() {
    let Some(cloud) = or_skip("a pipeline is at its limit", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(UNIT_TEST, []);
    fails(
        &cloud,
        "codepipeline",
        "StartPipelineExecution",
        "ConcurrentPipelineExecutionsLimitExceededException",
        "The pipeline has reached the limit for concurrent pipeline executions.",
    );
    let error = start(&cloud, PipelineKind::UnitTest).await.expect_err("refused");
    assert_eq!(error.error, StartPipelineError::LimitExceeded);
}

/// A failed test of CodeBuild's, with these words and, if it was started, this build.
fn failed_test(build: Option<&str>, words: &str) -> Action {
    let mut result = json!({ "errorDetails": { "code": "JobFailed", "message": words } });
    if let Some(build) = build {
        result["externalExecutionId"] = json!(build);
    }
    Action::new("Test", "UnitTest", ActionStatus::Failed)
        .by("CodeBuild")
        .with_result(result)
}

#[tokio::test]
async fn a_build_that_was_refused_is_told_apart_from_one_that_nobody_knows() {
    let Some(cloud) = or_skip("a build is refused", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let refused = "Error calling startBuild: Cannot have more than 1 builds in queue for the account (Service: AWSCodeBuild; \
                   Status Code: 400; Error Code: AccountLimitExceededException; Request ID: x; Proxy: null)";
    for (action, state) in [
        (failed_test(None, refused), RunState::Refused),
        (
            failed_test(None, "Error calling startBuild: not authorized"),
            RunState::Broken,
        ),
        (
            failed_test(Some("thebestest-unit-test:gone"), "Build terminated with state: FAILED"),
            RunState::Broken,
        ),
    ] {
        cloud.pipelines().delete(UNIT_TEST);
        cloud
            .pipelines()
            .script(UNIT_TEST, [Step::new(ExecutionStatus::Failed, [action.clone()])]);
        let run = start(&cloud, PipelineKind::UnitTest).await.expect("started");
        let told = check(&cloud, &run).await.expect("seen");
        assert_eq!(told.state, state, "{action:?}");
        assert!(told.summary.starts_with("Test/UnitTest: "), "{}", told.summary);
    }
}

#[tokio::test]
async fn a_build_at_work_is_stopped_with_its_execution_and_a_change_of_a_stack_is_not() {
    let Some(cloud) = or_skip("a build is stopped", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let building = Action::new("Test", "UnitTest", ActionStatus::InProgress)
        .by("CodeBuild")
        .with_result(json!({ "externalExecutionId": "thebestest-unit-test:1" }));
    let deploying = Action::new("Deploy", "Execute", ActionStatus::InProgress)
        .by("CloudFormation")
        .with_result(json!({ "externalExecutionId": "arn:aws:cloudformation:eu-west-1:1:stack/x/1" }));
    cloud
        .pipelines()
        .script(UNIT_TEST, [Step::new(ExecutionStatus::InProgress, [building])]);
    cloud
        .pipelines()
        .script(DEPLOY, [Step::new(ExecutionStatus::InProgress, [deploying])]);
    let tests = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let deployment = start(&cloud, PipelineKind::Deploy).await.expect("started");
    assert_eq!(stop(&cloud, &[&tests, &deployment]).await, Ok(2));
    let calls = cloud.calls("stop_pipeline").into_iter();
    let stopped: Vec<_> = calls
        .filter(|call| call.operation == "StopBuild")
        .map(|call| call.parameters["id"].clone())
        .collect();
    assert_eq!(stopped, ["thebestest-unit-test:1"]);
}

#[tokio::test]
async fn a_superseded_execution_starts_nothing_and_stops_what_it_has_started() {
    let Some(cloud) = or_skip("a start is superseded", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(DEPLOY, []);
    put_record(&cloud, 4, None).await;
    let error = start(&cloud, PipelineKind::Deploy).await.expect_err("superseded");
    assert_eq!(error.error, StartPipelineError::Superseded);
    assert!(cloud.pipelines().executions(DEPLOY).is_empty());

    put_record(&cloud, 3, None).await;
    fails(
        &cloud,
        "dynamodb",
        "UpdateItem",
        "ConditionalCheckFailedException",
        "The conditional request failed",
    );
    let error = start(&cloud, PipelineKind::Deploy).await.expect_err("superseded");
    assert_eq!(error.error, StartPipelineError::Superseded);
    let executions = cloud.pipelines().executions(DEPLOY);
    assert_eq!((executions.len(), executions[0].status), (1, ExecutionStatus::Stopping));
    assert!(!executions[0].abandoned);
}

#[tokio::test]
async fn a_pipeline_that_is_not_there_has_an_error_of_its_own() {
    let Some(cloud) = or_skip("a pipeline is missing", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let error = start(&cloud, PipelineKind::Deploy).await.expect_err("there is none");
    assert_eq!(error.error, StartPipelineError::PipelineMissing);
    assert!(error.message.contains(DEPLOY), "{}", error.message);
}

#[tokio::test]
async fn a_run_is_followed_from_its_start_to_the_failed_action_with_its_log() {
    let Some(cloud) = or_skip("a run is followed", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let log = "https://eu-west-1.console.aws.amazon.com/codebuild/home#/builds/x:1/view/new";
    let failed = Action::new("Test", "UnitTest", ActionStatus::Failed).with_result(json!({
        "externalExecutionUrl": log,
        "errorDetails": { "code": "JobFailed", "message": "Build terminated with state: FAILED" },
    }));
    // The list is newest first and paged: the failure is on its second page.
    let mut actions = vec![failed];
    let later = (0..120).map(|number| Action::new("Later", &format!("A{number}"), ActionStatus::Succeeded));
    actions.extend(later);
    let running = [Action::new("Test", "UnitTest", ActionStatus::InProgress)];
    let steps = [
        Step::new(ExecutionStatus::InProgress, running),
        Step::new(ExecutionStatus::Failed, actions),
    ];
    cloud.pipelines().script(UNIT_TEST, steps);
    let run = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let first = check(&cloud, &run).await.expect("seen");
    assert_eq!(first.state, RunState::Running);
    assert!(first.url.contains(&run.execution_id), "{}", first.url);
    let last = check(&cloud, &run).await.expect("seen");
    assert_eq!(
        (last.state, last.summary.as_str(), last.url.as_str()),
        (
            RunState::Failed,
            "Test/UnitTest failed: Build terminated with state: FAILED",
            log
        )
    );
}

#[tokio::test]
async fn a_run_that_is_not_seen_yet_runs_and_one_without_a_pipeline_is_stopped() {
    let Some(cloud) = or_skip("a run is not seen", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    let run = Run {
        pipeline: DEPLOY.to_owned(),
        execution_id: "11111111-2222-4333-8444-555555555555".to_owned(),
    };
    assert_eq!(check(&cloud, &run).await.expect("seen").state, RunState::Stopped);
    cloud.pipelines().script(DEPLOY, []);
    assert_eq!(check(&cloud, &run).await.expect("seen").state, RunState::Running);
    put_record(&cloud, 4, None).await;
    let error = check(&cloud, &run).await.expect_err("superseded");
    assert_eq!(error.error, CheckPipelineError::Superseded);
}

#[tokio::test]
async fn executions_are_stopped_without_being_abandoned_and_those_that_ended_are_passed_over() {
    let Some(cloud) = or_skip("executions are stopped", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud
        .pipelines()
        .script(UNIT_TEST, [Step::new(ExecutionStatus::Succeeded, [])]);
    cloud.pipelines().script(DEPLOY, []);
    let ended = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let running = start(&cloud, PipelineKind::Deploy).await.expect("started");
    let gone = Run {
        pipeline: "pr-16-thebestest-deploy".to_owned(),
        ..running.clone()
    };
    assert_eq!(stop(&cloud, &[&ended, &gone, &running]).await, Ok(1));
    let execution = &cloud.pipelines().executions(DEPLOY)[0];
    assert_eq!(
        (execution.status, execution.abandoned),
        (ExecutionStatus::Stopping, false)
    );
    assert_eq!(stop(&cloud, &[&running]).await, Ok(1), "asking twice is no failure");
}

#[tokio::test]
async fn one_that_cannot_be_asked_keeps_none_of_the_others_from_being_stopped() {
    let Some(cloud) = or_skip("stopping fails for one", Cloud::start()) else {
        return;
    };
    claim(&cloud).await;
    cloud.pipelines().script(UNIT_TEST, []);
    cloud.pipelines().script(DEPLOY, []);
    let first = start(&cloud, PipelineKind::UnitTest).await.expect("started");
    let second = start(&cloud, PipelineKind::Deploy).await.expect("started");
    fails(
        &cloud,
        "codepipeline",
        "StopPipelineExecution",
        "ConflictException",
        "busy",
    );
    let error = stop(&cloud, &[&first, &second]).await.expect_err("one was not asked");
    assert!(error.message.contains(&first.execution_id) && !error.message.contains(&second.execution_id));
    assert_eq!(
        cloud.pipelines().executions(DEPLOY)[0].status,
        ExecutionStatus::Stopping
    );
}

/// Makes the three handlers ask for everything that they can.
pub(super) async fn exercise(cloud: &Cloud) {
    claim(cloud).await;
    let building = Action::new("Test", "UnitTest", ActionStatus::InProgress)
        .by("CodeBuild")
        .with_result(json!({ "externalExecutionId": "thebestest-unit-test:1" }));
    let failed = failed_test(Some("thebestest-unit-test:1"), "Build terminated with state: FAILED");
    cloud
        .pipelines()
        .script(UNIT_TEST, [Step::new(ExecutionStatus::InProgress, [building])]);
    let run = start(cloud, PipelineKind::UnitTest).await.expect("started");
    stop(cloud, &[&run]).await.expect("stopped");
    cloud.pipelines().delete(UNIT_TEST);
    cloud
        .pipelines()
        .script(UNIT_TEST, [Step::new(ExecutionStatus::Failed, [failed])]);
    let run = start(cloud, PipelineKind::UnitTest).await.expect("started");
    check(cloud, &run).await.expect("seen");
    fails(
        cloud,
        "dynamodb",
        "UpdateItem",
        "ConditionalCheckFailedException",
        "The conditional request failed",
    );
    start(cloud, PipelineKind::UnitTest).await.expect_err("superseded");
}

#[tokio::test]
async fn the_handlers_ask_for_what_their_roles_allow() {
    let Some(cloud) = or_skip("calls about pipelines", Cloud::start()) else {
        return;
    };
    exercise(&cloud).await;
    let start = [
        "codepipeline:StartPipelineExecution",
        "codepipeline:StopPipelineExecution",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
    ];
    assert_eq!(asked(&cloud, "start_pipeline"), start);
    let check = [
        "codebuild:BatchGetBuilds",
        "codepipeline:GetPipelineExecution",
        "codepipeline:ListActionExecutions",
        "dynamodb:GetItem",
    ];
    assert_eq!(asked(&cloud, "check_pipeline"), check);
    let stop = [
        "codebuild:StopBuild",
        "codepipeline:ListActionExecutions",
        "codepipeline:StopPipelineExecution",
    ];
    assert_eq!(asked(&cloud, "stop_pipeline"), stop);
}
