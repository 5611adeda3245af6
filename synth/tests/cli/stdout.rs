//! Data on standard output, whoever reads it.

use serde_json::Value;

use crate::Workplace;

#[test]
fn a_stack_is_printed_under_its_full_and_its_short_names() {
    let place = Workplace::new();
    let full = place.run("--pr 17 --stdout thebestest-deploy-pr-17").succeeded();
    assert!(full.stdout.starts_with("AWSTemplateFormatVersion: "), "{}", full.stdout);
    assert_eq!(full.stderr, "");
    for name in ["deploy", "deploy-pr-17"] {
        let short = place.run(&format!("--pr 17 --stdout {name}")).succeeded();
        assert_eq!(short.stdout, full.stdout);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn an_unknown_stack_lists_the_names() {
    let place = Workplace::new();
    let run = place.run("--pr 17 --stdout nope").ended_with(2);
    assert!(
        run.stderr
            .starts_with("error: no stack is named \"nope\"\n  help: pr-17 has: thebestest-"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn json_and_yaml_say_the_same() {
    let place = Workplace::new();
    place.run("--pr 17 --out yaml").succeeded();
    place.run("--pr 17 --out json --format json").succeeded();
    let run = place.run("diff yaml/pr-17 json/pr-17").succeeded();
    assert_eq!(run.stdout, "no difference\n");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let place = Workplace::new();
    for arguments in [
        "schema",
        "--pr 17 --stdout deploy",
        "--pr 17",
        "--help",
        "graph --of stacks --format html",
    ] {
        // `true` reads nothing: whether the write fails or is buffered, nobody complains.
        let run = place.shell(&format!("{{ synth {arguments}; echo \"code $?\" >&2; }} | true"));
        assert!(run.stderr.ends_with("code 0\n"), "{arguments}: {}", run.stderr);
        assert!(!run.stderr.contains("error"), "{arguments}: {}", run.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error() {
    let place = Workplace::new();
    let run = place.shell("synth schema > /dev/full").ended_with(3);
    assert!(
        run.stderr.starts_with("error: cannot write to standard output: "),
        "{}",
        run.stderr
    );
}

#[test]
fn the_schema_is_json_and_describes_the_configuration() {
    let run = Workplace::new().run("schema").succeeded();
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(schema["properties"]["repository"].is_object());
}

#[test]
fn no_color_is_honoured_where_colours_are_forced() {
    let place = Workplace::new();
    let output = place
        .command()
        .args(["--pr", "0"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(!output.stderr.contains(&0x1b));
    let output = place
        .command()
        .args(["--pr", "0"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(output.stderr.contains(&0x1b));
}
