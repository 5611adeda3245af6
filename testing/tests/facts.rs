//! The facts of `synth-aws`: all of them, current, and compiling.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use testing::tools::{self, Packages};

/// How many types CloudFormation has in us-east-1 according to the pinned cfn-lint.
const TYPES: usize = 1_854;

/// Runs an example of `synth-aws` in a target folder of its own: the test's own build must not wait for it, nor it for the test.
fn example(name: &str, features: &[&str], arguments: &[&Path]) -> std::process::Output {
    let target = tools::folder().expect("the tools folder").join("cargo");
    Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "synth-aws",
            "--example",
            name,
        ])
        .args(features)
        .arg("--")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo is there, it runs this test")
}

fn installed_cfn_lint() -> Option<PathBuf> {
    let python = testing::or_skip("the facts are current", tools::python(Packages::CfnLint))?;
    let output = Command::new(python)
        .args([
            "-c",
            "import cfnlint, pathlib; print(pathlib.Path(cfnlint.__file__).parent)",
        ])
        .output();
    Some(PathBuf::from(
        String::from_utf8(output.expect("python runs").stdout)
            .expect("a path")
            .trim(),
    ))
}

/// The registry's schemas by type, as the pinned cfn-lint has them.
fn schemas(package: &Path) -> BTreeMap<String, Value> {
    let folder = package.join("data/schemas");
    let Value::Object(index) = read(&folder.join("providers/us-east-1.json")) else {
        panic!("the index of schemas is an object");
    };
    index
        .into_iter()
        .map(|(type_name, hash)| {
            let file = format!("{}.json", hash.as_str().expect("a hash"));
            (type_name, read(&folder.join("resources").join(file)))
        })
        .collect()
}

/// The committed facts by type.
fn committed() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../synth/aws/spec");
    let mut types = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder of facts") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") || path.ends_with("actions.json") {
            continue;
        }
        let mut facts = read(&path);
        let service = facts["service"].as_str().expect("a service").to_owned();
        if let Value::Object(resources) = facts["resources"].take() {
            types.extend(
                resources
                    .into_iter()
                    .map(|(name, facts)| (format!("{service}::{name}"), facts)),
            );
        }
    }
    types
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a readable file")).expect("JSON")
}

#[test]
fn every_type_of_the_registry_is_generated_and_compiles() {
    let generated = generated();
    assert_eq!(generated.len(), TYPES, "one line a type");
    for known in ["AWS::S3::Bucket", "AWS::CodePipeline::Pipeline", "Alexa::ASK::Skill"] {
        assert!(generated.contains_key(known), "{known} is missing");
    }
}

/// Every generated type, with the property that carries its tags and in which form.
fn generated() -> &'static BTreeMap<String, Option<(String, String)>> {
    static GENERATED: OnceLock<BTreeMap<String, Option<(String, String)>>> = OnceLock::new();
    GENERATED.get_or_init(|| {
        let output = example("every_type", &["--all-features"], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout)
            .expect("text")
            .lines()
            .map(|line| {
                let mut columns = line.split('\t').map(str::to_owned);
                let name = columns.next().expect("a name");
                (name, columns.next().zip(columns.next()))
            })
            .collect()
    })
}

/// Types whose tags the registry knows how to set, and that `ResourceFacts::tags` leaves out.
const TAGGED_OTHERWISE: [(&str, &str); 3] = [
    (
        "AWS::CloudFront::AnycastIpList",
        "tags are an object with a list `Items`",
    ),
    ("AWS::EC2::CapacityReservation", "tags are within `TagSpecifications`"),
    (
        "AWS::EC2::CapacityReservationFleet",
        "tags are within `TagSpecifications`",
    ),
];

#[test]
fn a_type_is_tagged_by_the_property_that_the_registry_names() {
    let Some(package) = installed_cfn_lint() else { return };
    let mut compared = 0;
    for (type_name, schema) in schemas(&package) {
        let tags = generated()[&type_name].as_ref().map(|(property, _)| property.as_str());
        let Some(tagging) = schema.get("tagging") else { continue };
        let taggable = tagging["taggable"].as_bool().expect("every schema says whether");
        if TAGGED_OTHERWISE.iter().any(|(known, _)| *known == type_name) {
            assert!(taggable && tags.is_none(), "{type_name} does not belong on the list");
            continue;
        }
        let property = taggable.then(|| tagging["tagProperty"].as_str().unwrap_or("/properties/Tags"));
        assert_eq!(
            tags,
            property.map(|pointer| pointer.trim_start_matches("/properties/")),
            "{type_name}"
        );
        compared += 1;
    }
    assert!(compared > 1_600, "only {compared} types were compared");
}

#[test]
fn tags_have_the_form_that_the_service_takes() {
    let form = |type_name: &str| generated()[type_name].as_ref().map(|(_, form)| form.as_str());
    for (type_name, expected) in [
        // A list of keys and values, a map of an open schema, a map of strings, and AutoScaling's own.
        ("AWS::S3::Bucket", Some("List")),
        ("AWS::Glue::Job", Some("Map")),
        ("AWS::ApiGatewayV2::Api", Some("Map")),
        ("AWS::Cognito::UserPool", Some("Map")),
        ("AWS::SSM::Parameter", Some("Map")),
        ("AWS::AutoScaling::AutoScalingGroup", Some("PropagatedList")),
        // Registered before the registry said how types are tagged, and without tags.
        ("AWS::CodeBuild::Project", Some("List")),
        ("AWS::IAM::ManagedPolicy", None),
    ] {
        assert_eq!(form(type_name), expected, "{type_name}");
    }
}

#[test]
fn no_permission_that_a_handler_declares_is_lost() {
    let Some(package) = installed_cfn_lint() else { return };
    let committed = committed();
    let mut looked_at = 0;
    for (type_name, schema) in schemas(&package) {
        let facts = &committed[&type_name];
        let kept: BTreeMap<String, &str> = ["permissions", "no_actions"]
            .iter()
            .filter_map(|key| facts.get(key)?.as_object())
            .flatten()
            .filter_map(|(action, letters)| Some((action.to_lowercase(), letters.as_str()?)))
            .collect();
        let declared = ["create", "read", "update", "delete", "list"].map(|handler| {
            let letter = handler.chars().next().unwrap_or_default();
            (letter, format!("/handlers/{handler}/permissions"))
        });
        for (letter, pointer) in declared.into_iter().chain([('t', "/tagging/permissions".to_owned())]) {
            let permissions = schema.pointer(&pointer).and_then(Value::as_array);
            for permission in permissions.into_iter().flatten().filter_map(Value::as_str) {
                let letters = kept.get(&permission.to_lowercase()).copied().unwrap_or_default();
                assert!(letters.contains(letter), "{type_name}: {permission} of {pointer}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 30_000, "only {looked_at} permissions were looked at");
}

#[test]
fn what_handlers_name_and_iam_does_not_know_is_listed() {
    let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (type_name, facts) in committed() {
        for action in facts.get("no_actions").and_then(Value::as_object).into_iter().flatten() {
            unknown.entry(action.0.clone()).or_default().insert(type_name.clone());
        }
    }
    let lines: Vec<String> = unknown
        .into_iter()
        .map(|(action, types)| format!("{action:?}: {}", types.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    let listed: Vec<&str> = include_str!("facts/no_actions.txt").lines().collect();
    assert_eq!(
        lines, listed,
        "testing/tests/facts/no_actions.txt must list what handlers name and no role can be given"
    );
}

#[test]
fn the_committed_facts_are_those_of_the_pinned_packages() {
    let Some(package) = installed_cfn_lint() else { return };
    let Some(modules) = testing::or_skip("the facts are current", tools::node_modules()) else {
        return;
    };
    let service_spec = modules.join("node_modules/@aws-cdk/aws-service-spec");
    let output = example("refresh", &[], &[&package, &service_spec, Path::new("--check")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
