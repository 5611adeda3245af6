//! What pipelines render to.

use synth::Resource;
use synth::codepipeline::{
    Capability, CloudFormation, CodeBuild, ExecutionMode, Pipeline, PipelineDeclaration, S3Source, Stage,
    pipeline_execution_id,
};
use synth::{Element, Handle, Intrinsic, Node, Part, Target, codebuild, iam, minutes, pseudo, s3, sub};

use crate::{OBJECT_VERSION, TABLE, declaration, fetch, resource, role};

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
