//! What stands in the way is told before anything is made, by `doctor` and by `up`.

use std::process::{Command, Stdio};

use serde_json::json;
use testing::aws::Fault;
use testing::github;

use crate::world::{CALLER, NO_CREDENTIALS, Outcome, World, text};

/// Lambda's settings of an account that may run so many functions at a time.
fn executions(limit: u32) -> Fault {
    let settings = json!({
        "AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit},
        "AccountUsage": {"FunctionCount": 0},
    });
    Fault::Answer {
        status: 200,
        body: settings.to_string(),
    }
}

/// Service Quotas of an account that may build so many commits at a time on this kind of machine.
fn builds(machine: &str, value: u32) -> Fault {
    let name = format!("Concurrently running builds for {machine} environment");
    let quota = json!({"ServiceCode": "codebuild", "QuotaName": name, "Value": value});
    Fault::Answer {
        status: 200,
        body: json!({"Quotas": [quota]}).to_string(),
    }
}

fn doctor(world: &World, more: &[&str]) -> Outcome {
    let bootstrap = world.path("bootstrap");
    world.run(&[&["doctor", "--bootstrap", text(&bootstrap)], more].concat())
}

#[test]
fn doctor_looks_at_all_that_up_needs_and_changes_nothing() {
    let Some(world) = World::new("doctor looks at everything") else {
        return;
    };
    let without = doctor(&world, &[]).ends_with(1);
    assert!(without.stdout.contains("no credentials yet"), "{without}");
    let token = world.path("token");
    let healthy = doctor(&world, &["--credentials", text(&token)]).succeeds();
    for line in [
        "configuration",
        "functions",
        "account",
        "names",
        "stacks",
        "IAM roles",
        "concurrent executions",
        "builds at a time",
        "image",
        "GitHub",
    ] {
        assert!(healthy.stdout.contains(line), "{line}: {healthy}");
    }
    let json = doctor(&world, &["--json", "--credentials", text(&token)]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("a line of JSON");
    assert_eq!(json["event"], "diagnosis");
    let calls = world.cloud.calls(CALLER);
    let reads = |operation: &str| {
        ["Get", "Describe", "List"]
            .iter()
            .any(|verb| operation.starts_with(verb))
    };
    assert!(calls.iter().all(|call| reads(&call.operation)), "{calls:?}");
    assert_eq!(world.stacks(), 0);
    assert_eq!(world.repository().all_statuses().len(), 0);
    assert_eq!(world.repository().deployments("deploy-rights").len(), 0);

    world.up(&[]).succeeds();
    doctor(&world, &[]).succeeds();
}

#[test]
fn an_account_that_builds_nothing_or_one_commit_at_a_time_is_told_so_and_how_to_raise_it() {
    let Some(world) = World::new("the quota of builds is looked at") else {
        return;
    };
    let token = world.path("token");
    let ask = |answer| {
        world.cloud.fail("servicequotas", "ListServiceQuotas", 1, answer);
        doctor(&world, &["--credentials", text(&token)])
    };
    let none = ask(builds("ARM/Medium", 0)).ends_with(1);
    assert!(none.stdout.contains("no build runs in this account"), "{none}");
    assert!(none.stdout.contains("ARM/Medium environment"), "{none}");
    let one = ask(builds("ARM/Medium", 1)).succeeds();
    assert!(one.stdout.contains("one after the other"), "{one}");
    let many = ask(builds("ARM/Medium", 60)).succeeds();
    assert!(many.stdout.contains("60, and 300 wait"), "{many}");
    let unlisted = ask(builds("ARM/Tiny", 60)).succeeds();
    assert!(
        unlisted.stdout.contains("not looked at: Service Quotas does not list"),
        "{unlisted}"
    );
}

#[test]
fn doctor_goes_on_where_something_is_wrong_and_names_all_of_it() {
    let Some(world) = World::new("doctor goes on") else {
        return;
    };
    world.write("bootstrap", "no program");
    world.write("token", "github_pat_of_somebody_else");
    let mut command = world.command(
        Command::new(env!("CARGO_BIN_EXE_deploy")),
        &[
            "doctor",
            "--bootstrap",
            text(&world.path("bootstrap")),
            "--credentials",
            text(&world.path("token")),
        ],
    );
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(variable);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
    let ill = Outcome::of(command.spawn().expect("it starts")).ends_with(1);
    assert!(ill.stdout.contains("is no program for Linux"), "{ill}");
    assert!(ill.stdout.contains("aws sso login"), "{ill}");
    assert!(ill.stdout.contains("expired or were revoked"), "{ill}");

    world.write("token", "");
    let empty = doctor(&world, &["--credentials", text(&world.path("token"))]).ends_with(1);
    assert!(
        empty.stdout.contains("is empty") && empty.stdout.contains("names"),
        "{empty}"
    );
}

#[test]
fn a_token_without_a_right_that_the_functions_need_is_refused_before_anything_is_made() {
    let Some(world) = World::new("a token's rights are looked at") else {
        return;
    };
    world
        .github
        .faults()
        .always_on("POST /repos/thebestest/thebestest/statuses", github::Fault::status(403));
    world
        .github
        .faults()
        .always_on("GET /repos/thebestest/thebestest/commits", github::Fault::status(403));
    let token = world.path("token");
    let ill = doctor(&world, &["--credentials", text(&token)]).ends_with(1);
    let words = "lack permissions that the functions need on thebestest/thebestest: Contents, Commit statuses";
    assert!(ill.stdout.contains(words), "{ill}");
    let refused = world.up(&[]).ends_with(3);
    assert!(refused.stderr.contains(words), "{refused}");
    assert_eq!(world.stacks(), 0);
}

#[test]
fn a_token_that_cannot_delete_githubs_environments_is_told_of_it_and_is_sound() {
    let Some(world) = World::new("GitHub's environments are looked at") else {
        return;
    };
    let token = world.path("token");
    let words = "leave one environment of GitHub's behind for each pull request";
    let able = doctor(&world, &["--credentials", text(&token)]).succeeds();
    assert!(!able.stdout.contains(words), "{able}");
    world.github.token_administers(false);
    let unable = doctor(&world, &["--credentials", text(&token)]).succeeds();
    assert!(unable.stdout.contains(words), "{unable}");
}

#[test]
fn a_github_that_was_asked_too_often_is_not_taken_for_one_that_refuses() {
    let Some(world) = World::new("a limit is no refusal") else {
        return;
    };
    world.github.faults().always_on(
        "GET /repos/thebestest/thebestest/pulls",
        github::Fault::secondary_limit(None),
    );
    let limited = world.up(&[]).ends_with(3);
    assert!(limited.stderr.contains("GitHub asks for patience"), "{limited}");
    assert_eq!(world.stacks(), 0);
}

#[test]
fn a_secret_that_an_earlier_deployment_has_kept_is_told_before_anything_is_made() {
    let Some(world) = World::new("a taken name is told") else {
        return;
    };
    let name = format!("{}-webhook-secret", world.project);
    let client = world.cloud.client("test");
    let secret = json!({"Name": name, "SecretString": "kept"});
    client
        .json("secretsmanager", "secretsmanager.CreateSecret", &secret)
        .expect("it is made");
    // Another project's, whose name goes on where this one's ends.
    let other = json!({"Name": format!("{name}-of-another"), "SecretString": "kept"});
    client
        .json("secretsmanager", "secretsmanager.CreateSecret", &other)
        .expect("it is made");
    let refused = world.up(&[]).ends_with(2);
    assert!(
        refused.stderr.contains(&format!("the secret {name} is there already")),
        "{refused}"
    );
    assert!(
        refused.stderr.contains(&format!(
            "delete-secret --secret-id {name} --force-delete-without-recovery"
        )),
        "{refused}"
    );
    assert!(!refused.stderr.contains("of-another"), "{refused}");
    assert_eq!(world.stacks(), 0);
    assert!(
        doctor(&world, &[])
            .ends_with(1)
            .stdout
            .contains(&format!("{name} is taken"))
    );

    let delete = |how: serde_json::Value| {
        let deleted = client.json("secretsmanager", "secretsmanager.DeleteSecret", &how);
        deleted.expect("it is there");
    };
    delete(json!({"SecretId": name, "RecoveryWindowInDays": 7}));
    let refused = world.up(&[]).ends_with(2);
    assert!(
        refused.stderr.contains(&format!("the secret {name} is being deleted")),
        "{refused}"
    );
    delete(json!({"SecretId": name, "ForceDeleteWithoutRecovery": true}));
    world.up(&[]).succeeds();
    world.assert_complete("the name is free");
}

#[test]
fn a_list_of_secrets_that_is_behind_names_none_that_is_gone() {
    let Some(world) = World::new("a list that is behind") else {
        return;
    };
    let name = format!("{}-webhook-secret", world.project);
    let arn = format!(
        "arn:aws:secretsmanager:eu-west-1:{}:secret:{name}-a1B2c3",
        world.cloud.account()
    );
    let behind = json!({"SecretList": [{"Name": name, "ARN": arn}]});
    let behind = Fault::Answer {
        status: 200,
        body: behind.to_string(),
    };
    world.cloud.fail("secretsmanager", "ListSecrets", 1, behind);
    world.up(&[]).succeeds();
}

#[test]
fn secrets_that_a_stack_leaves_while_it_goes_are_told_before_it_is_made_again() {
    let Some(world) = World::new("a stack leaves secrets") else {
        return;
    };
    world.up(&[]).succeeds();
    let [_, _, manager] = world.shared();
    let failed = world.answer_of(&manager, "DELETE_FAILED");
    // The third stack that is looked at.
    world.cloud.fail("cloudformation", "DescribeStacks", 3, failed);
    let token = world.path("token");
    let refused = world.up(&["--credentials", text(&token)]).ends_with(2);
    assert!(
        refused
            .stderr
            .contains(&format!("the secret {}-webhook-secret is there already", world.project)),
        "{refused}"
    );
    assert_eq!(world.status(&manager), None, "nothing was begun");
}

#[test]
fn a_stack_of_the_same_name_that_is_not_the_projects_is_left_alone() {
    let Some(world) = World::new("somebody else's stack is left alone") else {
        return;
    };
    let [_, unit_test, _] = world.shared();
    let topic = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
    world.create(&unit_test, &topic);
    let refused = world.up(&[]).ends_with(2);
    assert!(
        refused
            .stderr
            .contains(&format!("the stack {unit_test} is not this project's")),
        "{refused}"
    );
    assert_eq!(world.template(&unit_test), topic);
    assert_eq!(world.stacks(), 1);
}

#[test]
fn quotas_that_leave_no_room_stop_a_first_run_and_those_that_bound_environments_are_told() {
    let Some(world) = World::new("quotas are looked at") else {
        return;
    };
    world.cloud.fail("lambda", "GetAccountSettings", 1, executions(2));
    let refused = world.up(&[]).ends_with(3);
    assert!(
        refused
            .stderr
            .contains("need 3 concurrent executions more, and there is room for 2"),
        "{refused}"
    );
    assert_eq!(world.stacks(), 0);

    world.cloud.fail("lambda", "GetAccountSettings", 1, executions(5));
    let told = world.up(&[]).succeeds();
    assert!(
        told.stdout
            .contains("warning: concurrent executions: there is room for 2 of the "),
        "{told}"
    );
    world.assert_complete("with little room");

    let before = world.cloud.calls(CALLER).len();
    world.up(&[NO_CREDENTIALS]).succeeds();
    let asked = world.calls_since(before);
    assert!(
        asked.iter().all(|call| !call.operation.starts_with("GetAccount")),
        "where nothing is to be made nothing is asked: {asked:?}"
    );
}
