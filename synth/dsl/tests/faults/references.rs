//! References: to other stacks, in circles, to what nobody exports.

use synth::actions::Sqs;
use synth::iam::{Grant, Role};
use synth::prelude::*;
use synth::{App, Value, iam, s3, sqs, sub};

use crate::{at, faults, of_stack};

#[test]
fn a_handle_of_another_stack_is_named_with_its_stack_and_the_way_to_export_it() {
    let mut app = App::new();
    let bucket = app.stack("artifacts", "", |stack| stack.add("Sources", s3::Bucket::new()));
    let old = app.existing_stack("shared", |stack| stack.add("Logs", s3::Bucket::new()));
    let line = line!();
    app.stack("pipeline", "", |stack| {
        let queue = sqs::Queue::new().queue_name(sub!["events-of-", bucket.name()]);
        stack.add("Events", queue);
        stack.output("Logs", "", old.name());
    });
    let help = "export it there with `stack.export(…)` and use the value that this returns";
    assert_eq!(
        faults(app),
        [
            format!(
                "pipeline: Events: QueueName: refers to \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: {help}",
                at!(line + 2)
            ),
            format!(
                "pipeline: Logs: refers to \"Logs\" of the stack \"shared\"\n  --> {}\n  help: {help}",
                at!(line + 4)
            ),
        ]
    );
}

#[test]
fn what_is_done_to_a_resource_of_another_stack_is_a_fault() {
    let mut app = App::new();
    let (bucket, role) = app.stack("artifacts", "", |stack| {
        let role = stack.add("Builder", Role::assumed_by("codebuild.amazonaws.com"));
        (stack.add("Sources", s3::Bucket::new()), role)
    });
    let line = line!();
    app.stack("pipeline", "", |stack| {
        let events = stack.add("Events", sqs::Queue::new());
        stack.configure(events).depends_on(bucket);
        stack.configure(bucket).depends_on(events);
        stack.grant(role, Grant::on([Sqs::SendMessage], events.arn()));
        stack.escape_hatch(bucket, "New", true.into(), "it is new");
    });
    let there = "do it in the stack that adds the resource";
    assert_eq!(
        faults(app),
        [
            format!(
                "pipeline: grants something to \"Builder\" of the stack \"artifacts\"\n  --> {}\n  help: {there}",
                at!(line + 5)
            ),
            format!(
                "pipeline: New: sets a property of \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: {there}",
                at!(line + 6)
            ),
            format!(
                "pipeline: a resource of another stack cannot be configured here\n  --> {}\n  help: {there}",
                at!(line + 4)
            ),
            format!(
                "pipeline: Events: depends on \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: use a value that the other stack exports: stacks are deployed in order of their imports",
                at!(line + 2)
            ),
        ]
    );
}

#[test]
fn resources_in_a_circle_are_all_named_and_so_is_every_circle() {
    let line = line!();
    let found = of_stack(|stack| {
        let a = stack.add("Alpha", sqs::Queue::new());
        let b = stack.add("Beta", sqs::Queue::new().queue_name(sub!["b-", a.arn()]));
        let c = stack.add("Gamma", sqs::Queue::new().queue_name(sub!["c-", b.arn()]));
        stack.configure(a).depends_on(c);
        let own = stack.add("Own", sqs::Queue::new());
        stack.configure(own).depends_on(own);
    });
    let help = "refer to one of them by its physical name instead of its handle";
    assert_eq!(
        found,
        [
            format!(
                "app: Alpha: resources refer to each other in a circle: Alpha → Gamma → Beta → Alpha\n  --> {}\n  help: {help}",
                at!(line + 2)
            ),
            format!(
                "app: Own: resources refer to each other in a circle: Own → Own\n  --> {}\n  help: {help}",
                at!(line + 6)
            ),
        ]
    );
}

#[test]
fn stacks_that_import_in_a_circle_are_named() {
    let mut app = App::new();
    let mut other = App::new();
    let from_second: Value<String> = other.existing_stack("second", |stack| stack.export("Name", Value::from("x")));
    let from_first = app.stack("first", "", |stack| {
        stack.add("Events", sqs::Queue::new().queue_name(from_second));
        stack.export("Name", Value::<String>::from("first"))
    });
    app.stack("second", "", |stack| {
        stack.add("Events", sqs::Queue::new().queue_name(from_first.clone()));
        stack.export("Name", Value::<String>::from("second"));
    });
    app.stack("third", "", |stack| {
        _ = stack.add("Events", sqs::Queue::new().queue_name(from_first))
    });
    assert_eq!(
        faults(app),
        [
            "stacks import from each other in a circle: first → second → first\n  help: move what both need into a stack of its own"
        ]
    );
}

#[test]
fn an_import_that_nobody_exports_is_named_with_its_property() {
    let mut other = App::new();
    let foreign: Value<String> = other.stack("other", "", |stack| stack.export("Name", Value::from("x")));
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("Events", sqs::Queue::new().queue_name(foreign));
        let own = stack.export("Own", Value::<String>::from("x"));
        stack.add("Own", sqs::Queue::new().queue_name(own));
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Events: QueueName: imports \"other:Name\", which no stack of the application exports\n  --> {}\n  help: add the stack that exports it with `app.stack(…)`, or with `app.existing_stack(…)` if it is deployed already",
                at!(line + 2)
            ),
            format!(
                "app: Own: QueueName: imports \"app:Own\", which this stack exports itself\n  --> {}\n  help: use the value that was exported instead of what `stack.export(…)` returned",
                at!(line + 4)
            ),
        ]
    );
}

#[test]
fn grants_on_objects_of_another_stacks_bucket_are_faults_where_the_policy_stands() {
    let mut app = App::new();
    let bucket = app.stack("artifacts", "", |stack| stack.add("Sources", s3::Bucket::new()));
    let line = line!();
    app.stack("pipeline", "", |stack| {
        let role = stack.add("Fetch", iam::Role::assumed_by("lambda.amazonaws.com"));
        stack.grant(role, bucket.get_objects("source/17.zip"));
    });
    assert_eq!(
        faults(app),
        [format!(
            "pipeline: Fetch: Policies[0].PolicyDocument.Statement[0].Resource: refers to \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: export it there with `stack.export(…)` and use the value that this returns",
            at!(line + 3)
        )]
    );
}
