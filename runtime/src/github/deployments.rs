//! Deployments: that a commit was put somewhere, where that is, and how it went.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::message::Call;
use super::{Client, Error, repository, segment};
use crate::functions::Invocation;

/// How often a deployment is looked for and tried to be made.
const TRIES: u32 = 3;

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: u64,
    /// The commit, forty hexadecimal digits.
    pub sha: String,
}

/// A deployment to be made, see <https://docs.github.com/en/rest/deployments/deployments#create-a-deployment>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// The commit, forty hexadecimal digits.
    pub sha: String,
    /// The environment.
    pub environment: String,
    /// One line, at most 140 characters.
    pub description: String,
    /// Whether the environment goes away again. Only such a deployment is shown as destroyed once it is inactive.
    pub transient: bool,
}

/// How a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// It is at work.
    InProgress,
    /// It succeeded.
    Success,
    /// What was deployed failed it.
    Failure,
    /// The deployment itself failed.
    Error,
    /// Another one has taken its place, or the environment is gone.
    Inactive,
}

/// A deployment's status, see <https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// How it stands.
    pub state: DeploymentState,
    /// One line, at most 140 characters.
    pub description: String,
    /// Where the environment can be used.
    pub environment_url: Option<String>,
    /// The page with the details.
    pub log_url: Option<String>,
    /// Whether a success sets all other deployments of the environment inactive; GitHub does that only where they are not transient.
    pub replaces_others: bool,
}

impl Client {
    /// The latest deployment of a commit to an environment.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn find_deployment(
        &self,
        repository_name: &str,
        sha: &str,
        environment: &str,
        invocation: &Invocation,
    ) -> Result<Option<Deployment>, Error> {
        let path = format!(
            "{}/deployments?sha={}&environment={}&per_page=1",
            repository(repository_name),
            segment(sha),
            segment(environment)
        );
        let call = Call::get(path, format!("the deployments of {repository_name}@{sha}"));
        let found: Vec<Deployment> = self.transport.send(&call, invocation).await?.read()?;
        Ok(found.into_iter().next())
    }

    /// The deployment of a commit to an environment: the one that is there, or a new one. Never makes a second one, even if GitHub
    /// does not say whether it made the first.
    ///
    /// No status of the commit is required for it, and nothing is merged: when to deploy is not GitHub's decision here.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn ensure_deployment(
        &self,
        repository_name: &str,
        deployment: &NewDeployment,
        invocation: &Invocation,
    ) -> Result<Deployment, Error> {
        let NewDeployment { sha, environment, .. } = deployment;
        let what = format!("the deployment of {repository_name}@{sha} to {environment}");
        let body = json!({
            "ref": sha,
            "environment": environment,
            "description": deployment.description,
            "transient_environment": deployment.transient,
            "production_environment": false,
            "auto_merge": false,
            "required_contexts": [],
        });
        let path = format!("{}/deployments", repository(repository_name));
        let call = Call::with_body(Method::POST, path, what.clone(), &body);
        for attempt in 1..=TRIES {
            let found = self
                .find_deployment(repository_name, sha, environment, invocation)
                .await?;
            if let Some(found) = found {
                return Ok(found);
            }
            if let Some(answer) = self.transport.send_once(&call, invocation).await? {
                return answer.read();
            }
            self.transport.pause(&call, attempt, invocation).await?;
        }
        Err(Error::Unavailable {
            what,
            message: format!("it could not be made in {TRIES} attempts; try again in a minute"),
        })
    }

    /// Adds a status to a deployment. The latest counts.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn set_deployment_status(
        &self,
        repository_name: &str,
        id: u64,
        status: &DeploymentStatus,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let path = format!("{}/deployments/{id}/statuses", repository(repository_name));
        let what = format!("the status of deployment {id} of {repository_name}");
        let mut body = json!({
            "state": status.state,
            "description": status.description,
            "auto_inactive": status.replaces_others,
        });
        for (name, url) in [
            ("environment_url", &status.environment_url),
            ("log_url", &status.log_url),
        ] {
            if let Some(url) = url {
                body[name] = json!(url);
            }
        }
        let call = Call::with_body(Method::POST, path, what, &body);
        self.transport.send(&call, invocation).await.map(drop)
    }
}
