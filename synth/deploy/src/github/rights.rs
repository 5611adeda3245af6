//! What a credential lets the functions do, asked before it is theirs.
//!
//! GitHub tells what an App's installation may. A token's rights it does not tell: what can be found out without changing anything is
//! asked. A right to write is asked for about what cannot be — a commit of zeros, the issue 0 — since GitHub looks at permissions
//! before it looks for things. Reading a public repository needs no right, and the right to write webhooks shows when the hook is made.

use http::Method;
use serde_json::{Value, json};

use super::GitHub;
use crate::error::Error;

/// A repository permission, as GitHub's pages and its API call it, and what must be had of it.
const NEEDED: [(&str, &str, &str); 5] = [
    ("Contents", "contents", "read"),
    ("Pull requests", "pull_requests", "read"),
    ("Commit statuses", "statuses", "write"),
    ("Deployments", "deployments", "write"),
    ("Issues", "issues", "write"),
];

/// A request that tells whether a permission is had.
struct Probe {
    permission: &'static str,
    method: Method,
    path: String,
    body: Option<Value>,
    /// The statuses with which GitHub says that it was only the request.
    granted: &'static [u16],
}

impl GitHub {
    /// The repository permissions that the functions need and the credential is known not to give; none if nothing is known to be
    /// missing.
    ///
    /// # Errors
    /// Where GitHub does not say.
    pub async fn lacks(&self) -> Result<Vec<&'static str>, Error> {
        let refusal = |refused| {
            let doing = format!("cannot ask what {} may do", self.asker());
            self.refusal(&doing, refused)
        };
        if let Some(permissions) = self.permissions().await.map_err(refusal)? {
            let missing = NEEDED.iter().filter(|(_, name, least)| {
                let may = |name: &str| permissions[name].as_str().unwrap_or("none").to_owned();
                // A pull request is commented on with either of the two.
                let by_another = *name == "issues" && may("pull_requests") == "write";
                may(name) != "write" && may(name) != *least && !by_another
            });
            return Ok(missing.map(|(permission, ..)| *permission).collect());
        }
        let mut missing = Vec::new();
        for probe in probes() {
            match self.send(&probe.method, &probe.path, probe.body.as_ref()).await {
                Ok(_) => {}
                Err(refused) if refused.is(probe.granted) => {}
                Err(refused) if refused.is(&[403, 404]) => missing.push(probe.permission),
                Err(refused) => return Err(refusal(refused)),
            }
        }
        Ok(missing)
    }
}

impl GitHub {
    /// Whether the credential is known not to let GitHub's environments be deleted, of which each deployment to a new one makes one.
    /// It is no right that anything fails without; see
    /// <https://docs.github.com/en/rest/deployments/environments#delete-an-environment>.
    ///
    /// # Errors
    /// Where GitHub does not say.
    pub async fn keeps_environments(&self) -> Result<bool, Error> {
        let refusal = |refused| {
            let doing = format!("cannot ask what {} may do", self.asker());
            self.refusal(&doing, refused)
        };
        if let Some(permissions) = self.permissions().await.map_err(refusal)? {
            return Ok(permissions["administration"] != "write");
        }
        // No environment has this name, which could not be a project's.
        match self.send(&Method::DELETE, "/environments/deploy-rights", None).await {
            Ok(_) => Ok(false),
            Err(refused) if refused.is(&[404]) => Ok(false),
            Err(refused) if refused.is(&[403]) => Ok(true),
            Err(refused) => Err(refusal(refused)),
        }
    }
}

fn probes() -> [Probe; 5] {
    let read = |permission, path: &str, granted| Probe {
        permission,
        method: Method::GET,
        path: path.to_owned(),
        body: None,
        granted,
    };
    let write = |permission, path: String, body, granted| Probe {
        permission,
        method: Method::POST,
        path,
        body: Some(body),
        granted,
    };
    let nowhere = "0".repeat(40);
    let status = json!({"state": "pending", "context": "deploy/rights", "description": "no commit has this"});
    let deployment = json!({
        "ref": nowhere, "environment": "deploy-rights", "auto_merge": false, "required_contexts": [],
    });
    [
        // 409: the repository is empty.
        read("Contents", "/commits?per_page=1", &[409]),
        read("Pull requests", "/pulls?per_page=1", &[]),
        write("Commit statuses", format!("/statuses/{nowhere}"), status, &[422]),
        write("Deployments", "/deployments".to_owned(), deployment, &[422]),
        write(
            "Issues",
            "/issues/0/comments".to_owned(),
            json!({"body": "no issue has this"}),
            &[404, 410, 422],
        ),
    ]
}
