//! The data of the project's own unit-test build against the table that is emitted and the handlers that read it.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use contract::Item;
use serde_json::{Map, Value};
use stacks::Project;
use testing::emission::{self, Emission};

fn items() -> Vec<Map<String, Value>> {
    let file: Value = serde_json::from_str(include_str!("../dynamodb/items.json")).expect("items.json is JSON");
    let puts = file["items"].as_array().expect("a list of requests");
    // BatchWriteItem takes 25: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    assert!((1..=25).contains(&puts.len()), "{} items", puts.len());
    puts.iter()
        .map(|put| put["PutRequest"]["Item"].as_object().expect("an item").clone())
        .collect()
}

#[test]
fn every_item_has_the_keys_of_the_emitted_table_and_no_two_the_same() {
    let all = emission::emit(&emission::project(), &["stage"]);
    let tables: Vec<&Value> = all
        .iter()
        .filter(|emission| emission.owner == "stage")
        .flat_map(Emission::resources)
        .filter(|resource| resource.kind == "AWS::DynamoDB::Table")
        .map(|resource| resource.properties)
        .collect();
    let [table] = tables.as_slice() else {
        panic!("load.sh creates one table, the application has {}", tables.len())
    };
    let keys: Vec<&str> = table["KeySchema"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key["AttributeName"].as_str().expect("a name"))
        .collect();
    let mut seen = BTreeSet::new();
    for item in items() {
        let values: Vec<String> = keys
            .iter()
            .map(|key| item[*key]["S"].as_str().expect(key).to_owned())
            .collect();
        assert!(seen.insert(values.clone()), "{values:?} stands twice");
    }
    let users: BTreeSet<&String> = seen.iter().map(|values| &values[0]).collect();
    assert_eq!(users.len(), 2, "one user's items must not be the other's");
}

#[test]
fn every_item_is_one_that_the_handlers_return() {
    for item in items() {
        let mut plain = Map::new();
        for (name, typed) in &item {
            let (kind, value) = typed
                .as_object()
                .and_then(|typed| typed.iter().next())
                .expect("a typed value");
            let text = value.as_str().expect("a value as text");
            let value = match kind.as_str() {
                "S" => Value::from(text),
                "N" => Value::from(text.parse::<u64>().expect("a number")),
                other => panic!("{name} is {other}, which the application does not have"),
            };
            plain.insert(name.clone(), value);
        }
        let read: Item =
            serde_json::from_value(plain.clone().into()).unwrap_or_else(|fault| panic!("{plain:?}: {fault}"));
        let written = serde_json::to_value(&read).unwrap();
        for name in plain.keys().filter(|name| *name != "user_id") {
            assert_eq!(written[name], plain[name], "{name} is not part of an item");
        }
    }
}

#[test]
fn the_scripts_that_the_configuration_runs_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let project = emission::project();
    let scripts: Vec<&String> = project
        .unit_test
        .prepare
        .iter()
        .filter(|command| command.contains(".sh"))
        .collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        let path = script.split_whitespace().find(|word| word.ends_with(".sh")).unwrap();
        let text = std::fs::read_to_string(root.join(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"));
        assert!(text.starts_with("#!/usr/bin/env bash\n"), "{path}");
        assert!(text.contains("\nset -euo pipefail\n"), "{path} goes on after a failure");
    }
}

#[test]
fn the_rehearsed_project_differs_in_what_takes_minutes_and_in_nothing_else() {
    let rehearsed = Project::from_yaml(include_str!("../rehearsal/project.yaml")).expect("it is a configuration");
    let mut shipped = emission::project();
    assert_ne!(rehearsed, shipped);
    shipped.unit_test.build.clone_from(&rehearsed.unit_test.build);
    shipped.unit_test.commands.clone_from(&rehearsed.unit_test.commands);
    shipped
        .unit_test
        .report_folder
        .clone_from(&rehearsed.unit_test.report_folder);
    shipped.application.package.clone_from(&rehearsed.application.package);
    shipped
        .build
        .install
        .retain(|command| !command.contains("cargo-nextest"));
    assert_eq!(rehearsed, shipped);
}
