//! Which commands run, in which order, with what environment, and what follows when one fails.

use codepipeline_local::{ShellBuilder, Tools};

use crate::bench::Bench;

#[test]
fn commands_share_one_shell_through_all_phases() {
    let ended = Bench::new(
        r#"
version: 0.2
phases:
  install: { commands: ["export EXPORTED=1", "plain=2", "cd /", "greet() { echo \"hello $1\"; }"] }
  build: { commands: ['echo "$EXPORTED $plain $PWD"', "greet again", 'cd "$CODEBUILD_SRC_DIR"', ./tool] }
  post_build: { commands: ["cat data", "printf 'no end of line'", "echo", "echo; echo; echo after", "echo wrong >&2"] }
"#,
    )
    .run();
    assert_eq!(
        ended.output,
        [
            "1 2 /",
            "hello again",
            "tool runs",
            "hello",
            "no end of line",
            "",
            "",
            "",
            "after",
            "wrong"
        ]
    );
    assert_eq!(
        ended.story(),
        [
            "SUBMITTED SUCCEEDED",
            "QUEUED SUCCEEDED",
            "PROVISIONING SUCCEEDED",
            "DOWNLOAD_SOURCE SUCCEEDED",
            "INSTALL SUCCEEDED",
            "PRE_BUILD SUCCEEDED",
            "BUILD SUCCEEDED",
            "POST_BUILD SUCCEEDED",
            "UPLOAD_ARTIFACTS SUCCEEDED",
            "FINALIZING SUCCEEDED",
            "COMPLETED IN_PROGRESS"
        ]
    );
    assert_eq!(ended.status(), "SUCCEEDED");
}

#[test]
fn the_environment_is_the_declared_one_and_nothing_else() {
    let mut bench = Bench::new(
        r#"
version: 0.2
env: { variables: { OF_SPEC: spec, OF_PROJECT: spec, OF_BOTH: spec, NUMBER: 8000, QUOTED: "it's \"$HOME\"" } }
phases: { build: { commands: [env] } }
"#,
    );
    bench.request.variables = vec![("OF_BOTH".to_owned(), "action".to_owned())];
    let tools = Tools {
        path: vec!["/opt/shims".into()],
        variables: vec![
            ("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:1".to_owned()),
            ("OF_SPEC".to_owned(), "tools".to_owned()),
        ],
    };
    let ended = bench.run_with(&ShellBuilder::new(bench.root.path()).toolbox(tools));
    let value = |name: &str| {
        let line = ended
            .output
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.map(str::to_owned)
    };
    let expected = [
        ("OF_SPEC", "spec"),
        ("OF_PROJECT", "project"),
        ("OF_BOTH", "action"),
        ("NUMBER", "8000"),
        ("QUOTED", "it's \"$HOME\""),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("CODEBUILD_BUILD_ID", "tests:11111111-1111-4111-8111-111111111111"),
        ("CODEBUILD_BUILD_NUMBER", "7"),
        ("CODEBUILD_BUILD_SUCCEEDING", "1"),
        ("CODEBUILD_INITIATOR", "codepipeline/line"),
        (
            "CODEBUILD_SOURCE_VERSION",
            "arn:aws:s3:::artifacts/line/Source/abcdefg.zip",
        ),
        ("CODEBUILD_RESOLVED_SOURCE_VERSION", "v3"),
        (
            "CODEBUILD_PROJECT_ARN",
            "arn:aws:codebuild:eu-west-1:123456789012:project/tests",
        ),
    ];
    for (name, expected) in expected {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(value("PWD"), value("CODEBUILD_SRC_DIR"));
    assert!(value("PATH").unwrap().starts_with("/opt/shims:/usr/local/sbin:"));
    assert!(
        value("HOME")
            .unwrap()
            .starts_with(bench.root.path().canonicalize().unwrap().to_str().unwrap())
    );
    // Cargo sets this for the test itself.
    assert_eq!(value("CARGO_MANIFEST_DIR"), None);
}

/// One row: what the phases say about failures, and the phases that ran, besides the frame that every build has.
#[test]
fn what_follows_a_failure_is_as_documented() {
    let table = [
        ("install: { commands: ['false'] }", "INSTALL FAILED"),
        (
            "pre_build: { commands: ['false'] }",
            "INSTALL SUCCEEDED, PRE_BUILD FAILED",
        ),
        (
            "build: { commands: ['false'] }",
            "INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
        ),
        (
            "build: { commands: ['false'], on-failure: ABORT }",
            "INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED",
        ),
        (
            "post_build: { commands: ['false'] }",
            "INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD SUCCEEDED, POST_BUILD FAILED, UPLOAD_ARTIFACTS SUCCEEDED",
        ),
        (
            "install: { commands: ['false'], on-failure: CONTINUE }",
            "INSTALL FAILED, PRE_BUILD SUCCEEDED, BUILD SUCCEEDED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
        ),
    ];
    for (phases, expected) in table {
        let ended = Bench::new(&format!("version: 0.2\nphases: {{ {phases} }}\n")).run();
        let story = ended.story();
        assert_eq!(story[4..story.len() - 2].join(", "), expected, "{phases}");
        assert_eq!(ended.status(), "FAILED", "{phases}");
    }
}

#[test]
fn a_failure_skips_the_commands_that_follow_but_not_finally() {
    let ended = Bench::new(
        r#"
version: 0.2
phases:
  pre_build:
    commands: [echo one, "(exit 3)", echo never]
    finally: ["echo finally $CODEBUILD_BUILD_SUCCEEDING", "false", echo never]
"#,
    )
    .run();
    assert_eq!(ended.output, ["one", "finally 0"]);
    assert_eq!(
        ended.context(),
        "COMMAND_EXECUTION_ERROR: Error while executing command: (exit 3). Reason: exit status 3"
    );
    let contexts = ended.phases.iter().map(|phase| phase.contexts.len()).sum::<usize>();
    assert_eq!(contexts, 2, "both failures are told");
}

#[test]
fn a_command_that_ends_the_shell_has_failed_and_the_next_one_finds_what_it_left() {
    for ending in [
        "exit 9",
        "exec sh -c 'exit 9'",
        "set -e; (exit 9); echo never",
        "sh -c 'kill -9 $PPID'",
    ] {
        let ended = Bench::new(&format!(
            r#"
version: 0.2
phases:
  build: {{ commands: ["export KEPT=yes; mkdir -p there; cd there", "{ending}"] }}
  post_build: {{ commands: ['echo "$KEPT $(basename "$PWD") $CODEBUILD_BUILD_SUCCEEDING"'] }}
"#,
        ))
        .run();
        assert_eq!(ended.output, ["yes there 0"], "{ending}");
        let code = if ending.contains("kill") { 137 } else { 9 };
        assert!(
            ended.context().ends_with(&format!("exit status {code}")),
            "{ending}: {}",
            ended.context()
        );
        assert_eq!(ended.status(), "FAILED");
    }
}

#[test]
fn a_command_that_is_no_shell_fails_as_any_other() {
    for shell in ["/bin/sh", "bash"] {
        let ended = Bench::new(&format!(
            "version: 0.2\nenv: {{ shell: {shell} }}\nphases: {{ build: {{ commands: ['if', echo never] }}, post_build: {{ commands: [echo after] }} }}\n"
        ))
        .run();
        assert_eq!(ended.status(), "FAILED");
        assert!(
            ended.context().contains("Error while executing command: if."),
            "{}",
            ended.context()
        );
        assert_eq!(
            ended.output.last().map(String::as_str),
            Some("after"),
            "{:?}",
            ended.output
        );
        assert!(!ended.output.contains(&"never".to_owned()));
    }
}

#[test]
fn each_further_source_has_a_folder_of_its_own() {
    let mut bench = Bench::new(
        "version: 0.2\nphases: { build: { commands: ['cat \"$CODEBUILD_SRC_DIR_Second/which\"', 'test ! -e which', 'pwd'] } }\n",
    );
    let mut second = bench.request.inputs[0].clone();
    second.name = "Second".to_owned();
    let files = [("which", &b"the second\n"[..])];
    second.archive = std::sync::Arc::new(codepipeline_local::archive::of_files(files).unwrap());
    bench.request.inputs.push(second);
    let ended = bench.run();
    assert_eq!(ended.status(), "SUCCEEDED", "{:?}", ended.output);
    assert_eq!(ended.output[0], "the second");
}

#[test]
fn the_shell_is_the_declared_one() {
    let spec = |shell: &str| {
        format!(
            "version: 0.2\nenv: {{ shell: {shell} }}\nphases: {{ build: {{ commands: ['echo \"${{BASH_VERSION:+bash}}\"'] }} }}\n"
        )
    };
    assert_eq!(Bench::new(&spec("bash")).run().output, ["bash"]);
}

#[test]
fn the_log_shows_commands_as_codebuild_does_and_stays_as_a_file() {
    let bench = Bench::new("version: 0.2\nphases: { build: { commands: [echo hello, 'false'] } }\n");
    let ended = bench.run();
    let log = std::fs::read_to_string(ended.result.log.as_ref().unwrap()).unwrap();
    let lines: Vec<&str> = log
        .lines()
        .map(|line| match line.strip_prefix("[Container] ") {
            // Without the time.
            Some(line) => line.splitn(3, ' ').last().unwrap(),
            None => line,
        })
        .collect();
    let start = lines.iter().position(|line| *line == "Entering phase BUILD").unwrap();
    assert_eq!(
        lines[start..start + 8],
        [
            "Entering phase BUILD",
            "Running command echo hello",
            "hello",
            "Running command false",
            "Command did not exit successfully false exit status 1",
            "Phase complete: BUILD State: FAILED",
            "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: false. Reason: exit status 1",
            "Entering phase POST_BUILD",
        ]
    );
    assert_eq!(
        lines.len(),
        bench.lines.lock().unwrap().len(),
        "the listener heard it all"
    );
}
