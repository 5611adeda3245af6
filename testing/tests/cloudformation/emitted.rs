//! Every emitted template is created, changed twice and deleted through change sets, in the order of its dependencies.

use std::time::Instant;

use serde_json::{Value, json};
use testing::emission;

use crate::account::{Account, template, texts};

/// A template with a change to resources of several types that needs no replacement; the second change takes it back.
fn changed(template: &Value) -> Value {
    let mut template = template.clone();
    change(&mut template["Resources"]);
    template
}

fn change(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(change),
        Value::Object(members) => {
            for (name, value) in members {
                let more = |value: &Value, by: u64| json!(value.as_u64().map_or(by, |value| value + by));
                match name.as_str() {
                    "RetentionInDays" => *value = json!(7),
                    "MemorySize" => *value = more(value, 64),
                    "TimeoutInMinutes" | "ExpirationInDays" => *value = more(value, 1),
                    "PollForSourceChanges" => *value = json!("true"),
                    _ => change(value),
                }
            }
        }
        _ => {}
    }
}

/// A role that CloudFormation takes on, by its physical name without the project's, and the beginnings of the stacks that it applies.
const ROLES: [(&str, &[&str]); 4] = [
    ("cloudformation", &["artifacts", "unit-test", "pipeline-manager"]),
    ("stacks", &["deploy-"]),
    ("pr-17-cloudformation", &["pr-17-app"]),
    ("stage-cloudformation", &["stage-app"]),
];

/// A statement that nothing has needed: its role, its first action, and why it stays.
const KEPT: [(&str, &str, &str); 1] = [(
    "thebestest-stacks",
    "s3:GetObject",
    "no page of AWS says whether CloudFormation fetches a stack's template with the caller's permissions or with the role's",
)];

/// An application of another kind than the shipped one: its API calls AWS with a role of its own, and a queue feeds a function.
fn of_another_kind(app: &Value, environment: &str) -> Value {
    let resources = app["Resources"].as_object().expect("it has some");
    let of = |kind: &str| {
        let found = resources.values().find(|resource| resource["Type"] == kind);
        found.unwrap_or_else(|| panic!("it has no {kind}"))["Properties"].clone()
    };
    let (role, api) = (of("AWS::IAM::Role"), of("AWS::ApiGateway::RestApi"));
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    let at = |id: &str, attribute: &str| json!({ "Fn::GetAtt": [id, attribute] });
    let integration = json!({ "Type": "AWS", "IntegrationHttpMethod": "POST", "Credentials": at("Role", "Arn"),
        "Uri": "arn:aws:apigateway:eu-west-1:dynamodb:action/Scan" });
    let function = of("AWS::Lambda::Function")["FunctionName"].clone();
    template(json!({
        "Role": { "Type": "AWS::IAM::Role", "Properties": {
            "RoleName": format!("thebestest-{environment}-calls"), "AssumeRolePolicyDocument": trust,
            "PermissionsBoundary": role["PermissionsBoundary"], "Tags": role["Tags"] } },
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": {
            "Name": format!("thebestest-{environment}-calls"), "Tags": api["Tags"] } },
        "Method": { "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ResourceId": at("Api", "RootResourceId"), "HttpMethod": "GET",
            "AuthorizationType": "NONE", "Integration": integration } },
        "Feed": { "Type": "AWS::Lambda::EventSourceMapping", "Properties": { "FunctionName": function, "Tags": api["Tags"],
            "EventSourceArn": { "Fn::Sub": "arn:aws:sqs:eu-west-1:${AWS::AccountId}:jobs" } } },
    }))
}

/// The role that applies the stack.
fn applies(stack: &str) -> String {
    let name = stack.trim_start_matches("thebestest-");
    let role = ROLES
        .iter()
        .find(|(_, stacks)| stacks.iter().any(|begins| name.starts_with(begins)));
    format!("thebestest-{}", role.expect("each stack is applied with a role").0)
}

/// Takes each statement out of the role for a while. What it has done must not be possible then.
fn every_statement_is_missed(account: &Account, role: &str) -> usize {
    let arn = format!("arn:aws:iam::{}:role/{role}", account.cloud.account());
    assert!(
        account.cloud.acted(&arn) > 20,
        "{role} was needed for {}",
        account.cloud.acted(&arn)
    );
    assert_eq!(account.cloud.acts_again(&arn), None);
    let mut taken_out = 0;
    for policy in texts(&account.iam("ListRolePolicies", &[("RoleName", role)]), "member") {
        let shown = account.iam("GetRolePolicy", &[("RoleName", role), ("PolicyName", policy.as_str())]);
        let document = texts(&shown, "PolicyDocument").remove(0);
        let document = percent_encoding::percent_decode_str(&document)
            .decode_utf8()
            .expect("it is text");
        let document: Value = serde_json::from_str(&document).expect("it is a policy");
        let statements = document["Statement"].as_array().expect("it has some");
        for place in 0..statements.len() {
            let mut left = statements.clone();
            let without = left.remove(place);
            account.allow(role, &policy, &json!(left));
            let missed = account.cloud.acts_again(&arn);
            let kept = KEPT
                .iter()
                .find(|(kept, action, _)| *kept == role && without["Action"][0] == *action);
            match kept {
                Some((_, action, reason)) => println!("{role} keeps {action}, which nothing needed: {reason}"),
                None => assert!(missed.is_some(), "nothing of what {role} did needs {without}"),
            }
            assert!(kept.is_none() || missed.is_none(), "{without} is needed after all");
            taken_out += usize::from(kept.is_none());
        }
        account.allow(role, &policy, &document["Statement"]);
    }
    println!(
        "{taken_out} statements of {role}, which was needed for {} permissions",
        account.cloud.acted(&arn)
    );
    taken_out
}

#[test]
fn every_emitted_template_lives_through_change_sets() {
    let Some(mut account) = Account::start("emitted templates are created, changed and deleted") else {
        return;
    };
    let bootstrap = emission::bootstrap(&emission::project()).remove(0);
    let made = account.apply(&bootstrap.stack.name, "CREATE", &bootstrap.template, &[]);
    assert_eq!(
        made.status,
        "CREATE_COMPLETE",
        "{}",
        account.events(&bootstrap.stack.name)
    );
    let id = account.cloud.account().to_owned();
    let role = |stack: &str| format!("arn:aws:iam::{id}:role/{}", applies(stack));
    let emissions = emission::emit(&emission::project(), &["pr-17", "stage"]);
    assert!(emissions.len() >= 7, "three shared stacks and two of each environment");
    let tags = |value| [("Tags.member.1.Key", "run"), ("Tags.member.1.Value", value)];
    for emission in &emissions {
        let name = &emission.stack.name;
        let begun = Instant::now();
        let role = role(name);
        let application = name
            .strip_prefix("thebestest-")
            .and_then(|name| name.strip_suffix("-app"));
        let folder = match application {
            Some(environment) => format!("packages/{environment}"),
            None => "code".to_owned(),
        };
        if name != "thebestest-artifacts" {
            let bucket = format!("thebestest-artifacts-{id}-eu-west-1");
            account.code_is_at(&bucket, &format!("{folder}/code.zip"));
        }
        let with = |tag| [&tags(tag)[..], &[("RoleARN", role.as_str())]].concat();
        let stack = account.apply(name, "CREATE", &emission.template, &with("first"));
        assert_eq!(stack.status, "CREATE_COMPLETE", "{name}: {}", account.failures(name));
        println!("{name}: created in {} ms", begun.elapsed().as_millis());
        let begun = Instant::now();
        for (template, tag) in [(&changed(&emission.template), "first"), (&emission.template, "second")] {
            let stack = account.apply(name, "UPDATE", template, &with(tag));
            assert_eq!(stack.status, "UPDATE_COMPLETE", "{name}: {}", account.failures(name));
        }
        if let Some(environment) = application {
            let other = format!("{name}-of-another-kind");
            let made = account.apply(
                &other,
                "CREATE",
                &of_another_kind(&emission.template, environment),
                &with("first"),
            );
            assert_eq!(made.status, "CREATE_COMPLETE", "{other}: {}", account.failures(&other));
            let mut fewer = of_another_kind(&emission.template, environment);
            let tags = fewer["Resources"]["Feed"]["Properties"]["Tags"].as_array_mut();
            tags.expect("it has some")
                .retain(|tag| tag["Key"] == "pipeline:environment");
            let changed = account.apply(&other, "UPDATE", &fewer, &with("first"));
            assert_eq!(
                changed.status,
                "UPDATE_COMPLETE",
                "{other}: {}",
                account.failures(&other)
            );
            assert_eq!(account.delete(&other).status, "DELETE_COMPLETE");
        }
        println!("{name}: changed twice in {} ms", begun.elapsed().as_millis());
        let resources = account.ask("ListStackResources", &[("StackName", name)]);
        let mut types = texts(&resources, "ResourceType");
        let mut expected: Vec<&str> = emission.resources().map(|resource| resource.kind).collect();
        types.sort();
        expected.sort_unstable();
        assert_eq!(types, expected, "{name} shows what it was sent");
    }
    let pipelines = account.cloud.deployed_pipelines();
    let named: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect();
    assert_eq!(
        named,
        [
            "pr-17-thebestest-deploy",
            "stage-thebestest-deploy",
            "thebestest-unit-test"
        ]
    );
    assert!(
        pipelines
            .iter()
            .all(|pipeline| pipeline.version == 3 && !pipeline.properties.to_string().contains("Fn::"))
    );
    let mut roles = ROLES.to_vec();
    let mut taken_out = 0;
    for emission in emissions.iter().rev() {
        let name = &emission.stack.name;
        let begun = Instant::now();
        let stack = account.delete(name);
        assert_eq!(
            stack.status,
            "DELETE_COMPLETE",
            "{name}: {}",
            account.failures(&stack.id)
        );
        println!("{name}: deleted in {} ms", begun.elapsed().as_millis());
        // A role goes with its stack, so it is looked at as soon as all that it applies is gone.
        roles.retain(|(role, stacks)| {
            let left = emissions.iter().map(|emission| emission.stack.name.as_str());
            let left = left.filter(|left| {
                account
                    .stack(left)
                    .is_some_and(|stack| stack.status != "DELETE_COMPLETE")
            });
            let mut left = left.map(|left| left.trim_start_matches("thebestest-"));
            let at_work = left.any(|left| stacks.iter().any(|begins| left.starts_with(begins)));
            if !at_work {
                taken_out += every_statement_is_missed(&account, &format!("thebestest-{role}"));
            }
            at_work
        });
    }
    assert_eq!(roles, []);
    println!(
        "{taken_out} statements of {} roles were taken out, and all were missed",
        ROLES.len()
    );
    account.delete(&bootstrap.stack.name);
    assert_eq!(account.cloud.deployed_pipelines(), []);
}
