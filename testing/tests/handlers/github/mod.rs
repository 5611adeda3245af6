//! The client of GitHub against a GitHub on loopback: what is asked, what is asked again, and where the credential goes.

mod archives;
mod credentials;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::functions::Invocation;
use runtime::github::{
    Client, CommitState, CommitStatus, DeploymentState, DeploymentStatus, Error, NewDeployment, State,
};
use runtime::secrets::SecretText;
use testing::github::{Asker, Fault, GitHub, Repository};

const NAME: &str = "octo-org/octo.app";
const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const OTHER: &str = "7638417db6d59f3c431d3e1f261cc637155684cd";
const MARKER: &str = "<!-- marker -->";

struct Test {
    github: GitHub,
    repository: Repository,
    client: Client,
}

/// A GitHub with one pull request, and a client with its token; nothing where there is no npm.
fn test(what: &str) -> Option<Test> {
    let github = testing::or_skip(what, GitHub::start())?;
    let repository = github.repository(NAME);
    repository.pull_request(17, SHA);
    let client = client(&github, github.token());
    Some(Test {
        github,
        repository,
        client,
    })
}

fn client(github: &GitHub, credential: String) -> Client {
    Client::new(github.api(), SecretText::new(credential)).expect("the address is one")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn within(time: Duration) -> Invocation {
    Invocation::lasting("request", time)
}

fn status() -> CommitStatus {
    CommitStatus {
        context: "app/unit-tests".to_owned(),
        state: CommitState::Success,
        description: "38 tests passed".to_owned(),
        target_url: Some("https://example.com/log".to_owned()),
    }
}

fn deployment() -> NewDeployment {
    NewDeployment {
        sha: SHA.to_owned(),
        environment: "pr-17".to_owned(),
        description: "Pull request 17".to_owned(),
        transient: true,
    }
}

impl Test {
    async fn set_status(&self, time: Duration) -> Result<(), Error> {
        self.client.set_status(NAME, SHA, &status(), &within(time)).await
    }

    async fn comment(&self) -> Result<(u64, bool), Error> {
        let body = format!("{MARKER}\nHello");
        let made = self
            .client
            .ensure_comment(NAME, 17, MARKER, &body, &within(seconds(30)))
            .await?;
        Ok((made.0.id, made.1))
    }

    fn requests(&self) -> usize {
        self.github.requests().len()
    }
}

#[tokio::test]
async fn a_status_is_set_as_it_is_described() {
    let Some(test) = test("a commit status is set") else {
        return;
    };
    test.set_status(seconds(30)).await.expect("GitHub takes it");
    let [set] = test.repository.statuses(SHA).try_into().expect("one status");
    assert_eq!(
        (set.context.as_str(), set.state.as_str()),
        ("app/unit-tests", "success")
    );
    assert_eq!(set.target_url.as_deref(), Some("https://example.com/log"));
    assert_eq!(test.github.requests()[0].asked_by, Asker::Token);
}

#[tokio::test]
async fn faults_that_pass_are_tried_again() {
    let Some(test) = test("faults that pass are tried again") else {
        return;
    };
    let faults = [
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::cut(),
        Fault::cut_in_answer(),
        Fault::secondary_limit(Some(seconds(1))),
        Fault::too_many_requests(seconds(1)),
        Fault::primary_limit(seconds(0)),
    ];
    for fault in faults {
        let before = test.requests();
        test.github.faults().clear();
        test.github.faults().on("POST /statuses", [fault.clone()]);
        let set = test.set_status(seconds(30)).await;
        assert_eq!(set, Ok(()), "{fault:?}");
        assert_eq!(test.requests() - before, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_asked_four_times_and_no_more() {
    let Some(test) = test("a fault that stays is given up") else {
        return;
    };
    test.github.faults().always_on("POST /statuses", Fault::status(502));
    let fault = test.set_status(seconds(60)).await.expect_err("it stays");
    assert!(matches!(fault, Error::Unavailable { .. }), "{fault:?}");
    assert!(
        fault.to_string().contains("502: Server Error, after 4 attempts"),
        "{fault}"
    );
    assert_eq!(test.requests(), 4);
}

#[tokio::test]
async fn what_is_refused_is_not_asked_again() {
    let Some(test) = test("refusals") else { return };
    for (status_code, words) in [
        (401, "enter a token"),
        (403, "give the token or the app the permission"),
        (422, "Validation Failed"),
    ] {
        let before = test.requests();
        test.github.faults().on("POST /statuses", [Fault::status(status_code)]);
        let fault = test.set_status(seconds(30)).await.expect_err("it is refused");
        assert!(
            matches!(&fault, Error::Refused { status, .. } if *status == status_code),
            "{fault:?}"
        );
        assert!(fault.to_string().contains(words), "{fault}");
        assert_eq!(test.requests() - before, 1, "{status_code}");
    }
    test.github.faults().on("POST /statuses", [Fault::status(404)]);
    let fault = test.set_status(seconds(30)).await.expect_err("it is not there");
    assert!(matches!(fault, Error::Missing { .. }), "{fault:?}");
}

#[tokio::test]
async fn no_wait_goes_beyond_the_deadline_and_the_error_says_how_long_it_is() {
    let Some(test) = test("rate limits beyond the deadline") else {
        return;
    };
    for (fault, words) in [
        (Fault::primary_limit(seconds(1_800)), "30 minutes"),
        (Fault::secondary_limit(Some(seconds(90))), "90 s"),
        (Fault::secondary_limit(None), "60 s"),
        (Fault::too_many_requests(seconds(45)), "45 s"),
    ] {
        let before = test.requests();
        test.github.faults().clear();
        test.github.faults().on("POST /statuses", [fault.clone()]);
        let error = test.set_status(seconds(20)).await.expect_err("there is no time for it");
        assert!(matches!(error, Error::Unavailable { .. }), "{fault:?}: {error}");
        let error = error.to_string();
        assert!(
            error.contains(&format!("try again in {words}")) || error.contains("try again in 3"),
            "{error}"
        );
        assert!(error.contains("that this function has left"), "{error}");
        assert_eq!(test.requests() - before, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_github_that_says_nothing_is_given_up_at_the_deadline() {
    let Some(test) = test("a GitHub that hangs") else {
        return;
    };
    test.github.faults().always_on("POST /statuses", Fault::hang());
    let fault = test.set_status(seconds(1)).await.expect_err("nothing comes");
    assert!(matches!(fault, Error::Unavailable { .. }), "{fault:?}");
    assert!(fault.to_string().contains("no answer within"), "{fault}");
}

#[tokio::test]
async fn a_github_that_is_not_there_is_unavailable() {
    let client = Client::new("http://127.0.0.1:1", SecretText::new("hush")).expect("an address");
    let asked = client.pull_request(NAME, 17, &within(seconds(2))).await;
    let fault = asked.expect_err("nobody listens");
    assert!(matches!(fault, Error::Unavailable { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_comment_is_made_once_whatever_happens_to_the_answer() {
    let Some(test) = test("one comment") else { return };
    let lost = [
        Fault::cut().once_carried_out(),
        Fault::cut_in_answer().once_carried_out(),
        Fault::status(502).once_carried_out(),
    ];
    for fault in lost {
        for comment in test.repository.comments(17) {
            test.repository.delete_comment(comment.id);
        }
        test.github.faults().on("POST /issues/17/comments", [fault.clone()]);
        let (id, new) = test.comment().await.expect("it is there");
        let [comment] = test.repository.comments(17).try_into().expect("one comment");
        assert_eq!((id, new), (comment.id, false), "{fault:?}");
    }
    // And where nothing was done, it is done then.
    for comment in test.repository.comments(17) {
        test.repository.delete_comment(comment.id);
    }
    test.github
        .faults()
        .on("POST /issues/17/comments", [Fault::cut(), Fault::status(500)]);
    let (_, new) = test.comment().await.expect("it is made");
    assert!(new);
    assert_eq!(test.repository.comments(17).len(), 1);
}

#[tokio::test]
async fn a_deployment_is_made_once_whatever_happens_to_the_answer() {
    let Some(test) = test("one deployment") else { return };
    test.github
        .faults()
        .on("POST /deployments", [Fault::cut(), Fault::cut().once_carried_out()]);
    let time = within(seconds(30));
    let first = test
        .client
        .ensure_deployment(NAME, &deployment(), &time)
        .await
        .expect("it is made");
    let again = test
        .client
        .ensure_deployment(NAME, &deployment(), &time)
        .await
        .expect("it is there");
    assert_eq!(first, again);
    let [made] = test.repository.deployments("pr-17").try_into().expect("one deployment");
    assert_eq!(made.id, first.id);
    assert_eq!(made.request["transient_environment"], true);
    let live = DeploymentStatus {
        state: DeploymentState::Success,
        description: "Deployed".to_owned(),
        environment_url: Some("https://example.com/".to_owned()),
        log_url: None,
        replaces_others: false,
    };
    let set = test.client.set_deployment_status(NAME, made.id, &live, &time).await;
    assert_eq!(set, Ok(()));
    let statuses = &test.repository.deployments("pr-17")[0].statuses;
    assert_eq!(statuses[0]["environment_url"], "https://example.com/");
}

#[tokio::test]
async fn a_marker_that_an_outsider_wrote_is_not_ours() {
    let Some(test) = test("planted markers") else { return };
    for association in ["NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN"] {
        test.repository
            .add_comment(17, "mallory", association, &format!("{MARKER} mine"));
    }
    let (id, new) = test.comment().await.expect("it is made");
    assert!(new);
    let found = test.client.find_comment(NAME, 17, MARKER, &within(seconds(30))).await;
    assert_eq!(found.expect("an answer").map(|comment| comment.id), Some(id));
}

#[tokio::test]
async fn lists_are_read_to_their_last_page_and_no_further() {
    let Some(test) = test("pages") else { return };
    for number in 100..350 {
        test.repository
            .pull_request(number, SHA)
            .label("a label, with \"quotes\"");
    }
    test.repository.pull_request(400, OTHER).close();
    let open = test
        .client
        .open_pull_requests(NAME, &within(seconds(30)))
        .await
        .expect("the list");
    assert_eq!(open.len(), 251);
    assert_eq!(test.requests(), 3);
    // Only the API was asked: its links, which lead elsewhere, were not followed.
    assert!(
        test.github
            .requests()
            .iter()
            .all(|request| request.path.starts_with("/repos/octo-org/octo.app/pulls?"))
    );
}

#[tokio::test]
async fn a_pull_request_is_read_with_all_that_a_decision_needs() {
    let Some(test) = test("a pull request") else { return };
    let pull = test.repository.pull_request(18, OTHER);
    pull.draft()
        .label("deploy")
        .from(None)
        .onto("release/1")
        .file("src/a.rs", None)
        .file("b.rs", Some("c.rs"));
    let time = within(seconds(30));
    let read = test.client.pull_request(NAME, 18, &time).await.expect("it is there");
    assert_eq!(
        (read.number, read.state, read.draft, read.merged),
        (18, State::Open, true, false)
    );
    assert_eq!((read.head_sha.as_str(), read.head_repository), (OTHER, None));
    assert_eq!(
        (read.base_branch.as_str(), read.labels),
        ("release/1", vec!["deploy".to_owned()])
    );
    let files = test.client.changed_files(NAME, 18, &time).await.expect("the files");
    assert_eq!(
        (files.paths, files.complete),
        (["src/a.rs", "b.rs", "c.rs"].map(str::to_owned).to_vec(), true)
    );
    pull.merge(SHA);
    let merged = test.client.pull_request(NAME, 18, &time).await.expect("it is there");
    assert_eq!(
        (merged.state, merged.merged, merged.merge_commit_sha.as_deref()),
        (State::Closed, true, Some(SHA))
    );
    let missing = test
        .client
        .pull_request(NAME, 99, &time)
        .await
        .expect_err("it is not there");
    assert!(missing.to_string().contains("octo-org/octo.app#99"), "{missing}");
}

#[tokio::test]
async fn only_who_may_write_approves_and_only_of_this_commit() {
    let Some(test) = test("approvals") else { return };
    let time = within(seconds(30));
    let pull = test.repository.pull_request(18, SHA);
    test.repository
        .collaborator("alice", "write")
        .collaborator("bob", "read")
        .collaborator("carol", "admin");
    let approved = async || test.client.approved_by(NAME, 18, SHA, &time).await.expect("an answer");

    pull.review("bob", "APPROVED", SHA)
        .review("alice", "APPROVED", OTHER)
        .review("alice", "COMMENTED", SHA);
    assert_eq!(approved().await, None);
    pull.review("alice", "APPROVED", SHA).review("alice", "COMMENTED", SHA);
    assert_eq!(approved().await.as_deref(), Some("alice"));
    pull.review("alice", "CHANGES_REQUESTED", SHA);
    assert_eq!(approved().await, None);
    pull.review("carol", "APPROVED", SHA)
        .review("carol", "DISMISSED", SHA)
        .review("dependabot[bot]", "APPROVED", SHA);
    assert_eq!(approved().await, None);
    pull.review("carol", "APPROVED", SHA);
    assert_eq!(approved().await.as_deref(), Some("carol"));
}

#[tokio::test]
async fn what_the_description_does_not_allow_is_a_violation() {
    let Some(test) = test("violations") else { return };
    let too_long = CommitStatus {
        description: "x".repeat(141),
        ..status()
    };
    let time = within(seconds(30));
    let fault = test
        .client
        .set_status(NAME, SHA, &too_long, &time)
        .await
        .expect_err("it is too long");
    assert!(fault.to_string().contains("maximum is 140 characters"), "{fault}");
    let unknown = test
        .client
        .set_status(NAME, OTHER, &status(), &time)
        .await
        .expect_err("no such commit");
    assert!(unknown.to_string().contains("No commit found for SHA"), "{unknown}");
    assert_eq!(test.github.violations(), [""; 0]);

    // A path that is not described.
    let asked = test.client.set_status("octo-org/a/b", SHA, &status(), &time).await;
    assert!(matches!(asked, Err(Error::Missing { .. })), "{asked:?}");
    let violations = test.github.violations();
    assert_eq!(violations, [""; 0], "a slash in a name is encoded");
}

/// What is logged, where a test can read it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_tried_again_is_logged_without_the_credential() {
    let Some(test) = test("logs") else { return };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let app = client(&test.github, test.github.app());
    let limits = [Fault::status(502), Fault::cut(), Fault::status(401)];
    for client in [&test.client, &app] {
        test.github.faults().on("POST /statuses", limits.clone());
        // The last fault is one that the app answers with a new token, and that ends it for the token.
        drop(client.set_status(NAME, SHA, &status(), &within(seconds(30))).await);
        test.github.faults().clear();
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    assert!(
        log.contains("github is asked again") && log.contains("502: Server Error"),
        "{log}"
    );
    for secret in [test.github.token().as_str(), "ghs_", "PRIVATE KEY", "eyJ"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
