//! What the handlers of environments work on: a claimed pull request, and the variables of their functions.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use contract::Target;
use runtime::functions::Invocation;
use synth::EnvironmentVariable;
use testing::aws::{Cloud, Fault};

use crate::cloud::Configured;

/// The project's own configuration.
pub(crate) const PROJECT: &str = include_str!("../../../stacks/project.yaml");
/// A configuration as functions read it: JSON, in a variable.
pub(crate) fn json_of(configuration: &str) -> String {
    let project = stacks::Project::from_yaml(configuration).expect("it is a configuration");
    serde_json::to_string(&project).expect("it is JSON")
}

/// The text with the cloud's own account in the place of the examples' one.
pub(crate) fn own(cloud: &Cloud, text: &str) -> String {
    text.replace("123456789012", cloud.account())
}

/// The table of records.
pub(crate) const TABLE: &str = "thebestest-pull-requests";
/// The role of the pipeline stacks.
pub(crate) const STACK_ROLE: &str = "arn:aws:iam::123456789012:role/thebestest-stacks";

/// The names of variables that several functions read.
pub(crate) const fn variable(name: &'static str) -> EnvironmentVariable {
    EnvironmentVariable::named(name)
}

/// The pull request 17 at its third claim.
pub(crate) fn target() -> Target {
    Target {
        repository: "thebestest/thebestest".to_owned(),
        number: 17,
        sha: "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned(),
        environment: "pr-17".to_owned(),
        generation: 3,
    }
}

/// An invocation with more time than any test takes.
pub(crate) fn invocation() -> Invocation {
    Invocation::lasting("test", Duration::from_secs(300))
}

/// Makes the table, with the record of [`target`].
pub(crate) async fn claim(cloud: &Cloud) {
    let client = Client::new(&cloud.config("test"));
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("complete")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("complete")
    };
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("repository", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .key_schema(key("repository", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .send()
        .await
        .expect("the table is made");
    put_record(cloud, target().generation, None).await;
}

/// Writes the record anew, of another generation or with a ledger of a teardown.
pub(crate) async fn put_record(cloud: &Cloud, generation: u64, settling_since: Option<u64>) {
    let target = target();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: u64| AttributeValue::N(number.to_string());
    let mut put = Client::new(&cloud.config("test"))
        .put_item()
        .table_name(TABLE)
        .item("repository", text(&target.repository))
        .item("number", number(target.number.into()))
        .item("revision", number(1))
        .item("generation", number(generation))
        .item("decision", text("deploy"))
        .item("reason", text("it was opened"))
        .item("sha", text(&target.sha))
        .item("wanted", AttributeValue::Bool(true))
        .item("updated_at", text("2026-01-01T00:00:00Z"))
        .item("execution", text("arn:aws:states:eu-west-1:123456789012:execution:x:y"))
        .item("open", AttributeValue::Bool(true))
        .item("claimed_at", number(1))
        .item("attempts", number(1))
        .item("runs", AttributeValue::M(std::collections::HashMap::new()));
    if let Some(since) = settling_since {
        let ledger = [("generation", number(generation)), ("settling_since", number(since))];
        let ledger = ledger.map(|(name, value)| (name.to_owned(), value));
        put = put.item("teardown", AttributeValue::M(ledger.into()));
    }
    put.send().await.expect("the record is written");
}

/// An answer of CloudFormation, as the result of an operation.
pub(crate) fn answers(cloud: &Cloud, operation: &str, result: &str) {
    let result = own(cloud, result);
    let body = format!(
        "<{operation}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{operation}Result>{result}</{operation}Result></{operation}Response>"
    );
    cloud.fail("cloudformation", operation, 1, Fault::Answer { status: 200, body });
}

/// The same for an error.
pub(crate) fn fails(cloud: &Cloud, service: &str, operation: &str, code: &str, message: &str) {
    let fault = Fault::Error {
        status: 400,
        code: code.to_owned(),
        message: message.to_owned(),
    };
    cloud.fail(service, operation, 1, fault);
}

/// `service:Operation` of what a handler asked for, each once and in order of the alphabet.
pub(crate) fn asked(cloud: &Cloud, caller: &str) -> Vec<String> {
    let calls = cloud.calls(caller);
    let mut asked: Vec<String> = calls
        .iter()
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect();
    asked.sort();
    asked.dedup();
    asked
}

/// How often a handler asked for an operation.
pub(crate) fn times(cloud: &Cloud, caller: &str, operation: &str) -> usize {
    let calls = cloud.calls(caller);
    calls.iter().filter(|call| call.operation == operation).count()
}
