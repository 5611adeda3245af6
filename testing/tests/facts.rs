//! The facts of `synth-aws`: all of them, current, and compiling.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use testing::tools::{self, Packages};

/// How many types CloudFormation has in us-east-1 according to the pinned cfn-lint.
const TYPES: usize = 1_585;

/// Runs an example of `synth-aws` in a target folder of its own: the test's own build must not wait for it, nor it for the test.
fn example(name: &str, features: &[&str], arguments: &[&Path]) -> std::process::Output {
    let target = tools::folder().expect("the tools folder").join("cargo");
    Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "synth-aws",
            "--example",
            name,
        ])
        .args(features)
        .arg("--")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo is there, it runs this test")
}

fn installed_cfn_lint() -> Option<PathBuf> {
    let python = testing::or_skip("the facts are current", tools::python(Packages::CfnLint))?;
    let output = Command::new(python)
        .args([
            "-c",
            "import cfnlint, pathlib; print(pathlib.Path(cfnlint.__file__).parent)",
        ])
        .output();
    Some(PathBuf::from(
        String::from_utf8(output.expect("python runs").stdout)
            .expect("a path")
            .trim(),
    ))
}

#[test]
fn every_type_of_the_registry_is_generated_and_compiles() {
    let output = example("every_type", &["--all-features"], &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().count(), TYPES, "one line a type");
    for known in [
        "AWS::S3::Bucket",
        "AWS::CodePipeline::Pipeline",
        "Alexa::ASK::Skill",
        "Module",
    ] {
        assert!(text.lines().any(|line| line == known), "{known} is missing");
    }
}

#[test]
fn the_committed_facts_are_those_of_the_pinned_cfn_lint() {
    let Some(package) = installed_cfn_lint() else { return };
    let output = example("refresh", &[], &[&package, Path::new("--check")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
