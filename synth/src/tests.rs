//! Emissions of stacks that have everything: documents, escapes, wildcards, a template past the limit.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stacks::{Environment, Project, PullRequest};
use synth::{App, Assembly, Content, Document, DocumentKind, Stack, s3};

use crate::cli::Format;
use crate::config::Target;
use crate::emit::{self, Emission};
use crate::error::Problem;
use crate::table;
use crate::write::Contents;

fn target() -> Target {
    Target {
        project: Project::from_yaml(include_str!("../../stacks/project.yaml")).unwrap(),
        environment: Some(Environment::PullRequest(PullRequest::new(17).unwrap())),
        root: PathBuf::new(),
    }
}

fn document(name: &str, kind: DocumentKind) -> Document {
    Document {
        name: name.to_owned(),
        kind,
        content: Content::Json(json!({"Version": 1}).into()),
    }
}

fn assembly(build: impl Fn(&mut Stack)) -> Assembly {
    let mut app = App::new();
    app.stack("one-pr-17", "The first.", &build);
    app.stack("two-pr-17", "The second.", |stack| {
        stack.add("Files", s3::Bucket::new());
    });
    app.synthesize().unwrap()
}

fn emission(build: impl Fn(&mut Stack)) -> Result<Emission, Vec<Problem>> {
    emit::emission(&target(), &assembly(build), Format::Yaml)
}

fn everything(stack: &mut Stack) {
    let bucket = stack.add("Files", s3::Bucket::new());
    stack.escape_hatch(bucket, "NewThing", json!("on"), "the facts are older than the property");
    stack.tag("pipeline:pull-request", "17");
    stack.document(document("manager.asl.json", DocumentKind::StateMachine));
    stack.document(document("deploy.yaml", DocumentKind::Buildspec));
    stack.document(document("webhook.vtl", DocumentKind::MappingTemplate));
    stack.document(document("place.json", DocumentKind::Model));
    stack.document(document("fetch.json", DocumentKind::Policy));
}

fn manifest(emission: &Emission) -> Value {
    serde_json::from_str(&emission.files.last().unwrap().text).unwrap()
}

#[test]
fn each_kind_of_document_has_its_folder() {
    let emission = emission(everything).unwrap();
    let paths: Vec<&str> = emission.files.iter().map(|file| file.path.as_str()).collect();
    let expected = [
        "templates/one-pr-17.yaml",
        "state-machines/manager.asl.json",
        "buildspecs/deploy.yaml",
        "mapping-templates/webhook.vtl",
        "models/place.json",
        "policies/fetch.json",
        "templates/two-pr-17.yaml",
        "manifest.json",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_table_and_the_escapes_read_like_this() {
    let emission = emission(everything).unwrap();
    let mut before = Contents::new();
    before.insert("policies/fetch.json".to_owned(), b"other".to_vec());
    before.insert("models/place.json".to_owned(), emission.files[4].text.clone().into());
    before.insert("policies/gone.json".to_owned(), Vec::new());
    let (mut table, summary) = table::files(Path::new("out/pr-17"), &emission, &before, None);
    // The line number below would change with every edit of this file.
    let line = emission.escapes[0].at.rsplit(':').next().unwrap().to_owned();
    table.push_str(&table::escapes(&emission.escapes).replace(&format!(":{line}\n"), ":LINE\n"));
    table.push_str(&summary.clause(emission.files.len()));
    insta::assert_snapshot!(table, @r###"
    file                                       bytes  resources  change
    out/pr-17/templates/one-pr-17.yaml           213          1  new
    out/pr-17/state-machines/manager.asl.json     19             new
    out/pr-17/buildspecs/deploy.yaml              19             new
    out/pr-17/mapping-templates/webhook.vtl       19             new
    out/pr-17/models/place.json                   19             unchanged
    out/pr-17/policies/fetch.json                 19             changed
    out/pr-17/templates/two-pr-17.yaml           110          1  new
    out/pr-17/manifest.json                     2406             new
    out/pr-17/policies/gone.json                                 removed

    properties set past the types:
      one-pr-17: Files: NewThing
        because the facts are older than the property
        --> synth/src/tests.rs:LINE
    8 files: 6 new, 1 changed, 1 removed
    "###);
}

#[test]
fn a_narrow_terminal_gets_a_narrow_table() {
    let emission = emission(everything).unwrap();
    let (table, _) = table::files(Path::new("out/pr-17"), &emission, &Contents::new(), Some(50));
    assert!(table.lines().all(|line| line.chars().count() <= 50), "{table}");
}

#[test]
fn the_manifest_tells_what_a_deployment_needs() {
    let manifest = manifest(&emission(everything).unwrap());
    let stack = &manifest["stacks"][0];
    assert_eq!(manifest["region"], "eu-west-1");
    assert_eq!(stack["exceeds_inline_limit"], false);
    assert_eq!(stack["tags"][0], json!({"key": "pipeline:pull-request", "value": "17"}));
    assert_eq!(stack["documents"][0]["kind"], "state-machine");
    assert_eq!(stack["escapes"][0]["reason"], "the facts are older than the property");
    assert!(
        stack["escapes"][0]["at"]
            .as_str()
            .unwrap()
            .starts_with("synth/src/tests.rs:")
    );
    assert_eq!(stack["template"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_template_past_the_inline_limit_is_marked() {
    let emission = emission(|stack| {
        for number in 0..400 {
            let name = format!("{}{number}", "b".repeat(55));
            stack.add(format!("Bucket{number}"), s3::Bucket::new().bucket_name(name.as_str()));
        }
    });
    let manifest = manifest(&emission.unwrap());
    assert_eq!(manifest["stacks"][0]["resources"], 400);
    assert_eq!(manifest["stacks"][0]["exceeds_inline_limit"], true);
    assert_eq!(manifest["stacks"][1]["exceeds_inline_limit"], false);
}

#[test]
fn documents_cannot_leave_their_folder_or_hide_each_other() {
    let problems = emission(|stack| {
        stack.add("Files", s3::Bucket::new());
        stack.document(document("../escape.json", DocumentKind::Policy));
        stack.document(document(".hidden", DocumentKind::Model));
        stack.document(document("same.json", DocumentKind::Policy));
        stack.document(document("Same.json", DocumentKind::Policy));
    })
    .unwrap_err();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @r###"
    one-pr-17: "../escape.json" is no file name for a document, allowed are letters, digits and `.-_`, a letter or digit first
      help: rename the document where the stack adds it
    one-pr-17: ".hidden" is no file name for a document, allowed are letters, digits and `.-_`, a letter or digit first
      help: rename the document where the stack adds it
    one-pr-17 and one-pr-17 both write policies/Same.json
      help: rename one of the two where its stack adds it
    "###);
}
