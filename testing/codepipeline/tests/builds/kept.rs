//! Builds whose sources stay.

use std::fs;

use codepipeline_local::{BuildStatus, ShellBuilder, Tools};

use crate::bench::Bench;

fn keeping(bench: &Bench) -> ShellBuilder {
    ShellBuilder::new(bench.root.path()).toolbox(Tools {
        source: Some(bench.root.path().join("kept")),
        ..Tools::default()
    })
}

#[test]
fn the_next_build_finds_the_same_files_with_the_same_times_and_nothing_of_the_last_one() {
    let bench = Bench::new(
        "version: 0.2\nphases: { build: { commands: ['pwd; stat -c %Y.%y data; ls', 'touch -d @1000000000 data built'] } }",
    );
    let builder = keeping(&bench);
    let first = bench.run_with(&builder);
    assert_eq!(first.result.status, BuildStatus::Succeeded, "{first:?}");
    let kept = bench.root.path().join("kept").canonicalize().unwrap();
    assert!(kept.join("built").is_file());
    let second = bench.run_with(&builder);
    let output = &second.output[first.output.len()..];
    assert_eq!(output[0], kept.to_str().unwrap());
    assert!(output[1].starts_with("1000000000."), "{output:?}");
    assert_eq!(output[2..], ["data", "tool"]);
}

#[test]
fn builds_of_the_same_sources_wait_for_each_other() {
    let bench = Bench::new(
        "version: 0.2\nphases: { build: { commands: ['mkdir alone && echo begun', 'until [ -e go ]; do sleep 0.01; done'] } }",
    );
    let builder = keeping(&bench);
    let mut first = bench.start(&builder);
    bench.line_with("begun");
    let mut second = bench.start(&builder);
    let mut third = bench.start(&builder);
    third.stop();
    assert_eq!(bench.wait(&mut *third).result.status, BuildStatus::Stopped);
    assert_eq!(
        second.poll(std::time::SystemTime::now()).phases,
        [],
        "it is in the queue"
    );
    fs::write(bench.root.path().join("kept/go"), "").unwrap();
    assert_eq!(bench.wait(&mut *first).result.status, BuildStatus::Succeeded);
    while bench.output().len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    fs::write(bench.root.path().join("kept/go"), "").unwrap();
    let second = bench.wait(&mut *second);
    assert_eq!(second.result.status, BuildStatus::Succeeded);
    assert_eq!(second.output, ["begun", "begun"], "never both at once");
}
