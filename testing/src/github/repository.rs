//! A repository and its pull requests, as tests see them and as people change them.

use std::sync::Arc;

use super::hooks::Hook;
use super::server::Shared;
use super::world::{Comment, Contents, Deployment, Pull, Status};
use super::{Archive, api};

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

impl Repository {
    /// The one of this name; it is made if it is not there.
    pub(super) fn of(shared: &Arc<Shared>, name: &str) -> Self {
        shared.world().repositories.entry(name.to_owned()).or_default();
        Self {
            shared: Arc::clone(shared),
            name: name.to_owned(),
        }
    }

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

    /// The environments that GitHub keeps.
    pub fn environments(&self) -> Vec<String> {
        self.change(|contents| contents.environments.iter().cloned().collect())
    }

    /// Another system deploys the commit to an environment, whose last as long as it wants.
    pub fn deployed_by_another(&self, environment: &str, sha: &str) {
        self.change(|contents| {
            contents.deployments.push(Deployment {
                id: 1,
                sha: sha.to_owned(),
                environment: environment.to_owned(),
                request: serde_json::json!({ "description": "by another" }),
                statuses: Vec::new(),
            });
        });
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

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
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
