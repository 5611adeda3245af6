//! Pull requests: what they ask for, what they change, and who approves of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::message::Call;
use super::{Client, Error, repository, segment};
use crate::functions::Invocation;

/// The most files of a pull request that GitHub lists.
const MOST_FILES: usize = 3_000;

/// A pull request, see <https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u32,
    /// Whether it is open.
    pub state: State,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it was merged.
    pub merged: bool,
    /// When it was merged, RFC 3339; none unless it was.
    pub merged_at: Option<String>,
    /// The commit that a merge made; before, one that GitHub tries the merge with.
    pub merge_commit_sha: Option<String>,
    /// The head commit, forty hexadecimal digits.
    pub head_sha: String,
    /// The repository that the head is in, `owner/name`; none if it was deleted.
    pub head_repository: Option<String>,
    /// The branch that it is to be merged into.
    pub base_branch: String,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// When anything of it changed last, RFC 3339.
    pub updated_at: String,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Open,
    /// It was closed, merged or not.
    Closed,
}

/// The files that a pull request changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFiles {
    /// Their paths; of a file that was renamed both.
    pub paths: Vec<String>,
    /// Whether those are all: GitHub lists no more than 3,000.
    pub complete: bool,
}

/// GitHub's own form of a pull request.
#[derive(Deserialize)]
struct Pull {
    number: u32,
    state: State,
    #[serde(default)]
    draft: bool,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    head: Side,
    base: Side,
    #[serde(default)]
    labels: Vec<Label>,
    updated_at: String,
}

#[derive(Deserialize)]
struct Side {
    r#ref: String,
    sha: String,
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    full_name: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    previous_filename: Option<String>,
}

#[derive(Deserialize)]
struct Review {
    user: Option<User>,
    state: String,
    commit_id: Option<String>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
}

impl Client {
    /// A pull request as it is now.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn pull_request(
        &self,
        repository_name: &str,
        number: u32,
        invocation: &Invocation,
    ) -> Result<PullRequest, Error> {
        let path = format!("{}/pulls/{number}", repository(repository_name));
        let call = Call::get(path, format!("{repository_name}#{number}"));
        let pull: Pull = self.transport.send(&call, invocation).await?.read()?;
        Ok(pull.into())
    }

    /// All open pull requests, in the order of their numbers.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn open_pull_requests(
        &self,
        repository_name: &str,
        invocation: &Invocation,
    ) -> Result<Vec<PullRequest>, Error> {
        let path = format!("{}/pulls", repository(repository_name));
        // Sorted by what does not change: a page cannot lose one because another was updated meanwhile.
        let query = "?state=open&sort=created&direction=asc";
        let what = format!("the open pull requests of {repository_name}");
        let pulls: Vec<Pull> = self.pages(&path, query, &what, invocation, |_| false).await?;
        Ok(pulls.into_iter().map(PullRequest::from).collect())
    }

    /// The hundred closed pull requests of which something changed last, the latest first.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn recently_closed_pull_requests(
        &self,
        repository_name: &str,
        invocation: &Invocation,
    ) -> Result<Vec<PullRequest>, Error> {
        let path = format!("{}/pulls", repository(repository_name));
        let query = "?state=closed&sort=updated&direction=desc";
        let what = format!("the closed pull requests of {repository_name}");
        let pulls: Vec<Pull> = self.pages(&path, query, &what, invocation, |_| true).await?;
        Ok(pulls.into_iter().map(PullRequest::from).collect())
    }

    /// The files that a pull request changes.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn changed_files(
        &self,
        repository_name: &str,
        number: u32,
        invocation: &Invocation,
    ) -> Result<ChangedFiles, Error> {
        let path = format!("{}/pulls/{number}/files", repository(repository_name));
        let what = format!("the files of {repository_name}#{number}");
        let files: Vec<File> = self.pages(&path, "", &what, invocation, |_| false).await?;
        Ok(ChangedFiles {
            complete: files.len() < MOST_FILES,
            paths: files
                .into_iter()
                .flat_map(|file| [Some(file.filename), file.previous_filename])
                .flatten()
                .collect(),
        })
    }

    /// Who approves of exactly this commit and may write to the repository: what makes a fork's code fit to be deployed. The first
    /// such reviewer, or none.
    ///
    /// Of each reviewer the latest verdict counts; a comment is none.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn approved_by(
        &self,
        repository_name: &str,
        number: u32,
        sha: &str,
        invocation: &Invocation,
    ) -> Result<Option<String>, Error> {
        let path = format!("{}/pulls/{number}/reviews", repository(repository_name));
        let what = format!("the reviews of {repository_name}#{number}");
        // GitHub lists them in the order in which they were made.
        let reviews: Vec<Review> = self.pages(&path, "", &what, invocation, |_| false).await?;
        let mut latest = BTreeMap::new();
        for Review { user, state, commit_id } in reviews {
            if let Some(User { login }) = user
                && matches!(state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED")
            {
                latest.insert(login, state == "APPROVED" && commit_id.as_deref() == Some(sha));
            }
        }
        for (login, approves) in latest {
            if approves && self.may_write(repository_name, &login, invocation).await? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }

    /// Whether somebody may write to a repository.
    async fn may_write(&self, repository_name: &str, login: &str, invocation: &Invocation) -> Result<bool, Error> {
        let path = format!(
            "{}/collaborators/{}/permission",
            repository(repository_name),
            segment(login)
        );
        let call = Call::get(path, format!("the permission of {login} on {repository_name}"));
        match self.transport.send(&call, invocation).await {
            // `maintain` is `write` here, and `triage` is `read`.
            Ok(answer) => Ok(matches!(
                answer.read::<Permission>()?.permission.as_str(),
                "admin" | "write"
            )),
            Err(Error::Missing { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        Self {
            number: pull.number,
            state: pull.state,
            draft: pull.draft,
            merged: pull.merged_at.is_some(),
            merged_at: pull.merged_at,
            merge_commit_sha: pull.merge_commit_sha,
            head_sha: pull.head.sha,
            head_repository: pull.head.repo.map(|repo| repo.full_name),
            base_branch: pull.base.r#ref,
            labels: pull.labels.into_iter().map(|label| label.name).collect(),
            updated_at: pull.updated_at,
        }
    }
}
