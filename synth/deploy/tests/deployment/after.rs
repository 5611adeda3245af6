//! What is asked of a deployment afterwards: `status`, `diff`, `redeliver`, `down`.

use testing::aws::Fault;

use crate::world::{BOOTSTRAP, NO_CREDENTIALS, World};

#[test]
fn status_and_diff_say_what_is_not_as_it_should_be_and_change_nothing() {
    let Some(world) = World::new("status and diff tell the truth") else {
        return;
    };
    let [artifacts, _, manager] = world.shared();
    let missing = world.run(&["status"]).ends_with(1);
    assert!(
        missing.stdout.contains(&artifacts) && missing.stdout.contains("`deploy up` creates it"),
        "{missing}"
    );
    let new = world.run(&["diff"]).ends_with(1);
    assert!(new.stdout.contains(&format!("{manager} is created:")), "{new}");

    world.up(&[]).succeeds();
    world.run(&["status"]).succeeds();
    world.run(&["diff"]).succeeds();

    world.change(&manager, |template| {
        template["Resources"]["Claim"]["Properties"]["MemorySize"] = 1024.into();
    });
    world
        .repository()
        .change_hooks(|hooks| hooks[0].events.push("push".to_owned()));
    let before = world.cloud.calls("deploy").len();
    let requests = world.github.requests().len();
    let drifted = world.run(&["status"]).ends_with(1);
    assert!(drifted.stdout.contains("somebody else has changed it"), "{drifted}");
    assert!(drifted.stdout.contains("`deploy up` mends it"), "{drifted}");
    let differs = world.run(&["diff"]).ends_with(1);
    assert!(differs.stdout.contains("Properties.MemorySize: 1024 → "), "{differs}");
    let reads = |operation: &str| {
        ["Get", "Describe", "List"]
            .iter()
            .any(|verb| operation.starts_with(verb))
    };
    assert!(world.calls_since(before).iter().all(|call| reads(&call.operation)));
    assert!(
        world.github.requests()[requests..]
            .iter()
            .all(|request| request.method == "GET")
    );

    world.up(&[NO_CREDENTIALS]).succeeds();
    world.run(&["status"]).succeeds();
    world.assert_complete("what drifted was mended");
}

#[test]
fn down_removes_everything_but_what_holds_data_and_says_what_that_is() {
    let Some(world) = World::new("everything is removed") else {
        return;
    };
    world.up(&[]).succeeds();
    let outcome = world.run(&["down", "--everything", "--yes"]).succeeds();
    for stack in world.shared() {
        assert!(outcome.stdout.contains(&format!("gone: {stack}")), "{outcome}");
    }
    assert_eq!(world.stacks(), 0);
    assert_eq!(world.repository().hooks(), []);
    for kept in ["PullRequests", "WebhookSecret", "GitHubCredentials", "Artifacts"] {
        assert!(outcome.stdout.contains(&format!("({kept} AWS::")), "{kept}: {outcome}");
    }
    let nothing = world.run(&["down", "--everything", "--yes"]).succeeds();
    assert!(nothing.stdout.contains("there was nothing to remove"), "{nothing}");
}

#[test]
fn down_removes_what_holds_data_if_it_is_named_and_up_begins_anew() {
    let Some(world) = World::new("named data is removed") else {
        return;
    };
    world.up(&[]).succeeds();
    let all = ["PullRequests", "WebhookSecret", "GitHubCredentials", "Artifacts"];
    let mut arguments = vec!["down", "--everything", "--yes"];
    arguments.extend(all.iter().flat_map(|name| ["--allow-loss", name]));
    let outcome = world.run(&arguments).succeeds();
    for name in all {
        assert!(!outcome.stdout.contains(&format!("({name} AWS::")), "{outcome}");
    }
    let client = world.cloud.client("test");
    let tables = client.json("dynamodb", "DynamoDB_20120810.ListTables", &serde_json::json!({}));
    assert_eq!(tables.expect("they are listed")["TableNames"], serde_json::json!([]));
    world.up(&[]).succeeds();
    world.assert_complete("after everything was removed");
}

#[test]
fn deliveries_that_failed_are_made_again_once() {
    let Some(world) = World::new("failed deliveries are repeated") else {
        return;
    };
    world.up(&[]).succeeds();
    let failed = testing::github::Delivery {
        id: 7,
        guid: "00000000-0000-4000-8000-000000000007".to_owned(),
        event: "pull_request".to_owned(),
        redelivery: false,
        status: Some(503),
        payload: serde_json::json!({"action": "opened"}),
    };
    world
        .repository()
        .change_hooks(|hooks| hooks[0].deliveries.push(failed));
    let status = world.run(&["status"]).ends_with(1);
    assert!(status.stdout.contains("1 deliveries have failed"), "{status}");
    world.run(&["redeliver"]).succeeds();
    let again = world.repository().hooks()[0].deliveries.clone();
    let again = again.iter().filter(|delivery| delivery.redelivery);
    assert_eq!(again.map(|delivery| delivery.status).collect::<Vec<_>>(), [Some(202)]);
    world.run(&["status"]).succeeds();
    let quiet = world.run(&["redeliver"]).succeeds();
    assert_eq!(quiet.stdout, "");
}

#[test]
fn a_failed_first_creation_says_its_root_cause_and_the_next_run_goes_on() {
    let Some(world) = World::new("a failed creation is continued") else {
        return;
    };
    let (works, fails) = (
        BOOTSTRAP,
        BOOTSTRAP.replace("\"SUCCESS\"", "\"FAILED\", \"Reason\": \"no such stage\""),
    );
    assert_ne!(works, fails);
    world.write("bootstrap", &fails);
    let failed = world.up(&[]).ends_with(6);
    let cause = "WebhookStageDeployment (Custom::StageDeployment) is CREATE_FAILED: ";
    assert!(
        failed.stderr.contains(cause) && failed.stderr.contains("no such stage"),
        "{failed}"
    );
    assert!(failed.stderr.contains("is ROLLBACK_COMPLETE"), "{failed}");
    world.write("bootstrap", works);
    let outcome = world.up(&[]).succeeds();
    assert!(
        outcome.stdout.contains("can only be deleted; it is made anew"),
        "{outcome}"
    );
    world.assert_complete("after a failed creation");
}

/// The words are those of a public report, see `stacks::first_deployment`.
#[test]
fn a_failure_that_only_an_account_can_show_is_told_as_the_claim_that_it_contradicts() {
    let Some(world) = World::new("a claim is named") else {
        return;
    };
    let words = "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: apigateway:PATCH on resource: arn:aws:apigateway:eu-west-1::/restapis/a1/stages/github";
    let refused = BOOTSTRAP.replace("\"SUCCESS\"", &format!("\"FAILED\", \"Reason\": \"{words}\""));
    world.write("bootstrap", &refused);
    let failed = world.up(&[]).ends_with(6);
    let note = "note: this is what only an account can show, \"service role\" in RUNBOOK.md: ";
    assert!(failed.stderr.contains(note), "{failed}");
    let told = world.up(&["--json"]).ends_with(6);
    let error = told
        .stdout
        .lines()
        .last()
        .map(serde_json::from_str::<serde_json::Value>);
    let error = error.expect("a line").expect("JSON");
    assert_eq!(error["claim"], "service role", "{told}");
}

#[test]
fn throttling_is_waited_out_and_expired_credentials_are_named() {
    let Some(world) = World::new("AWS's moods are borne") else {
        return;
    };
    world
        .cloud
        .fail("cloudformation", "CreateChangeSet", 1, Fault::Throttled);
    world.cloud.fail("s3", "PutObject", 1, Fault::Unavailable);
    let expired = Fault::Error {
        status: 403,
        code: "ExpiredToken".to_owned(),
        message: "The security token included in the request is expired".to_owned(),
    };
    world.cloud.fail("cloudformation", "ExecuteChangeSet", 2, expired);
    let outcome = world.up(&[]).ends_with(3);
    assert!(
        outcome.stderr.contains("sign in again, then run the same command"),
        "{outcome}"
    );
    world.up(&[]).succeeds();
    world.assert_complete("after new credentials");
}

#[test]
fn a_ping_that_is_not_answered_is_reported_and_made_again() {
    let Some(world) = World::new("the ping's answer matters") else {
        return;
    };
    world.github.answers_elsewhere(Some(504));
    let outcome = world.up(&[]).ends_with(7);
    assert!(outcome.stderr.contains("was answered with 504"), "{outcome}");
    world.github.answers_elsewhere(Some(202));
    let outcome = world.up(&[NO_CREDENTIALS]).succeeds();
    assert!(outcome.stdout.contains("answered GitHub's ping with 202"), "{outcome}");
}

#[test]
fn an_environment_is_found_and_removed_with_what_is_in_it() {
    let Some(world) = World::new("an environment is removed") else {
        return;
    };
    world.up(&[]).succeeds();
    world
        .repository()
        .pull_request(18, "6dcb09b5b57875f334f61aebed695e2e4193db5e");
    let client = world.cloud.client("test");
    let bucket = format!("{}-pr-17-files-{}", world.project, world.cloud.account());
    let files =
        serde_json::json!({"Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}}});
    let topic = serde_json::json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
    for (stack, template) in [("pr-17-app", files), ("deploy-pr-17", topic)] {
        world.create(&format!("{}-{stack}", world.project), &template);
    }
    let put = client.rest("s3", http::Method::PUT, &format!("/{bucket}/a"), "a".into());
    put.expect("S3 takes it");

    let status = world.run(&["status"]).ends_with(1);
    assert!(
        status
            .stdout
            .contains("its pull request is closed: `deploy down --pr 17` removes it"),
        "{status}"
    );
    assert!(
        status.stdout.contains("pr-18") && status.stdout.contains("open, without an environment"),
        "{status}"
    );
    let refused = world.run(&["down", "--everything", "--yes"]).ends_with(2);
    assert!(refused.stderr.contains("pr-17"), "{refused}");
    let unasked = world.run(&["down", "--pr", "17"]).ends_with(4);
    assert!(unasked.stderr.contains("was not confirmed"), "{unasked}");
    let gone = world.run(&["down", "--pr", "17", "--yes"]).succeeds();
    assert!(
        gone.stdout.contains("-pr-17-app\n") && gone.stdout.contains("-deploy-pr-17\n"),
        "{gone}"
    );
    assert_eq!(world.stacks(), 3);
    world.run(&["status"]).succeeds();
}
