//! Who asks: a GitHub App that makes itself tokens, and what opens nothing.

use runtime::github::Client;
use testing::github::Asker;

use super::{MARKER, NAME, SHA, client, seconds, status, test, within};

#[tokio::test]
async fn an_app_makes_itself_a_token_and_uses_it_until_it_ends() {
    let Some(test) = test("a GitHub App") else { return };
    let client = client(&test.github, test.github.app());
    let time = within(seconds(30));
    let asked = || {
        test.github
            .requests()
            .iter()
            .map(|request| request.asked_by)
            .collect::<Vec<_>>()
    };
    for _ in 0..2 {
        client
            .set_status(NAME, SHA, &status(), &time)
            .await
            .expect("GitHub takes it");
    }
    assert_eq!(asked(), [Asker::App, Asker::Installation, Asker::Installation]);

    // A token that somebody has revoked is replaced at once.
    test.github.revoke_installation_tokens();
    client
        .set_status(NAME, SHA, &status(), &time)
        .await
        .expect("GitHub takes it");
    assert_eq!(asked()[3..], [Asker::Stranger, Asker::App, Asker::Installation]);

    // One that is about to end is not used any more.
    test.github.revoke_installation_tokens();
    test.github.installation_tokens_live(seconds(240));
    for _ in 0..2 {
        client
            .set_status(NAME, SHA, &status(), &time)
            .await
            .expect("GitHub takes it");
    }
    assert_eq!(
        asked()[6..],
        [
            Asker::Stranger,
            Asker::App,
            Asker::Installation,
            Asker::App,
            Asker::Installation
        ]
    );
}

#[tokio::test]
async fn when_a_token_ends_is_learned_from_githubs_answers_and_a_new_one_replaces_it() {
    let Some(test) = test("a token that ends") else { return };
    let ask = async |client: &Client| {
        let time = within(seconds(30));
        let asked = client.set_status(NAME, SHA, &status(), &time).await;
        asked.expect("GitHub takes it");
        client.token_lasts()
    };
    let token = client(&test.github, test.github.token());
    assert_eq!(token.token_lasts(), None, "nobody was asked");
    assert_eq!(ask(&token).await, None, "it does not end");
    test.github.token_ends("9999-12-31 23:59:59 UTC");
    assert!(ask(&token).await.is_some_and(|lasts| lasts > 1_000 * seconds(86_400)));
    test.github.token_ends("2024-01-01 02:00:00 +0200");
    assert_eq!(ask(&token).await, Some(seconds(0)), "it has ended");
    // The key of an App does not end, and the tokens that it makes itself are replaced in time.
    let app = client(&test.github, test.github.app());
    assert_eq!(ask(&app).await, None);
}

#[tokio::test]
async fn a_comment_of_the_app_is_found_again() {
    let Some(test) = test("a comment of the App") else {
        return;
    };
    let client = client(&test.github, test.github.app());
    let body = format!("{MARKER}\nHello");
    let time = within(seconds(30));
    let (made, _) = client
        .ensure_comment(NAME, 17, MARKER, &body, &time)
        .await
        .expect("it is made");
    let (found, new) = client
        .ensure_comment(NAME, 17, MARKER, &body, &time)
        .await
        .expect("it is there");
    assert_eq!((made.id, new), (found.id, false));
    let updated = client
        .update_comment(NAME, made.id, "Bye", &time)
        .await
        .expect("it is changed");
    assert_eq!(
        (updated.body.as_str(), test.repository.comments(17)[0].edits),
        ("Bye", 1)
    );
}

#[tokio::test]
async fn a_credential_that_opens_nothing_is_told_what_to_enter_and_never_shown() {
    let Some(test) = test("credentials that open nothing") else {
        return;
    };
    let key = test.github.app().replace("5678", "9999");
    for credential in ["hush-Xy12", "two hush words", "{\"app_id\": \"hush\"}", key.as_str()] {
        let client = client(&test.github, credential.to_owned());
        let asked = client.set_status(NAME, SHA, &status(), &within(seconds(5))).await;
        let words = format!("{0} {0:?} {client:?}", asked.expect_err("it opens nothing"));
        assert!(!words.contains("hush") && !words.contains("BEGIN"), "{words}");
        let helps = ["enter a token", "enter one", "write {", "check that it exists"];
        assert!(helps.iter().any(|help| words.contains(help)), "{words}");
    }
    assert!(!format!("{:?}", test.github.requests()).contains("hush"));
}
