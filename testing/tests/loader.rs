//! What CloudFormation's loader takes of what is emitted: no null, no key twice, nothing above its quotas.
//!
//! The quotas' oracle is cfn-lint, which AWS maintains. That no null is taken anywhere is told by public reports:
//! <https://github.com/aws/serverless-application-model/issues/1618>, <https://github.com/aws/aws-cdk/issues/29164>.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use stepfunctions_runner::{Handlers, Machine, Outcome, Start};
use synth::DocumentKind;
use synth::cloudformation::quotas;
use testing::emission::{self, Emission, Kind, Text};
use testing::{cfn_lint, or_skip, tools};

fn texts() -> Vec<Text> {
    let mut all = emission::every_stack();
    all.extend(emission::emit(&emission::longest_project(), &emission::ENVIRONMENTS));
    all.iter().flat_map(Emission::texts).collect()
}

/// JSON that is read without taking one key for another.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without nulls and without a key that stands twice")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key:?} stands twice")));
            }
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[test]
fn no_template_in_either_form_holds_a_null_or_a_key_twice() {
    let (mut json, mut yaml) = (0, 0);
    for text in texts() {
        match text.kind {
            Kind::JsonTemplate => {
                serde_json::from_str::<Strict>(&text.text).unwrap_or_else(|fault| panic!("{}: {fault}", text.name));
                json += 1;
            }
            Kind::YamlTemplate => {
                // The library refuses a key that stands twice by itself.
                let read: serde_yaml::Value = serde_yaml::from_str(&text.text).expect(&text.name);
                assert_eq!(null(&read, String::new()), None, "{}", text.name);
                yaml += 1;
            }
            Kind::Document(_) => {}
        }
    }
    println!("read {json} templates as JSON and {yaml} as YAML");
    assert!(json > 0 && json == yaml);
}

fn null(value: &serde_yaml::Value, place: String) -> Option<String> {
    match value {
        serde_yaml::Value::Null => Some(place),
        serde_yaml::Value::Sequence(items) => items.iter().find_map(|item| null(item, format!("{place}/…"))),
        serde_yaml::Value::Mapping(members) => members.iter().find_map(|(name, value)| {
            let name = name.as_str().unwrap_or("?");
            null(value, format!("{place}/{name}"))
        }),
        serde_yaml::Value::Tagged(tagged) => null(&tagged.value, place),
        _ => None,
    }
}

#[test]
fn the_strict_reader_refuses_nulls_and_keys_that_stand_twice() {
    for broken in ["{\"a\":{\"b\":[null]}}", "{\"a\":1,\"b\":{\"c\":1,\"c\":2}}"] {
        assert!(serde_json::from_str::<Strict>(broken).is_err(), "{broken}");
    }
    assert!(serde_yaml::from_str::<serde_yaml::Value>("a: 1\na: 2\n").is_err());
}

/// What a function is given as null is the JSONata literal in the definition, which the machine evaluates to null.
#[test]
fn a_null_of_a_state_machine_is_jsonatas_literal() {
    let machines: Vec<Text> = texts()
        .into_iter()
        .filter(|text| text.kind == Kind::Document(DocumentKind::StateMachine))
        .collect();
    assert!(!machines.is_empty());
    for machine in machines {
        let literals = machine.text.matches("\"{% null %}\"").count();
        println!("{}: {literals} nulls as literals", machine.name);
        assert!(literals > 0, "{} gives no function a null", machine.name);
        serde_json::from_str::<Strict>(&machine.text).expect(&machine.name);
    }
    let machine = serde_json::json!({ "QueryLanguage": "JSONata", "StartAt": "Say", "States": { "Say": {
        "Type": "Pass", "Output": { "url": "{% null %}" }, "End": true } } });
    let machine = Machine::load(&machine).expect("the machine is sound");
    let execution = machine
        .run(Start::new(Value::Null), &mut Handlers::new())
        .expect("it runs");
    assert_eq!(
        execution.outcome(),
        Some(&Outcome::Succeeded(serde_json::json!({ "url": null })))
    );
}

/// The oracle is JSONata's reference implementation, from the package that asl-validator brings.
#[test]
fn jsonatas_literal_is_null_to_its_reference_implementation() {
    const EVALUATE: &str = "require(require('node:path').join(process.argv[1], 'node_modules', 'jsonata'))('{ \"url\": null }')\
        .evaluate({}).then((value) => process.stdout.write(JSON.stringify(value)))";
    let tools = tools::node_modules().and_then(|modules| Ok((modules, tools::node()?)));
    let Some((modules, mut node)) = or_skip("JSONata's null", tools) else {
        return;
    };
    let answer = node.args(["-e", EVALUATE]).arg(modules).output().expect("Node runs");
    let said = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(said, "{\"url\":null}", "{}", String::from_utf8_lossy(&answer.stderr));
}

#[test]
fn the_quotas_are_those_that_cfn_lint_knows() {
    let Some(known) = or_skip("the quotas of a template", cfn_lint::limits()) else {
        return;
    };
    let rows = [
        ("/template/body", quotas::TEMPLATE_BYTES),
        ("/Outputs/description", quotas::OUTPUT_DESCRIPTION_BYTES),
        ("/Resources/number", quotas::RESOURCES),
        ("/Parameters/number", quotas::PARAMETERS),
        ("/Outputs/number", quotas::OUTPUTS),
        ("/Resources/name", quotas::LOGICAL_ID_CHARACTERS),
        ("/Parameters/name", quotas::LOGICAL_ID_CHARACTERS),
        ("/Outputs/name", quotas::LOGICAL_ID_CHARACTERS),
    ];
    for (place, ours) in rows {
        assert_eq!(
            known.pointer(place).and_then(Value::as_u64),
            Some(ours as u64),
            "{place}"
        );
    }
}
