//! A pipeline comes, changes and goes with its stack, in the order of the stack's operation.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testing::aws::{PipelineResource, PipelineService};

use crate::account::{Account, template, text, texts};

const STACK: &str = "pipelines";

/// A role, a pipeline with this name and execution mode, and a topic with these properties that comes after it.
fn with_pipeline(name: Option<&str>, mode: &str, topic: Value) -> Value {
    let source = json!({
        "Name": "Source",
        "Actions": [{
            "Name": "Fetch",
            "ActionTypeId": { "Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1" },
            "Configuration": { "S3Bucket": { "Ref": "AWS::StackName" }, "S3ObjectKey": "key" },
            "OutputArtifacts": [{ "Name": "Source" }],
        }],
    });
    let approval = json!({
        "Name": "Approval",
        "Actions": [{
            "Name": "Approve",
            "ActionTypeId": { "Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1" },
        }],
    });
    let mut pipeline =
        json!({ "RoleArn": { "Fn::GetAtt": ["Role", "Arn"] }, "ExecutionMode": mode, "Stages": [source, approval] });
    if let Some(name) = name {
        pipeline["Name"] = json!(name);
    }
    let mut whole = template(json!({
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": { "RoleName": "pipe", "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [] } },
        },
        "Pipeline": { "Type": "AWS::CodePipeline::Pipeline", "Properties": pipeline },
        "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": "Pipeline", "Properties": topic },
    }));
    whole["Outputs"] = json!({
        "Name": { "Value": { "Ref": "Pipeline" } },
        "Version": { "Value": { "Fn::GetAtt": ["Pipeline", "Version"] } },
    });
    whole
}

fn topic(name: &str) -> Value {
    json!({ "DisplayName": name })
}

/// What makes the topic fail at its own turn.
fn broken() -> Value {
    json!({ "Unknown": "property" })
}

/// What was told to a service of pipelines.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl PipelineService for Told {
    fn make(&self, pipeline: &PipelineResource) -> Result<(), String> {
        let mode = pipeline.properties["ExecutionMode"].as_str().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{} {mode}", pipeline.name));
        if mode == "QUEUED" {
            return Err("this one runs nothing that queues".to_owned());
        }
        Ok(())
    }

    fn unmake(&self, name: &str) {
        self.0.lock().unwrap().push(format!("{name} gone"));
    }

    fn make_project(&self, properties: &Value) -> Result<(), String> {
        self.0
            .lock()
            .unwrap()
            .push(format!("project {}", properties["Name"].as_str().unwrap_or_default()));
        Ok(())
    }

    fn unmake_project(&self, name: &str) {
        self.0.lock().unwrap().push(format!("project {name} gone"));
    }

    fn answer_codebuild(&self, _: &str, _: &Value) -> Option<Result<Value, (String, String)>> {
        None
    }

    fn answer(&self, operation: &str, parameters: &Value) -> Result<Value, (String, String)> {
        self.0.lock().unwrap().push(format!(
            "{operation} {}",
            parameters["name"].as_str().unwrap_or_default()
        ));
        Ok(json!({ "pipelineExecutionId": "00000001-0000-4000-8000-000000000000" }))
    }
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[test]
fn a_pipeline_shows_changes_is_replaced_and_goes_with_its_stack() {
    let Some(account) = Account::start("a pipeline lives with its stack") else {
        return;
    };
    let told = Arc::new(Told::default());
    account
        .cloud
        .run_pipelines(Arc::clone(&told) as Arc<dyn PipelineService>)
        .unwrap();
    let sent = with_pipeline(Some("first"), "PARALLEL", topic("one"));
    let stack = account.apply(STACK, "CREATE", &sent, &[]);
    assert_eq!(stack.status, "CREATE_COMPLETE", "{}", account.events(STACK));
    assert_eq!(
        texts(&account.ask("DescribeStacks", &[("StackName", STACK)]), "OutputValue"),
        ["first", "1"]
    );
    let [pipeline] = account.cloud.deployed_pipelines().try_into().unwrap();
    assert_eq!(
        pipeline.properties["Stages"][0]["Actions"][0]["Configuration"]["S3Bucket"],
        STACK
    );
    let role = format!("arn:aws:iam::{}:role/pipe", account.cloud.account());
    assert_eq!(pipeline.properties["RoleArn"], role);

    let shown = account.ask("GetTemplate", &[("StackName", STACK)]);
    assert_eq!(
        serde_json::from_str::<Value>(&text(&shown, "TemplateBody")).unwrap(),
        sent
    );
    for action in ["DescribeStackResources", "ListStackResources", "DescribeStackEvents"] {
        let shown = account.ask(action, &[("StackName", STACK)]);
        assert!(
            texts(&shown, "ResourceType")
                .iter()
                .any(|kind| kind == "AWS::CodePipeline::Pipeline"),
            "{action}"
        );
    }

    let start = || {
        let parameters = json!({ "name": "first" });
        account.client.json(
            "codepipeline",
            "CodePipeline_20150709.StartPipelineExecution",
            &parameters,
        )
    };
    start().unwrap();
    let changed = with_pipeline(Some("first"), "SUPERSEDED", topic("one"));
    account.apply(STACK, "UPDATE", &changed, &[]);
    assert_eq!(
        texts(&account.ask("DescribeStacks", &[("StackName", STACK)]), "OutputValue"),
        ["first", "2"]
    );
    let renamed = with_pipeline(Some("second"), "SUPERSEDED", topic("one"));
    account.apply(STACK, "UPDATE", &renamed, &[]);
    let expected = [
        "first PARALLEL",
        "StartPipelineExecution first",
        "first SUPERSEDED",
        "second SUPERSEDED",
        "first gone",
    ];
    assert_eq!(told.take(), expected);

    assert_eq!(account.delete(STACK).status, "DELETE_COMPLETE");
    assert_eq!(told.take(), ["second gone"]);
    assert_eq!(account.cloud.deployed_pipelines(), []);
}

#[test]
fn a_pipeline_without_a_name_gets_one_and_keeps_it() {
    let Some(account) = Account::start("a pipeline gets a name") else {
        return;
    };
    account.apply(STACK, "CREATE", &with_pipeline(None, "PARALLEL", topic("one")), &[]);
    let [first] = account.cloud.deployed_pipelines().try_into().unwrap();
    assert!(first.name.starts_with("pipelines-Pipeline-"), "{}", first.name);
    account.apply(STACK, "UPDATE", &with_pipeline(None, "SUPERSEDED", topic("one")), &[]);
    let [second] = account.cloud.deployed_pipelines().try_into().unwrap();
    assert_eq!((&second.name, second.version), (&first.name, 2));
    account.delete(STACK);
}

#[test]
fn a_rollback_leaves_the_pipeline_as_it_was() {
    let Some(account) = Account::start("a rollback leaves no pipeline") else {
        return;
    };
    let told = Arc::new(Told::default());
    account
        .cloud
        .run_pipelines(Arc::clone(&told) as Arc<dyn PipelineService>)
        .unwrap();
    let stack = account.apply(
        STACK,
        "CREATE",
        &with_pipeline(Some("first"), "PARALLEL", broken()),
        &[],
    );
    assert_eq!(stack.status, "ROLLBACK_COMPLETE");
    assert_eq!(told.take(), ["first PARALLEL", "first gone"]);
    assert_eq!(account.cloud.deployed_pipelines(), []);
    account.delete(STACK);

    account.apply(
        STACK,
        "CREATE",
        &with_pipeline(Some("first"), "PARALLEL", topic("one")),
        &[],
    );
    let stack = account.apply(
        STACK,
        "UPDATE",
        &with_pipeline(Some("first"), "SUPERSEDED", broken()),
        &[],
    );
    assert_eq!(stack.status, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(told.take(), ["first PARALLEL", "first SUPERSEDED", "first PARALLEL"]);
    let stack = account.apply(
        STACK,
        "UPDATE",
        &with_pipeline(Some("other"), "PARALLEL", broken()),
        &[],
    );
    assert_eq!(stack.status, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(told.take(), ["other PARALLEL", "other gone"]);
    let [pipeline] = account.cloud.deployed_pipelines().try_into().unwrap();
    assert_eq!(
        (pipeline.name.as_str(), &pipeline.properties["ExecutionMode"]),
        ("first", &json!("PARALLEL"))
    );
}

#[test]
fn what_the_service_refuses_fails_the_resource() {
    let Some(account) = Account::start("a pipeline that is refused") else {
        return;
    };
    account.cloud.run_pipelines(Arc::new(Told::default())).unwrap();
    let stack = account.apply(
        STACK,
        "CREATE",
        &with_pipeline(Some("first"), "QUEUED", topic("one")),
        &[],
    );
    assert_eq!(stack.status, "ROLLBACK_COMPLETE");
    assert_eq!(
        account.reason(STACK, "Pipeline", "CREATE_FAILED"),
        "this one runs nothing that queues"
    );
}

#[test]
fn a_name_that_another_stack_has_is_refused() {
    let Some(account) = Account::start("a pipeline's name is taken") else {
        return;
    };
    account.apply(
        STACK,
        "CREATE",
        &with_pipeline(Some("first"), "PARALLEL", topic("one")),
        &[],
    );
    let mut other = with_pipeline(Some("first"), "PARALLEL", topic("one"));
    other["Resources"]["Role"]["Properties"]["RoleName"] = json!("other");
    let stack = account.apply("other", "CREATE", &other, &[]);
    assert_eq!(stack.status, "ROLLBACK_COMPLETE");
    let reason = account.reason("other", "Pipeline", "CREATE_FAILED");
    assert!(
        reason.contains("A pipeline with the name 'first' already exists in account"),
        "{reason}"
    );
    assert_eq!(account.cloud.deployed_pipelines()[0].stack, STACK);
}

#[test]
fn without_a_service_a_stacks_pipeline_can_be_started() {
    let Some(account) = Account::start("a stack's pipeline is started") else {
        return;
    };
    account.apply(
        STACK,
        "CREATE",
        &with_pipeline(Some("first"), "PARALLEL", topic("one")),
        &[],
    );
    let ask = |operation: &str, parameters: Value| {
        account.client.json(
            "codepipeline",
            &format!("CodePipeline_20150709.{operation}"),
            &parameters,
        )
    };
    let started = ask("StartPipelineExecution", json!({ "name": "first" })).unwrap();
    let which = json!({ "pipelineName": "first", "pipelineExecutionId": started["pipelineExecutionId"] });
    let shown = ask("GetPipelineExecution", which).unwrap();
    assert_eq!(shown["pipelineExecution"]["status"], "InProgress");
    account.delete(STACK);
    assert!(ask("StartPipelineExecution", json!({ "name": "first" })).is_err());
}
