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
mod server;
pub(crate) mod slice;
mod world;

use std::sync::Arc;
use std::time::Duration;

pub use archive::Archive;
pub use fault::Fault;
pub use world::{Asker, Comment, Deployment, Request, Status};

use crate::Error;
use fault::Rule;
use server::{Server, Shared};
use world::{Contents, Pull, new_token};

/// A GitHub that serves until it is dropped.
#[derive(Debug)]
pub struct GitHub {
    shared: Arc<Shared>,
    // Dropped with it: the ports are free again then.
    _server: Server,
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
        let (shared, server) = server::start(description).map_err(|source| Error::Start {
            tool: "the loopback GitHub",
            source,
        })?;
        Ok(Self {
            shared,
            _server: server,
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

    /// How long the installation tokens live that are made from now on; an hour if nobody says.
    pub fn installation_tokens_live(&self, lifetime: Duration) {
        self.shared.world().app.lifetime = lifetime;
    }

    /// Ends all installation tokens.
    pub fn revoke_installation_tokens(&self) {
        self.shared.world().app.revoke();
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
