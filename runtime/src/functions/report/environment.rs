//! GitHub's own environment of a pull request, which it makes with the first deployment and keeps for ever.
//!
//! It is tidied up, and no more: whatever keeps it from going is no failure of the teardown. `deploy doctor` says what right that takes.

use std::time::Duration;

use contract::{Outcome, ReportRequest, Step, Target};
use stacks::Environment;

use super::{Report, of_pull_request};
use crate::functions::Invocation;
use crate::github::Error;

/// How long it may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

impl Report {
    /// Deletes GitHub's environment once it is torn down, if it is a pull request's and has no deployments but those that were made here.
    pub(super) async fn tidy_up(&self, request: &ReportRequest, invocation: &Invocation) {
        if (request.step, request.outcome) != (Step::Teardown, Outcome::Success) {
            return;
        }
        let Target {
            repository,
            number,
            environment,
            ..
        } = &request.target;
        let own = matches!(environment.parse(), Ok(Environment::PullRequest(own)) if own.number() == *number);
        if !own {
            return;
        }
        let invocation = invocation.at_most(PATIENCE);
        let github = &self.github;
        let deleted: Result<bool, Error> = async {
            let deployments = github.deployments_of(repository, environment, &invocation).await?;
            let ours = of_pull_request(*number);
            if !deployments.iter().all(|deployment| deployment.is(&ours)) {
                return Ok(false);
            }
            github.delete_environment(repository, environment, &invocation).await?;
            Ok(true)
        }
        .await;
        match deleted {
            Ok(true) | Err(Error::Missing { .. }) => tracing::info!(environment, "github keeps no environment"),
            Ok(false) => tracing::info!(environment, "github's environment has other deployments, and is kept"),
            Err(fault) => tracing::info!(environment, %fault, "github keeps the environment"),
        }
    }
}
