//! What the loopback GitHub knows: repositories and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::Archive;
use super::app::App;
use super::fault::Rule;
use super::hooks::{Hook, Post};

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) repositories: BTreeMap<String, Contents>,
    pub(super) token: String,
    pub(super) app: App,
    pub(super) rules: Vec<Rule>,
    pub(super) requests: Vec<Request>,
    pub(super) violations: Vec<String>,
    pub(super) next_id: u64,
    /// What hooks are about to post.
    pub(super) outbox: Vec<Post>,
    /// What posts to addresses that are not on loopback are answered with.
    pub(super) elsewhere: Option<u16>,
    /// Whether the token may see to webhooks.
    pub(super) token_sees_hooks: bool,
    /// Whether the token may administer repositories. The App may not.
    pub(super) token_administers: bool,
}

/// A repository.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) commits: BTreeSet<String>,
    pub(super) archives: BTreeMap<String, Archive>,
    pub(super) pull_requests: BTreeMap<u32, Pull>,
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) statuses: Vec<Status>,
    pub(super) deployments: Vec<Deployment>,
    /// The environments that it has made with deployments to them, and not deleted.
    pub(super) environments: BTreeSet<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) hooks: Vec<Hook>,
}

/// A pull request.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) sha: String,
    pub(super) head_repository: Option<String>,
    pub(super) base: String,
    pub(super) draft: bool,
    pub(super) open: bool,
    pub(super) merged_as: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) files: Vec<(String, Option<String>)>,
    pub(super) reviews: Vec<(String, String, String)>,
    pub(super) updated_at: String,
}

/// A commit status that GitHub holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The commit.
    pub sha: String,
    /// What sets it apart.
    pub context: String,
    /// `pending`, `success`, `failure` or `error`.
    pub state: String,
    /// One line.
    pub description: String,
    /// The page with the details.
    pub target_url: Option<String>,
}

/// A deployment that GitHub holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The environment.
    pub environment: String,
    /// What it was created with.
    pub request: Value,
    /// Its statuses as they were sent, the first one first.
    pub statuses: Vec<Value>,
}

/// A comment that GitHub holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// The pull request.
    pub number: u32,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: String,
    /// What the author is to the repository, as GitHub calls it: `OWNER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE`.
    pub association: String,
    /// How often it was changed.
    pub edits: u32,
}

/// A request that came. It holds no credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Who asked.
    pub asked_by: Asker,
    /// Its body.
    pub body: Value,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Nobody: there was no credential.
    Nobody,
    /// The token.
    Token,
    /// A token of the app's installation.
    Installation,
    /// The app itself, with its proof.
    App,
    /// Somebody with a credential that opens nothing.
    Stranger,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            repositories: BTreeMap::new(),
            token: new_token(),
            app: App::new(),
            rules: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            next_id: 1_000,
            outbox: Vec::new(),
            elsewhere: Some(202),
            token_sees_hooks: true,
            token_administers: true,
        }
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Who asks with a value of `authorization`.
    pub(super) fn asker(&self, authorization: Option<&str>) -> Asker {
        let Some(credential) = authorization else {
            return Asker::Nobody;
        };
        let credential = credential
            .strip_prefix("Bearer ")
            .or_else(|| credential.strip_prefix("token "))
            .unwrap_or_default();
        if credential == self.token {
            Asker::Token
        } else if self.app.knows(credential) {
            Asker::Installation
        } else if self.app.faults(credential).is_none() {
            Asker::App
        } else {
            Asker::Stranger
        }
    }
}

/// A token unlike any other of the process, so that a test finds it wherever it turns up.
pub(super) fn new_token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("github_pat_loopback{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
