//! Names: of stacks, elements, outputs, conditions and types.

use synth::{App, Condition, Value, lambda, minutes, s3, sqs};

use crate::{at, faults, of_stack};

#[test]
fn a_logical_id_that_is_taken_names_both_lines() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.add("Sources", s3::Bucket::new());
        stack.add("Sources", sqs::Queue::new());
    });
    let (first, second) = (at!(line + 2), at!(line + 3));
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
                at!(line + 3)
            ),
            format!(
                "app: source-bucket: \"source-bucket\" is no logical id, allowed are 1 to 255 letters and digits\n  --> {}",
                at!(line + 2)
            ),
            format!(
                "app: the-name: \"the-name\" is no logical id, allowed are 1 to 255 letters and digits\n  --> {}",
                at!(line + 4)
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
        stack.condition("Stage", Condition::equals(Value::<String>::from("a"), "b"));
        stack.condition("Stage", Condition::equals(Value::<String>::from("a"), "c"));
    });
    assert_eq!(
        found,
        [
            format!(
                "app: Name: the output's logical id is taken, first at {}\n  --> {}\n  help: give one of the two another logical id",
                at!(line + 2),
                at!(line + 3)
            ),
            format!(
                "app: Stage: the condition's name is taken, first at {}\n  --> {}\n  help: give one of the two another name",
                at!(line + 4),
                at!(line + 5)
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
                at!(line + 1),
                at!(line + 2)
            ),
            format!(
                "17_pr: \"17_pr\" is no stack name, allowed are 1 to 128 letters, digits and hyphens, a letter first\n  --> {}",
                at!(line + 3)
            ),
            format!(
                "empty: the stack has no resource, allowed are 1 to 500\n  --> {}",
                at!(line + 4)
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
            at!(line + 1)
        )]
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
                at!(line + 3)
            ),
            format!("app: Current: Never: cannot be made\n  --> {}", at!(line + 5)),
        ]
    );
}

#[test]
fn a_condition_that_nobody_declares_is_named_with_those_that_are() {
    let line = line!();
    let found = of_stack(|stack| {
        stack.condition("IsStage", Condition::equals(Value::<String>::from("a"), "b"));
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
                at!(line + 4)
            ),
            format!(
                "app: Events: names the condition \"IsLive\", which the stack does not declare; declared are: IsStage\n  --> {}\n  help: {help}",
                at!(line + 4)
            ),
        ]
    );
}
