//! What needs a reason, and what a handler reads.

use synth::actions::S3;
use synth::iam::{Grant, Role};
use synth::{AnyArn, EnvironmentVariable, Value, s3, sub};

use crate::{FetchSource, at, function, of_stack};

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
                at!(line + 3)
            ),
            format!(
                "app: Fetch: the grant has no action, allowed are 1 or more\n  --> {}\n  help: name the actions, or leave the grant out",
                at!(line + 7)
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
                at!(line + 2)
            ),
            format!(
                "app: Fetch: Path: the escape hatch is used without a reason\n  --> {}\n  help: say why no typed setter does",
                at!(line + 4)
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
                at!(line + 8)
            ),
            format!(
                "app: Sources: Tags.3.Value: \"Tags\" is a list of 1 items, which has no item \"3\"\n  --> {}",
                at!(line + 9)
            ),
            format!(
                "app: Sources: the path names no property, allowed are names with dots between\n  --> {}",
                at!(line + 10)
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
                at!(line + 7)
            ),
            format!(
                "app: Fetch: the handler \"fetch_source\" does not read the environment variable STAGE, allowed are: BUCKET, SECRET_ARN\n  --> {}\n  help: remove it, or declare it with the handler",
                at!(line + 5)
            ),
            format!(
                "app: Fetch: the environment variable BUCKET is given twice, first at {}\n  --> {}\n  help: remove one of the two",
                at!(line + 4),
                at!(line + 6)
            ),
        ]
    );
}
