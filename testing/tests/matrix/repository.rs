//! The pull request on GitHub, and what GitHub posts when something happens to it.
//!
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use stepfunctions_runner::Time;
use testing::github::{Archive, GitHub, PullRequest, Repository};

use crate::account::WEBHOOK_SECRET;
use crate::builds::COMMIT;
use crate::clock::written;

/// The pull request.
pub(crate) const NUMBER: u32 = 17;
/// The repository of the fork.
const FORK: &str = "stranger/thebestest";

/// The pull request as GitHub has it, and its history.
pub(crate) struct Pull {
    pub(crate) repository: Repository,
    /// The repository's name.
    pub(crate) name: String,
    pull: Option<PullRequest>,
    /// The head commit.
    pub(crate) sha: String,
    pub(crate) open: bool,
    pub(crate) merged_as: Option<String>,
    base: &'static str,
    draft: bool,
    fork: bool,
    updated: Time,
    commits: u32,
    deliveries: u32,
}

/// Something that happens to the pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Open,
    /// Opened from a fork.
    OpenFork,
    Push,
    Close,
    Reopen,
    Merge,
    /// It becomes a draft.
    Draft,
    /// It is to be merged into another branch.
    Rebase,
    /// It gets a label that nobody asks for.
    Label,
}

impl Pull {
    pub(crate) fn new(github: &GitHub, name: String, now: Time) -> Self {
        Self {
            repository: github.repository(&name),
            name,
            pull: None,
            sha: String::new(),
            open: false,
            merged_as: None,
            base: "main",
            draft: false,
            fork: false,
            updated: now,
            commits: 0,
            deliveries: 0,
        }
    }

    /// Lets it happen, and returns what GitHub posts: the input of an execution, as the webhook API passes it on.
    pub(crate) fn act(&mut self, act: Act, now: Time) -> Value {
        self.updated = now;
        let before = self.sha.clone();
        match act {
            Act::Open | Act::OpenFork => {
                self.sha = self.commit();
                self.open = true;
                let pull = self.repository.pull_request(NUMBER, &self.sha);
                if act == Act::OpenFork {
                    pull.from(Some(FORK));
                    self.fork = true;
                }
                self.pull = Some(pull);
            }
            Act::Push => {
                self.sha = self.commit();
                self.on_github().push(&self.sha);
            }
            Act::Close => {
                self.open = false;
                self.on_github().close();
            }
            Act::Reopen => {
                self.open = true;
                self.on_github().reopen();
            }
            Act::Merge => {
                let merge = self.commit();
                self.on_github().merge(&merge);
                self.open = false;
                self.merged_as = Some(merge);
            }
            Act::Draft => {
                self.draft = true;
                self.on_github().draft();
            }
            Act::Rebase => {
                self.base = "release";
                self.on_github().onto(self.base);
            }
            Act::Label => {
                self.on_github().label("good first issue");
            }
        }
        let updated = written(now);
        self.on_github().updated(&updated);
        self.delivery(act, &before)
    }

    fn on_github(&self) -> &PullRequest {
        self.pull.as_ref().expect("it was opened")
    }

    /// A new commit with its archive.
    fn commit(&mut self) -> String {
        self.commits += 1;
        let sha = format!("{:040x}", 0xc0_0000 + self.commits);
        self.repository.archive(&sha, Archive::new(zipball(&sha)));
        sha
    }

    fn delivery(&mut self, act: Act, before: &str) -> Value {
        self.deliveries += 1;
        let action = match act {
            Act::Open | Act::OpenFork => "opened",
            Act::Push => "synchronize",
            Act::Close | Act::Merge => "closed",
            Act::Reopen => "reopened",
            Act::Draft => "converted_to_draft",
            Act::Rebase => "edited",
            Act::Label => "labeled",
        };
        let body = self.body(action, before).to_string();
        let encoded = |text: &str| BASE64_STANDARD.encode(text);
        json!({ "webhook": {
            "body": encoded(&body),
            "event": encoded("pull_request"),
            "delivery": encoded(&format!("72d3162e-cc78-11e3-81ab-{:012x}", self.deliveries)),
            "signature": encoded(&format!("sha256={}", signature(&body))),
        }})
    }

    fn body(&self, action: &str, before: &str) -> Value {
        let repository = json!({ "full_name": self.name });
        let head = json!({ "full_name": if self.fork { FORK } else { &self.name } });
        let updated = written(self.updated);
        let mut body = json!({
            "action": action,
            "number": NUMBER,
            "repository": repository,
            "pull_request": {
                "number": NUMBER,
                "title": "It's the best pizza \"in town\" — $really",
                "state": if self.open { "open" } else { "closed" },
                "draft": self.draft,
                "merged": self.merged_as.is_some(),
                "merged_at": self.merged_as.as_ref().map(|_| &updated),
                "merge_commit_sha": self.merged_as,
                "updated_at": updated,
                "labels": [],
                "head": { "sha": self.sha, "ref": "change", "repo": head },
                "base": { "sha": self.sha, "ref": self.base, "repo": repository },
            },
        });
        match action {
            "synchronize" => body["before"] = json!(before),
            "edited" => body["changes"] = json!({ "base": { "ref": { "from": "main" } } }),
            "labeled" => body["label"] = json!({ "name": "good first issue" }),
            _ => {}
        }
        body
    }
}

/// The HMAC of the body, in hexadecimal digits.
fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("a key of any length");
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An archive as GitHub makes it: everything is under one folder, and the comment is the commit's SHA.
fn zipball(sha: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let folder = format!("thebestest-{sha}/");
    archive.add_directory(&folder, options).expect("it is begun");
    for (name, content) in [(COMMIT, sha), ("README.md", "# The best of everything\n")] {
        archive
            .start_file(format!("{folder}{name}"), options)
            .expect("it is begun");
        archive.write_all(content.as_bytes()).expect("it is written");
    }
    archive.set_comment(sha.to_owned()).expect("it is short");
    archive.finish().expect("it is finished").into_inner()
}
