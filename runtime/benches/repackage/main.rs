//! How much work a zipball's way takes, beside what a Python handler does and what a plain copy costs:
//!
//! ```text
//! cargo bench -p runtime --bench repackage                     from file to file
//! cargo bench -p runtime --bench repackage --features lambda   and from HTTP to S3, as `fetch_source` does it
//! cargo bench -p runtime --bench repackage -- 13 60            only these archives
//! ```
//!
//! The archives are made by `git archive` from repositories that are the same on every machine, and kept in the target folder. Every
//! program runs in a process of its own, whose CPU time, wall time and peak memory the kernel counts. Of several runs the one with
//! the least CPU time counts: whatever else the machine does can only add to it. Needs git, Python 3 and `cp`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on ends, with these words")]

mod archives;
mod measure;
#[cfg(feature = "lambda")]
mod stream;

use std::path::{Path, PathBuf};
use std::process::Command;

use comfy_table::{Cell, CellAlignment, Table, presets};

use archives::Archive;
use measure::Cost;

/// What the original handler did: extract everything, and compress it again without the root folder.
const PYTHON: &str = r"
import os, sys, tempfile, zipfile
with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(sys.argv[1]) as archive:
        archive.extractall(folder)
    root = os.path.join(folder, os.listdir(folder)[0])
    with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path, _, files in os.walk(root):
            for file in files:
                whole = os.path.join(path, file)
                if os.path.exists(whole):
                    archive.write(whole, os.path.relpath(whole, root))
";

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("measure") => return measure::child(&arguments[1..]),
        #[cfg(feature = "lambda")]
        Some("stream") => return stream::child(&arguments[1..]),
        _ => {}
    }
    let example = build_example();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let output = folder.path().join("out.zip");
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "archive",
        "entries",
        "what",
        "CPU",
        "wall",
        "peak memory",
        "CPU beside `cp`",
        "Python's CPU beside it",
    ]);
    for archive in archives::chosen(&arguments) {
        compare(&mut table, &archive, &example, &output);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    #[cfg(feature = "lambda")]
    println!("\n{}", stream::table(&archives::chosen(&arguments)));
}

fn compare(table: &mut Table, archive: &Archive, example: &Path, output: &Path) {
    let (from, to) = (archive.path.as_os_str(), output.as_os_str());
    let runs = if archive.megabytes > 100 { 3 } else { 9 };
    let copied = measure::best(runs, &["cp".as_ref(), from, to]);
    let rewritten = measure::best(runs, &[example.as_os_str(), "--quiet".as_ref(), from, to]);
    let python = measure::best(1, &["python3".as_ref(), "-c".as_ref(), PYTHON.as_ref(), from, to]);
    for (what, cost) in [("cp", copied), ("repackage", rewritten), ("Python", python)] {
        table.add_row([
            Cell::new(format!("{} MB", archive.bytes() / 1_000_000)),
            Cell::new(archive.entries),
            Cell::new(what),
            Cell::new(milliseconds(cost.cpu)),
            Cell::new(milliseconds(cost.wall)),
            Cell::new(format!("{:.1} MiB", cost.memory)),
            Cell::new(ratio(cost, copied)),
            Cell::new(ratio(python, cost)),
        ]);
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1e3)
}

fn ratio(cost: Cost, other: Cost) -> String {
    format!("{:.1}×", cost.cpu / other.cpu)
}

/// The example as users run it.
fn build_example() -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "runtime",
            "--example",
            "repackage",
        ])
        .status();
    assert!(
        status.expect("cargo is there, it runs this").success(),
        "the example does not compile"
    );
    let bench = std::env::current_exe().expect("this program's path");
    let profile = bench.ancestors().nth(2).expect("it is in target/release/deps");
    profile.join("examples/repackage")
}
