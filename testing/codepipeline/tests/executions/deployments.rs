//! Stacks that a pipeline makes, changes and deletes.

use codepipeline_local::{Script, archive};
use serde_json::{Value, json};

use crate::world::{BUCKET, World, action, pipeline};

const ROLE: &str = "arn:aws:iam::123456789012:role/cloudformation";

fn source(template: &str, configuration: &str) -> Vec<u8> {
    let files = [
        ("app.json", template.as_bytes()),
        ("config.json", configuration.as_bytes()),
        ("values.json", br#"{"Of": "file"}"#),
    ];
    archive::of_files(files).unwrap()
}

fn deploy(name: &str, order: u32, configuration: Value) -> Value {
    let more = json!({ "RunOrder": order, "InputArtifacts": [{ "Name": "Source" }], "Namespace": name });
    action(name, "Deploy", "CloudFormation", configuration, more)
}

fn replace() -> Value {
    let overrides = json!({
        "Plain": "#{variables.PLAIN}",
        "Bucket": { "Fn::GetArtifactAtt": ["Source", "BucketName"] },
        "Value": { "Fn::GetParam": ["Source", "values.json", "Of"] },
    });
    deploy(
        "Prepare",
        1,
        json!({
            "ActionMode": "CHANGE_SET_REPLACE", "StackName": "app", "ChangeSetName": "pipeline", "RoleArn": ROLE,
            "TemplatePath": "Source::app.json", "TemplateConfiguration": "Source::config.json",
            "Capabilities": "CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND", "ParameterOverrides": overrides.to_string(),
        }),
    )
}

fn execute() -> Value {
    deploy(
        "Execute",
        2,
        json!({ "ActionMode": "CHANGE_SET_EXECUTE", "StackName": "app", "ChangeSetName": "pipeline" }),
    )
}

fn world(actions: Vec<Value>) -> World {
    let world = World::new(|_| Script::succeeds());
    let mut properties = pipeline("QUEUED", &[("Deploy", actions)]);
    properties["Variables"] = json!([{ "Name": "PLAIN", "DefaultValue": "plain" }]);
    world.put_pipeline(&properties);
    let configuration = r#"{"Parameters": {"Plain": "overridden", "Own": "configured"}, "Tags": {"project": "it"}}"#;
    world
        .objects
        .write(BUCKET, "source/unset.zip", &source("{}", configuration));
    world
}

fn run(world: &World) -> String {
    let id = world.start("line", json!({}));
    world.engine.run_until_idle();
    id
}

#[test]
fn a_change_set_is_made_of_template_configuration_and_overrides_and_then_executed() {
    let world = world(vec![replace(), execute()]);
    let id = run(&world);
    assert_eq!(
        world.status("line", &id),
        "Succeeded",
        "{:?}",
        world.actions("line", &id)
    );
    let request = world.stacks.request("app").unwrap();
    let expected = [
        ("Own", "configured"),
        ("Plain", "plain"),
        ("Bucket", BUCKET),
        ("Value", "file"),
    ];
    let parameters: Vec<(&str, &str)> = request
        .parameters
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let mut sorted = [parameters, expected.to_vec()];
    sorted.iter_mut().for_each(|list| list.sort_unstable());
    assert_eq!(sorted[0], sorted[1]);
    assert_eq!(request.tags, [("project".to_owned(), "it".to_owned())]);
    assert_eq!(request.capabilities, ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]);
    assert_eq!(request.role.as_deref(), Some(ROLE));
    let executed = &world.actions("line", &id)["Execute"]["output"];
    assert_eq!(
        executed["outputVariables"]["Value"], "file",
        "the stack's outputs are the action's variables"
    );
    assert!(
        executed["executionResult"]["externalExecutionUrl"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
}

#[test]
fn a_change_set_without_changes_is_a_success_and_executing_it_changes_nothing() {
    let world = world(vec![replace(), execute()]);
    run(&world);
    assert_eq!(world.stacks.status("app"), Some("CREATE_COMPLETE"));
    let id = run(&world);
    assert_eq!(world.status("line", &id), "Succeeded");
    assert_eq!(
        world.stacks.status("app"),
        Some("CREATE_COMPLETE"),
        "nothing was updated"
    );
    world
        .objects
        .write(BUCKET, "source/unset.zip", &source("{\"new\": 1}", "{}"));
    let id = run(&world);
    assert_eq!(world.status("line", &id), "Succeeded");
    assert_eq!(world.stacks.status("app"), Some("UPDATE_COMPLETE"));
}

#[test]
fn a_stack_whose_first_deployment_failed_can_not_be_updated() {
    let world = world(vec![replace(), execute()]);
    world.stacks.fail_next("app");
    let id = run(&world);
    assert_eq!(world.status("line", &id), "Failed");
    assert_eq!(
        world.failure("line", &id, "Execute"),
        "Stack app is in ROLLBACK_COMPLETE: Resource CREATE_FAILED: it was told to fail"
    );
    let id = run(&world);
    let message = world.failure("line", &id, "Prepare");
    assert!(
        message.contains("is in ROLLBACK_COMPLETE state and can not be updated."),
        "{message}"
    );
    assert!(!world.actions("line", &id).contains_key("Execute"));
}

#[test]
fn an_update_that_fails_is_told_and_the_next_one_may_succeed() {
    let world = world(vec![replace(), execute()]);
    run(&world);
    for (number, expected) in [(1, "Failed"), (2, "Succeeded")] {
        if number == 1 {
            world.stacks.fail_next("app");
        }
        world.objects.write(
            BUCKET,
            "source/unset.zip",
            &source(&format!("{{\"new\": {number}}}"), "{}"),
        );
        let id = run(&world);
        assert_eq!(world.status("line", &id), expected);
    }
    assert_eq!(world.stacks.status("app"), Some("UPDATE_COMPLETE"));
}

#[test]
fn stacks_are_created_updated_and_deleted_without_change_sets() {
    let create = deploy(
        "Create",
        1,
        json!({ "ActionMode": "CREATE_UPDATE", "StackName": "app", "RoleArn": ROLE, "TemplatePath": "Source::app.json",
                "ParameterOverrides": "{\"A\": \"1\"}", "OutputFileName": "outputs.json" }),
    );
    let mut create = create;
    create["OutputArtifacts"] = json!([{ "Name": "Outputs" }]);
    let delete = deploy(
        "Delete",
        2,
        json!({ "ActionMode": "DELETE_ONLY", "StackName": "other", "RoleArn": ROLE }),
    );
    let world = world(vec![create, delete]);
    for _ in 0..2 {
        let id = run(&world);
        assert_eq!(
            world.status("line", &id),
            "Succeeded",
            "{:?}",
            world.actions("line", &id)
        );
        let stored = &world.actions("line", &id)["Create"]["output"]["outputArtifacts"][0]["s3location"]["key"];
        let (key, objects) = (stored.as_str().unwrap(), &world.objects);
        let object = codepipeline_local::Objects::get(&**objects, "", BUCKET, key, None).unwrap();
        assert_eq!(archive::file(&object.body, "outputs.json").unwrap(), br#"{"A":"1"}"#);
    }
    assert_eq!(
        world.stacks.status("app"),
        Some("CREATE_COMPLETE"),
        "the second time held no change"
    );
}

#[test]
fn what_the_artifact_does_not_hold_fails_the_action() {
    let world = world(vec![replace(), execute()]);
    for (files, words) in [
        (vec![("other", "{}")], "the archive has no file `app.json`"),
        (vec![("app.json", "{}"), ("config.json", "[]")], "is no JSON object"),
        (
            vec![("app.json", "{}"), ("config.json", r#"{"StackPolicy": {}}"#)],
            "has StackPolicy; supported are Parameters and Tags",
        ),
        (
            vec![("app.json", "{}"), ("config.json", "{}"), ("values.json", "{}")],
            "has no text under the key Of",
        ),
    ] {
        let files = files.iter().map(|(path, text)| (*path, text.as_bytes()));
        world
            .objects
            .write(BUCKET, "source/unset.zip", &archive::of_files(files).unwrap());
        let id = run(&world);
        let message = world.failure("line", &id, "Prepare");
        assert!(message.contains(words), "{message}");
        assert!(world.stacks.status("app").is_none());
    }
}
