//! The layers: dependencies run one way, and what synthesis compiles stays small.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// From the bottom up: a package may depend on those before it in its row's order, never on those after.
const ORDER: [&str; 5] = ["synth-aws", "synth-dsl", "contract", "stacks", "synth"];

/// What a cold `cargo run -p synth` must never compile.
const HEAVY: [&str; 12] = [
    "aws-config",
    "aws-types",
    "aws-smithy-runtime",
    "tokio",
    "async-std",
    "hyper",
    "reqwest",
    "ureq",
    "rustls",
    "openssl",
    "native-tls",
    "lambda_runtime",
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo is there, it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
}

/// Every package's normal and build dependencies, by name.
fn dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            (
                package["id"].as_str().expect("id"),
                package["name"].as_str().expect("name"),
            )
        })
        .collect();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().expect("kinds");
        kinds.iter().any(|kind| kind["kind"].as_str() != Some("dev"))
    };
    nodes
        .iter()
        .map(|node| {
            let own = names[node["id"].as_str().expect("id")].to_owned();
            let direct = node["deps"].as_array().expect("deps").iter().filter(normal);
            (
                own,
                direct
                    .map(|dependency| names[dependency["pkg"].as_str().expect("pkg")].to_owned())
                    .collect(),
            )
        })
        .collect()
}

fn reach(graph: &BTreeMap<String, BTreeSet<String>>, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start.to_owned()];
    while let Some(name) = open.pop() {
        for next in graph.get(&name).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

#[test]
fn dependencies_run_one_way() {
    let graph = dependencies(&metadata());
    for (level, package) in ORDER.iter().enumerate() {
        assert!(graph.contains_key(*package), "the workspace has no package {package}");
        let reached = reach(&graph, package);
        let above: Vec<&&str> = ORDER[level + 1..]
            .iter()
            .filter(|above| reached.contains(**above))
            .collect();
        assert!(
            above.is_empty(),
            "{package} reaches {above:?}, which are above it: {ORDER:?}"
        );
    }
    for (package, foreign) in [("synth-aws", "synth-dsl"), ("synth-dsl", "contract")] {
        assert!(
            !reach(&graph, package).contains(foreign),
            "{package} must not know {foreign}"
        );
    }
}

#[test]
fn synthesis_compiles_no_sdk_no_runtime_and_no_network() {
    let graph = dependencies(&metadata());
    for package in ORDER {
        let reached = reach(&graph, package);
        let heavy: Vec<&&str> = HEAVY.iter().filter(|heavy| reached.contains(**heavy)).collect();
        let sdk: Vec<&String> = reached.iter().filter(|name| name.starts_with("aws-sdk-")).collect();
        assert!(
            heavy.is_empty() && sdk.is_empty(),
            "{package} reaches {heavy:?} {sdk:?}"
        );
    }
}

/// Whoever takes it for a pipeline of their own should not have to compile an SDK, nor this system.
#[test]
fn the_local_codepipeline_knows_neither_an_sdk_nor_this_system() {
    let graph = dependencies(&metadata());
    let reached = reach(&graph, "codepipeline-local");
    assert!(reached.contains("zip"), "the package has another name: {reached:?}");
    let foreign = reached.iter().filter(|name| {
        HEAVY.contains(&name.as_str())
            || ORDER.contains(&name.as_str())
            || name.starts_with("aws-sdk-")
            || *name == "testing"
    });
    let foreign: Vec<&String> = foreign.collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}
