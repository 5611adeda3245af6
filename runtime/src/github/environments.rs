//! Environments: GitHub makes one with the first deployment to it, and deletes none by itself.

use http::Method;
use serde::Deserialize;

use super::message::Call;
use super::{Client, Error, repository, segment};
use crate::functions::Invocation;

/// A deployment to an environment, as far as it tells who made it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deployed {
    /// One line of whoever made it.
    description: Option<String>,
    /// Whether the environment goes away again.
    #[serde(default)]
    transient_environment: bool,
}

impl Deployed {
    /// Whether it was made with this description, for an environment that goes away again.
    pub fn is(&self, description: &str) -> bool {
        self.transient_environment && self.description.as_deref() == Some(description)
    }
}

impl Client {
    /// The latest hundred deployments to an environment.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn deployments_of(
        &self,
        repository_name: &str,
        environment: &str,
        invocation: &Invocation,
    ) -> Result<Vec<Deployed>, Error> {
        let path = format!(
            "{}/deployments?environment={}&per_page=100",
            repository(repository_name),
            segment(environment)
        );
        let call = Call::get(path, format!("the deployments of {repository_name} to {environment}"));
        self.transport.send(&call, invocation).await?.read()
    }

    /// Deletes an environment. Its deployments stay.
    ///
    /// It takes the repository permission "Administration" to write, which the functions do not need for anything else. See
    /// <https://docs.github.com/en/rest/deployments/environments#delete-an-environment>.
    ///
    /// # Errors
    /// All of [`Error`]: [`Error::Missing`] where there is none, [`Error::Refused`] without the permission.
    pub async fn delete_environment(
        &self,
        repository_name: &str,
        environment: &str,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let path = format!("{}/environments/{}", repository(repository_name), segment(environment));
        let call = Call {
            method: Method::DELETE,
            path,
            body: None,
            what: format!("the environment {environment} of {repository_name}"),
        };
        self.transport.send(&call, invocation).await.map(drop)
    }
}
