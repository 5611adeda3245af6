//! Nothing that a build has started outlives it, however it ends.

use std::{fs, time::Duration};

use codepipeline_local::ShellBuilder;

use crate::bench::{Bench, runs};

/// A daemon in the shell's own group, and one that has made itself a session.
const DAEMONS: &str = r#"
  install:
    commands:
      - (nohup sleep 600 > /dev/null 2>&1 & echo "grouped $!")
      - setsid sh -c 'echo "escaped $$"; exec sleep 600' &
"#;

fn ids(bench: &Bench) -> [String; 2] {
    ["grouped ", "escaped "].map(|start| bench.line_with(start))
}

#[test]
fn daemons_live_as_long_as_the_build_and_no_longer() {
    let bench = Bench::new(
        &format!(
            "version: 0.2\nphases:{DAEMONS}  build: {{ commands: ['read id < pid; kill -0 $id', exit 1] }}\n  \
         post_build: {{ commands: ['for id in $(cat pid); do kill -0 $id && echo alive; done'] }}\n"
        )
        .replace("echo \"grouped $!\"", "echo \"grouped $!\"; echo $! >> pid")
        .replace(
            "echo \"escaped $$\"",
            "echo \"escaped $$\"; echo $$ >> pid; touch ready",
        )
        .replace(
            "exec sleep 600' &",
            "exec sleep 600' & while ! [ -e ready ]; do sleep 0.01; done",
        ),
    );
    let ended = bench.run();
    let alive = ended.output.iter().filter(|line| *line == "alive").count();
    assert_eq!(alive, 2, "both outlive the shell that began them: {:?}", ended.output);
    for id in ids(&bench) {
        assert!(!runs(&id), "{id} is left behind");
    }
}

#[test]
fn a_build_that_takes_too_long_ends_and_leaves_nothing() {
    let mut bench = Bench::new(&format!(
        "version: 0.2\nphases:{DAEMONS}  build: {{ commands: [sleep 600], finally: [echo never] }}\n"
    ));
    bench.request.timeout = Duration::from_secs(3);
    let ended = bench.run();
    assert_eq!(ended.status(), "TIMED_OUT");
    assert_eq!(ended.context(), "BUILD_TIMED_OUT: Build has timed out.");
    let story = ended.story();
    assert_eq!(
        story[story.len() - 3..],
        ["BUILD TIMED_OUT", "FINALIZING SUCCEEDED", "COMPLETED IN_PROGRESS"]
    );
    for id in ids(&bench) {
        assert!(!runs(&id), "{id} is left behind");
    }
}

#[test]
fn a_build_that_is_stopped_ends_and_leaves_nothing() {
    let bench = Bench::new(&format!(
        "version: 0.2\nphases:{DAEMONS}  build: {{ commands: [echo building, sleep 600] }}\n"
    ));
    let mut running = bench.start(&ShellBuilder::new(bench.root.path()));
    bench.line_with("building");
    let ids = ids(&bench);
    assert!(ids.iter().all(|id| runs(id)), "{ids:?}");
    running.stop();
    let ended = bench.wait(&mut *running);
    assert_eq!(ended.status(), "STOPPED");
    assert!(!ids.iter().any(|id| runs(id)), "{ids:?}");
}

#[test]
fn a_build_that_is_forgotten_leaves_neither_processes_nor_files() {
    let bench = Bench::new(&format!(
        "version: 0.2\nphases:{DAEMONS}  build: {{ commands: [echo building, sleep 600] }}\n"
    ));
    let running = bench.start(&ShellBuilder::new(bench.root.path()));
    bench.line_with("building");
    let ids = ids(&bench);
    drop(running);
    assert!(!ids.iter().any(|id| runs(id)), "{ids:?}");
    let left: Vec<_> = fs::read_dir(bench.root.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["logs"]);
}

#[test]
fn the_folder_stays_for_who_wants_to_look_into_it() {
    let bench = Bench::new("version: 0.2\nphases: { build: { commands: [echo made > it] } }\n");
    bench.run_with(&ShellBuilder::new(bench.root.path()).keep_folders());
    let entries = fs::read_dir(bench.root.path()).unwrap().flatten();
    let made: Vec<String> = entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("src/it")).ok())
        .collect();
    assert_eq!(made, ["made\n"]);
}
