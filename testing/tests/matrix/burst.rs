//! Ten pull requests are closed at once: their APIs can be deleted one in thirty seconds, and all are torn down all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::account::{Account, RECORDS};

/// How many pull requests there are.
const CLOSED: u32 = 10;
/// How the state machine asks again: the first wait, and the longest, in milliseconds.
const WAITS: (u64, u64) = (15_000, 60_000);

/// A pull request with a deployed application that has an API, whose close was claimed.
fn deploy(account: &Account, repository: &str, number: u32) {
    let name = format!("thebestest-pr-{number}-api");
    let api = json!({ "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": name } });
    let template = json!({ "Resources": { "Api": api } }).to_string();
    let stack = format!("thebestest-pr-{number}-app");
    let environment = format!("pr-{number}");
    let parameters = [
        ("StackName", stack.as_str()),
        ("TemplateBody", &template),
        ("Tags.member.1.Key", "pipeline:project"),
        ("Tags.member.1.Value", "thebestest"),
        ("Tags.member.2.Key", "pipeline:environment"),
        ("Tags.member.2.Value", &environment),
    ];
    let created = account.client.query("cloudformation", "CreateStack", &parameters);
    created.expect("it is created");
    account.settle();
    let text = |text: &str| json!({ "S": text });
    let one = || json!({ "N": "1" });
    let record = json!({
        "repository": text(repository), "number": { "N": number.to_string() }, "revision": one(), "generation": one(),
        "decision": text("tear_down"), "reason": text("it was closed"), "sha": text(&"0".repeat(40)),
        "wanted": { "BOOL": false }, "updated_at": text("2026-03-02T08:00:00Z"),
        "execution": text("arn:aws:states:eu-west-1:123456789012:execution:x:y"), "open": { "BOOL": false },
        "claimed_at": one(), "attempts": one(), "runs": { "M": {} },
    });
    let asked = json!({ "TableName": RECORDS, "Item": record });
    let put = account.client.json("dynamodb", "DynamoDB_20120810.PutItem", &asked);
    put.expect("it is put");
}

fn target(repository: &str, number: u32) -> Value {
    json!({ "target": {
        "repository": repository, "number": number, "sha": "0".repeat(40), "environment": format!("pr-{number}"),
        "generation": 1,
    } })
}

#[test]
fn ten_pull_requests_that_are_closed_at_once_are_all_torn_down_at_api_gateways_own_rate() {
    let Some(mut account) = Account::prepare() else { return };
    let (repository, functions) = account.next_case();
    for number in 1..=CLOSED {
        deploy(&account, &repository, number);
        account.clock.set(account.clock.now() + Duration::from_secs(3));
    }
    let begun = account.clock.now();
    // When each is asked for its next step, and how long it waits after that.
    let mut agenda: BTreeMap<_, _> = (1..=CLOSED)
        .map(|number| ((begun + Duration::from_millis(u64::from(number)), number), WAITS.0))
        .collect();
    let (mut ended, mut throttled) = (Vec::new(), 0);
    while let Some(((at, number), wait)) = agenda.pop_first() {
        account.clock.set(at);
        let progress = functions
            .invoke("Teardown", &target(&repository, number), None)
            .expect("a step");
        account.settle();
        assert_eq!(progress["stuck"], json!([]), "pull request {number}: {progress}");
        throttled += usize::from(
            progress["summary"]
                .as_str()
                .is_some_and(|words| words.contains("again")),
        );
        if progress["done"] == true {
            ended.push(number);
        } else {
            let next = at + Duration::from_millis(wait);
            agenda.insert((next, number), (wait * 3 / 2).min(WAITS.1));
        }
        let took = at.unix_millis() - begun.unix_millis();
        assert!(took < 60 * 60_000, "only {ended:?} are torn down after an hour");
    }
    let took = (account.clock.now().unix_millis() - begun.unix_millis()) / 1_000;
    println!("{CLOSED} teardowns took {took} s, with {throttled} deletions that were throttled");
    assert_eq!(ended.len(), CLOSED as usize);
    assert!(throttled > CLOSED as usize, "the rate was felt: {throttled}");
    // Each but the first waits for half a minute, at the least.
    assert!(took >= 9 * 30, "{took} s is faster than API Gateway lets anybody be");
    let left = account.stacks();
    assert!(
        !left
            .iter()
            .any(|(name, _)| name.ends_with("-app") && name.contains("-pr-")),
        "{left:?}"
    );
}
