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
mod repository;
mod server;
pub(crate) mod slice;
#[cfg(test)]
mod tests;
mod world;

use std::sync::Arc;
use std::time::Duration;

pub use archive::Archive;
pub use fault::Fault;
pub use hooks::{Delivery, Hook};
pub use repository::{PullRequest, Repository};
pub use world::{Asker, Comment, Deployment, Request, Status};

use crate::{Error, serve::Serving};
use fault::Rule;
use server::Shared;
use world::new_token;

/// A GitHub that serves until it is dropped.
#[derive(Debug)]
pub struct GitHub {
    shared: Arc<Shared>,
    // Dropped with it: the ports are free again then.
    _serving: [Serving; 2],
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

    /// Whether the token may administer repositories from now on, such as delete their environments. The App may not.
    pub fn token_administers(&self, administers: bool) {
        self.shared.world().token_administers = administers;
    }

    /// Whether the token may see to webhooks from now on.
    pub fn token_sees_hooks(&self, sees: bool) {
        self.shared.world().token_sees_hooks = sees;
    }

    /// A repository, `owner/name`; it is made if it is not there.
    pub fn repository(&self, name: &str) -> Repository {
        Repository::of(&self.shared, name)
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
    /// What goes wrong with the next requests of a method, or `*`, whose path and query contain something: `POST /statuses`. The
    /// first of them gets the first fault; after the last one all goes well again.
    pub fn on(&self, requests: &str, faults: impl IntoIterator<Item = Fault>) -> &Self {
        self.shared.world().rules.push(Rule::new(requests, faults, None));
        self
    }

    /// What goes wrong with all of those requests from now on.
    pub fn always_on(&self, requests: &str, fault: Fault) -> &Self {
        self.shared.world().rules.push(Rule::new(requests, [], Some(fault)));
        self
    }

    /// How many faults have not come yet, but for those that come always.
    pub fn left(&self) -> usize {
        self.shared.world().rules.iter().map(Rule::left).sum()
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.shared.world().rules.clear();
    }
}
