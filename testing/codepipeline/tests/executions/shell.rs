//! A whole pipeline whose build runs for real, driven from a thread of the engine's own.

use std::{sync::Arc, thread, time::Duration};

use codepipeline_local::memory::{MemoryObjects, MemoryStacks};
use codepipeline_local::{Engine, Settings, ShellBuilder, Surroundings, SystemClock, archive};
use serde_json::json;

use crate::world::{BUCKET, action, pipeline, project, test};

#[test]
fn a_commit_is_built_and_deployed_by_its_own_commands() {
    let (objects, stacks) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryStacks::default()));
    let root = tempfile::tempdir().unwrap();
    let surroundings = Surroundings {
        objects: Arc::<MemoryObjects>::clone(&objects),
        stacks: Arc::<MemoryStacks>::clone(&stacks),
        builder: Arc::new(ShellBuilder::new(root.path())),
        clock: Arc::new(SystemClock),
        listener: Arc::new(|_| {}),
    };
    let settings = Settings {
        start_on_create: false,
        stack_interval: Duration::ZERO,
        ..Settings::default()
    };
    let engine = Engine::new(settings, surroundings);
    let mut packaging = project("tests");
    packaging["Source"]["BuildSpec"] = json!(
        "version: 0.2\nenv: { exported-variables: [KEY] }\nphases: { build: { commands: ['export KEY=$(cat name)', 'echo {} > app.json'] } }\nartifacts: { files: [app.json] }\n"
    );
    engine.put_project(&packaging).unwrap();
    let build = test(
        "Package",
        json!({ "OutputArtifacts": [{ "Name": "Packaged" }], "Namespace": "Package" }),
    );
    let role = "arn:aws:iam::123456789012:role/cloudformation";
    let configuration = json!({
        "ActionMode": "CREATE_UPDATE", "StackName": "app", "RoleArn": role, "TemplatePath": "Packaged::app.json",
        "ParameterOverrides": "{\"Key\": \"#{Package.KEY}\"}",
    });
    let deploy = action(
        "Deploy",
        "Deploy",
        "CloudFormation",
        configuration,
        json!({ "InputArtifacts": [{ "Name": "Packaged" }] }),
    );
    engine
        .put_pipeline(&pipeline(
            "PARALLEL",
            &[("Package", vec![build]), ("Deploy", vec![deploy])],
        ))
        .unwrap();
    objects.write(
        BUCKET,
        "source/unset.zip",
        &archive::of_files([("name", &b"the-key"[..])]).unwrap(),
    );
    let driver = engine.run_in_background(Duration::from_millis(2)).unwrap();
    let id = engine
        .answer("StartPipelineExecution", &json!({ "name": "line" }))
        .unwrap();
    while engine.is_busy() {
        thread::sleep(Duration::from_millis(2));
    }
    drop(driver);
    let ask = json!({ "pipelineName": "line", "pipelineExecutionId": id["pipelineExecutionId"] });
    let shown = engine.answer("GetPipelineExecution", &ask).unwrap();
    let actions = engine
        .answer("ListActionExecutions", &json!({ "pipelineName": "line" }))
        .unwrap();
    assert_eq!(shown["pipelineExecution"]["status"], "Succeeded", "{actions:#}");
    let parameters = stacks.request("app").unwrap().parameters;
    assert_eq!(parameters, [("Key".to_owned(), "the-key".to_owned())]);
}
