//! `verify_webhook` with a secret of Secrets Manager: what GitHub signed is decided, everything else refused by name.

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use contract::{Decision, Delivery, Repair, Trigger, Verified, VerifyWebhookError};
use runtime::Failure;
use runtime::functions::{Function, Invocation, VerifyWebhook};
use serde_json::{Value, json};
use testing::aws::Cloud;
use testing::github::GitHub;
use testing::or_skip;

use crate::claim::{ONE, REPOSITORY, assert_as_granted, project};
use crate::cloud::Configured;

const SECRET: &str = "the first secret";

/// Makes the secret as the stack does; returns its ARN.
pub(super) async fn set_up(cloud: &Cloud) -> String {
    let secret = Client::new(&cloud.config("test"))
        .create_secret()
        .name("thebestest-webhook-secret")
        .secret_string(SECRET);
    secret
        .send()
        .await
        .expect("the secret is made")
        .arn
        .expect("it has one")
}

fn function(cloud: &Cloud, secret: &str, project: &str) -> VerifyWebhook {
    cloud.function(&[
        (contract::VerifyWebhook::WEBHOOK_SECRET, secret),
        (contract::VerifyWebhook::PROJECT, project),
        (contract::VerifyWebhook::GITHUB_CREDENTIALS, "arn:of-github"),
    ])
}

fn opened() -> Value {
    json!({
        "action": "opened",
        "repository": { "full_name": REPOSITORY },
        "pull_request": {
            "number": 17,
            "state": "open",
            "updated_at": "2026-01-31T12:00:00Z",
            "head": { "sha": ONE, "repo": { "full_name": REPOSITORY } },
            "base": { "ref": "main", "repo": { "full_name": REPOSITORY } },
        },
    })
}

fn signed(secret: &str, body: &[u8]) -> Trigger {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    Trigger {
        webhook: Some(Delivery {
            body: encoded(body),
            event: encoded(b"pull_request"),
            delivery: encoded(b"guid"),
            signature: encoded(format!("sha256={digits}").as_bytes()),
        }),
        repair: None,
    }
}

async fn call(function: &VerifyWebhook, trigger: Trigger) -> Result<Verified, Failure<VerifyWebhookError>> {
    let invocation = Invocation::lasting("request", Duration::from_secs(30));
    function.call(trigger, &invocation).await
}

/// Has the handler make every call that it makes.
pub(super) async fn exercise(cloud: &Cloud, secret: &str) {
    let function = function(cloud, secret, &project(|_| ()));
    let verified = call(&function, signed(SECRET, opened().to_string().as_bytes())).await;
    assert_eq!(verified.expect("it is signed").decision, Decision::Deploy);
}

#[tokio::test]
async fn it_does_what_it_is_granted_and_nothing_else() {
    let Some(cloud) = or_skip("no grant is missing or unused", Cloud::start()) else {
        return;
    };
    let secret = set_up(&cloud).await;
    exercise(&cloud, &secret).await;
    assert_as_granted(&cloud, "verify_webhook");
}

#[tokio::test]
async fn a_rotation_is_noticed_and_the_secret_before_it_stays_good() {
    let Some(cloud) = or_skip("two secrets are accepted", Cloud::start()) else {
        return;
    };
    let secret = set_up(&cloud).await;
    let function = function(&cloud, &secret, &project(|_| ()));
    let body = opened().to_string();
    let decision = async |secret: &str| {
        let verified = call(&function, signed(secret, body.as_bytes())).await;
        verified
            .map(|verified| verified.decision)
            .map_err(|failure| failure.error)
    };
    assert_eq!(decision(SECRET).await, Ok(Decision::Deploy));
    let rotate = async |value: &str| {
        let put = Client::new(&cloud.config("test")).put_secret_value();
        put.secret_id(&secret)
            .secret_string(value)
            .send()
            .await
            .expect("it is rotated");
    };
    rotate("the second secret").await;
    assert_eq!(decision("the second secret").await, Ok(Decision::Deploy));
    assert_eq!(
        decision(SECRET).await,
        Ok(Decision::Deploy),
        "GitHub may not have been told yet"
    );
    rotate("the third secret").await;
    assert_eq!(decision("the third secret").await, Ok(Decision::Deploy));
    assert_eq!(decision(SECRET).await, Err(VerifyWebhookError::SignatureRejected));
}

#[tokio::test]
async fn what_is_forged_broken_or_of_no_kind_is_refused_by_name_without_an_echo() {
    let Some(cloud) = or_skip("forged deliveries are refused", Cloud::start()) else {
        return;
    };
    let secret = set_up(&cloud).await;
    let function = function(&cloud, &secret, &project(|_| ()));
    let body = opened().to_string();
    let mut truncated = signed(SECRET, body.as_bytes());
    truncated.webhook.as_mut().expect("it is one").body = BASE64_STANDARD.encode(&body.as_bytes()[..body.len() - 1]);
    let mut no_base64 = signed(SECRET, body.as_bytes());
    no_base64.webhook.as_mut().expect("it is one").body = "?".to_owned();
    let mut both = signed(SECRET, body.as_bytes());
    both.repair = Some(repair(REPOSITORY));
    let neither = Trigger {
        webhook: None,
        repair: None,
    };
    for (trigger, expected) in [
        (signed("forged", body.as_bytes()), VerifyWebhookError::SignatureRejected),
        (truncated, VerifyWebhookError::SignatureRejected),
        (no_base64, VerifyWebhookError::PayloadRejected),
        (signed(SECRET, b"\xff\xfe"), VerifyWebhookError::PayloadRejected),
        (signed(SECRET, b"{}"), VerifyWebhookError::PayloadRejected),
        (
            signed(SECRET, &vec![b' '; 200_000]),
            VerifyWebhookError::PayloadRejected,
        ),
        (both, VerifyWebhookError::PayloadRejected),
        (neither, VerifyWebhookError::PayloadRejected),
    ] {
        let failure = call(&function, trigger).await.expect_err("it is refused");
        assert_eq!(failure.error, expected, "{failure}");
        assert!(
            !failure.message.contains(SECRET) && !failure.message.contains(ONE),
            "{failure}"
        );
    }
}

fn repair(repository: &str) -> Repair {
    let change = json!({
        "repository": repository, "number": 17, "sha": ONE, "head_repository": REPOSITORY, "open": true, "trusted": true,
        "labelled": true, "updated_at": "2026-01-31T12:00:00Z", "merged_at": null, "before": null, "reopened": false,
        "compared": 3, "delivery": "repair",
    });
    Repair {
        decision: Decision::TearDown,
        reason: "it was found".to_owned(),
        change: serde_json::from_value(change).expect("it is a change"),
    }
}

#[tokio::test]
async fn a_repair_is_passed_on_as_the_reconciler_decided_it() {
    let Some(cloud) = or_skip("repairs are passed on", Cloud::start()) else {
        return;
    };
    let secret = set_up(&cloud).await;
    let function = function(&cloud, &secret, &project(|_| ()));
    let trigger = |repository| Trigger {
        webhook: None,
        repair: Some(repair(repository)),
    };
    let verified = call(&function, trigger(REPOSITORY)).await.expect("it is a repair");
    assert_eq!(verified.decision, Decision::TearDown);
    assert_eq!(verified.change, Some(repair(REPOSITORY).change));
    let refused = call(&function, trigger("other/name"))
        .await
        .expect_err("it is of another");
    assert_eq!(refused.error, VerifyWebhookError::PayloadRejected);
    assert_eq!(cloud.calls("verify_webhook"), [], "a repair has no signature");
}

#[tokio::test]
async fn the_files_are_asked_for_where_the_project_counts_paths() {
    let (Some(cloud), Some(github)) = (
        or_skip("paths are filtered", Cloud::start()),
        or_skip("paths are filtered", GitHub::start()),
    ) else {
        return;
    };
    let secret = set_up(&cloud).await;
    let credentials = Client::new(&cloud.config("test"))
        .create_secret()
        .name("thebestest-github-credentials")
        .secret_string(github.token());
    let credentials = credentials
        .send()
        .await
        .expect("the secret is made")
        .arn
        .expect("it has one");
    github
        .repository(REPOSITORY)
        .pull_request(17, ONE)
        .file("docs/guide.md", None);
    for (path, expected) in [("docs/", Decision::Deploy), ("src/", Decision::Ignore)] {
        let project = project(|project| {
            project.github_api = github.api().to_owned();
            project.pull_requests.paths = vec![path.to_owned()];
        });
        let function: VerifyWebhook = cloud.function(&[
            (contract::VerifyWebhook::WEBHOOK_SECRET, &secret),
            (contract::VerifyWebhook::PROJECT, &project),
            (contract::VerifyWebhook::GITHUB_CREDENTIALS, &credentials),
        ]);
        let verified = call(&function, signed(SECRET, opened().to_string().as_bytes())).await;
        assert_eq!(verified.expect("it is signed").decision, expected, "{path}");
    }
}
