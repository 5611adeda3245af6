//! `--check`: every file that is not what a run would write, and the command that mends it.

use std::fs;

use crate::Workplace;

#[test]
fn what_is_up_to_date_passes_and_nothing_is_written() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let before = place.files(".");
    let run = place.run("--pr 17 --check").succeeded();
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "out/pr-17 is up to date\n");
    assert_eq!(place.files("."), before);
}

#[test]
fn one_changed_byte_is_found() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let template = place.template("out/pr-17");
    let text = fs::read_to_string(place.path(&template)).unwrap();
    fs::write(place.path(&template), text.replacen("2010-09-09", "2010-09-08", 1)).unwrap();
    let run = place.run("--pr 17 --check").ended_with(1);
    assert!(
        run.stdout.starts_with(&format!("differs: {template}\n")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("  -AWSTemplateFormatVersion: '2010-09-08'\n  +AWSTemplateFormatVersion: '2010-09-09'\n")
    );
    insta::assert_snapshot!(run.stderr, @r"
    error: 1 file is not what the stacks say
      help: run `cargo run -p synth -- --pr 17`
    ");
}

#[test]
fn missing_and_stale_files_are_found() {
    let place = Workplace::new();
    place.run("--environment stage --out 'build output'").ended_with(2);
    place.run("--environment stage --out built").succeeded();
    let template = place.template("built/stage");
    fs::rename(place.path(&template), place.path("built/stage/old.yaml")).unwrap();
    let run = place.run("--environment stage --out built --check").ended_with(1);
    assert_eq!(
        run.stdout,
        format!("missing: {template}\nstale: built/stage/old.yaml\n")
    );
    assert!(run.stderr.contains("2 files are not"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("`cargo run -p synth -- --environment stage --out built`"),
        "{}",
        run.stderr
    );
}

#[test]
fn without_an_emission_everything_is_missing() {
    let place = Workplace::new();
    let run = place.run("--check").ended_with(1);
    assert!(
        run.stdout.contains("missing: out/shared/manifest.json"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("help: run `cargo run -p synth`"), "{}", run.stderr);
    assert!(!place.path("out").exists());
}
