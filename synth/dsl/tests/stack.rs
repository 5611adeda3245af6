//! What a stack can hold besides resources, and what synthesis makes of it.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that called it")]

use std::convert::Infallible;

use serde_json::{Value as Json, json};
use synth::cloudformation::CustomResource;
use synth::iam::Role;
use synth::prelude::*;
use synth::{
    App, Assembly, Asset, Condition, DeletionPolicy, EnvironmentVariable, Handle, Handler, Parameter, Stack,
    SynthesizedStack, Value, iam, lambda, minutes, s3, sqs, sub,
};

fn synthesized(build: impl FnOnce(&mut Stack)) -> SynthesizedStack {
    let mut app = App::new();
    app.stack("app", "What the tests look at.", build);
    app.synthesize().unwrap().stacks.remove(0)
}

fn json(stack: &SynthesizedStack) -> Json {
    serde_json::from_str(&stack.template.to_json().unwrap()).unwrap()
}

fn template(build: impl FnOnce(&mut Stack)) -> Json {
    json(&synthesized(build))
}

fn text(text: &str) -> Value<String> {
    Value::from(text)
}

fn names(assembly: &Assembly) -> Vec<&str> {
    assembly.stacks.iter().map(|stack| stack.name.as_str()).collect()
}

#[test]
fn a_template_has_its_sections_in_the_usual_order_and_no_empty_one() {
    let bare = template(|stack| _ = stack.add("Events", sqs::Queue::new()));
    assert_eq!(
        bare,
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "What the tests look at.",
            "Resources": { "Events": { "Type": "AWS::SQS::Queue" } },
        })
    );
    let whole = template(|stack| {
        stack.output("Name", "The name.", text("x"));
        stack.add("Events", sqs::Queue::new());
        stack.condition("IsStage", Condition::equals(text("a"), "b"));
        stack.parameter("Stage", Parameter::<String>::new("The stage."));
    });
    assert_eq!(
        whole.as_object().unwrap().keys().collect::<Vec<_>>(),
        [
            "AWSTemplateFormatVersion",
            "Description",
            "Parameters",
            "Conditions",
            "Resources",
            "Outputs"
        ]
    );
}

#[test]
fn a_parameter_has_a_type_a_default_and_allowed_values_and_is_asked_for_without_a_default() {
    let stack = synthesized(|stack| {
        let stage = stack.parameter(
            "Stage",
            Parameter::<String>::new("Which stage.").allowed_values(["dev", "live"]),
        );
        let delay = stack.parameter("Delay", Parameter::<i64>::new("Seconds.").default_value(30));
        let name = stack.parameter(
            "Name",
            Parameter::<String>::new("The name.").allowed_pattern("^[a-z]+$"),
        );
        let queue = sqs::Queue::new().queue_name(sub![name.value(), "-", stage.value()]);
        stack.add("Events", queue.visibility_timeout(delay.value()));
    });
    assert_eq!(
        json(&stack)["Parameters"],
        json!({
            "Stage": { "Type": "String", "Description": "Which stage.", "AllowedValues": ["dev", "live"] },
            "Delay": { "Type": "Number", "Description": "Seconds.", "Default": 30 },
            "Name": { "Type": "String", "Description": "The name.", "AllowedPattern": "^[a-z]+$" },
        })
    );
    assert_eq!(
        json(&stack)["Resources"]["Events"]["Properties"],
        json!({ "QueueName": { "Fn::Sub": "${Name}-${Stage}" }, "VisibilityTimeout": { "Ref": "Delay" } })
    );
    assert_eq!(stack.parameters, ["Stage", "Name"]);
}

#[test]
fn a_parameter_of_a_typed_reference_stands_where_the_reference_is_due() {
    let template = template(|stack| {
        let role = stack.parameter("RoleArn", Parameter::<synth::Arn<iam::RoleResource>>::new("The role."));
        stack.add(
            "Fetch",
            lambda::Function::new(lambda::function::Code::new().zip_file("x"), role.value()),
        );
    });
    assert_eq!(template["Parameters"]["RoleArn"]["Type"], "String");
    assert_eq!(
        template["Resources"]["Fetch"]["Properties"]["Role"],
        json!({ "Ref": "RoleArn" })
    );
}

#[test]
fn conditions_choose_values_and_resources() {
    let template = template(|stack| {
        let stage = stack.parameter("Stage", Parameter::<String>::new("The stage."));
        let live = stack.condition("IsLive", Condition::equals(stage.value(), "live"));
        let dark = stack.condition("IsDark", Condition::named(&live).negated());
        stack.condition(
            "Both",
            Condition::all([Condition::named(&live), Condition::named(&dark)]),
        );
        stack.condition(
            "Either",
            Condition::any([Condition::named(&live), Condition::named(&dark)]),
        );
        let delay: Value<synth::Seconds> = minutes(5).into();
        let queue = sqs::Queue::new()
            .queue_name(text("live").when(&live, "dark"))
            .delay_seconds(delay.when(&live, Value::<synth::Seconds>::no_value()));
        let events = stack.add("Events", queue);
        stack.configure(events).condition(&live);
    });
    assert_eq!(
        template["Conditions"],
        json!({
            "IsLive": { "Fn::Equals": [{ "Ref": "Stage" }, "live"] },
            "IsDark": { "Fn::Not": [{ "Condition": "IsLive" }] },
            "Both": { "Fn::And": [{ "Condition": "IsLive" }, { "Condition": "IsDark" }] },
            "Either": { "Fn::Or": [{ "Condition": "IsLive" }, { "Condition": "IsDark" }] },
        })
    );
    assert_eq!(
        template["Resources"]["Events"],
        json!({
            "Type": "AWS::SQS::Queue",
            "Condition": "IsLive",
            "Properties": {
                "QueueName": { "Fn::If": ["IsLive", "live", "dark"] },
                "DelaySeconds": { "Fn::If": ["IsLive", 300, { "Ref": "AWS::NoValue" }] },
            },
        })
    );
}

#[test]
fn outputs_are_described_and_exports_are_named_after_stack_and_output() {
    let template = template(|stack| {
        let bucket = stack.add("Sources", s3::Bucket::new());
        stack.output("Name", "Where the sources are.", bucket.name());
        let imported = stack.export("SourcesArn", bucket.arn());
        assert_eq!(
            format!("{:?}", imported.node()),
            r#"Intrinsic(ImportValue(Text("app:SourcesArn")))"#
        );
    });
    assert_eq!(
        template["Outputs"],
        json!({
            "Name": { "Description": "Where the sources are.", "Value": { "Ref": "Sources" } },
            "SourcesArn": {
                "Value": { "Fn::GetAtt": ["Sources", "Arn"] },
                "Export": { "Name": "app:SourcesArn" },
            },
        })
    );
}

#[test]
fn stacks_are_deployed_after_those_that_they_import_from() {
    let mut app = App::new();
    let mut later = App::new();
    // The value of a stack that is added below, as a stack of another file would hand it over.
    let base: Value<String> = later.stack("base", "", |stack| stack.export("Name", text("x")));
    let queue = |name: &Value<String>| sqs::Queue::new().queue_name(name);
    app.stack("second", "", |stack| _ = stack.add("Events", queue(&base)));
    app.stack("alone", "", |stack| _ = stack.add("Events", sqs::Queue::new()));
    let name = app.stack("base", "", |stack| {
        stack.add("Events", sqs::Queue::new());
        stack.export("Name", text("x"))
    });
    app.stack("third", "", |stack| _ = stack.add("Events", queue(&name)));
    let assembly = app.synthesize().unwrap();
    assert_eq!(names(&assembly), ["alone", "base", "second", "third"]);
    let depends_on: Vec<&[String]> = assembly
        .stacks
        .iter()
        .map(|stack| stack.depends_on.as_slice())
        .collect();
    let base = ["base".to_owned()];
    assert_eq!(depends_on, [&[][..], &[], &base, &base]);
}

#[test]
fn an_existing_stack_lends_its_exports_and_is_not_deployed() {
    let mut app = App::new();
    let name = app.existing_stack("shared", |stack| {
        let bucket = stack.add("Sources", s3::Bucket::new());
        stack.export("SourcesName", bucket.name())
    });
    app.stack("app", "", |stack| {
        _ = stack.add("Events", sqs::Queue::new().queue_name(name))
    });
    let assembly = app.synthesize().unwrap();
    assert_eq!(names(&assembly), ["app"]);
    assert!(assembly.stacks[0].depends_on.is_empty());
    assert_eq!(
        json(&assembly.stacks[0])["Resources"]["Events"]["Properties"]["QueueName"],
        json!({ "Fn::ImportValue": "shared:SourcesName" })
    );
}

#[test]
fn a_deletion_policy_says_what_becomes_of_the_resource_deleted_and_replaced() {
    let policies = [
        (DeletionPolicy::Delete, "Delete", "Delete"),
        (DeletionPolicy::Retain, "Retain", "Retain"),
        (DeletionPolicy::RetainExceptOnCreate, "RetainExceptOnCreate", "Retain"),
        (DeletionPolicy::Snapshot, "Snapshot", "Snapshot"),
    ];
    for (policy, deleted, replaced) in policies {
        let template = template(|stack| {
            let bucket = stack.add("Sources", s3::Bucket::new());
            stack.configure(bucket).deletion_policy(policy);
        });
        let bucket = &template["Resources"]["Sources"];
        assert_eq!(bucket["DeletionPolicy"], deleted);
        assert_eq!(bucket["UpdateReplacePolicy"], replaced);
    }
}

#[test]
fn dependencies_are_sorted_and_named_once_and_metadata_is_kept() {
    let template = template(|stack| {
        let last = stack.add("Last", sqs::Queue::new());
        let first = stack.add("First", sqs::Queue::new());
        let queue = stack.add("Events", sqs::Queue::new());
        stack
            .configure(queue)
            .depends_on(last)
            .depends_on(first)
            .depends_on(last)
            .metadata("Owner", json!({ "team": "pipeline" }));
    });
    let events = &template["Resources"]["Events"];
    assert_eq!(events["DependsOn"], json!(["First", "Last"]));
    assert_eq!(events["Metadata"], json!({ "Owner": { "team": "pipeline" } }));
}

/// The fingerprint of a queue and a bucket, in a stack that `change` may change.
fn fingerprint(queue: sqs::Queue, change: impl FnOnce(&mut Stack, Handle<sqs::Queue>)) -> String {
    let template = template(|stack| {
        let queue = stack.add("Events", queue);
        let bucket = stack.add("Sources", s3::Bucket::new());
        let parts = [queue.element(), bucket.element()];
        let current = CustomResource::new("Current", lambda::arn_of("f"), minutes(1)).fingerprint("Definition", parts);
        stack.add("Current", current);
        change(stack, queue);
    });
    template["Resources"]["Current"]["Properties"]["Definition"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_fingerprint_changes_if_and_only_if_a_part_changes() {
    let plain = || sqs::Queue::new().queue_name("events");
    let same = fingerprint(plain(), |_, _| ());
    assert_eq!(same.len(), 64, "a SHA-256 in hexadecimal digits");
    assert!(same.chars().all(|digit| digit.is_ascii_hexdigit()));
    // What is no part does not count, wherever it stands and whatever refers to a part.
    assert_eq!(
        fingerprint(plain(), |stack, queue| {
            stack.add("Other", sqs::Queue::new().queue_name(sub!["other-", queue.arn()]));
            stack.output("Arn", "", queue.arn());
            stack.tag("team", "pipeline");
        }),
        same
    );
    // A property of a part counts, one that is set later too, and text is no reference of the same spelling.
    let changed = [
        fingerprint(sqs::Queue::new().queue_name("Events"), |_, _| ()),
        fingerprint(plain().delay_seconds(minutes(1)), |_, _| ()),
        fingerprint(plain(), |stack, queue| {
            stack.escape_hatch(queue, "New", true.into(), "it is new")
        }),
        fingerprint(sqs::Queue::new().queue_name("${AWS::Region}"), |_, _| ()),
        fingerprint(sqs::Queue::new().queue_name(synth::pseudo::region()), |_, _| ()),
    ];
    let mut different: Vec<&String> = changed.iter().chain([&same]).collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), changed.len() + 1, "{changed:#?}");
}

#[test]
fn an_asset_is_two_parameters_that_the_deployment_gives() {
    let stack = synthesized(|stack| {
        lambda::Artifacts::from_asset(stack, "bootstrap", lambda::function::Architecture::Arm64);
        stack.add("Events", sqs::Queue::new());
    });
    assert_eq!(
        stack.assets,
        [Asset {
            name: "bootstrap".to_owned(),
            bucket_parameter: "CodeBucket".to_owned(),
            key_parameter: "CodeKey".to_owned(),
        }]
    );
    assert_eq!(stack.parameters, ["CodeBucket", "CodeKey"]);
    let parameters = &json(&stack)["Parameters"];
    assert_eq!(parameters["CodeKey"]["Type"], "String");
    assert_eq!(
        parameters["CodeBucket"]["Description"],
        "The bucket that `bootstrap` was uploaded to."
    );
}

struct FetchSource;

impl FetchSource {
    const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
}

impl Handler for FetchSource {
    type Input = String;
    type Output = String;
    type Error = Infallible;
    const NAME: &'static str = "fetch_source";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET];
}

#[test]
fn a_function_has_a_role_of_its_own_its_environment_and_one_log_group() {
    let template = template(|stack| {
        let code = lambda::Artifacts::from_asset(stack, "bootstrap", lambda::function::Architecture::Arm64);
        let sources = stack.add("Sources", s3::Bucket::new());
        let fetch = lambda::handling::<FetchSource>(&code, "fetch-source")
            .memory_size(synth::mebibytes(512))
            .environment(FetchSource::BUCKET, sources.name())
            .allow(sources.put_objects("source/*"));
        stack.add("Fetch", fetch);
    });
    let resources = &template["Resources"];
    assert_eq!(
        resources.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["Sources", "FetchLogs", "FetchRole", "Fetch"]
    );
    let function = &resources["Fetch"]["Properties"];
    assert_eq!(
        function["Environment"],
        json!({ "Variables": { "BUCKET": { "Ref": "Sources" } } })
    );
    assert_eq!(function["Handler"], "fetch_source");
    assert_eq!(function["MemorySize"], 512);
    assert_eq!(function["Role"], json!({ "Fn::GetAtt": ["FetchRole", "Arn"] }));
    assert_eq!(
        function["Code"],
        json!({ "S3Bucket": { "Ref": "CodeBucket" }, "S3Key": { "Ref": "CodeKey" } })
    );
    assert_eq!(
        resources["FetchRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
        json!([
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": { "Fn::GetAtt": ["FetchLogs", "Arn"] },
            },
            { "Effect": "Allow", "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:PutObject"],
                "Resource": { "Fn::Sub": "${Sources.Arn}/source/*" },
            },
        ])
    );
}

#[test]
fn the_escape_hatch_sets_raw_properties_at_any_depth_and_is_listed() {
    let line = line!();
    let stack = synthesized(|stack| {
        let tags = [s3::bucket::Tag::new("a", "1"), s3::bucket::Tag::new("b", "2")];
        let bucket = stack.add("Sources", s3::Bucket::new().tags(tags));
        stack.escape_hatch(bucket, "NewFeature.Inner.Enabled", true.into(), "the facts are older");
        stack.escape_hatch(bucket, "Tags.1.Value", 3.into(), "a number is what the test wants");
        stack.escape_hatch(bucket, "BucketName", "Not_Allowed".into(), "the pattern is too strict");
    });
    assert_eq!(
        json(&stack)["Resources"]["Sources"]["Properties"],
        json!({
            "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": 3 }],
            "NewFeature": { "Inner": { "Enabled": true } },
            "BucketName": "Not_Allowed",
        })
    );
    let listed: Vec<(&str, &str, &str, u32)> = stack
        .escapes
        .iter()
        .map(|escape| (&*escape.logical_id, &*escape.path, &*escape.reason, escape.at.line()))
        .collect();
    assert_eq!(
        listed,
        [
            ("Sources", "NewFeature.Inner.Enabled", "the facts are older", line + 4),
            ("Sources", "Tags.1.Value", "a number is what the test wants", line + 5),
            ("Sources", "BucketName", "the pattern is too strict", line + 6),
        ]
    );
}

#[test]
fn an_escape_hides_no_fault_of_another_property() {
    let mut app = App::new();
    app.stack("app", "", |stack| {
        let queue = sqs::Queue::new().visibility_timeout(60_000).delay_seconds(minutes(16));
        let queue = stack.add("Events", queue);
        stack.escape_hatch(queue, "VisibilityTimeout", 1.into(), "a test");
        stack.escape_hatch(queue, "Delay", 1.into(), "a name that another property's begins with");
    });
    let faults = app.synthesize().unwrap_err();
    let paths: Vec<&str> = faults.0.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["DelaySeconds"]);
}

#[test]
fn tags_of_a_stack_are_handed_to_whoever_deploys_it() {
    let stack = synthesized(|stack| {
        stack.add("Events", sqs::Queue::new());
        stack.tag("pull-request", "17");
    });
    assert_eq!(stack.tags, [("pull-request".to_owned(), "17".to_owned())]);
}

#[test]
fn tags_of_a_stack_are_written_on_each_resource_in_the_property_and_the_form_of_its_type() {
    let template = template(|stack| {
        stack.tag("pull-request", "17");
        stack.tag("team", "pipeline");
        stack.add("Pool", synth::cognito::UserPool::new());
        let own = [sqs::queue::Tag::new("own", "1"), sqs::queue::Tag::new("team", "mine")];
        stack.add("Events", sqs::Queue::new().tags(own));
        stack.add("Policy", sqs::QueuePolicy::new(json!({}), [text("q")]));
    });
    let of = |id: &str| &template["Resources"][id]["Properties"];
    assert_eq!(
        of("Pool")["UserPoolTags"],
        json!({ "pull-request": "17", "team": "pipeline" })
    );
    assert_eq!(
        of("Events")["Tags"],
        json!([
            { "Key": "own", "Value": "1" },
            { "Key": "team", "Value": "mine" },
            { "Key": "pull-request", "Value": "17" },
        ])
    );
    assert_eq!(of("Policy").get("Tags"), None, "the type takes no tags");
}

#[test]
fn tags_that_are_no_literal_are_a_fault_of_a_stack_with_tags() {
    let mut app = App::new();
    app.stack("app", "", |stack| {
        stack.tag("team", "pipeline");
        let queue = stack.add("Events", sqs::Queue::new());
        stack.escape_hatch(queue, "Tags", json!("all of them"), "a test");
    });
    let faults = app.synthesize().unwrap_err();
    let told: Vec<String> = faults
        .0
        .iter()
        .map(|fault| format!("{}: {}", fault.path, fault.message))
        .collect();
    assert_eq!(
        told,
        ["Tags: is no literal, so the stack's tags cannot be written beside it"]
    );
}

#[test]
fn synthesis_gives_the_same_bytes_every_time() {
    let yaml = || {
        let stack = synthesized(|stack| {
            let sources = stack.add("Sources", s3::private_bucket("sources"));
            s3::require_tls(stack, "SourcesPolicy", sources);
            s3::keep(stack, sources);
            stack.add(
                "Worker",
                Role::assumed_by("lambda.amazonaws.com").allow(sources.get_objects("a")),
            );
        });
        stack.template.to_yaml().unwrap()
    };
    assert_eq!(yaml(), yaml());
}
