//! All at once, in order, once each, and never blamed on the DSL.

use synth::actions::S3;
use synth::iam::{Grant, Role};
use synth::prelude::*;
use synth::{AnyArn, Api, App, HttpMethod, Node, Value, lambda, logs, s3, sqs, sub};

use crate::{FetchSource, faults, function};

/// The lines that set the properties of a template's resources, outside of these tests.
fn foreign_lines(template: &synth::Template) -> Vec<String> {
    fn visit(node: &Node, path: &str, found: &mut Vec<String>) {
        match node {
            Node::Object(object) => {
                for entry in object.entries() {
                    let path = format!("{path}.{}", entry.key);
                    if !entry.set_at.file().starts_with(file!().trim_end_matches("order.rs")) {
                        found.push(format!("{path} by {}", entry.set_at));
                    }
                    visit(&entry.value, &path, found);
                }
            }
            Node::List(items) => items.iter().for_each(|item| visit(item, path, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let resources = template.node().as_object().and_then(|object| object.get("Resources"));
    for entry in resources.and_then(Node::as_object).unwrap().entries() {
        if let Some(properties) = entry.value.as_object().and_then(|object| object.get("Properties")) {
            visit(properties, &entry.key, &mut found);
        }
    }
    found
}

#[test]
fn all_faults_of_all_stacks_come_at_once_in_order_of_stacks_and_elements() {
    let mut app = App::new();
    app.stack("first", "", |stack| {
        // The grants are written before anything is checked, and yet the bucket's fault comes first.
        stack.add("Sources", s3::Bucket::new().bucket_name("UPPER"));
        let every = Grant::on([S3::GetObject], Value::<String>::from("*").trusted::<AnyArn>());
        stack.add(
            "Fetch",
            Role::assumed_by("lambda.amazonaws.com")
                .name("not allowed")
                .allow(every),
        );
    });
    app.stack("second", "", |stack| {
        stack.add("Logs", logs::LogGroup::new().log_group_name("a b"));
        stack.add("Logs", logs::LogGroup::new());
    });
    let places: Vec<String> = app
        .synthesize()
        .unwrap_err()
        .0
        .into_iter()
        .map(|fault| format!("{} {} {}", fault.stack, fault.logical_id, fault.path))
        .collect();
    assert_eq!(
        places,
        [
            "first Sources BucketName",
            "first Fetch ",
            "first Fetch RoleName",
            "second Logs ",
            "second Logs LogGroupName"
        ]
    );
}

#[test]
fn faults_of_one_text_of_one_place_are_said_once() {
    let mut app = App::new();
    let bucket = app.stack("artifacts", "", |stack| stack.add("Sources", s3::Bucket::new()));
    app.stack("pipeline", "", |stack| {
        stack.add(
            "Events",
            sqs::Queue::new().queue_name(sub![bucket.name(), "-", bucket.name()]),
        );
    });
    assert_eq!(faults(app).len(), 1);
}

#[test]
fn every_property_blames_a_line_of_whoever_wrote_the_stack() {
    let mut app = App::new();
    app.stack("app", "", |stack| {
        stack.permissions_boundary(lambda::arn_of("boundary"));
        let sources = stack.add("Sources", s3::private_bucket("sources"));
        s3::require_tls(stack, "SourcesPolicy", sources);
        let text = || Value::<String>::from("x");
        let fetch = function(stack)
            .description("Fetches.")
            .reserved_concurrency(2)
            .environment(FetchSource::BUCKET, text())
            .environment(FetchSource::SECRET, text())
            .allow(sources.put_objects("source/*"))
            .allow(sources.list_objects("source/"));
        let fetch = stack.add("Fetch", fetch);
        fetch.permit(stack, "MayInvoke", "apigateway.amazonaws.com", sources.arn());
        let role = Role::assumed_by("states.amazonaws.com").only_for(sources.arn());
        let role = stack.add("Starter", role.allow(fetch.invoke()));
        let machine = synth::stepfunctions::definition(synth::stepfunctions::task(fetch));
        stack.add(
            "Machine",
            synth::stepfunctions::StateMachine::standard("machine", machine),
        );
        let mut api = Api::add(stack, "Api", synth::apigateway::RestApi::new());
        api.route(stack, HttpMethod::Post, "/events/{id}", |method| method);
        api.deploy(stack, "live", fetch.arn(), |stage| stage);
        stack.output("Role", "", role.arn());
    });
    let assembly = app.synthesize().unwrap();
    assert_eq!(foreign_lines(&assembly.stacks[0].template), Vec::<String>::new());
}
