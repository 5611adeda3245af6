//! The emitted documents against the snapshots beside this folder.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with these words")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use stacks::{Environment, Project, PullRequest};
use synth::Assembly;

/// The configuration that the snapshots are of: the project's own.
const CONFIGURATION: &str = include_str!("../../stacks/project.yaml");

fn project() -> Project {
    Project::from_yaml(CONFIGURATION).expect("the project's own configuration is valid")
}

/// The name and text of everything that is emitted, documents within templates included.
fn documents() -> Vec<(String, String)> {
    let project = project();
    let seventeen = Environment::PullRequest(PullRequest::new(17).expect("17 is a pull request"));
    let assemblies = [
        ("bootstrap", stacks::bootstrap(&project)),
        ("shared", stacks::shared(&project)),
        ("stage", stacks::environment(&project, Environment::Stage)),
        ("pr-17", stacks::environment(&project, seventeen)),
    ];
    let mut documents = Vec::new();
    for (environment, assembly) in assemblies {
        let assembly: Assembly = assembly.unwrap_or_else(|faults| panic!("{faults}"));
        for stack in assembly.stacks {
            let yaml = stack.template.to_yaml().expect("the template renders");
            documents.push((format!("{environment}/{}.yaml", stack.name), yaml));
            for document in stack.documents {
                documents.push((
                    format!("{environment}/{}", document.name),
                    document.text().expect("the document renders"),
                ));
            }
        }
    }
    documents
}

fn snapshot_name(document: &str) -> String {
    document.replace('/', "__")
}

#[test]
fn every_emitted_document_is_as_it_was_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("..");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        // One changed document must not hide the next, so every comparison is made before the test fails.
        let changed: Vec<String> = documents()
            .into_iter()
            .filter(|(name, text)| {
                catch_unwind(AssertUnwindSafe(|| insta::assert_snapshot!(snapshot_name(name), text))).is_err()
            })
            .map(|(name, _)| name)
            .collect();
        assert!(
            changed.is_empty(),
            "changed: {}\nhelp: `cargo insta review` shows the differences",
            changed.join(", ")
        );
    });
}

#[test]
fn no_snapshot_is_left_of_a_document_that_is_no_longer_emitted() {
    let emitted: BTreeSet<String> = documents()
        .iter()
        .map(|(name, _)| format!("{}.snap", snapshot_name(name)))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stale: Vec<String> = std::fs::read_dir(folder)
        .expect("the package's folder is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".snap") && !emitted.contains(name))
        .collect();
    assert!(
        stale.is_empty(),
        "unreferenced: {}\nhelp: remove them",
        stale.join(", ")
    );
}

#[test]
fn two_syntheses_give_the_same_bytes() {
    assert_eq!(documents(), documents());
}
