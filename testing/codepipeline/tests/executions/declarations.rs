//! What is refused before anything runs: all faults of a document, each with its place.

use codepipeline_local::{Pipeline, Project};
use serde_json::{Value, json};

use crate::world::{action, pipeline, project, source, test};

/// The paths of a pipeline's faults.
fn faults(properties: &Value) -> Vec<String> {
    match Pipeline::from_resource(properties) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.faults.into_iter().map(|fault| fault.path).collect(),
    }
}

fn line(actions: Vec<Value>) -> Value {
    pipeline("PARALLEL", &[("Test", actions)])
}

/// The path of a fault, and what leads to it.
type Row<'a> = (&'a str, &'a dyn Fn(&mut Value));

#[test]
fn every_rule_of_a_pipelines_structure_is_kept() {
    let good = line(vec![test("A", json!({}))]);
    assert_eq!(faults(&good), Vec::<String>::new());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut properties = good.clone();
        change(&mut properties);
        faults(&properties)
    };
    let table: [Row<'_>; 14] = [
        ("Surprise", &|of| of["Surprise"] = json!(1)),
        ("RoleArn", &|of| {
            of["RoleArn"] = json!({ "Fn::GetAtt": ["Role", "Arn"] })
        }),
        ("Name", &|of| of["Name"] = json!("a b")),
        ("ArtifactStore.EncryptionKey", &|of| {
            of["ArtifactStore"]["EncryptionKey"] = json!({})
        }),
        ("ExecutionMode", &|of| of["PipelineType"] = json!("V1")),
        ("Stages", &|of| drop(of["Stages"].as_array_mut().unwrap().pop())),
        ("Stages", &|of| of["Stages"][1]["Name"] = json!("Source")),
        ("Stages[1]", &|of| of["Stages"][1]["Actions"] = json!([])),
        ("Stages.Test", &|of| {
            let actions = of["Stages"][1]["Actions"].as_array_mut().unwrap();
            actions.push(actions[0].clone());
        }),
        ("Stages[1].Actions[0].ActionTypeId", &|of| {
            of["Stages"][1]["Actions"][0]["ActionTypeId"]["Provider"] = json!("Jenkins");
        }),
        ("Stages[1].Actions[0].RunOrder", &|of| {
            of["Stages"][1]["Actions"][0]["RunOrder"] = json!(1000)
        }),
        ("Stages.Test.A", &|of| {
            of["Stages"][1]["Actions"][0]["InputArtifacts"] = json!([{ "Name": "Nobodys" }])
        }),
        ("Stages.Test.A", &|of| {
            of["Stages"][1]["Actions"][0]["OutputArtifacts"] = json!([{ "Name": "Source" }])
        }),
        ("Stages.Source.Fetch.Configuration.PollForSourceChanges", &|of| {
            of["Stages"][0]["Actions"][0]["Configuration"]["PollForSourceChanges"] = json!("true");
        }),
    ];
    for (expected, change) in table {
        assert_eq!(changed(change), [expected]);
    }
    let misplaced = pipeline("PARALLEL", &[("Late", vec![source()])]);
    assert!(faults(&misplaced).contains(&"Stages.Late.Fetch".to_owned()));
}

#[test]
fn an_artifact_or_a_variable_of_the_same_run_order_is_not_there_yet() {
    let maker = |order: u32| {
        let more = json!({ "RunOrder": order, "OutputArtifacts": [{ "Name": "Made" }], "Namespace": "Maker" });
        test("Maker", more)
    };
    let user = |order: u32| {
        let mut user = test(
            "User",
            json!({ "RunOrder": order, "InputArtifacts": [{ "Name": "Made" }] }),
        );
        let variables = r##"[{"name":"A","value":"#{Maker.KEY}"}]"##;
        user["Configuration"]["EnvironmentVariables"] = json!(variables);
        user
    };
    assert_eq!(faults(&line(vec![user(2), maker(1)])), Vec::<String>::new());
    assert_eq!(
        faults(&line(vec![maker(1), user(1)])),
        [
            "Stages.Test.User",
            "Stages.Test.User.Configuration.EnvironmentVariables"
        ]
    );
}

#[test]
fn settings_are_those_of_the_provider_and_references_have_something_to_refer_to() {
    let deploy = |configuration: Value| {
        let inputs = json!({ "InputArtifacts": [{ "Name": "Source" }] });
        faults(&line(vec![action(
            "D",
            "Deploy",
            "CloudFormation",
            configuration,
            inputs,
        )]))
    };
    let at = |name: &str| format!("Stages.Test.D.Configuration.{name}");
    assert_eq!(
        deploy(json!({ "ActionMode": "CHANGE_SET_REPLACE", "StackName": "app", "TemplatePath": "Other::a.json" })),
        [at("ChangeSetName"), at("RoleArn"), at("TemplatePath")]
    );
    assert_eq!(
        deploy(json!({ "ActionMode": "REPLACE_ON_FAILURE", "StackName": "app" })),
        [at("ActionMode")]
    );
    let parameters = "x".repeat(1_025);
    assert_eq!(
        deploy(json!({
            "ActionMode": "CHANGE_SET_EXECUTE", "StackName": "#{variables.NAME}", "ChangeSetName": "#{codepipeline.Name}",
            "OutputFileName": "out.json", "ParameterOverrides": parameters, "Surprise": "1",
        })),
        [
            at("Surprise"),
            at("OutputFileName"),
            at("ParameterOverrides"),
            at("StackName"),
            at("ChangeSetName")
        ]
    );
}

#[test]
fn a_projects_faults_and_its_buildspecs_are_told_together() {
    let mut properties = project("tests");
    assert!(Project::from_resource(&properties).is_ok());
    properties["TimeoutInMinutes"] = json!(4);
    properties["Environment"]["PrivilegedMode"] = json!(true);
    properties["Source"]["BuildSpec"] = json!("version: 0.2\nproxy: {}\nphases: { build: {} }\n");
    let faults = Project::from_resource(&properties).unwrap_err();
    let paths: Vec<&str> = faults.faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "TimeoutInMinutes",
            "Environment.PrivilegedMode",
            "Source.BuildSpec: proxy",
            "Source.BuildSpec: phases.build"
        ]
    );
    properties["Source"]["BuildSpec"] = json!("buildspec.yml");
    let words = Project::from_resource(&properties).unwrap_err().to_string();
    assert!(words.contains("is `buildspec.yml`, a file of the source"), "{words}");
}

#[test]
fn a_declaration_of_the_api_reads_as_it_was_shown() {
    let pipeline = Pipeline::from_resource(&line(vec![test("A", json!({ "Namespace": "N" }))])).unwrap();
    let shown = pipeline.declaration(3);
    assert_eq!(Pipeline::from_declaration(&shown).unwrap(), pipeline);
}
