//! Buildspecs: what they render to, and the faults that are found before CodeBuild sees them.

use synth::codebuild::{
    self, Artifacts, Buildspec, Cache, FileFormat, OnFailure, Phase, Report, Runtime, SecretReference, Shell, Variable,
};
use synth::{Node, Resource, Value};

const TABLE: Variable = Variable::new("TABLE_NAME");
const TOKEN: Variable = Variable::new("API_TOKEN");
const VERSION: Variable = Variable::new("VERSION");

fn messages(spec: &Buildspec, provided: &[&str]) -> Vec<String> {
    spec.check(provided).into_iter().map(|fault| fault.message).collect()
}

fn running(command: &str) -> Buildspec {
    Buildspec::new().build(Phase::new([command]))
}

#[test]
fn a_whole_buildspec_is_readable_yaml() {
    let spec = Buildspec::new()
        .shell(Shell::Bash)
        .variable(VERSION, "1.10")
        .secrets_manager(TOKEN, &SecretReference::new("pipeline/token").json_key("token"))
        .export(VERSION)
        .runtime_version(Runtime::Python, "3.12")
        .post_build(Phase::new(["echo \"done: $CODEBUILD_BUILD_SUCCEEDING\""]).finally("rm -rf scratch"))
        .build(
            Phase::new([
                format!("pytest --table {TABLE}\n"),
                "if [ -n \"$API_TOKEN\" ]; then\n  echo 'it: has a token'\nfi".into(),
            ])
            .on_failure(OnFailure::Abort),
        )
        .report(
            Report::new("unit-tests", FileFormat::JunitXml, ["unit.xml"])
                .base_directory("reports")
                .discard_paths(),
        )
        .artifacts(Artifacts::new(["**/*"]).base_directory("dist").exclude_path("**/*.pyc"))
        .secondary_artifacts("Templates", Artifacts::new(["template.yaml"]))
        .cache(Cache::new(["/root/.cache/pip/**/*"]).key("pip-1"));
    assert_eq!(messages(&spec, &["TABLE_NAME"]), Vec::<String>::new());
    let expected = r#"version: 0.2
env:
  shell: bash
  variables:
    VERSION: '1.10'
  secrets-manager:
    API_TOKEN: pipeline/token:token
  exported-variables:
  - VERSION
phases:
  install:
    runtime-versions:
      python: '3.12'
  build:
    on-failure: ABORT
    commands:
    - |
      pytest --table ${TABLE_NAME}
    - |-
      if [ -n "$API_TOKEN" ]; then
        echo 'it: has a token'
      fi
  post_build:
    commands:
    - 'echo "done: $CODEBUILD_BUILD_SUCCEEDING"'
    finally:
    - rm -rf scratch
reports:
  unit-tests:
    files:
    - unit.xml
    base-directory: reports
    discard-paths: 'yes'
    file-format: JUNITXML
artifacts:
  files:
  - '**/*'
  base-directory: dist
  exclude-paths:
  - '**/*.pyc'
  secondary-artifacts:
    Templates:
      files:
      - template.yaml
cache:
  key: pip-1
  paths:
  - /root/.cache/pip/**/*
"#;
    assert_eq!(spec.yaml(), expected);
    assert_eq!(spec.yaml(), spec.clone().yaml(), "the output does not depend on chance");
}

#[test]
fn text_stays_text_for_every_parser() {
    let text = |value: &str| {
        running("true")
            .variable(VERSION, value)
            .yaml()
            .lines()
            .nth(3)
            .unwrap()
            .trim()
            .to_owned()
    };
    for value in [
        "yes",
        "Off",
        "n",
        "010",
        "1_000",
        "12:30:45",
        "2024-01-01",
        "0x1f",
        "1e3",
    ] {
        assert_eq!(text(value), format!("VERSION: '{value}'"));
    }
    for value in ["yesterday", "v1", "1.2-rc1"] {
        assert_eq!(text(value), format!("VERSION: {value}"));
    }
}

#[test]
fn the_tree_and_the_text_say_the_same() {
    let spec = running("make").variable(VERSION, "1");
    let Node::Object(tree) = spec.node() else {
        panic!("an object")
    };
    let keys: Vec<&str> = tree.entries().iter().map(|entry| entry.key.as_ref()).collect();
    assert_eq!(keys, ["version", "env", "phases"]);
}

#[test]
fn a_misspelt_variable_is_named_with_its_phase_its_command_and_the_near_one() {
    let line = line!() + 1;
    let spec = running("load-data --table $TABEL_NAME");
    let faults = spec.check(&["TABLE_NAME", "STAGE"]);
    assert_eq!(faults.len(), 1);
    assert_eq!(
        faults[0].message,
        "`load-data --table $TABEL_NAME` reads TABEL_NAME, which nothing provides; provided are: STAGE, TABLE_NAME"
    );
    assert_eq!(faults[0].help.as_deref(), Some("did you mean TABLE_NAME?"));
    assert_eq!(faults[0].path, "phases.build");
    // The helper holds the phase; its line is the one to blame.
    assert_eq!(faults[0].at.map(|at| at.line() < line), Some(true));
}

#[test]
fn a_command_is_blamed_on_its_own_line() {
    let phase = Phase::new(["true"]);
    let line = line!() + 1;
    let phase = phase.command("echo $NOBODY");
    let faults = Buildspec::new().build(phase).check(&[]);
    assert_eq!(faults[0].at.map(std::panic::Location::line), Some(line));
    assert_eq!(
        faults[0].message,
        "`echo $NOBODY` reads NOBODY, which nothing provides; provided are: none"
    );
}

#[test]
fn everything_that_provides_a_variable_counts() {
    for command in [
        "echo $AWS_REGION $CODEBUILD_SRC_DIR $HOME $PATH",
        "A=1; echo $A",
        "export A=1 && echo ${A}",
        "for A in x y; do echo $A; done",
        "while read -r A; do echo \"$A\"; done < list",
        "echo '$A' \\$A \"$(date)\" $1",
        "echo ${A:=1} $A",
    ] {
        assert_eq!(messages(&running(command), &[]), Vec::<String>::new(), "{command}");
    }
    let earlier = Buildspec::new()
        .install(Phase::new(["A=1"]))
        .build(Phase::new(["echo $A"]));
    assert_eq!(messages(&earlier, &[]), Vec::<String>::new());
    let sourced = running(". ./env.sh; echo $VERSION").sourced(VERSION);
    assert_eq!(messages(&sourced, &[]), Vec::<String>::new());
}

#[test]
fn a_later_phase_does_not_provide_for_an_earlier_one() {
    let spec = Buildspec::new()
        .post_build(Phase::new(["A=1"]))
        .build(Phase::new(["echo $A"]));
    assert_eq!(
        messages(&spec, &[]),
        ["`echo $A` reads A, which nothing provides; provided are: none"]
    );
}

#[test]
fn a_default_does_not_hide_a_misspelling() {
    let faults = running("echo ${TABEL_NAME:-none}").check(&["TABLE_NAME"]);
    assert_eq!(faults[0].help.as_deref(), Some("did you mean TABLE_NAME?"));
}

#[test]
fn an_undocumented_variable_of_codebuild_is_a_fault() {
    let faults = running("echo $CODEBUILD_SRC_DIRECTORY").check(&[]);
    assert_eq!(
        faults[0].message,
        "`echo $CODEBUILD_SRC_DIRECTORY` reads CODEBUILD_SRC_DIRECTORY, which is none of the variables that CodeBuild documents"
    );
    // A second input artifact has its directory in such a variable; the action that has it provides the name.
    assert_eq!(
        messages(
            &running("ls $CODEBUILD_SRC_DIR_Templates"),
            &["CODEBUILD_SRC_DIR_Templates"]
        ),
        Vec::<String>::new()
    );
}

#[test]
fn empty_and_repeated_parts_are_faults() {
    assert_eq!(
        messages(&Buildspec::new(), &[]),
        ["the buildspec has no phase with commands"]
    );
    assert_eq!(
        messages(&Buildspec::new().build(Phase::new(Vec::<String>::new())), &[]),
        ["the phase has no commands"]
    );
    assert_eq!(messages(&running("  "), &[]), ["a command is empty"]);
    let twice = running("true").build(Phase::new(["false"]));
    assert!(messages(&twice, &[])[0].starts_with("the phase is given twice, first at "));
    let nothing: [&str; 0] = [];
    let empty = running("true")
        .artifacts(Artifacts::new(nothing))
        .report(Report::new("unit", FileFormat::JunitXml, nothing))
        .cache(Cache::new(nothing))
        .secondary_artifacts("with space", Artifacts::new(["x"]));
    assert_eq!(
        messages(&empty, &[]),
        [
            "the report has no files",
            "the artifacts have no files",
            "\"with space\" is no artifact identifier, allowed are letters, digits, `_` and `-`",
            "the cache has no paths",
        ]
    );
}

#[test]
fn bad_names_are_faults() {
    let spec = running("true")
        .variable(Variable::new("TABLE-NAME"), "x")
        .variable(Variable::new("CODEBUILD_TABLE"), "x");
    assert_eq!(
        messages(&spec, &[]),
        [
            "\"TABLE-NAME\" is no name of an environment variable, allowed are letters, digits and `_`, no digit first",
            "CODEBUILD_TABLE begins with CODEBUILD_, which CodeBuild keeps for itself",
        ]
    );
    let twice = running("true").variable(VERSION, "1").variable(VERSION, "2");
    assert!(messages(&twice, &[])[0].starts_with("VERSION is provided twice, first at "));
    assert_eq!(
        messages(&running("true").export(VERSION), &[]),
        ["VERSION is exported, but nothing provides it and no command sets it"]
    );
}

#[test]
fn a_project_takes_a_buildspec_and_its_faults() {
    use codebuild::project::{Source, SourceType};
    let source = |spec: Value<String>| Source::new(SourceType::Codepipeline).build_spec(spec);
    let Node::Object(sound) = Value::from(source(running("echo $STAGE").given(&["STAGE"]))).into_node() else {
        panic!("an object")
    };
    assert_eq!(
        sound.get("BuildSpec").and_then(Node::as_text),
        Some("version: 0.2\nphases:\n  build:\n    commands:\n    - echo $STAGE\n")
    );
    let project = codebuild::Project::new(
        codebuild::project::Artifacts::new(codebuild::project::ArtifactsType::Codepipeline),
        codebuild::project::Environment::new(
            codebuild::project::ComputeType::BuildGeneral1Small,
            "aws/codebuild/standard:7.0",
            codebuild::project::EnvironmentType::LinuxContainer,
        ),
        Value::from("arn:aws:iam::123456789012:role/build").trusted(),
        source(running("echo $STAGE").into()),
    );
    let findings = synth::check(codebuild::Project::FACTS.properties, &project.into_properties());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "Source.BuildSpec");
    assert!(
        findings[0]
            .fault
            .starts_with("phases.build: `echo $STAGE` reads STAGE, which nothing provides")
    );
}

#[test]
fn variables_of_a_project_carry_their_kind() {
    let Node::Object(secret) =
        Value::from(TOKEN.secret(SecretReference::new("token").version_stage("AWSPREVIOUS"))).into_node()
    else {
        panic!("an object")
    };
    assert_eq!(secret.get("Value").and_then(Node::as_text), Some("token::AWSPREVIOUS"));
    assert_eq!(secret.get("Type").and_then(Node::as_text), Some("SECRETS_MANAGER"));
}
