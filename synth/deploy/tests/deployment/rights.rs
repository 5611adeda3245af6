//! The policy that `synth policy` prints: what whoever deploys needs, and no more.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use testing::aws::{Call, Cloud, Grants, Permission, Statement};
use testing::or_skip;

use crate::world::{BOOTSTRAP, CALLER, NO_CREDENTIALS, World};

/// What one stack with one role does not take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The policy of the world's project.
fn policy(world: &World) -> Grants {
    let mut project = testing::emission::project();
    world.project.clone_into(&mut project.project);
    let policy = stacks::deployer::policy(&project);
    let texts = |value: &Value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<String>>(),
    };
    let statements = policy["Statement"]
        .as_array()
        .expect("it has statements")
        .iter()
        .map(|statement| {
            let operators = statement["Condition"].as_object().into_iter().flatten();
            let conditions = operators.flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(move |(key, values)| (operator.clone(), key.clone(), texts(values)))
            });
            Statement {
                actions: texts(&statement["Action"]),
                resources: texts(&statement["Resource"]),
                conditions: conditions.collect(),
            }
        });
    Grants {
        role: format!("{}-deployer", world.project),
        statements: statements.collect(),
    }
}

/// The stack that an administrator applies before: the role with which CloudFormation makes everything else.
fn bootstrap(world: &World) {
    let mut project = testing::emission::project();
    world.project.clone_into(&mut project.project);
    let stack = testing::emission::bootstrap(&project).remove(0);
    let (name, template) = (stack.stack.name.as_str(), stack.template.to_string());
    let administrator = world.cloud.client("administrator");
    let asked = [
        ("StackName", name),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    let ask = |action: &str, parameters: &[(&str, &str)]| {
        let answer = administrator.query("cloudformation", action, parameters);
        answer.unwrap_or_else(|fault| panic!("{action}: {fault}"))
    };
    ask("CreateStack", &asked);
    let begun = Instant::now();
    while !ask("DescribeStacks", &[("StackName", name)]).contains("CREATE_COMPLETE") {
        assert!(
            begun.elapsed() < PATIENCE,
            "{}",
            ask("DescribeStackEvents", &[("StackName", name)])
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// A whole life: a first creation that fails, one that does not, changes, a rollback that has to go on, and the end.
fn live(world: &World) {
    bootstrap(world);
    let role = format!(
        "arn:aws:iam::{}:role/{}-cloudformation",
        world.cloud.account(),
        world.project
    );
    let with_role = ["--service-role", role.as_str()];
    let up = |more: &[&str]| world.up(&[more, &with_role].concat());
    world.write(
        "bootstrap",
        &BOOTSTRAP.replace("\"SUCCESS\"", "\"FAILED\", \"Reason\": \"no such stage\""),
    );
    up(&[]).ends_with(6);
    world.write("bootstrap", BOOTSTRAP);
    up(&[]).succeeds();
    world.run(&["status"]).succeeds();
    world.run(&["doctor"]).ends_with(1);
    // The stand-in's answer is none of a reconciler's; that it is asked is what counts here.
    let asked = world.run(&["reconcile"]).ends_with(3);
    assert!(asked.stderr.contains("its answer is not understood"), "{asked}");
    let [_, unit_test, manager] = world.shared();
    world.change(&manager, |template| {
        template["Resources"]["Claim"]["Properties"]["MemorySize"] = 1024.into();
        template["Resources"]["PullRequests"]["Properties"]["TableName"] =
            format!("{}-another-table", world.project).into();
    });
    world.run(&["diff"]).ends_with(1);
    up(&[NO_CREDENTIALS]).ends_with(4);
    up(&[NO_CREDENTIALS, "--allow-loss", "PullRequests"]).succeeds();
    let torn = world.answer_of(&unit_test, "UPDATE_ROLLBACK_FAILED");
    // The second stack that is looked at.
    world.cloud.fail("cloudformation", "DescribeStacks", 2, torn);
    // MiniStack's stack is not torn, so it refuses; that it is asked is what counts here.
    let _ = up(&[NO_CREDENTIALS]);
    let mut down = vec!["down", "--everything", "--yes"];
    down.extend(with_role);
    down.extend(
        ["PullRequests", "WebhookSecret", "GitHubCredentials", "Artifacts"]
            .iter()
            .flat_map(|name| ["--allow-loss", name]),
    );
    world.run(&down).succeeds();
    let kept = serde_json::json!({"Name": format!("{}-webhook-secret", world.project), "SecretString": "kept"});
    let client = world.cloud.client("test");
    let made = client.json("secretsmanager", "secretsmanager.CreateSecret", &kept);
    made.expect("its name is free");
    up(&[]).ends_with(2);
}

/// What a call needs; S3 says that something is not there only to who may list the bucket.
fn needs(call: &Call, account: &str) -> Vec<Permission> {
    let mut needed = call.permissions(account);
    if call.service == "s3"
        && call.status == Some(404)
        && ["GetObject", "HeadObject"].contains(&call.operation.as_str())
    {
        let bucket = call.parameters["Bucket"].as_str().unwrap_or_default();
        needed.push(Permission {
            action: "s3:ListBucket".to_owned(),
            resource: format!("arn:aws:s3:::{bucket}"),
            context: BTreeMap::new(),
        });
    }
    needed
}

#[test]
fn the_emitted_policy_is_exactly_what_a_deployments_life_uses() {
    let Some(world) = World::new("the deployer's policy is exact") else {
        return;
    };
    live(&world);
    let account = world.cloud.account();
    let calls = world.cloud.calls(CALLER);
    let needed: Vec<Permission> = calls.iter().flat_map(|call| needs(call, account)).collect();
    let difference = policy(&world).compare(&needed);
    assert!(
        difference.missing.is_empty() && difference.unused.is_empty(),
        "{difference:#?}"
    );
}

#[test]
fn a_deployments_life_goes_well_with_the_emitted_policy_where_it_is_enforced() {
    let what = "the deployer's policy suffices";
    let Some(cloud) = or_skip(what, Cloud::enforcing()) else {
        return;
    };
    let Some(world) = World::with(cloud, what) else { return };
    world
        .cloud
        .give_role(CALLER, &policy(&world))
        .expect("the role is assumed");
    live(&world);
    let calls = world.cloud.calls(CALLER);
    let denied: Vec<&Call> = calls.iter().filter(|call| call.status == Some(403)).collect();
    assert!(denied.is_empty(), "{denied:?}");
}
