//! Pipelines: what they render to, and the faults between stages that are found before CodePipeline sees them.

use synth::codebuild::{Artifacts, Buildspec, Phase, Variable};
use synth::codepipeline::{
    BatchArtifacts, Capability, CloudFormation, CodeBuild, ExecutionMode, Pipeline, PipelineDeclaration,
    PipelineVariable, S3Source, Stage, pipeline_execution_id,
};
use synth::{
    Arn, Element, Handle, Intrinsic, Node, Part, Resource, Target, Value, codebuild, iam, minutes, pseudo, s3, sub,
};

const OBJECT_VERSION: Variable = Variable::new("OBJECT_VERSION");
const TABLE: Variable = Variable::new("TABLE_NAME");
const DIGEST: Variable = Variable::new("DIGEST");

fn role() -> Value<Arn<iam::RoleResource>> {
    Value::from("arn:aws:iam::123456789012:role/pipeline").trusted()
}

fn declaration() -> PipelineDeclaration {
    PipelineDeclaration::new(ExecutionMode::Parallel, role(), "artifacts")
}

fn fetch() -> S3Source {
    S3Source::new("Fetch", "sources", "source/unset.zip", "Source")
}

fn messages(pipeline: &PipelineDeclaration) -> Vec<String> {
    pipeline.check().into_iter().map(|fault| fault.message).collect()
}

/// The tree as JSON, with intrinsics as text that shows what they are.
fn json(node: &Node) -> serde_json::Value {
    match node {
        Node::Bool(value) => (*value).into(),
        Node::Integer(value) => (*value).into(),
        Node::Text(text) => text.as_ref().into(),
        Node::List(items) => items.iter().map(json).collect(),
        Node::Object(object) => object
            .entries()
            .iter()
            .map(|entry| (entry.key.to_string(), json(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => format!("{other:?}").into(),
    }
}

fn resource(pipeline: PipelineDeclaration) -> serde_json::Value {
    let pipeline: Pipeline = pipeline.into_resource();
    let properties = pipeline.into_properties();
    assert_eq!(synth::check(Pipeline::FACTS.properties, &properties), []);
    json(&Node::Object(properties))
}

#[test]
fn a_pipeline_for_tests_has_every_key_as_the_reference_spells_it() {
    let mut fetch = fetch().allow_override();
    let source = fetch.artifact();
    let fetched = fetch.namespace("SourceVariables");
    let pipeline = declaration().stage(Stage::new("Source").action(fetch)).stage(
        Stage::new("Test").action(
            CodeBuild::test("UnitTest", "unit-tests", &source)
                .environment(OBJECT_VERSION, fetched.version_id())
                .environment(TABLE, "a \"quoted\" table")
                .timeout(minutes(30)),
        ),
    );
    assert_eq!(
        resource(pipeline),
        serde_json::json!({
            "RoleArn": "arn:aws:iam::123456789012:role/pipeline",
            "Stages": [
                {
                    "Actions": [{
                        "ActionTypeId": { "Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1" },
                        "Name": "Fetch",
                        "Configuration": {
                            "S3Bucket": "sources",
                            "S3ObjectKey": "source/unset.zip",
                            "PollForSourceChanges": "false",
                            "AllowOverrideForS3ObjectKey": "true",
                        },
                        "RunOrder": 1,
                        "OutputArtifacts": [{ "Name": "Source" }],
                        "Namespace": "SourceVariables",
                    }],
                    "Name": "Source",
                },
                {
                    "Actions": [{
                        "ActionTypeId": { "Category": "Test", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1" },
                        "Name": "UnitTest",
                        "Configuration": {
                            "ProjectName": "unit-tests",
                            "EnvironmentVariables": "[{\"name\":\"OBJECT_VERSION\",\"value\":\"#{SourceVariables.VersionId}\",\"type\":\"PLAINTEXT\"},{\"name\":\"TABLE_NAME\",\"value\":\"a \\\"quoted\\\" table\",\"type\":\"PLAINTEXT\"}]",
                        },
                        "RunOrder": 1,
                        "InputArtifacts": [{ "Name": "Source" }],
                        "TimeoutInMinutes": 30,
                    }],
                    "Name": "Test",
                },
            ],
            "ArtifactStore": { "Location": "artifacts", "Type": "S3" },
            "ExecutionMode": "PARALLEL",
            "PipelineType": "V2",
        })
    );
}

#[test]
fn a_pipeline_that_deploys_has_every_key_as_the_reference_spells_it() {
    let fetch = fetch();
    let source = fetch.artifact();
    let mut package = CodeBuild::build("Package", "package", &source);
    let packaged = package.output("Packaged");
    let mut execute = CloudFormation::change_set_execute("Execute", "app-17", "pull-request").run_order(2);
    let _ = execute.output("outputs.json", "Outputs");
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Package").action(package))
        .stage(
            Stage::new("Deploy")
                .action(
                    CloudFormation::change_set_replace(
                        "Prepare",
                        "app-17",
                        "pull-request",
                        packaged.file("packaged.yaml"),
                        role(),
                    )
                    .template_configuration(&source.file("configuration.json"))
                    .capability(Capability::AutoExpand)
                    .capability(Capability::Iam)
                    .parameter("Execution", pipeline_execution_id())
                    .parameter("CodeBucket", packaged.bucket_name())
                    .parameter("Digest", packaged.json_value("build.json", "digest")),
                )
                .action(execute),
        );
    let resource = resource(pipeline);
    assert_eq!(
        resource["Stages"][2]["Actions"],
        serde_json::json!([
            {
                "ActionTypeId": { "Category": "Deploy", "Owner": "AWS", "Provider": "CloudFormation", "Version": "1" },
                "Name": "Prepare",
                "Configuration": {
                    "ActionMode": "CHANGE_SET_REPLACE",
                    "StackName": "app-17",
                    "ChangeSetName": "pull-request",
                    "RoleArn": "arn:aws:iam::123456789012:role/pipeline",
                    "TemplatePath": "Packaged::packaged.yaml",
                    "TemplateConfiguration": "Source::configuration.json",
                    "Capabilities": "CAPABILITY_IAM,CAPABILITY_AUTO_EXPAND",
                    "ParameterOverrides": "{\"Execution\":\"#{codepipeline.PipelineExecutionId}\",\"CodeBucket\":{\"Fn::GetArtifactAtt\":[\"Packaged\",\"BucketName\"]},\"Digest\":{\"Fn::GetParam\":[\"Packaged\",\"build.json\",\"digest\"]}}",
                },
                "RunOrder": 1,
                "InputArtifacts": [{ "Name": "Packaged" }, { "Name": "Source" }],
            },
            {
                "ActionTypeId": { "Category": "Deploy", "Owner": "AWS", "Provider": "CloudFormation", "Version": "1" },
                "Name": "Execute",
                "Configuration": {
                    "ActionMode": "CHANGE_SET_EXECUTE",
                    "StackName": "app-17",
                    "ChangeSetName": "pull-request",
                    "OutputFileName": "outputs.json",
                },
                "RunOrder": 2,
                "OutputArtifacts": [{ "Name": "Outputs" }],
            },
        ])
    );
}

#[test]
fn the_other_modes_take_what_they_require() {
    let fetch = fetch();
    let source = fetch.artifact();
    let pipeline = declaration().stage(Stage::new("Source").action(fetch)).stage(
        Stage::new("Deploy")
            .action(CloudFormation::create_update(
                "Update",
                "app",
                source.file("t.yaml"),
                role(),
            ))
            .action(CloudFormation::replace_on_failure(
                "Replace",
                "test",
                source.file("t.yaml"),
                role(),
            ))
            .action(CloudFormation::delete_only("Delete", "old", role())),
    );
    let resource = resource(pipeline);
    let modes: Vec<&str> = (0..3)
        .filter_map(|index| resource["Stages"][1]["Actions"][index]["Configuration"]["ActionMode"].as_str())
        .collect();
    assert_eq!(modes, ["CREATE_UPDATE", "REPLACE_ON_FAILURE", "DELETE_ONLY"]);
}

#[test]
fn values_of_cloudformation_stand_unescaped_in_escaped_text() {
    let table: Handle<synth::dynamodb::Table> = Handle::of(Element { stack: 0, index: 3 });
    let fetch = fetch();
    let build = CodeBuild::build("Build", "p", &fetch.artifact())
        .environment(TABLE, sub!["say \"", table.name(), "\" in ", pseudo::region()]);
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Build").action(build));
    let properties = pipeline.into_resource().into_properties();
    let mut found = None;
    Node::Object(properties).walk(&mut |node| {
        if let Node::Object(object) = node
            && let Some(value) = object.get("EnvironmentVariables")
        {
            found = Some(value.clone());
        }
    });
    let reference = |target| Part::Value(Intrinsic::Ref(target).into());
    let expected = Intrinsic::Sub(vec![
        Part::Literal("[{\"name\":\"TABLE_NAME\",\"value\":\"say \\\"".into()),
        reference(Target::Element(Element { stack: 0, index: 3 })),
        Part::Literal("\\\" in ".into()),
        reference(Target::Named("AWS::Region".into())),
        Part::Literal("\",\"type\":\"PLAINTEXT\"}]".into()),
    ]);
    assert_eq!(found, Some(expected.into()));
}

#[test]
fn an_artifact_that_nothing_produces_is_blamed_on_the_line_that_takes_it() {
    let never_added = S3Source::new("Fetch", "sources", "key.zip", "Sources");
    let artifact = never_added.artifact();
    let fetch = fetch();
    let line = line!() + 1;
    let test = CodeBuild::test("UnitTest", "unit-tests", &artifact);
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Test").action(test));
    let faults = pipeline.check();
    assert_eq!(faults.len(), 1);
    assert_eq!(
        faults[0].message,
        "takes the artifact Sources, which no action of the pipeline produces"
    );
    assert_eq!(faults[0].path, "Stages.Test.UnitTest");
    assert_eq!(faults[0].help.as_deref(), Some("did you mean Source?"));
    assert_eq!(faults[0].at.map(std::panic::Location::line), Some(line));
}

#[test]
fn an_artifact_is_there_only_after_its_action() {
    let fetch = fetch();
    let source = fetch.artifact();
    let mut package = CodeBuild::build("Package", "package", &source);
    let packaged = package.output("Packaged");
    let test = CodeBuild::test("Test", "test", &packaged);
    let beside = declaration()
        .stage(Stage::new("Source").action(fetch.clone()))
        .stage(Stage::new("Build").action(package.clone()).action(test.clone()));
    assert_eq!(
        messages(&beside),
        [
            "takes the artifact Packaged, which only the action Package of the stage Build, run order 1 produces, not before this one"
        ]
    );
    let after = declaration().stage(Stage::new("Source").action(fetch.clone())).stage(
        Stage::new("Build")
            .action(test.clone().run_order(2))
            .action(package.clone()),
    );
    assert_eq!(messages(&after), Vec::<String>::new());
    let wrong_stages = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Test").action(test))
        .stage(Stage::new("Build").action(package));
    assert_eq!(messages(&wrong_stages).len(), 1);
}

#[test]
fn an_action_does_not_feed_on_itself() {
    let fetch = fetch();
    let source = fetch.artifact();
    let mut build = CodeBuild::build("Build", "build", &source);
    let built = build.output("Built");
    let build = build.input(&built);
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Build").action(build));
    assert_eq!(
        messages(&pipeline),
        ["takes the artifact Built, which it produces itself"]
    );
}

#[test]
fn a_namespace_is_there_only_after_its_action() {
    let mut fetch = fetch();
    let source = fetch.artifact();
    let build = |value: &str| CodeBuild::build("Build", "build", &source).environment(DIGEST, value);
    let with = |build: CodeBuild, fetch: &S3Source| {
        declaration()
            .stage(Stage::new("Source").action(fetch.clone()))
            .stage(Stage::new("Build").action(build))
    };
    let _ = fetch.namespace("SourceVariables");
    let faults = with(build("#{SourceVariable.VersionId}"), &fetch).check();
    assert_eq!(
        faults[0].message,
        "refers to the namespace SourceVariable, which no action of the pipeline has"
    );
    assert_eq!(faults[0].help.as_deref(), Some("did you mean SourceVariables?"));
    assert_eq!(faults[0].path, "Stages.Build.Build.EnvironmentVariables");

    let faults = with(build("#{SourceVariables.VersionID}"), &fetch).check();
    assert_eq!(
        faults[0].message,
        "refers to VersionID of SourceVariables, which has no such variable; it has: BucketName, ETag, ObjectKey, VersionId"
    );
    assert_eq!(faults[0].help.as_deref(), Some("did you mean VersionId?"));

    assert_eq!(
        messages(&with(build("#{VersionId}"), &fetch)),
        ["\"#{VersionId}\" is no reference to a variable, it has the form #{namespace.key}"]
    );

    let mut itself = CodeBuild::build("Build", "build", &source);
    let own = itself.namespace("Own");
    let itself = itself.environment(DIGEST, own.exported(DIGEST));
    assert_eq!(
        messages(&with(itself, &fetch)),
        [
            "refers to the namespace Own, which only the action Build of the stage Build, run order 1 has, not before this one"
        ]
    );
}

#[test]
fn variables_of_the_pipeline_are_declared() {
    let commit = PipelineVariable::new("Commit")
        .default_value("none")
        .description("what is tested");
    let fetch = fetch();
    let build = CodeBuild::build("Build", "build", &fetch.artifact()).environment(DIGEST, commit.reference());
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Build").action(build));
    assert_eq!(
        messages(&pipeline),
        ["refers to Commit of variables, which has no such variable; it has: none"]
    );
    let resource = resource(pipeline.variable(&commit));
    assert_eq!(
        resource["Variables"],
        serde_json::json!([{ "Name": "Commit", "DefaultValue": "none", "Description": "what is tested" }])
    );
}

#[test]
fn a_buildspec_is_checked_with_what_its_action_provides() {
    let spec = Buildspec::new().build(Phase::new([format!(
        "sha256sum {DIGEST} {TABLE} \"$CODEBUILD_SRC_DIR_Extra\""
    )]));
    let fetch = fetch();
    let extra = S3Source::new("FetchExtra", "sources", "extra.zip", "Extra");
    let stages = |build: CodeBuild| {
        declaration()
            .stage(Stage::new("Source").action(fetch.clone()).action(extra.clone()))
            .stage(Stage::new("Build").action(build))
    };
    let build = CodeBuild::build("Build", "build", &fetch.artifact())
        .input(&extra.artifact())
        .buildspec(&spec, &["TABLE_NAME"]);
    let faults = stages(build.clone()).check();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].path, "Stages.Build.Build.phases.build");
    assert!(
        faults[0]
            .message
            .contains("reads DIGEST, which nothing provides; provided are: CODEBUILD_SRC_DIR_Extra, TABLE_NAME")
    );

    let resource = resource(stages(build.environment(DIGEST, "x")));
    assert_eq!(
        resource["Stages"][1]["Actions"][0]["Configuration"]["PrimarySource"],
        "Source"
    );
}

#[test]
fn what_an_action_hands_on_is_what_its_buildspec_makes() {
    let fetch = fetch();
    let bare = Buildspec::new().build(Phase::new(["make"]));
    let check = |outputs: &[&str], spec: &Buildspec| {
        let mut build = CodeBuild::build("Build", "build", &fetch.artifact()).buildspec(spec, &[]);
        for output in outputs {
            let _ = build.output(*output);
        }
        messages(
            &declaration()
                .stage(Stage::new("Source").action(fetch.clone()))
                .stage(Stage::new("Build").action(build)),
        )
    };
    assert_eq!(
        check(&["Built"], &bare),
        ["hands on Built, but its buildspec has no primary artifact"]
    );
    assert_eq!(
        check(&["Built"], &bare.clone().artifacts(Artifacts::new(["**/*"]))),
        Vec::<String>::new()
    );
    let secondary = bare.secondary_artifacts("Code", Artifacts::new(["**/*"]));
    assert_eq!(
        check(&["Code", "Docs"], &secondary),
        ["hands on Docs, but its buildspec has no secondary artifact of that name"]
    );
}

#[test]
fn exported_variables_are_the_ones_that_later_actions_may_ask_for() {
    let fetch = fetch();
    let source = fetch.artifact();
    let spec = Buildspec::new()
        .build(Phase::new(["DIGEST=$(sha256sum x)"]))
        .export(DIGEST);
    let mut first = CodeBuild::build("First", "build", &source).buildspec(&spec, &[]);
    let exported = first.namespace("Build");
    let second = |variable| {
        CodeBuild::build("Second", "build", &source)
            .environment(TABLE, exported.exported(variable))
            .run_order(2)
    };
    let stages = |second: CodeBuild| {
        declaration()
            .stage(Stage::new("Source").action(fetch.clone()))
            .stage(Stage::new("Build").action(first.clone()).action(second))
    };
    assert_eq!(messages(&stages(second(DIGEST))), Vec::<String>::new());
    assert_eq!(
        messages(&stages(second(TABLE))),
        ["refers to TABLE_NAME of Build, which has no such variable; it has: DIGEST"]
    );
}

#[test]
fn names_are_checked_and_unique() {
    let fetch = S3Source::new("Fetch it", "sources", "key.zip", "My.Source");
    let source = fetch.artifact();
    let mut again = S3Source::new("Again", "sources", "key.zip", "My.Source");
    let _ = again.namespace("codepipeline");
    let mut build = CodeBuild::build("Build", "build", &source);
    let _ = build.output("Built");
    let _ = build.namespace("Built");
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch).action(again))
        .stage(
            Stage::new("Build")
                .action(build.clone())
                .action(CodeBuild::build("Build", "build", &source)),
        )
        .stage(Stage::new("Build").action(build.run_order(0)));
    let messages = messages(&pipeline);
    for expected in [
        "the stage's name is taken, first at ",
        "the action's name is taken within its stage",
        "\"Fetch it\" is no name of an action, allowed are 1 to 100 letters, digits and `.` `@` `-` `_`",
        "\"My.Source\" is no name of an artifact, allowed are 1 to 100 letters, digits and `-` `_`",
        "the artifact My.Source is produced twice, first at ",
        "the artifact Built is produced twice, first at ",
        "the namespace codepipeline is CodePipeline's own",
        "the namespace Built is taken by an earlier action",
        "the namespace Built is also the name of an artifact, which CodePipeline does not allow",
        "the run order 0 is out of range, allowed are 1 to 999",
    ] {
        assert!(
            messages.iter().any(|message| message.starts_with(expected)),
            "{expected}\n{messages:#?}"
        );
    }
}

#[test]
fn stages_are_as_codepipeline_wants_them() {
    let fetch = fetch();
    let source = fetch.artifact();
    assert_eq!(
        messages(&declaration().stage(Stage::new("Source").action(fetch.clone()))),
        ["the pipeline has 1 stages, allowed are 2 to 50"]
    );
    let misplaced = declaration()
        .stage(Stage::new("Build").action(CodeBuild::build("Build", "build", &source)))
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Nothing"));
    assert_eq!(
        messages(&misplaced),
        [
            "the stage has 0 actions, allowed are 1 to 50",
            "the first stage holds source actions only",
            "takes the artifact Source, which only the action Fetch of the stage Source, run order 1 produces, not before this one",
            "a source action stands after the first stage",
        ]
    );
}

#[test]
fn what_a_provider_does_not_take_is_a_fault() {
    let fetch = fetch();
    let source = fetch.artifact();
    let long = "x".repeat(1_000);
    let deploy = CloudFormation::create_update("Update", "1-app", source.file(""), role())
        .parameter("A", "1")
        .parameter("A", "2");
    let build = CodeBuild::build("Build", "build", &source)
        .environment(TABLE, &*long)
        .environment(TABLE, "x")
        .environment(Variable::new("CODEBUILD_X"), "x")
        .batch(BatchArtifacts::Combined);
    let pipeline = declaration()
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Build").action(deploy).action(build));
    let messages = messages(&pipeline);
    assert_eq!(
        messages[..3],
        [
            "\"1-app\" is no name of a stack, allowed are 1 to 128 letters, digits and `-`, a letter first",
            "TemplatePath names no file of the artifact",
            "the parameter A is set twice",
        ]
    );
    assert_eq!(messages[3], "has 1160 characters, CodePipeline takes at most 1000");
    assert!(messages[4].starts_with("TABLE_NAME is provided twice, first at "));
    assert_eq!(
        messages[5],
        "CODEBUILD_X begins with CODEBUILD_, which CodeBuild keeps for itself"
    );
}

#[test]
fn faults_reach_the_template_even_if_nobody_asks() {
    let resource = declaration().stage(Stage::new("Only")).into_resource();
    let findings = synth::check(Pipeline::FACTS.properties, &resource.into_properties());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "Stages");
    assert!(
        findings[0]
            .fault
            .contains("the pipeline has 1 stages, allowed are 2 to 50")
    );
    assert!(findings[0].fault.contains("Stages.Only: the stage has 0 actions"));
}

#[test]
fn handles_of_resources_are_taken_as_they_are() {
    let project: Handle<codebuild::Project> = Handle::of(Element { stack: 0, index: 1 });
    let bucket: Handle<s3::Bucket> = Handle::of(Element { stack: 0, index: 2 });
    let roles: Handle<iam::RoleResource> = Handle::of(Element { stack: 0, index: 3 });
    let fetch = S3Source::new(
        "Fetch",
        bucket.name(),
        sub!["source/", pseudo::region(), ".zip"],
        "Source",
    );
    let build = CodeBuild::build("Build", project.name(), &fetch.artifact()).action_role_arn(roles.arn());
    let pipeline = PipelineDeclaration::new(ExecutionMode::Queued, roles.arn(), bucket.name())
        .stage(Stage::new("Source").action(fetch))
        .stage(Stage::new("Build").action(build));
    assert_eq!(pipeline.check(), []);
    assert_eq!(
        synth::check(Pipeline::FACTS.properties, &pipeline.into_resource().into_properties()),
        []
    );
}
