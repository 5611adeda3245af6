//! A GitHub on loopback: it remembers what it is told, and judges every request by GitHub's own description of its API.
//!
//! ```no_run
//! # fn main() -> Result<(), testing::Error> {
//! use testing::github::{Fault, GitHub};
//!
//! let github = GitHub::start()?;
//! let repository = github.repository("octo-org/app");
//! repository.pull_request(17, "6dcb09b5b57875f334f61aebed695e2e4193db5e").label("deploy");
//! github.faults().on("POST /statuses", [Fault::status(502), Fault::cut()]);
//! // … what is tested talks to `github.api()` with `github.token()` or `github.app()` …
//! assert_eq!(repository.statuses("6dcb09b5b57875f334f61aebed695e2e4193db5e"), []);
//! # Ok(())
//! # }
//! ```
//!
//! - A request that the description does not allow, and a credential that reaches the host with the archives, is a violation: it is
//!   answered with 400, and dropping the [`GitHub`] panics with all of them, so that no test passes over one.
//! - Answers are GitHub's own examples with other values, and are judged too.
//! - What the description lacks it knows itself: lengths of texts, numbers of statuses, commits that must exist.
//! - Every repository is private. Nothing that it records holds a credential.
//!
//! It listens on two ports of 127.0.0.1 and reaches nobody. `slice` says which operations it knows; the description comes from
//! npm's `@octokit/openapi`.

mod api;
mod app;
mod archive;
mod description;
mod fault;
mod hooks;
mod server;
pub(crate) mod slice;
mod world;

use std::sync::Arc;
use std::time::Duration;

pub use archive::Archive;
pub use fault::Fault;
pub use hooks::{Delivery, Hook};
pub use world::{Asker, Comment, Deployment, Request, Status};

use crate::{Error, serve::Serving};
use fault::Rule;
use server::Shared;
use world::{Contents, Pull, new_token};

/// A GitHub that serves until it is dropped.
#[derive(Debug)]
pub struct GitHub {
    shared: Arc<Shared>,
    // Dropped with it: the ports are free again then.
    _serving: [Serving; 2],
}

/// One of its repositories.
#[derive(Debug, Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    name: String,
}

/// One of a repository's pull requests, to be changed by a test.
#[derive(Debug, Clone)]
pub struct PullRequest {
    repository: Repository,
    number: u32,
}

/// What is to go wrong.
#[derive(Debug)]
pub struct Faults<'a> {
    shared: &'a Shared,
}

impl GitHub {
    /// Starts one that knows nothing yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where npm is missing, which brings the description.
    pub fn start() -> Result<Self, Error> {
        let description = description::Description::load()?;
        let (shared, serving) = server::start(description).map_err(|source| Error::Start {
            tool: "the loopback GitHub",
            source,
        })?;
        Ok(Self {
            shared,
            _serving: serving,
        })
    }

    /// The base address of its REST API.
    pub fn api(&self) -> &str {
        &self.shared.api
    }

    /// A token that may do everything.
    pub fn token(&self) -> String {
        self.shared.world().token.clone()
    }

    /// Makes another token, which is returned: the one before opens nothing any more.
    pub fn rotate_token(&self) -> String {
        let token = new_token();
        self.shared.world().token.clone_from(&token);
        token
    }

    /// The credential of a GitHub App that may do everything, as the JSON that the system's secret holds.
    pub fn app(&self) -> String {
        self.shared.world().app.credential()
    }

    /// What the app's installation may do with webhooks from now on: `read` or `write`; none if nothing. `write` if nobody says.
    pub fn app_may_with_hooks(&self, access: Option<&'static str>) {
        self.shared.world().app.webhooks = access;
    }

    /// How long the installation tokens live that are made from now on; an hour if nobody says.
    pub fn installation_tokens_live(&self, lifetime: Duration) {
        self.shared.world().app.lifetime = lifetime;
    }

    /// Ends all installation tokens.
    pub fn revoke_installation_tokens(&self) {
        self.shared.world().app.revoke();
    }

    /// What posts of hooks to addresses that are not on loopback are answered with from now on; none is no answer. 202 if nobody
    /// says.
    pub fn answers_elsewhere(&self, status: Option<u16>) {
        self.shared.world().elsewhere = status;
    }

    /// Whether the token may see to webhooks from now on.
    pub fn token_sees_hooks(&self, sees: bool) {
        self.shared.world().token_sees_hooks = sees;
    }

    /// A repository, `owner/name`; it is made if it is not there.
    pub fn repository(&self, name: &str) -> Repository {
        self.shared.world().repositories.entry(name.to_owned()).or_default();
        Repository {
            shared: Arc::clone(&self.shared),
            name: name.to_owned(),
        }
    }

    /// What is to go wrong.
    pub fn faults(&self) -> Faults<'_> {
        Faults { shared: &self.shared }
    }

    /// All requests to the API so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().requests.clone()
    }

    /// Takes the violations so far: a test that provokes one asks for them.
    pub fn violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.world().violations)
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        let violations = self.violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "GitHub's description of its API does not allow what was sent to it:\n{}",
                violations.join("\n")
            );
        }
    }
}

impl Faults<'_> {
    /// What goes wrong with the next requests of a method, or `*`, whose path contains something: `POST /statuses`. The first
    /// of them gets the first fault; after the last one all goes well again.
    pub fn on(&self, requests: &str, faults: impl IntoIterator<Item = Fault>) -> &Self {
        self.shared.world().rules.push(Rule::new(requests, faults, None));
        self
    }

    /// What goes wrong with all of those requests from now on.
    pub fn always_on(&self, requests: &str, fault: Fault) -> &Self {
        self.shared.world().rules.push(Rule::new(requests, [], Some(fault)));
        self
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.shared.world().rules.clear();
    }
}

impl Repository {
    /// A commit.
    pub fn commit(&self, sha: &str) -> &Self {
        self.change(|contents| contents.commits.insert(sha.to_owned()));
        self
    }

    /// An open pull request of a branch of the same repository onto `main`, with this head commit.
    pub fn pull_request(&self, number: u32, sha: &str) -> PullRequest {
        let pull = Pull {
            sha: sha.to_owned(),
            head_repository: Some(self.name.clone()),
            base: "main".to_owned(),
            draft: false,
            open: true,
            merged_as: None,
            labels: Vec::new(),
            files: Vec::new(),
            reviews: Vec::new(),
            updated_at: api::UPDATED.to_owned(),
        };
        self.commit(sha)
            .change(|contents| contents.pull_requests.insert(number, pull));
        PullRequest {
            repository: self.clone(),
            number,
        }
    }

    /// One of its pull requests; changing one that is not there does nothing.
    pub fn pull_request_of(&self, number: u32) -> PullRequest {
        PullRequest {
            repository: self.clone(),
            number,
        }
    }

    /// Somebody's permission: `admin`, `write`, `read`.
    pub fn collaborator(&self, login: &str, permission: &str) -> &Self {
        self.change(|contents| contents.permissions.insert(login.to_owned(), permission.to_owned()));
        self
    }

    /// The archive of a commit.
    pub fn archive(&self, sha: &str, archive: Archive) -> &Self {
        self.commit(sha)
            .change(|contents| contents.archives.insert(sha.to_owned(), archive));
        self
    }

    /// A comment by somebody, who is `COLLABORATOR` or `NONE` or what else GitHub calls it. Returns its id.
    pub fn add_comment(&self, number: u32, author: &str, association: &str, body: &str) -> u64 {
        let id = self.shared.world().id();
        self.change(|contents| {
            contents.comments.push(Comment {
                id,
                number,
                body: body.to_owned(),
                author: author.to_owned(),
                association: association.to_owned(),
                edits: 0,
            });
        });
        id
    }

    /// Deletes a comment, as people do.
    pub fn delete_comment(&self, id: u64) {
        self.change(|contents| contents.comments.retain(|comment| comment.id != id));
    }

    /// The statuses of a commit, the first one first.
    pub fn statuses(&self, sha: &str) -> Vec<Status> {
        self.change(|contents| {
            contents
                .statuses
                .iter()
                .filter(|status| status.sha == sha)
                .cloned()
                .collect()
        })
    }

    /// The statuses of all commits, in the order in which they were set.
    pub fn all_statuses(&self) -> Vec<Status> {
        self.change(|contents| contents.statuses.clone())
    }

    /// The deployments to an environment, the first one first.
    pub fn deployments(&self, environment: &str) -> Vec<Deployment> {
        self.change(|contents| {
            let all = contents.deployments.iter();
            all.filter(|deployment| deployment.environment == environment)
                .cloned()
                .collect()
        })
    }

    /// The comments of a pull request, the first one first.
    pub fn comments(&self, number: u32) -> Vec<Comment> {
        self.change(|contents| {
            contents
                .comments
                .iter()
                .filter(|comment| comment.number == number)
                .cloned()
                .collect()
        })
    }

    /// The webhooks, the first one first.
    pub fn hooks(&self) -> Vec<Hook> {
        self.change(|contents| contents.hooks.clone())
    }

    /// A webhook by somebody else, who wants pushes. Returns its id.
    pub fn add_hook(&self, url: &str) -> u64 {
        let id = self.shared.world().id();
        let hook = Hook {
            id,
            active: true,
            events: vec!["push".to_owned()],
            url: url.to_owned(),
            content_type: "json".to_owned(),
            insecure_ssl: "0".to_owned(),
            secret: None,
            deliveries: Vec::new(),
        };
        self.change(|contents| contents.hooks.push(hook));
        id
    }

    /// Changes the webhooks, as people do.
    pub fn change_hooks(&self, change: impl FnOnce(&mut Vec<Hook>)) {
        self.change(|contents| change(&mut contents.hooks));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        change(self.shared.world().repositories.entry(self.name.clone()).or_default())
    }
}

impl PullRequest {
    /// As a draft.
    pub fn draft(&self) -> &Self {
        self.change(|pull| pull.draft = true)
    }

    /// With a label.
    pub fn label(&self, name: &str) -> &Self {
        self.change(|pull| pull.labels.push(name.to_owned()))
    }

    /// From another repository; none if that was deleted.
    pub fn from(&self, repository: Option<&str>) -> &Self {
        self.change(|pull| pull.head_repository = repository.map(str::to_owned))
    }

    /// Onto this branch.
    pub fn onto(&self, branch: &str) -> &Self {
        self.change(|pull| branch.clone_into(&mut pull.base))
    }

    /// With a changed file; of one that was renamed with the path before.
    pub fn file(&self, path: &str, before: Option<&str>) -> &Self {
        self.change(|pull| pull.files.push((path.to_owned(), before.map(str::to_owned))))
    }

    /// Reviewed by somebody, at a commit: `APPROVED`, `CHANGES_REQUESTED`, `DISMISSED` or `COMMENTED`.
    pub fn review(&self, login: &str, state: &str, sha: &str) -> &Self {
        self.change(|pull| pull.reviews.push((login.to_owned(), state.to_owned(), sha.to_owned())))
    }

    /// With a new head commit.
    pub fn push(&self, sha: &str) -> &Self {
        self.repository.commit(sha);
        self.change(|pull| sha.clone_into(&mut pull.sha))
    }

    /// Changed at this time, RFC 3339.
    pub fn updated(&self, at: &str) -> &Self {
        self.change(|pull| at.clone_into(&mut pull.updated_at))
    }

    /// Closed without being merged.
    pub fn close(&self) -> &Self {
        self.change(|pull| pull.open = false)
    }

    /// Opened again.
    pub fn reopen(&self) -> &Self {
        self.change(|pull| pull.open = true)
    }

    /// Merged, which made a commit.
    pub fn merge(&self, commit: &str) -> &Self {
        self.repository.commit(commit);
        self.change(|pull| {
            pull.open = false;
            pull.merged_as = Some(commit.to_owned());
        })
    }

    fn change(&self, change: impl FnOnce(&mut Pull)) -> &Self {
        self.repository
            .change(|contents| contents.pull_requests.get_mut(&self.number).map(change));
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::or_skip;

    const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

    /// What the GitHub answers, head and body.
    fn ask(github: &GitHub, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(github.api().trim_start_matches("http://")).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: github\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn headers(github: &GitHub) -> String {
        format!(
            "authorization: Bearer {}\r\nuser-agent: test\r\naccept: application/vnd.github+json\r\n\
             x-github-api-version: 2022-11-28\r\ncontent-type: application/json\r\n",
            github.token()
        )
    }

    #[test]
    fn what_the_description_does_not_allow_is_refused_with_words() {
        let Some(github) = or_skip("violations", GitHub::start()) else {
            return;
        };
        github.repository("o/r").pull_request(17, SHA);
        let statuses = format!("/repos/o/r/statuses/{SHA}");
        let right = headers(&github);
        let table = [
            (
                "POST",
                statuses.as_str(),
                right.as_str(),
                r#"{"state":"done"}"#,
                "\"/state\"",
            ),
            (
                "POST",
                &statuses,
                &right,
                r#"{"context":"x"}"#,
                "\"state\" is a required property",
            ),
            (
                "POST",
                &statuses,
                &right,
                r#"{"state":"success","colour":"red"}"#,
                "\"colour\" is not described",
            ),
            ("POST", &statuses, &right, "state=success", "the body is no JSON"),
            ("GET", "/repos/o/r/pulls?page=one", &right, "", "the parameter \"page\""),
            (
                "GET",
                "/repos/o/r/pulls?state=ajar",
                &right,
                "",
                "the parameter \"state\"",
            ),
            (
                "GET",
                "/repos/o/r/pulls?sate=open",
                &right,
                "",
                "\"sate\" is not described",
            ),
            (
                "GET",
                "/repos/o/r/pulls/seventeen",
                &right,
                "",
                "the parameter \"pull_number\"",
            ),
            (
                "GET",
                "/repos/o/r/pulls",
                "user-agent: test\r\n",
                "",
                "x-github-api-version",
            ),
            (
                "GET",
                "/repos/o/r/pulls",
                &right.replace("user-agent: test\r\n", ""),
                "",
                "user-agent is missing",
            ),
            (
                "GET",
                "/repos/o/r/branches",
                &right,
                "",
                "not among the operations in use",
            ),
        ];
        for (method, path, headers, body, words) in table {
            let answer = ask(&github, method, path, headers, body);
            assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
            let violations = github.violations().join("\n");
            assert!(violations.contains(words), "{method} {path} {body}: {violations}");
        }
    }

    #[test]
    #[should_panic(expected = "does not allow what was sent to it")]
    fn a_violation_that_nobody_asks_for_fails_the_test() {
        let Some(github) = or_skip("violations fail", GitHub::start()) else {
            panic!("GitHub's description of its API does not allow what was sent to it: skipped");
        };
        ask(&github, "GET", "/repos/o/r/branches", "", "");
    }

    #[test]
    fn a_private_repository_is_not_there_for_those_without_a_credential() {
        let Some(github) = or_skip("private repositories", GitHub::start()) else {
            return;
        };
        github.repository("o/r").pull_request(17, SHA);
        let right = headers(&github);
        let without = right
            .lines()
            .skip(1)
            .map(|line| format!("{line}\r\n"))
            .collect::<String>();
        let wrong = right.replace("Bearer github", "Bearer gitlab");
        for (headers, status) in [(right, "200"), (without, "404"), (wrong, "401")] {
            let answer = ask(&github, "GET", "/repos/o/r/pulls/17", &headers, "");
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        }
        let asked: Vec<_> = github.requests().iter().map(|request| request.asked_by).collect();
        assert_eq!(asked, [Asker::Token, Asker::Nobody, Asker::Stranger]);
    }

    #[test]
    fn a_commit_has_a_thousand_statuses_of_a_context_and_no_more() {
        let Some(github) = or_skip("the number of statuses", GitHub::start()) else {
            return;
        };
        let repository = github.repository("o/r");
        repository.commit(SHA);
        let status = Status {
            sha: SHA.to_owned(),
            context: "Tests".to_owned(),
            state: "pending".to_owned(),
            description: String::new(),
            target_url: None,
        };
        repository.change(|contents| contents.statuses.extend(vec![status; 1_000]));
        let set = |context| {
            let body = format!(r#"{{"state":"success","context":"{context}"}}"#);
            ask(
                &github,
                "POST",
                &format!("/repos/o/r/statuses/{SHA}"),
                &headers(&github),
                &body,
            )
        };
        assert!(set("tests").contains("maximum number of statuses"));
        assert!(set("others").starts_with("HTTP/1.1 201"));
    }

    #[test]
    fn a_credential_that_reaches_the_archives_is_a_violation() {
        let Some(github) = or_skip("credentials at the archives", GitHub::start()) else {
            return;
        };
        github.repository("o/r").archive(SHA, Archive::new("zip"));
        let archives = github.shared.archives.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(archives).unwrap();
        let request =
            format!("GET /o/r/legacy.zip/{SHA}?token=FIVEMINUTES HTTP/1.1\r\nhost: x\r\nauthorization: x\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400");
        assert_eq!(
            github.violations(),
            ["a credential was sent to the host that archives lie on"]
        );
    }
}
