//! A GitHub App does what a token does, and what keeps it from doing so is told before anything is changed.

use std::time::Duration;

use deploy::github::GitHub as Deployer;
use deploy::secrets::SecretText;
use serde_json::Value;
use testing::github::{Asker, Fault, GitHub, Request};
use testing::or_skip;

use crate::world::{CALLER, NO_CREDENTIALS, REPOSITORY, World};

/// What every token of the App's installation begins with.
const TOKENS: &str = "ghs_installation";

fn by(github: &GitHub, before: usize, asker: Asker) -> Vec<Request> {
    let requests = github.requests().split_off(before);
    requests
        .into_iter()
        .filter(|request| request.asked_by == asker)
        .collect()
}

/// The App's key as it may stand in what somebody sees: its first whole line.
fn key(github: &GitHub) -> String {
    let credential: Value = serde_json::from_str(&github.app()).expect("it is JSON");
    let pem = credential["private_key"].as_str().expect("it has a key");
    pem.lines().nth(1).expect("a key is many lines").to_owned()
}

#[test]
fn an_app_deploys_and_is_read_again_and_shows_nowhere() {
    let Some(world) = World::new("a GitHub App deploys") else {
        return;
    };
    world.write("token", &world.github.app());
    let first = world.up(&["--json"]).succeeds();
    world.assert_complete("with an App");
    assert!(first.stdout.contains("the GitHub App opens the webhooks of"), "{first}");
    assert_eq!(by(&world.github, 0, Asker::App).len(), 1, "one token lasts for a run");

    let requests = world.github.requests().len();
    let second = world.up(&[NO_CREDENTIALS]).succeeds();
    for stack in world.shared() {
        assert!(second.stdout.contains(&format!("{stack}: nothing to do")), "{second}");
    }
    assert_eq!(by(&world.github, requests, Asker::App).len(), 1);
    let asked = by(&world.github, requests, Asker::Installation);
    assert!(!asked.is_empty() && asked.iter().all(|request| request.method == "GET"));
    let status = world.run(&["status"]).succeeds();

    let asked = world.github.requests();
    let asked_otherwise = asked
        .iter()
        .find(|request| ![Asker::App, Asker::Installation].contains(&request.asked_by));
    assert_eq!(asked_otherwise, None);
    let mut told = vec![first.to_string(), second.to_string(), status.to_string()];
    told.push(world.memory().to_string());
    told.extend(asked.iter().map(|request| format!("{request:?}")));
    told.extend(world.shared().iter().map(|stack| world.template(stack).to_string()));
    let calls = world.cloud.calls(CALLER).into_iter();
    let (stores, calls): (Vec<_>, Vec<_>) = calls.partition(|call| call.operation == "PutSecretValue");
    told.extend(calls.iter().map(|call| format!("{call:?}")));
    for secret in [key(&world.github).as_str(), TOKENS] {
        let shows: Vec<&String> = told.iter().filter(|text| text.contains(secret)).collect();
        assert!(shows.is_empty(), "{shows:?}");
    }
    let [store] = stores.as_slice() else {
        panic!("the App is stored once: {} times", stores.len())
    };
    let stored = store.parameters["SecretString"].as_str().unwrap_or_default();
    assert!(stored == world.github.app(), "what is stored is the App itself");
}

#[test]
fn an_app_that_cannot_see_to_webhooks_is_told_why_before_anything_is_changed() {
    let Some(world) = World::new("an App lacks something") else {
        return;
    };
    let refused = |credential: &str, what: &str, help: &str| {
        world.write("token", credential);
        let outcome = world.up(&[]);
        let told = &outcome.stderr;
        assert!(told.contains(what) && told.contains(help), "{what}, {help}: {outcome}");
        assert!(!outcome.to_string().contains(&key(&world.github)), "{what}");
        assert_eq!((world.stacks(), world.repository().hooks().len()), (0, 0), "{what}");
        outcome
    };
    let app = world.github.app();
    let permission = "the repository permission Webhooks, read and write";
    world.github.app_may_with_hooks(None);
    refused(
        &app,
        "403: the GitHub App's installation may not see webhooks",
        permission,
    )
    .ends_with(3);
    world.github.app_may_with_hooks(Some("read"));
    refused(
        &app,
        "403: the GitHub App's installation may only read webhooks",
        permission,
    )
    .ends_with(3);
    world.github.app_may_with_hooks(Some("write"));

    let elsewhere = app.replace("\"installation_id\":5678", "\"installation_id\":9999");
    refused(&elsewhere, "installation 9999: Not Found", "check `installation_id`").ends_with(3);
    let another = app.replace("\"app_id\":1234", "\"app_id\":1235");
    refused(
        &another,
        "401: no token of the GitHub App's",
        "check `app_id` and `private_key`",
    )
    .ends_with(3);
    let suspended = Fault::status(403);
    world.github.faults().on("POST /access_tokens", [suspended]);
    refused(&app, "403: no token of the GitHub App's", "must not be suspended").ends_with(3);

    let broken = app.replace("BEGIN RSA", "BEGIN").replace("END RSA", "END");
    refused(
        &broken,
        "the private key of the GitHub App cannot be used",
        "a GitHub App as JSON",
    )
    .ends_with(2);
    let other = app.replace("app_id", "id");
    refused(&other, "no GitHub App as JSON (line 1, column", "a GitHub App as JSON").ends_with(2);

    let project = std::fs::read_to_string(world.path("project.yaml")).expect("it is there");
    world.write("project.yaml", &project.replace(REPOSITORY, "thebestest/another"));
    refused(
        &app,
        "422: no token of the GitHub App's",
        "install the App on thebestest/another",
    )
    .ends_with(3);
}

/// The local GitHub, and the deployer's way to it as the App.
fn direct(what: &str) -> Option<(GitHub, Deployer)> {
    let github = or_skip(what, GitHub::start())?;
    github.repository(REPOSITORY);
    let app = SecretText::new(github.app());
    let deployer = Deployer::new(github.api(), REPOSITORY, &app).expect("it is made");
    Some((github, deployer))
}

#[tokio::test]
async fn a_token_of_an_installation_is_renewed_when_it_is_refused_or_about_to_end() {
    let Some((github, deployer)) = direct("an App's token is renewed") else {
        return;
    };
    for _ in 0..2 {
        assert_eq!(deployer.hooks().await, Ok(Vec::new()));
    }
    assert_eq!(by(&github, 0, Asker::App).len(), 1);

    github.revoke_installation_tokens();
    let secret = SecretText::new("hush");
    let hook = deployer.create_hook("https://example.com/hook", &secret).await;
    assert!(hook.is_ok(), "{hook:?}");
    assert_eq!(github.repository(REPOSITORY).hooks().len(), 1, "it was made once");
    assert_eq!(by(&github, 0, Asker::App).len(), 2);

    github.revoke_installation_tokens();
    github.installation_tokens_live(Duration::from_secs(240));
    for _ in 0..2 {
        assert_eq!(deployer.hooks().await.map(|hooks| hooks.len()), Ok(1));
    }
    assert_eq!(by(&github, 0, Asker::App).len(), 4, "each is about to end");
    assert!(!format!("{deployer:?}").contains(TOKENS), "{deployer:?}");
    assert!(!format!("{deployer:?}").contains(&key(&github)), "{deployer:?}");
}

#[tokio::test]
async fn a_token_is_of_the_one_repository_and_a_github_on_a_bad_day_is_asked_again() {
    let Some((github, deployer)) = direct("an App's token is asked for") else {
        return;
    };
    github
        .faults()
        .on("POST /access_tokens", [Fault::status(502), Fault::cut()]);
    assert_eq!(deployer.accepts().await, Ok(true));
    let asked = by(&github, 0, Asker::App);
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].body, serde_json::json!({"repositories": ["thebestest"]}));
    assert_eq!(deployer.lacks().await, Ok(Vec::new()));
    assert_eq!(
        by(&github, 0, Asker::App).len(),
        3,
        "what is refused for a commit's sake needs no other token"
    );
    github.faults().always_on("GET /hooks", Fault::status(401));
    assert_eq!(
        deployer.accepts().await,
        Ok(false),
        "it asks with a new token, and then no more"
    );
    assert_eq!(by(&github, 0, Asker::App).len(), 4);
}

#[tokio::test]
async fn an_app_that_gets_no_token_does_not_take_its_webhook_for_gone() {
    let Some((github, _)) = direct("an App is uninstalled") else {
        return;
    };
    let id = github.repository(REPOSITORY).add_hook("https://example.com/hook");
    let gone = github
        .app()
        .replace("\"installation_id\":5678", "\"installation_id\":9999");
    let deployer = Deployer::new(github.api(), REPOSITORY, &SecretText::new(gone)).expect("it is made");
    let told = [
        deployer.hook(id).await.map(drop),
        deployer.delete_hook(id).await,
        deployer.lacks().await.map(drop),
    ];
    for told in told {
        let words = told.expect_err("nobody was asked about the webhook").to_string();
        assert!(words.contains("check `installation_id`"), "{words}");
    }
}
