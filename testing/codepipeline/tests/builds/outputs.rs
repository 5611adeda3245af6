//! What a build hands on: artifacts, exported variables, reports.

use std::time::Duration;

use codepipeline_local::archive;

use crate::bench::Bench;

#[test]
fn artifacts_keep_their_paths_and_modes() {
    let mut bench = Bench::new(
        r#"
version: 0.2
phases: { build: { commands: [mkdir -p out/deep, cp tool out/deep/tool, echo x > out/skipped, ln -s deep/tool out/link] } }
artifacts: { files: ["**/*"], base-directory: out, exclude-paths: "skip*" }
"#,
    );
    bench.request.outputs = vec!["Packaged".to_owned()];
    let ended = bench.run();
    let packed = &ended.result.artifacts["Packaged"];
    assert_eq!(archive::names(packed).unwrap(), ["deep/tool", "link"]);
    let folder = tempfile::tempdir().unwrap();
    archive::unpack(packed, folder.path()).unwrap();
    let output = std::process::Command::new(folder.path().join("deep/tool"))
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"tool runs\n");
    assert!(
        !folder.path().join("link").is_symlink(),
        "links are followed unless enable-symlinks says otherwise"
    );
}

#[test]
fn of_several_outputs_each_is_the_secondary_artifact_of_its_name() {
    let mut bench = Bench::new(
        r#"
version: 0.2
phases: { build: { commands: [mkdir out, echo a > out/a, echo b > b] } }
artifacts:
  files: [data]
  secondary-artifacts:
    One: { files: [out/a], discard-paths: yes }
    Two: { files: [b] }
"#,
    );
    bench.request.outputs = vec!["One".to_owned(), "Two".to_owned()];
    let ended = bench.run();
    assert_eq!(archive::names(&ended.result.artifacts["One"]).unwrap(), ["a"]);
    assert_eq!(archive::names(&ended.result.artifacts["Two"]).unwrap(), ["b"]);
}

#[test]
fn an_artifact_without_a_file_fails_the_build() {
    let mut bench =
        Bench::new("version: 0.2\nphases: { build: { commands: ['true'] } }\nartifacts: { files: [out/app.json] }\n");
    bench.request.outputs = vec!["Packaged".to_owned()];
    let ended = bench.run();
    assert_eq!(ended.context(), "CLIENT_ERROR: no matching artifact paths found");
    assert_eq!(ended.status(), "FAILED");
    assert!(ended.result.artifacts.is_empty());
}

#[test]
fn exported_variables_have_the_values_that_they_end_with() {
    let ended = Bench::new(
        r#"
version: 0.2
env: { variables: { A: first, B: "declared" }, exported-variables: [A, B, C, D, E] }
phases:
  build: { commands: ["export A=second", "export C='two\nlines = \"x\"'", "D=not exported"] }
  post_build: { commands: ["export A=last"] }
"#,
    )
    .run();
    let exported: Vec<(&str, &str)> = ended
        .result
        .exported
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        exported,
        [("A", "last"), ("B", "declared"), ("C", "two\nlines = \"x\"")]
    );
}

#[test]
fn reports_are_counted_even_when_the_tests_have_failed() {
    let ended = Bench::new(
        r#"
version: 0.2
phases:
  build:
    commands:
      - mkdir -p target/ci
      - |
        cat > target/ci/junit.xml <<'END'
        <testsuites><testsuite name="a"><testcase name="1" time="0.5"/><testcase name="2" time="1.5"><failure/></testcase>
        <testcase name="3"><error/></testcase><testcase name="4"><skipped/></testcase></testsuite></testsuites>
        END
      - echo '<testsuite><testcase name="5"/></testsuite>' > target/ci/more.xml
      - echo 'no xml' > target/ci/broken.xml
      - exit 1
reports:
  unit-tests: { files: ["**/*.xml"], base-directory: target/ci, file-format: JUNITXML }
  none: { files: ["**/*.xml"], base-directory: nowhere }
"#,
    )
    .run();
    assert_eq!(ended.status(), "FAILED");
    let [report] = &ended.result.reports[..] else {
        panic!("{:?}", ended.result.reports)
    };
    assert_eq!(
        (
            report.name.as_str(),
            report.total(),
            report.succeeded,
            report.failed,
            report.errors,
            report.skipped
        ),
        ("unit-tests", 5, 2, 1, 1, 1)
    );
    assert_eq!(report.duration, Duration::from_secs(2));
}

#[test]
fn a_source_that_is_no_archive_fails_before_any_command() {
    let mut bench = Bench::new("version: 0.2\nphases: { install: { commands: [echo never] } }\n");
    bench.request.inputs[0].archive = std::sync::Arc::new(b"<html>".to_vec());
    let ended = bench.run();
    assert_eq!(ended.story()[3], "DOWNLOAD_SOURCE FAILED");
    assert!(ended.output.is_empty());
    assert!(
        ended
            .context()
            .starts_with("CLIENT_ERROR: the source Source cannot be unpacked"),
        "{}",
        ended.context()
    );
}
