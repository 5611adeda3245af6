//! The faults between stages that are found before CodePipeline sees them.

use synth::Resource;
use synth::codebuild::{Artifacts, Buildspec, Phase, Variable};
use synth::codepipeline::{BatchArtifacts, CloudFormation, CodeBuild, Pipeline, PipelineVariable, S3Source, Stage};

use crate::{DIGEST, TABLE, declaration, fetch, messages, resource, role};

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
