//! Literal values against what the registry allows.

use synth::iam::Role;
use synth::{AnyArn, Value, codebuild, dynamodb, lambda, minutes, s3, seconds, sqs};

use crate::{at, of_stack};

fn bare_function() -> lambda::Function {
    let role: Value<AnyArn> = Value::from("arn:aws:iam::123456789012:role/fetch").trusted();
    lambda::Function::new(lambda::function::Code::new(), Value::<String>::from(role).trusted())
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
            at!(line + 4)
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
            at!(line + 2)
        )]
    );
}

#[test]
fn a_number_out_of_range_is_named_with_the_range() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.add(
            "Fetch",
            bare_function().timeout(minutes(91)).memory_size(synth::mebibytes(64)),
        );
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Fetch: Timeout: 5460 is out of range, allowed are 1 to 5400\n  --> {}",
                at!(line + 4)
            ),
            format!(
                "app: Fetch: MemorySize: 64 is out of range, allowed are 128 to 32768\n  --> {}",
                at!(line + 4)
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
                at!(line + 2)
            ),
            format!(
                "app: Twice: Layers[2]: repeats \"arn:aws:lambda:eu-west-1:123456789012:layer:a:1\", allowed are items that differ\n  --> {}",
                at!(line + 3)
            ),
            format!(
                "app: None: Architectures: has 0 items, allowed are 1 to 1\n  --> {}",
                at!(line + 6)
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
            at!(line + 15)
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
            at!(line + 3)
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
            format!("{within}.Name: is no property of this type\n  --> {}", at!(line + 2)),
            format!("{within}.Sort: is no property of this type\n  --> {}", at!(line + 2)),
            format!(
                "{within}.ReadCapacityUnits: is required and was not set\n  --> {}",
                at!(line + 8)
            ),
            format!(
                "{within}.WriteCapacityUnits: is required and was not set\n  --> {}",
                at!(line + 8)
            ),
        ]
    );
}
