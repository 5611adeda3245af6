//! Every emitted template is created, changed twice and deleted through change sets, in the order of its dependencies.

use std::time::Instant;

use serde_json::{Value, json};
use testing::emission;

use crate::account::{Account, texts};

/// A template with a change to resources of several types that needs no replacement; the second change takes it back.
fn changed(template: &Value) -> Value {
    let mut template = template.clone();
    change(&mut template["Resources"]);
    template
}

fn change(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(change),
        Value::Object(members) => {
            for (name, value) in members {
                let more = |value: &Value, by: u64| json!(value.as_u64().map_or(by, |value| value + by));
                match name.as_str() {
                    "RetentionInDays" => *value = json!(7),
                    "MemorySize" => *value = more(value, 64),
                    "TimeoutInMinutes" | "ExpirationInDays" => *value = more(value, 1),
                    "PollForSourceChanges" => *value = json!("true"),
                    _ => change(value),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_emitted_template_lives_through_change_sets() {
    let Some(account) = Account::start("emitted templates are created, changed and deleted") else {
        return;
    };
    let emissions = emission::emit(&emission::project(), &["pr-17", "stage"]);
    assert!(emissions.len() >= 7, "three shared stacks and two of each environment");
    let tags = |value| [("Tags.member.1.Key", "run"), ("Tags.member.1.Value", value)];
    for emission in &emissions {
        let name = &emission.stack.name;
        let begun = Instant::now();
        let stack = account.apply(name, "CREATE", &emission.template, &tags("first"));
        assert_eq!(stack.status, "CREATE_COMPLETE", "{name}: {}", account.events(name));
        println!("{name}: created in {} ms", begun.elapsed().as_millis());
        let begun = Instant::now();
        for (template, tag) in [(&changed(&emission.template), "first"), (&emission.template, "second")] {
            let stack = account.apply(name, "UPDATE", template, &tags(tag));
            assert_eq!(stack.status, "UPDATE_COMPLETE", "{name}: {}", account.events(name));
        }
        println!("{name}: changed twice in {} ms", begun.elapsed().as_millis());
        let resources = account.ask("ListStackResources", &[("StackName", name)]);
        let mut types = texts(&resources, "ResourceType");
        let mut expected: Vec<&str> = emission.resources().map(|resource| resource.kind).collect();
        types.sort();
        expected.sort_unstable();
        assert_eq!(types, expected, "{name} shows what it was sent");
    }
    let pipelines = account.cloud.deployed_pipelines();
    let named: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
    assert_eq!(
        named,
        [
            "pr-17-thebestest-deploy",
            "stage-thebestest-deploy",
            "thebestest-unit-test"
        ]
    );
    assert!(
        pipelines
            .iter()
            .all(|pipeline| pipeline.version == 3 && !pipeline.properties.to_string().contains("Fn::"))
    );
    for emission in emissions.iter().rev() {
        let name = &emission.stack.name;
        let begun = Instant::now();
        let stack = account.delete(name);
        assert_eq!(stack.status, "DELETE_COMPLETE", "{name}: {}", account.events(&stack.id));
        println!("{name}: deleted in {} ms", begun.elapsed().as_millis());
    }
    assert_eq!(account.cloud.deployed_pipelines(), []);
}
