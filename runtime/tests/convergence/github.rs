//! A GitHub of a few pull requests: what people do to them, and the webhooks that it sends of it.

use runtime::webhook::{Branch, Head, Label, PullRequest, PullRequestState, Repository, Seen, Wanted, wanted};
use serde_json::{Value, json};
use stacks::Project;

use crate::random::Random;

/// A pull request as GitHub has it.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u32,
    pub(crate) open: bool,
    fork: bool,
    draft: bool,
    labelled: bool,
    sha: String,
    approved: Option<String>,
    merged: Option<(u64, String)>,
    updated_at: u64,
}

/// GitHub, and its clock.
#[derive(Debug, Default)]
pub(crate) struct GitHub {
    pub(crate) pulls: Vec<Pull>,
    /// Seconds since 1970.
    pub(crate) now: u64,
    commits: u64,
    last_merge: u64,
    /// The commit that the stage branch ends with.
    pub(crate) stage: Option<String>,
}

impl GitHub {
    /// Somebody does something; the webhook's body, if GitHub sends one. Most happens within the same second as what was before.
    pub(crate) fn act(&mut self, random: &mut Random, same_second: bool) -> Option<Value> {
        if !same_second || random.one_in(3) {
            self.now += 1;
        }
        if self.pulls.is_empty() || self.pulls.len() < 4 && random.one_in(5) {
            return Some(self.open(random));
        }
        let index = random.below(self.pulls.len());
        match random.below(9) {
            0..=2 => self.push(index),
            3 => self.close(index),
            4 => self.merge(index),
            5 => self.reopen(index),
            6 => self.label(index),
            7 => self.draft(index),
            _ => self.approve_or_comment(index, random),
        }
    }

    /// Opens so many pull requests that get an environment each, and tells nobody.
    pub(crate) fn open_deployable(&mut self, many: u32) {
        for number in 1..=many {
            let sha = self.commit();
            self.pulls.push(Pull {
                number,
                open: true,
                fork: false,
                draft: false,
                labelled: true,
                sha,
                approved: None,
                merged: None,
                updated_at: self.now,
            });
        }
    }

    /// Pushes to every open pull request, and tells nobody.
    pub(crate) fn push_to_all(&mut self) {
        for index in 0..self.pulls.len() {
            self.push(index);
        }
    }

    /// Closes every pull request, and tells nobody.
    pub(crate) fn close_all(&mut self) {
        for index in 0..self.pulls.len() {
            self.close(index);
        }
    }

    fn open(&mut self, random: &mut Random) -> Value {
        let sha = self.commit();
        self.pulls.push(Pull {
            number: u32::try_from(self.pulls.len() + 1).unwrap_or_default(),
            open: true,
            fork: random.one_in(4),
            draft: random.one_in(5),
            labelled: !random.one_in(4),
            sha,
            approved: None,
            merged: None,
            updated_at: self.now,
        });
        self.event(self.pulls.len() - 1, "opened", json!({}))
    }

    fn push(&mut self, index: usize) -> Option<Value> {
        let sha = self.commit();
        let pull = self.pulls.get_mut(index).filter(|pull| pull.open)?;
        let before = std::mem::replace(&mut pull.sha, sha);
        Some(self.event(index, "synchronize", json!({ "before": before })))
    }

    fn close(&mut self, index: usize) -> Option<Value> {
        let pull = self.pulls.get_mut(index).filter(|pull| pull.open)?;
        pull.open = false;
        Some(self.event(index, "closed", json!({})))
    }

    fn merge(&mut self, index: usize) -> Option<Value> {
        let pull = self.pulls.get(index)?;
        if !pull.open || pull.draft {
            return None;
        }
        // Merges of the same second are told apart by their numbers only: here they come in that order.
        self.now = self.now.max(self.last_merge + 1);
        self.last_merge = self.now;
        let sha = self.commit();
        self.stage = Some(sha.clone());
        self.pulls[index].open = false;
        self.pulls[index].merged = Some((self.now, sha));
        Some(self.event(index, "closed", json!({})))
    }

    fn reopen(&mut self, index: usize) -> Option<Value> {
        let pull = self.pulls.get_mut(index)?;
        if pull.open || pull.merged.is_some() {
            return None;
        }
        pull.open = true;
        Some(self.event(index, "reopened", json!({})))
    }

    fn label(&mut self, index: usize) -> Option<Value> {
        let pull = &mut self.pulls[index];
        pull.labelled = !pull.labelled;
        let action = if pull.labelled { "labeled" } else { "unlabeled" };
        Some(self.event(index, action, json!({ "label": { "name": "deploy" } })))
    }

    fn draft(&mut self, index: usize) -> Option<Value> {
        let pull = self.pulls.get_mut(index).filter(|pull| pull.open)?;
        pull.draft = !pull.draft;
        let action = if pull.draft {
            "converted_to_draft"
        } else {
            "ready_for_review"
        };
        Some(self.event(index, action, json!({})))
    }

    /// What no `pull_request` webhook tells of.
    fn approve_or_comment(&mut self, index: usize, random: &mut Random) -> Option<Value> {
        let pull = &mut self.pulls[index];
        pull.updated_at = self.now;
        if random.one_in(2) {
            pull.approved = Some(pull.sha.clone());
        }
        None
    }

    fn commit(&mut self) -> String {
        self.commits += 1;
        // As in reality, a later commit's hash is not a greater one.
        format!("{:040x}", self.commits.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn event(&mut self, index: usize, action: &str, more: Value) -> Value {
        self.pulls[index].updated_at = self.now;
        let mut body = json!({
            "action": action,
            "number": self.pulls[index].number,
            "pull_request": self.pulls[index].described(),
            "repository": { "full_name": REPOSITORY },
        });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        body
    }

    /// What the project wants of the pull requests, as the reconciler sees it.
    pub(crate) fn wanted(&self, project: &Project, open: bool) -> Vec<Wanted> {
        let pulls = self.pulls.iter().filter(|pull| pull.open == open);
        pulls.map(|pull| pull.wanted(project)).collect()
    }
}

/// The repository.
pub(crate) const REPOSITORY: &str = "owner/name";

impl Pull {
    /// What the project wants of it.
    #[expect(clippy::expect_used, reason = "the model writes what GitHub would")]
    pub(crate) fn wanted(&self, project: &Project) -> Wanted {
        let repository = |name: &str| Repository {
            full_name: name.to_owned(),
        };
        let read = PullRequest {
            number: self.number.into(),
            state: if self.open {
                PullRequestState::Open
            } else {
                PullRequestState::Closed
            },
            draft: Some(self.draft),
            updated_at: time(self.updated_at),
            merged_at: self.merged.as_ref().map(|(at, _)| time(*at)),
            merge_commit_sha: self.merged.as_ref().map(|(_, sha)| sha.clone()),
            head: Head {
                sha: self.sha.clone(),
                repo: Some(repository(self.head())),
            },
            base: Branch {
                name: "main".to_owned(),
                repo: repository(REPOSITORY),
            },
            labels: self.labels().map(|name| Label { name: name.to_owned() }).collect(),
        };
        let seen = Seen {
            approved: self.approved.as_ref() == Some(&self.sha),
            files: None,
        };
        wanted(&read, project, seen).expect("it holds what GitHub writes")
    }

    fn head(&self) -> &'static str {
        if self.fork { "stranger/name" } else { REPOSITORY }
    }

    fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.labelled.then_some("deploy").into_iter()
    }

    fn described(&self) -> Value {
        let labels: Vec<Value> = self.labels().map(|name| json!({ "name": name })).collect();
        json!({
            "number": self.number,
            "state": if self.open { "open" } else { "closed" },
            "draft": self.draft,
            "updated_at": time(self.updated_at),
            "merged_at": self.merged.as_ref().map(|(at, _)| time(*at)),
            "merge_commit_sha": self.merged.as_ref().map(|(_, sha)| sha),
            "head": { "sha": self.sha, "ref": "change", "repo": { "full_name": self.head() } },
            "base": { "sha": self.sha, "ref": "main", "repo": { "full_name": REPOSITORY } },
            "labels": labels,
        })
    }
}

/// Seconds of the first hours of 2026, as GitHub writes a time.
fn time(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!(
        "2026-01-{:02}T{:02}:{minutes:02}:{seconds:02}Z",
        1 + hours / 24,
        hours % 24
    )
}
