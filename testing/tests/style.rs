//! What a reviewer should never have to say: format, lints, licences.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with these words")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Licences that every user of the project can live with.
const LICENCES: [&str; 10] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo in a target folder of its own: this test's own build must not wait for it, nor it for the test.
fn cargo(arguments: &[&str]) -> Output {
    let target = testing::tools::folder().expect("the tools folder").join("cargo");
    Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo is there, it runs this test")
}

/// Whether rustup's component is on this machine; a toolchain without it cannot judge.
fn present(component: &str) -> bool {
    let there = Command::new(env!("CARGO"))
        .args([component, "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        testing::skipped(
            component,
            "the toolchain has no such component; `rustup component add rustfmt clippy`",
        );
    }
    there
}

#[test]
fn every_file_is_formatted() {
    if present("fmt") {
        let output = cargo(&["fmt", "--all", "--check"]);
        assert!(
            output.status.success(),
            "{}\nhelp: cargo fmt",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn clippy_has_nothing_to_say() {
    if present("clippy") {
        let output = cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_dependency_comes_from_crates_io_under_a_licence_that_everybody_can_live_with() {
    let output = cargo(&["metadata", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let mut refused = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let Some(source) = package["source"].as_str() else {
            continue;
        };
        if !source.starts_with("registry+https://github.com/rust-lang/crates.io-index") {
            refused.push(format!("{name} comes from {source}"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        if !acceptable(licence) {
            refused.push(format!("{name} is under {licence:?}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Whether an SPDX expression leaves a choice that is on the list; the expressions in use have no nested parentheses.
fn acceptable(expression: &str) -> bool {
    let plain = |term: &str| LICENCES.contains(&term.trim().trim_matches(['(', ')']));
    let all = |terms: &str| terms.split(" AND ").all(|term| term.split(" OR ").any(plain));
    expression.replace('/', " OR ").split(") OR (").any(all)
}
