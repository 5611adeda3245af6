//! The pipeline of a pull request's own stack, executed in the account: it makes the application's stack.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use codepipeline_local::{BuildRequest, Script, ScriptedBuilder, archive};
use http::Method;
use serde_json::{Value, json};
use testing::emission::{self, Emission};

use crate::account::{Account, texts};

const PIPELINE: &str = "pr-17-thebestest-deploy";
const APP: &str = "thebestest-pr-17-app";

fn stack<'a>(emissions: &'a [Emission], name: &str) -> &'a Value {
    let found = emissions.iter().find(|emission| emission.stack.name == name);
    &found.expect("it is emitted").template
}

fn ask(account: &Account, operation: &str, parameters: Value) -> Value {
    let target = format!("CodePipeline_20150709.{operation}");
    let answer = account.client.json("codepipeline", &target, &parameters);
    answer.unwrap_or_else(|fault| panic!("{operation}: {fault}"))
}

/// Starts the pipeline on a version of a source, waits for its end, and returns the execution's id.
fn executed(account: &Account, version: &str) -> String {
    let revisions = [
        ("S3_OBJECT_KEY", "source/commit.zip"),
        ("S3_OBJECT_VERSION_ID", version),
    ];
    let revisions =
        revisions.map(|(kind, value)| json!({ "actionName": "Fetch", "revisionType": kind, "revisionValue": value }));
    let started = ask(
        account,
        "StartPipelineExecution",
        json!({ "name": PIPELINE, "sourceRevisions": revisions }),
    );
    let id = started["pipelineExecutionId"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    loop {
        let which = json!({ "pipelineName": PIPELINE, "pipelineExecutionId": id });
        let shown = ask(account, "GetPipelineExecution", which);
        match shown["pipelineExecution"]["status"].as_str().unwrap() {
            "InProgress" => assert!(begun.elapsed() < Duration::from_secs(60), "it is still in progress"),
            "Succeeded" => return id,
            status => {
                let filter = json!({ "pipelineName": PIPELINE, "filter": { "pipelineExecutionId": id } });
                panic!("{status}: {}", ask(account, "ListActionExecutions", filter));
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_deploy_pipeline_makes_and_updates_the_applications_stack() {
    let Some(account) = Account::start("the deploy pipeline is executed") else {
        return;
    };
    let emissions = emission::emit(&emission::project(), &["pr-17"]);
    let app = stack(&emissions, APP).to_string();
    let configuration = json!({ "Tags": { "pipeline:environment": "pr-17" } }).to_string();
    let package = move |_: &BuildRequest| {
        let files = [
            ("out/app.json", app.as_bytes()),
            ("stack-configuration.json", configuration.as_bytes()),
        ];
        let packaged = archive::of_files(files).expect("an archive is made");
        let script = Script::succeeds().artifact("Packaged", packaged);
        script.export("CODE_KEY", "packages/pr-17/code.zip")
    };
    let builder = Arc::new(ScriptedBuilder::new(package));
    let engine = account
        .cloud
        .execute_pipelines(builder, Arc::new(|_| {}), false)
        .unwrap();
    for name in ["thebestest-artifacts", "thebestest-deploy-pr-17"] {
        account.apply(name, "CREATE", stack(&emissions, name), &[]);
    }
    let bucket = format!("/thebestest-artifacts-{}-eu-west-1", account.cloud.account());
    account.put(&format!("{bucket}/packages/pr-17/code.zip"), crate::account::zipped());
    let source = archive::of_files([("README.md", b"a commit".as_slice())]).unwrap();
    let put = account
        .client
        .rest("s3", Method::PUT, &format!("{bucket}/source/commit.zip"), source.into());
    let version = put.unwrap().headers()["x-amz-version-id"].to_str().unwrap().to_owned();

    executed(&account, &version);
    let made = account.stack(APP).expect("the pipeline has made it");
    assert_eq!(made.status, "CREATE_COMPLETE");
    assert_eq!(
        made.text("RoleARN"),
        format!(
            "arn:aws:iam::{}:role/thebestest-pr-17-cloudformation",
            account.cloud.account()
        )
    );
    let shown = account.ask("DescribeStacks", &[("StackName", APP)]);
    assert!(
        texts(&shown, "Value").contains(&"pr-17".to_owned()),
        "it has the tag: {shown}"
    );

    // A commit that changes nothing of the stack deploys as well.
    executed(&account, &version);
    assert_eq!(account.stack(APP).unwrap().id, made.id);
    let builds = engine.builds();
    assert_eq!(builds.len(), 2);
    let calls = account.cloud.calls("codepipeline");
    assert!(
        calls
            .iter()
            .any(|call| call.operation == "ExecuteChangeSet" && call.status == Some(200)),
        "{calls:?}"
    );

    account.delete("thebestest-deploy-pr-17");
    assert!(!engine.has_pipeline(PIPELINE));
}
