//! The words of every fault of the core, with the place and the source line that they name.
//!
//! The texts are a part of the product: what failed, the value, what is allowed, then the edit that mends it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests fails the test that called it"
)]

use std::convert::Infallible;

use synth::actions::{S3, Sqs};
use synth::iam::{Grant, Role};
use synth::prelude::*;
use synth::{
    AnyArn, Api, App, Condition, EnvironmentVariable, Fault, Handler, HttpMethod, Node, Stack, Value, codebuild,
    dynamodb, iam, lambda, logs, minutes, s3, seconds, sqs, sub,
};

/// Everything that is wrong with the application, as people read it; without the columns, which formatting moves.
fn faults(app: App) -> Vec<String> {
    app.synthesize()
        .expect_err("the application has faults")
        .0
        .iter()
        .map(shown)
        .collect()
}

fn shown(fault: &Fault) -> String {
    let text = fault.to_string();
    match fault.at {
        Some(at) => text.replace(&at.to_string(), &format!("{}:{}", at.file(), at.line())),
        None => text,
    }
}

/// What is wrong with the one stack `app`, which has a resource that is fine besides.
fn of_stack(build: impl FnOnce(&mut Stack)) -> Vec<String> {
    let mut app = App::new();
    app.stack("app", "", |stack| {
        stack.add("Sound", sqs::Queue::new());
        build(stack);
    });
    faults(app)
}

/// The place `<this file>:<line>`.
fn at(line: u32) -> String {
    format!("{}:{line}", file!())
}

struct FetchSource;

impl FetchSource {
    const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    const SECRET: EnvironmentVariable = EnvironmentVariable::named("SECRET_ARN");
}

impl Handler for FetchSource {
    type Input = String;
    type Output = String;
    type Error = Infallible;
    const NAME: &'static str = "fetch_source";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET, Self::SECRET];
}

fn function(stack: &mut Stack) -> lambda::HandlerFunction<FetchSource> {
    let code = lambda::Artifacts::from_asset(stack, "bootstrap", lambda::function::Architecture::Arm64);
    lambda::handling(&code, "fetch-source")
}

#[test]
fn a_logical_id_that_is_taken_names_both_lines() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("Sources", s3::Bucket::new());
        stack.add("Sources", sqs::Queue::new());
    });
    let (first, second) = (at(line + 2), at(line + 3));
    assert_eq!(
        found,
        [format!(
            "app: Sources: the logical id is taken, first at {first}\n  --> {second}\n  help: give one of the two another logical id"
        )]
    );
}

#[test]
fn a_logical_id_of_other_characters_is_named_with_what_is_allowed() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("source-bucket", s3::Bucket::new());
        stack.add("", s3::Bucket::new());
        stack.output("the-name", "", Value::<String>::from("x"));
    });
    assert_eq!(
        found,
        [
            format!(
                "app: \"\" is no logical id, allowed are 1 to 255 letters and digits\n  --> {}",
                at(line + 3)
            ),
            format!(
                "app: source-bucket: \"source-bucket\" is no logical id, allowed are 1 to 255 letters and digits\n  --> {}",
                at(line + 2)
            ),
            format!(
                "app: the-name: \"the-name\" is no logical id, allowed are 1 to 255 letters and digits\n  --> {}",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn outputs_and_conditions_of_one_name_name_both_lines() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.output("Name", "", Value::<String>::from("x"));
        stack.export("Name", Value::<String>::from("y"));
        stack.condition("Stage", Condition::equals::<String>("a", "b"));
        stack.condition("Stage", Condition::equals::<String>("a", "c"));
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Name: the output's logical id is taken, first at {}\n  --> {}\n  help: give one of the two another logical id",
                at(line + 2),
                at(line + 3)
            ),
            format!(
                "app: Stage: the condition's name is taken, first at {}\n  --> {}\n  help: give one of the two another name",
                at(line + 4),
                at(line + 5)
            ),
        ]
    );
}

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
                at(line + 2)
            ),
            format!(
                "pipeline: Logs: refers to \"Logs\" of the stack \"shared\"\n  --> {}\n  help: {help}",
                at(line + 4)
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
                at(line + 5)
            ),
            format!(
                "pipeline: New: sets a property of \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: {there}",
                at(line + 6)
            ),
            format!(
                "pipeline: a resource of another stack cannot be configured here\n  --> {}\n  help: {there}",
                at(line + 4)
            ),
            format!(
                "pipeline: Events: depends on \"Sources\" of the stack \"artifacts\"\n  --> {}\n  help: use a value that the other stack exports: stacks are deployed in order of their imports",
                at(line + 2)
            ),
        ]
    );
}

#[test]
fn text_against_a_pattern_is_named_with_value_pattern_and_line() {
    let line = line!();
    let found = of_stack(|stack| {
        let bucket = s3::Bucket::new()
            .tags(Vec::<s3::bucket::Tag>::new())
            .bucket_name("Source_Code");
        stack.add("Sources", bucket);
    });
    assert_eq!(
        found,
        [format!(
            "app: Sources: BucketName: \"Source_Code\" does not match the allowed pattern ^([a-z0-9][a-z0-9.-]*[a-z0-9])?$\n  --> {}",
            at(line + 4)
        )]
    );
}

#[test]
fn text_that_is_too_long_is_named_with_its_length() {
    let name = "n".repeat(65);
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("Rule", synth::events::Rule::new().name(name.as_str()));
    });
    assert_eq!(
        found,
        [format!(
            "app: Rule: Name: \"{name}\" has 65 characters, allowed are 1 to 64\n  --> {}",
            at(line + 2)
        )]
    );
}

fn bare_function() -> lambda::Function {
    let role: Value<AnyArn> = Value::from("arn:aws:iam::123456789012:role/fetch").trusted();
    lambda::Function::new(lambda::function::Code::new(), Value::<String>::from(role).trusted())
}

#[test]
fn a_number_out_of_range_is_named_with_the_range() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.add(
            "Fetch",
            bare_function().timeout(minutes(16)).memory_size(synth::mebibytes(64)),
        );
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Fetch: Timeout: 960 is out of range, allowed are 1 to 900\n  --> {}",
                at(line + 4)
            ),
            format!(
                "app: Fetch: MemorySize: 64 is out of range, allowed are 128 to 32768\n  --> {}",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn too_many_and_repeated_items_are_named_with_what_is_allowed() {
    use lambda::function::Architecture::{Arm64, X86_64};
    let layer = |number: u32| Value::<String>::from(format!("arn:aws:lambda:eu-west-1:123456789012:layer:a:{number}"));
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("Two", bare_function().architectures([Arm64, X86_64]));
        stack.add("Twice", bare_function().layers([layer(1), layer(2), layer(1)]));
        stack.add(
            "None",
            bare_function().architectures(Vec::<lambda::function::Architecture>::new()),
        );
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Two: Architectures: has 2 items, allowed are 1 to 1\n  --> {}",
                at(line + 2)
            ),
            format!(
                "app: Twice: Layers[2]: repeats \"arn:aws:lambda:eu-west-1:123456789012:layer:a:1\", allowed are items that differ\n  --> {}",
                at(line + 3)
            ),
            format!(
                "app: None: Architectures: has 0 items, allowed are 1 to 1\n  --> {}",
                at(line + 6)
            ),
        ]
    );
}

#[test]
fn a_quantity_that_is_no_whole_number_of_the_unit_is_named_with_the_unit() {
    use codebuild::project::{Artifacts, ArtifactsType, ComputeType, Environment, EnvironmentType, Source, SourceType};
    let line = line!();
    let found = of_stack(|stack| {
        let environment = Environment::new(
            ComputeType::BuildGeneral1Small,
            "aws/codebuild/standard:7.0",
            EnvironmentType::LinuxContainer,
        );
        let role = stack.add("Builder", Role::assumed_by("codebuild.amazonaws.com"));
        let artifacts = Artifacts::new(ArtifactsType::Codepipeline);
        let project = codebuild::Project::new(
            artifacts,
            environment,
            role.arn(),
            Source::new(SourceType::Codepipeline),
        );
        stack.add("Tests", project.timeout_in_minutes(seconds(90)));
    });
    assert_eq!(
        found,
        [format!(
            "app: Tests: TimeoutInMinutes: 90 seconds is no whole number of minutes, the unit of this property\n  --> {}",
            at(line + 15)
        )]
    );
}

#[test]
fn a_value_of_another_type_is_named_with_the_allowed_one() {
    let line = line!();
    let found = of_stack(|stack| {
        let open: Value<String> = Value::from_node(synth::Node::List(vec![]));
        stack.add("Events", sqs::Queue::new().queue_name(open));
    });
    assert_eq!(
        found,
        [format!(
            "app: Events: QueueName: is a list, allowed is text\n  --> {}",
            at(line + 3)
        )]
    );
}

#[test]
fn a_grant_of_a_pattern_without_a_reason_is_named_with_the_pattern_and_the_way_out() {
    let line = line!();
    let found = of_stack(|stack| {
        let bucket = stack.add("Sources", s3::Bucket::new());
        let every = Grant::on(
            [S3::PutObject, S3::GetObject],
            sub![bucket.arn(), "/*"].trusted::<AnyArn>(),
        );
        let nothing = Grant::on(Vec::<S3>::new(), bucket.arn());
        stack.add(
            "Fetch",
            Role::assumed_by("lambda.amazonaws.com").allow(every).allow(nothing),
        );
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Fetch: the grant of s3:GetObject, s3:PutObject names its resources by the pattern \"${{Sources.Arn}}/*\" and gives no reason\n  --> {}\n  help: name the resource, or use `Grant::on_matching` and say why it cannot be named",
                at(line + 3)
            ),
            format!(
                "app: Fetch: the grant has no action, allowed are 1 or more\n  --> {}\n  help: name the actions, or leave the grant out",
                at(line + 7)
            ),
        ]
    );
}

#[test]
fn an_empty_reason_is_no_reason() {
    let line = line!();
    let found = of_stack(|stack| {
        let grant = Grant::on_any_resource([S3::GetObject], "  ");
        let role = stack.add("Fetch", Role::assumed_by("lambda.amazonaws.com").allow(grant));
        stack.escape_hatch(role, "Path", "/ci/".into(), "");
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Fetch: the grant of s3:GetObject names its resources by a pattern and its reason is empty\n  --> {}\n  help: say why the resources cannot be named one by one",
                at(line + 2)
            ),
            format!(
                "app: Fetch: Path: the escape hatch is used without a reason\n  --> {}\n  help: say why no typed setter does",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn a_path_of_the_escape_hatch_must_lead_somewhere() {
    let line = line!();
    let found = of_stack(|stack| {
        let bucket = stack.add(
            "Sources",
            s3::Bucket::new()
                .bucket_name("sources")
                .tags([s3::bucket::Tag::new("a", "b")]),
        );
        stack.escape_hatch(bucket, "BucketName.Suffix", "x".into(), "a test");
        stack.escape_hatch(bucket, "Tags.3.Value", "x".into(), "a test");
        stack.escape_hatch(bucket, "", "x".into(), "a test");
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Sources: BucketName.Suffix: \"BucketName\" is neither an object nor a list, so nothing in it can be set\n  --> {}",
                at(line + 8)
            ),
            format!(
                "app: Sources: Tags.3.Value: \"Tags\" is a list of 1 items, which has no item \"3\"\n  --> {}",
                at(line + 9)
            ),
            format!(
                "app: Sources: the path names no property, allowed are names with dots between\n  --> {}",
                at(line + 10)
            ),
        ]
    );
}

#[test]
fn environment_variables_are_exactly_those_of_the_handler() {
    const STAGE: EnvironmentVariable = EnvironmentVariable::named("STAGE");
    let line = line!();
    let found = of_stack(|stack| {
        let text = || Value::<String>::from("x");
        let fetch = function(stack)
            .environment(FetchSource::BUCKET, text())
            .environment(STAGE, text())
            .environment(FetchSource::BUCKET, text());
        stack.add("Fetch", fetch);
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Fetch: the handler \"fetch_source\" reads the environment variable SECRET_ARN, which is not given\n  --> {}\n  help: give it with `.environment(…, …)`",
                at(line + 7)
            ),
            format!(
                "app: Fetch: the handler \"fetch_source\" does not read the environment variable STAGE, allowed are: BUCKET, SECRET_ARN\n  --> {}\n  help: remove it, or declare it with the handler",
                at(line + 5)
            ),
            format!(
                "app: Fetch: the environment variable BUCKET is given twice, first at {}\n  --> {}\n  help: remove one of the two",
                at(line + 4),
                at(line + 6)
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
                at(line + 2)
            ),
            format!(
                "app: Own: resources refer to each other in a circle: Own → Own\n  --> {}\n  help: {help}",
                at(line + 6)
            ),
        ]
    );
}

#[test]
fn a_condition_that_nobody_declares_is_named_with_those_that_are() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.condition("IsStage", Condition::equals::<String>("a", "b"));
        let name = Value::<String>::from("a").when("IsStag", "b");
        let queue = stack.add("Events", sqs::Queue::new().queue_name(name));
        stack.configure(queue).condition("IsLive");
    });
    let help = "declare it with `stack.condition(…)`, which returns its name";
    assert_eq!(
        found,
        [
            format!(
                "app: Events: QueueName: names the condition \"IsStag\", which the stack does not declare; declared are: IsStage\n  --> {}\n  help: {help}",
                at(line + 4)
            ),
            format!(
                "app: Events: names the condition \"IsLive\", which the stack does not declare; declared are: IsStage\n  --> {}\n  help: {help}",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn stacks_have_names_of_their_own_that_cloudformation_takes() {
    let mut app = App::new();
    let line = line!();
    app.stack("pr-17", "", |stack| _ = stack.add("Events", sqs::Queue::new()));
    app.stack("pr-17", "", |stack| _ = stack.add("Events", sqs::Queue::new()));
    app.stack("17_pr", "", |stack| _ = stack.add("Events", sqs::Queue::new()));
    app.stack("empty", "", |_| ());
    assert_eq!(
        faults(app),
        [
            format!(
                "pr-17: the stack's name is taken, first at {}\n  --> {}\n  help: give one of the two another name",
                at(line + 1),
                at(line + 2)
            ),
            format!(
                "17_pr: \"17_pr\" is no stack name, allowed are 1 to 128 letters, digits and hyphens, a letter first\n  --> {}",
                at(line + 3)
            ),
            format!(
                "empty: the stack has no resource, allowed are 1 to 500\n  --> {}",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn a_stack_has_at_most_500_resources() {
    let mut app = App::new();
    let line = line!();
    app.stack("app", "", |stack| {
        for number in 0..501 {
            stack.add(format!("Queue{number}"), sqs::Queue::new());
        }
    });
    assert_eq!(
        faults(app),
        [format!(
            "app: the stack has 501 resources, allowed are 1 to 500\n  --> {}",
            at(line + 1)
        )]
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
                at(line + 2)
            ),
            format!(
                "app: Own: QueueName: imports \"app:Own\", which this stack exports itself\n  --> {}\n  help: use the value that was exported instead of what `stack.export(…)` returned",
                at(line + 4)
            ),
        ]
    );
}

#[test]
fn the_type_of_a_custom_resource_is_named_with_what_is_allowed() {
    let line = line!();
    let found = of_stack(|stack| {
        let resource = synth::cloudformation::CustomResource::new("Stage deployment", lambda::arn_of("f"), minutes(5));
        stack.add(
            "Current",
            resource.property("Never", Value::<String>::invalid("cannot be made")),
        );
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Current: \"Custom::Stage deployment\" is no type of a custom resource, allowed are 1 to 60 of A-Z a-z 0-9 _ @ -\n  --> {}",
                at(line + 3)
            ),
            format!("app: Current: Never: cannot be made\n  --> {}", at(line + 5)),
        ]
    );
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
            at(line + 3)
        )]
    );
}

#[test]
fn a_property_that_is_missing_or_unknown_in_raw_values_is_named() {
    // The types do not let a required property be left out; a raw value can.
    let line = line!();
    let found = of_stack(|stack| {
        let raw = synth::Object::new().with("Name", "items").with("Sort", true);
        let capacity: Value<dynamodb::table::ProvisionedThroughput> = Value::from_node(raw.into());
        let keys = [dynamodb::table::KeySchemaProperties::new(
            "id",
            dynamodb::table::KeyType::Hash,
        )];
        stack.add("Items", dynamodb::Table::new(keys).provisioned_throughput(capacity));
    });
    let within = "app: Items: ProvisionedThroughput";
    assert_eq!(
        found,
        [
            format!("{within}.Name: is no property of this type\n  --> {}", at(line + 2)),
            format!("{within}.Sort: is no property of this type\n  --> {}", at(line + 2)),
            format!(
                "{within}.ReadCapacityUnits: is required and was not set\n  --> {}",
                at(line + 8)
            ),
            format!(
                "{within}.WriteCapacityUnits: is required and was not set\n  --> {}",
                at(line + 8)
            ),
        ]
    );
}

/// The lines that set the properties of a template's resources, outside of this file.
fn foreign_lines(template: &synth::Template) -> Vec<String> {
    fn visit(node: &Node, path: &str, found: &mut Vec<String>) {
        match node {
            Node::Object(object) => {
                for entry in object.entries() {
                    let path = format!("{path}.{}", entry.key);
                    if entry.set_at.file() != file!() {
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
