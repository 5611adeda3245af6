//! What GitHub posts when something happens to a pull request: the body, its signature, and the headers.
//!
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A pull request as a webhook tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// `owner/name`.
    pub repository: String,
    /// Its number.
    pub number: u32,
    /// The branch that it merges.
    pub branch: String,
    /// The head commit.
    pub sha: String,
    /// The head commit that the last push replaced.
    pub before: Option<String>,
    /// The branch that it is merged into.
    pub base: String,
    /// Whether it is open.
    pub open: bool,
    /// The commit that merged it.
    pub merged_as: Option<String>,
    /// When it was changed last, RFC 3339 in UTC with seconds, as GitHub has it.
    pub updated_at: String,
}

/// One delivery. It is posted again as it is, as GitHub does when asked to redeliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `opened`, `synchronize`, `closed` …
    pub action: String,
    /// The body.
    pub body: String,
    /// The headers that GitHub sends with it.
    pub headers: Vec<(&'static str, String)>,
}

impl Delivery {
    /// The delivery with this number of an action on a pull request, signed with the webhook's secret.
    #[must_use]
    pub fn new(id: u32, action: &str, pull_request: &PullRequest, secret: &str) -> Self {
        let body = body(action, pull_request).to_string();
        let headers = vec![
            ("x-github-event", "pull_request".to_owned()),
            ("x-github-delivery", format!("72d3162e-cc78-11e3-81ab-{id:012x}")),
            ("x-hub-signature-256", signature(secret, &body)),
            ("content-type", "application/json".to_owned()),
            ("user-agent", "GitHub-Hookshot/044aadd".to_owned()),
        ];
        Self {
            action: action.to_owned(),
            body,
            headers,
        }
    }
}

/// `sha256=` and the HMAC of the body, in hexadecimal digits.
#[must_use]
pub fn signature(secret: &str, body: &str) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    digits
        .iter()
        .fold("sha256=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn body(action: &str, pull_request: &PullRequest) -> Value {
    let repository = json!({ "full_name": pull_request.repository, "private": true });
    let user = json!({ "login": "octocat", "type": "User" });
    let mut body = json!({
        "action": action,
        "number": pull_request.number,
        "pull_request": {
            "number": pull_request.number,
            // What people write is in every body; an apostrophe broke the pipeline that this one replaces.
            "title": "It's the best pizza \"in town\" — $really",
            "body": null,
            "state": if pull_request.open { "open" } else { "closed" },
            "draft": false,
            "merged": pull_request.merged_as.is_some(),
            "merged_at": pull_request.merged_as.as_ref().map(|_| &pull_request.updated_at),
            "merge_commit_sha": pull_request.merged_as,
            "updated_at": pull_request.updated_at,
            "labels": [],
            "user": user,
            "head": { "sha": pull_request.sha, "ref": pull_request.branch, "repo": repository },
            "base": { "ref": pull_request.base, "repo": repository },
        },
        "repository": repository,
        "sender": user,
    });
    if action == "synchronize" {
        // GitHub's times are in seconds: of two pushes within one, this alone tells which came last.
        body["before"] = json!(pull_request.before);
        body["after"] = json!(pull_request.sha);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_tells_which_head_it_replaced_and_nothing_else_does() {
        let pull_request = PullRequest {
            repository: "octo-org/places".to_owned(),
            number: 17,
            branch: "change".to_owned(),
            sha: "2".repeat(40),
            before: Some("1".repeat(40)),
            base: "main".to_owned(),
            open: true,
            merged_as: None,
            updated_at: "2026-03-02T08:00:00Z".to_owned(),
        };
        let push = body("synchronize", &pull_request);
        assert_eq!(
            (&push["before"], &push["after"]),
            (&json!("1".repeat(40)), &json!("2".repeat(40)))
        );
        assert_eq!(body("closed", &pull_request).get("before"), None);
    }

    #[test]
    fn the_signature_is_githubs() {
        // GitHub's own example: docs.github.com, "Validating webhook deliveries".
        assert_eq!(
            signature("It's a Secret to Everybody", "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
