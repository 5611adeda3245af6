//! What is to become of a pull request.
//!
//! | pull request | decision |
//! |---|---|
//! | open | deploy; `trusted` and `labelled` say whether it may have an environment |
//! | open, but a draft, on another base branch, without a change that counts, or of a fork where those get nothing | tear down |
//! | merged into the stage branch, with a change that counts | promote the merge commit |
//! | closed otherwise | tear down |
//!
//! A pull request that became a draft or changed its base loses its environment: what exists follows from the pull request's state
//! alone, never from the way there. `claim` turns a teardown of what never was into nothing.

use contract::{Change, Decision, Verified};
use serde::de::DeserializeOwned;
use stacks::Project;
use stacks::project::Forks;

use super::payload::{
    Edited, Envelope, Labelled, PayloadError, PullRequest, PullRequestEvent, PullRequestState, is_commit,
};

/// What a delivery is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Nothing that matters here, for this reason.
    Ignore(String),
    /// A pull request.
    PullRequest(Box<Event>),
}

/// An event that may change what is wanted of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pull: PullRequest,
    opened: bool,
    reopened: bool,
    before: Option<String>,
}

/// What is known of a pull request besides what it says itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Whether someone with write access has approved exactly the head commit.
    pub approved: bool,
    /// The changed files; absent if nobody asked or not all are known, which counts as a match.
    pub files: Option<&'a [String]>,
}

/// What the project wants of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The decision; never to ignore.
    pub decision: Decision,
    /// Why, in a sentence for people.
    pub reason: String,
    /// The pull request, for the claim.
    pub change: Change,
}

/// Reads the body of an event, which is verified already.
///
/// # Errors
/// [`PayloadError`] where the body of `pull_request` is not what GitHub promises.
pub fn parse(event: &str, body: &[u8], project: &Project) -> Result<Hint, PayloadError> {
    match event {
        "pull_request" => pull_request(body, project),
        "ping" => Ok(ignore("GitHub asks whether the webhook is there; it is")),
        _ => Ok(ignore("only `pull_request` events change a pull request's environment")),
    }
}

fn ignore(reason: impl Into<String>) -> Hint {
    Hint::Ignore(reason.into())
}

fn pull_request(body: &[u8], project: &Project) -> Result<Hint, PayloadError> {
    let text = std::str::from_utf8(body).map_err(|_| PayloadError::NoUtf8("body"))?;
    let envelope: Envelope = read(text)?;
    let repository = &project.repository;
    let foreign = || ignore(format!("it is of another repository than {repository}"));
    let same = |name: &str| name.eq_ignore_ascii_case(repository);
    if !same(&envelope.repository.full_name) {
        return Ok(foreign());
    }
    if let Some(reason) = irrelevant(&envelope.action, text, project)? {
        return Ok(ignore(reason));
    }
    let mut event: PullRequestEvent = read(text)?;
    if !same(&event.pull_request.base.repo.full_name) {
        return Ok(foreign());
    }
    event.pull_request.check()?;
    if envelope.action == "closed" {
        // GitHub has been seen to say in the same body that it is open: what happened counts.
        event.pull_request.state = PullRequestState::Closed;
    }
    Ok(Hint::PullRequest(Box::new(Event {
        opened: envelope.action == "opened",
        reopened: envelope.action == "reopened",
        before: event.before.filter(|sha| is_commit(sha)),
        pull: event.pull_request,
    })))
}

/// Why an event of this project's repository changes nothing; none if it may. What an action does not need is not read.
fn irrelevant(action: &str, text: &str, project: &Project) -> Result<Option<&'static str>, PayloadError> {
    Ok(match action {
        "opened" | "reopened" | "synchronize" | "ready_for_review" | "converted_to_draft" | "closed" => None,
        "labeled" | "unlabeled" => {
            let Labelled { label } = read(text)?;
            let required = project.pull_requests.required_label.as_deref();
            let needed = required.is_some_and(|required| label.is_some_and(|label| label.name == required));
            (!needed).then_some("the label is not one that an environment needs")
        }
        "edited" => {
            let Edited { changes } = read(text)?;
            let moved = changes.is_some_and(|changes| changes.base.is_some());
            (!moved).then_some("the edit does not change the base branch")
        }
        _ => Some("this action changes nothing that tests or an environment depend on"),
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, PayloadError> {
    serde_json::from_str(text).map_err(|error| shape(&error))
}

/// Where a body is wrong, without what it says there.
fn shape(error: &serde_json::Error) -> PayloadError {
    PayloadError::Shape {
        event: "pull_request",
        what: match error.classify() {
            serde_json::error::Category::Data => "not what GitHub promises",
            serde_json::error::Category::Eof => "cut off",
            _ => "no JSON",
        },
        line: error.line(),
        column: error.column(),
    }
}

impl Event {
    /// The pull request's number.
    ///
    /// # Errors
    /// [`PayloadError`] where it is none that names have room for.
    pub fn number(&self) -> Result<u32, PayloadError> {
        self.pull.check()
    }

    /// Whether the decision depends on which files the pull request changes.
    pub fn needs_files(&self, project: &Project) -> bool {
        needs_files(&self.pull, project)
    }

    /// Decides. A webhook cannot tell that a fork's commit is approved; the reconciler finds approvals.
    ///
    /// A pull request that is opened outside of the filters has nothing yet: it is ignored.
    ///
    /// # Errors
    /// [`PayloadError`] where a field is not what GitHub writes.
    pub fn decide(
        &self,
        project: &Project,
        files: Option<&[String]>,
        delivery: &str,
    ) -> Result<Verified, PayloadError> {
        let seen = Seen { approved: false, files };
        let mut wanted = wanted(&self.pull, project, seen)?;
        wanted.change.before = self.before.clone();
        wanted.change.reopened = self.reopened;
        wanted.change.delivery = delivery.to_owned();
        let decision = match wanted.decision {
            Decision::TearDown if self.opened => Decision::Ignore,
            decision => decision,
        };
        Ok(Verified {
            decision,
            reason: wanted.reason,
            change: Some(wanted.change),
        })
    }
}

/// Whether what is wanted of a pull request depends on which files it changes.
pub fn needs_files(pull: &PullRequest, project: &Project) -> bool {
    let depends = match pull.state {
        PullRequestState::Open => true,
        PullRequestState::Closed => pull.merged_at.is_some() && pull.base.name == project.stage_branch,
    };
    depends && !project.pull_requests.paths.is_empty()
}

/// Whether one of the files is under one of the project's paths.
fn matches_paths(project: &Project, files: Option<&[String]>) -> bool {
    let paths = &project.pull_requests.paths;
    match files {
        Some(files) if !paths.is_empty() => files.iter().any(|file| paths.iter().any(|path| file.starts_with(path))),
        _ => true,
    }
}

/// What the project wants of a pull request in this state.
///
/// # Errors
/// [`PayloadError`] where a field is not what GitHub writes.
pub fn wanted(pull: &PullRequest, project: &Project, seen: Seen<'_>) -> Result<Wanted, PayloadError> {
    let number = pull.check()?;
    let head_repository = pull
        .head
        .repo
        .as_ref()
        .map_or_else(String::new, |repo| repo.full_name.clone());
    let fork = !head_repository.eq_ignore_ascii_case(&project.repository);
    let filters = &project.pull_requests;
    let labelled = filters
        .required_label
        .as_ref()
        .is_none_or(|required| pull.labels.iter().any(|label| label.name == *required));
    let mut change = Change {
        repository: project.repository.clone(),
        number,
        sha: pull.head.sha.clone(),
        head_repository,
        open: pull.state == PullRequestState::Open,
        trusted: !fork || seen.approved,
        labelled,
        updated_at: pull.updated_at.clone(),
        merged_at: None,
        before: None,
        reopened: false,
        compared: None,
        delivery: String::new(),
    };
    let (decision, reason) = match (pull.state, &pull.merged_at, &pull.merge_commit_sha) {
        (PullRequestState::Open, ..) => open(pull, project, seen, &change),
        (PullRequestState::Closed, Some(merged_at), Some(merge)) if pull.base.name == project.stage_branch => {
            if matches_paths(project, seen.files) {
                change.sha.clone_from(merge);
                change.merged_at = Some(merged_at.clone());
                change.trusted = true;
                let reason = format!(
                    "it was merged into {}, which is deployed to stage",
                    project.stage_branch
                );
                (Decision::Promote, reason)
            } else {
                let reason = "it was merged without a change under the project's paths";
                (Decision::TearDown, reason.to_owned())
            }
        }
        (PullRequestState::Closed, Some(_), _) => (
            Decision::TearDown,
            "it was merged into a branch that is not deployed".to_owned(),
        ),
        (PullRequestState::Closed, None, _) => (Decision::TearDown, "it was closed".to_owned()),
    };
    Ok(Wanted {
        decision,
        reason,
        change,
    })
}

fn open(pull: &PullRequest, project: &Project, seen: Seen<'_>, change: &Change) -> (Decision, String) {
    let filters = &project.pull_requests;
    let none = |reason: &str| (Decision::TearDown, reason.to_owned());
    if pull.draft == Some(true) && !filters.drafts {
        return none("a draft has no environment until it is ready for review");
    }
    if !filters.base_branches.is_empty() && !filters.base_branches.contains(&pull.base.name) {
        return none("its base branch is not one that the project names");
    }
    if !matches_paths(project, seen.files) {
        return none("it changes nothing under the project's paths");
    }
    let reason = match (change.trusted, &filters.required_label) {
        (false, _) if filters.forks == Forks::Ignore => {
            return none("a fork gets nothing until someone with write access approves its head commit");
        }
        (false, _) => {
            "A fork's commit is tested only; it is deployed once someone with write access approves exactly this commit."
                .to_owned()
        }
        (true, Some(label)) if !change.labelled => {
            format!("The commit is tested only: an environment needs the label `{label}`.")
        }
        _ => "The commit is tested and deployed.".to_owned(),
    };
    (Decision::Deploy, reason)
}
