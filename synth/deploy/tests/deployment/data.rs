//! What holds data is not replaced or removed unasked.

use serde_json::Value;

use crate::world::{NO_CREDENTIALS, World};

#[test]
fn a_plan_that_replaces_the_table_stops_with_its_names_and_the_flag_before_anything_changes() {
    let Some(world) = World::new("data is kept") else {
        return;
    };
    world.up(&[]).succeeds();
    let [_, _, manager] = world.shared();
    // Somebody has another table in the account than the code says.
    world.change(&manager, |template: &mut Value| {
        template["Resources"]["PullRequests"]["Properties"]["TableName"] = "another-table".into();
    });
    let changed = world.described(&manager, "LastUpdatedTime");
    let before = world.cloud.calls("deploy").len();

    let refused = world.up(&[NO_CREDENTIALS]).ends_with(4);
    assert!(
        refused
            .stderr
            .contains("PullRequests (another-table) AWS::DynamoDB::Table"),
        "{refused}"
    );
    assert!(refused.stderr.contains("`--allow-loss PullRequests`"), "{refused}");
    assert_eq!(world.described(&manager, "LastUpdatedTime"), changed);
    let calls = world.calls_since(before);
    assert!(
        calls.iter().all(|call| call.operation != "CreateChangeSet"),
        "{calls:?}"
    );

    let done = world.up(&[NO_CREDENTIALS, "--allow-loss", "PullRequests"]).succeeds();
    assert!(
        done.stdout.contains("PullRequests AWS::DynamoDB::Table: replaced"),
        "{done}"
    );
    assert!(
        done.stdout.contains("Properties.TableName: \"another-table\" → "),
        "{done}"
    );
    world.assert_complete("the table was replaced as asked");
}

#[test]
fn users_that_a_plan_or_a_removal_would_take_away_stop_it_with_their_names_and_the_flag() {
    let Some(world) = World::new("users are kept") else {
        return;
    };
    world.up(&[]).succeeds();
    let [_, _, manager] = world.shared();
    world.change(&manager, |template: &mut Value| {
        template["Resources"]["Users"] = serde_json::json!({"Type": "AWS::Cognito::UserPool", "Properties": {}});
    });
    let pool = world.resource(&manager, "Users").expect("somebody has added it");
    let refused = world.up(&[NO_CREDENTIALS]).ends_with(4);
    assert!(
        refused.stderr.contains(&format!(
            "Users ({pool}) AWS::Cognito::UserPool of {manager} is removed"
        )),
        "{refused}"
    );
    assert!(refused.stderr.contains("`--allow-loss Users`"), "{refused}");
    assert_eq!(world.resource(&manager, "Users"), Some(pool));
    world.up(&[NO_CREDENTIALS, "--allow-loss", "Users"]).succeeds();
    assert_eq!(world.resource(&manager, "Users"), None);

    let stage = format!("{}-stage-app", world.project);
    let users = serde_json::json!({"Resources": {"Users": {"Type": "AWS::Cognito::UserPool", "Properties": {}}}});
    world.create(&stage, &users);
    let pool = world.resource(&stage, "Users").expect("it is there");
    let refused = world.run(&["down", "--environment", "stage", "--yes"]).ends_with(4);
    assert!(
        refused
            .stderr
            .contains(&format!("Users ({pool}) AWS::Cognito::UserPool of {stage} is removed")),
        "{refused}"
    );
    let named = ["down", "--environment", "stage", "--yes", "--allow-loss", "Users"];
    world.run(&named).succeeds();
    assert_eq!(world.stacks(), 3);
}

#[test]
fn the_webhook_follows_when_the_api_was_deleted_and_is_made_again() {
    let Some(world) = World::new("the webhook follows the API") else {
        return;
    };
    world.up(&[]).succeeds();
    let [_, _, manager] = world.shared();
    let (url, hooks) = (world.webhook_url(), world.repository().hooks());
    world.delete(&manager);
    // Secrets that were kept would keep their names.
    world.delete_kept();

    let outcome = world.up(&[]).succeeds();
    assert_ne!(world.webhook_url(), url, "it is another API");
    let follows = world.repository().hooks();
    assert_eq!(follows[0].id, hooks[0].id, "it is the same webhook");
    assert_ne!(follows[0].secret, hooks[0].secret, "it signs with the new secret");
    assert!(
        follows[0].deliveries.len() > hooks[0].deliveries.len(),
        "it was pinged again: {outcome}"
    );
    world.assert_complete("the API was made again");
}
