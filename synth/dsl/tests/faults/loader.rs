//! What CloudFormation's loader would refuse: nulls wherever they come from, and what is larger than its quotas.

use serde_json::json;
use synth::{App, Parameter, Stack, Value, events, lambda, sqs};

use crate::{at, faults, of_stack};

const NULL: &str = "allowed is no null anywhere in a template";
const HELP: &str = "help: leave the property out, or give a document that needs a null as text";

#[test]
fn a_null_in_a_free_document_is_a_fault_of_its_property() {
    let line = line!() + 3;
    let found = of_stack(|stack| {
        let pattern = json!({ "detail": { "reason": [{ "exists": true }, null] } });
        stack.add("Rule", events::Rule::new().event_pattern(pattern));
    });
    assert_eq!(
        found,
        [format!(
            "app: Rule: EventPattern.detail.reason[1]: is null, {NULL}\n  --> {}\n  {HELP}",
            at!(line)
        )]
    );
}

#[test]
fn a_null_of_the_escape_hatch_is_a_fault() {
    let line = line!() + 3;
    let found = of_stack(|stack| {
        let queue = stack.add("Jobs", sqs::Queue::new());
        stack.escape_hatch(queue, "RedrivePolicy.target", json!(null), "a property of tomorrow");
    });
    assert_eq!(
        found,
        [format!(
            "app: Jobs: RedrivePolicy.target: is null, {NULL}\n  --> {}\n  {HELP}",
            at!(line)
        )]
    );
}

#[test]
fn a_number_that_json_writes_as_null_is_a_fault() {
    let found = of_stack(|stack| {
        stack.add("Late", synth::cloudwatch::Alarm::new().threshold(f64::NAN));
    });
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("Late: Threshold: is NaN, which JSON writes as null")),
        "{found:#?}"
    );
}

#[test]
fn nulls_of_metadata_and_of_functions_are_all_told_at_once() {
    let found = of_stack(|stack| {
        let queue = stack.add("Jobs", sqs::Queue::new());
        stack.configure(queue).metadata("Owner", json!({ "team": null }));
        stack.add("Rule", events::Rule::new().event_pattern(json!({ "source": null })));
        stack.escape_hatch(queue, "QueueName", json!([null, null]), "two of them");
    });
    let of: Vec<&str> = found
        .iter()
        .map(|fault| fault.split(": is null").next().unwrap_or(""))
        .collect();
    assert_eq!(
        of,
        [
            "app: Jobs: Metadata.Owner.team",
            "app: Jobs: QueueName[0]",
            "app: Jobs: QueueName[1]",
            "app: Rule: EventPattern.source",
        ]
    );
}

#[test]
fn more_parameters_or_outputs_than_cloudformation_takes_are_faults() {
    let mut app = App::new();
    app.stack("app", "", |stack: &mut Stack| {
        for number in 0..=200 {
            stack.parameter(format!("P{number}"), Parameter::<String>::new("One of many."));
        }
        stack.add("Jobs", sqs::Queue::new());
        for number in 0..=200 {
            stack.output(format!("O{number}"), "One of many.", Value::<String>::from("x"));
        }
    });
    let found = faults(app);
    for what in ["201 parameters, allowed are 200", "201 outputs, allowed are 200"] {
        assert!(found.iter().any(|fault| fault.contains(what)), "{found:#?}");
    }
}

#[test]
fn a_template_that_is_too_large_in_either_form_is_a_fault() {
    let found = of_stack(|stack| {
        let code = lambda::function::Code::new().zip_file("x".repeat(1_000_001));
        let role: Value<synth::AnyArn> = Value::from("arn:aws:iam::123456789012:role/fetch").trusted();
        stack.add(
            "Large",
            lambda::Function::new(code, Value::<String>::from(role).trusted()),
        );
    });
    for form in ["as JSON", "as YAML"] {
        let told = |fault: &String| fault.contains("the template has 100") && fault.contains(form);
        assert!(found.iter().any(told), "{form}: {}", found.len());
    }
}

#[test]
fn a_description_that_is_too_long_is_a_fault() {
    let mut app = App::new();
    app.stack("app", "d".repeat(1_025), |stack| {
        stack.add("Jobs", sqs::Queue::new());
        stack.output("Url", "u".repeat(1_025), Value::<String>::from("x"));
    });
    let found = faults(app);
    assert!(
        found[0].starts_with("app: the description has 1025 bytes, allowed are 1024"),
        "{found:#?}"
    );
    assert!(
        found[1].starts_with("app: Url: Description: the description has 1025 bytes"),
        "{found:#?}"
    );
}
