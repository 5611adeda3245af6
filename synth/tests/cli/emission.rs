//! Files: the same every time, whole or not at all, and nobody else's.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::Workplace;

#[test]
fn two_runs_are_byte_identical() {
    let (one, other) = (Workplace::new(), Workplace::new());
    for place in [&one, &other] {
        place.run("--pr 17").succeeded();
        place.run("--environment stage").succeeded();
        place.run("").succeeded();
    }
    assert_eq!(one.files("out"), other.files("out"));
    assert!(one.path("out/pr-17/manifest.json").exists());
    assert!(one.path("out/stage/manifest.json").exists());
    assert!(one.path("out/shared/manifest.json").exists());
}

#[test]
fn the_number_may_be_written_as_github_writes_it() {
    let (one, other) = (Workplace::new(), Workplace::new());
    one.run("--pr #17").succeeded();
    other.run("--environment pr-17").succeeded();
    assert_eq!(one.files("out"), other.files("out"));
}

#[test]
fn the_manifest_lists_every_file() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let files = place.files("out/pr-17");
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let mut listed = vec!["manifest.json".to_owned()];
    for stack in manifest["stacks"].as_array().unwrap() {
        let documents = stack["documents"].as_array().unwrap().iter();
        for file in documents.chain([&stack["template"]]) {
            let path = file["path"].as_str().unwrap();
            assert_eq!(file["bytes"], files[path].len());
            listed.push(path.to_owned());
        }
    }
    listed.sort();
    assert_eq!(listed, files.keys().cloned().collect::<Vec<_>>());
    assert_eq!(manifest["environment"], "pr-17");
    assert_eq!(manifest["tool"]["name"], "synth");
}

#[test]
fn the_table_says_what_changed() {
    let place = Workplace::new();
    let first = place.run("--pr 17").succeeded();
    assert!(
        first.stdout.lines().skip(1).all(|line| line.ends_with("new")),
        "{}",
        first.stdout
    );
    fs::write(place.path(&place.template("out/pr-17")), "Resources: {}\n").unwrap();
    let second = place.run("--pr 17").succeeded();
    assert_eq!(
        second.stdout.lines().filter(|line| line.ends_with(" changed")).count(),
        1,
        "{}",
        second.stdout
    );
    let third = place.run("--pr 17").succeeded();
    assert!(
        third.stdout.lines().skip(1).all(|line| line.ends_with("unchanged")),
        "{}",
        third.stdout
    );
    assert!(third.stderr.contains("nothing changed"), "{}", third.stderr);
    assert!(!third.stdout.contains('\u{1b}') && !third.stderr.contains('\u{1b}'));
}

#[test]
fn stale_files_of_an_earlier_emission_disappear() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let run = place.run("--pr 17 --format json").succeeded();
    assert!(run.stdout.contains("removed"), "{}", run.stdout);
    let files = place.files("out/pr-17");
    assert!(files.keys().any(|path| path.ends_with("-pr-17.json")));
    assert!(
        !files
            .keys()
            .any(|path| path.starts_with("templates/") && path.ends_with(".yaml"))
    );
}

#[test]
fn other_environments_are_left_alone() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let before = place.files("out/pr-17");
    place.run("--pr 18").succeeded();
    assert_eq!(place.files("out/pr-17"), before);
}

#[test]
fn a_folder_that_synth_did_not_write_is_not_replaced() {
    let place = Workplace::new();
    place.write("out/pr-17/thesis.txt", "three years of work");
    let run = place.run("--pr 17").ended_with(3);
    assert!(
        run.stderr
            .contains("out/pr-17 was not written by synth (it has no manifest.json)"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--out FOLDER"));
    assert_eq!(place.files("out").len(), 1);
}

#[test]
fn a_strange_file_in_our_folder_is_not_lost() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    place.write("out/pr-17/notes.txt", "mine");
    let before = place.files("out");
    let run = place.run("--pr 17 --format json").ended_with(3);
    assert!(
        run.stderr.contains("its manifest.json does not list notes.txt"),
        "{}",
        run.stderr
    );
    assert_eq!(place.files("out"), before);
}

#[test]
fn the_manifest_of_another_tool_is_not_ours() {
    let place = Workplace::new();
    place.write("out/pr-17/manifest.json", r#"{"tool": {"name": "cdk"}}"#);
    place.run("--pr 17").ended_with(3);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_not_replaced() {
    let place = Workplace::new();
    place.write("out/pr-17", "a file");
    let run = place.run("--pr 17").ended_with(3);
    assert!(run.stderr.contains("it is not a folder"), "{}", run.stderr);
    place.write("blocked", "a file");
    let run = place.run("--pr 17 --out blocked").ended_with(3);
    assert!(
        run.stderr.contains("cannot create the folder blocked"),
        "{}",
        run.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_previous_emission() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let before = place.files("out");
    // No file may grow past 512 bytes, which a manifest does; ignoring the signal turns that into an error of the write.
    let run = place
        .shell("trap '' XFSZ; ulimit -f 1; synth --pr 17 --format json")
        .ended_with(3);
    assert!(
        run.stderr.contains("cannot write") && run.stderr.contains("help: "),
        "{}",
        run.stderr
    );
    assert_eq!(place.files("out"), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_while_it_writes_leaves_the_previous_emission() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let before = place.files("out/pr-17");
    let run = place.shell("ulimit -f 1; synth --pr 17 --format json");
    assert_ne!(run.code, Some(0));
    assert_eq!(place.files("out/pr-17"), before);
    assert_eq!(
        fs::read_dir(place.path("out")).unwrap().count(),
        2,
        "what it began lies beside"
    );

    // The next run takes what was begun away: it is ours, or empty. One that is neither stays.
    place.write("out/.synth-pr-17.keep/mine.txt", "mine");
    place.run("--pr 17").succeeded();
    let mut left: Vec<_> = fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left.first().map(String::as_str), Some(".synth-pr-17.keep"));
    assert_eq!(left.last().map(String::as_str), Some("pr-17"));
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let place = Workplace::new();
    place.run("--pr 17").succeeded();
    let before = place.files("out");
    let mut runs: Vec<_> = (0..8)
        .map(|_| {
            place
                .command()
                .args(["--pr", "17"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    assert!(runs.iter_mut().all(|run| run.wait().unwrap().success()));
    assert_eq!(place.files("out"), before);
}

#[test]
fn a_run_in_a_subfolder_finds_the_configuration_and_writes_to_the_same_place() {
    let place = Workplace::new();
    place.write("deep/down/here.txt", "");
    let status = place
        .command()
        .arg("--pr=17")
        .current_dir(place.path("deep/down"))
        .status()
        .unwrap();
    assert!(status.success());
    assert!(place.path("out/pr-17/manifest.json").exists());
}
