//! The environments that there are, by their stacks' names.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::StackStatus;
use serde::Serialize;
use stacks::{Environment, Project};

use crate::account::Account;
use crate::error::{Error, aws};

/// The stacks of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stacks {
    /// `pr-17` or `stage`.
    pub environment: String,
    /// Each stack with its status, the application's first: in the order in which they can be deleted.
    pub stacks: Vec<(String, String)>,
}

/// All environments of a project.
///
/// # Errors
/// Where CloudFormation does not list its stacks.
pub async fn all(account: &Account, project: &Project) -> Result<Vec<Stacks>, Error> {
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, status) in standing(account).await? {
        // A change set that was never executed is no stack yet.
        if status != "REVIEW_IN_PROGRESS"
            && let Some(environment) = environment(&project.project, &name)
        {
            found.entry(environment).or_default().push((name, status));
        }
    }
    let stacks = found.into_iter().map(|(environment, mut stacks)| {
        stacks.sort();
        Stacks { environment, stacks }
    });
    Ok(stacks.collect())
}

/// All stacks of the account that were not deleted, each with its status.
///
/// # Errors
/// Where CloudFormation does not list them.
pub(crate) async fn standing(account: &Account) -> Result<Vec<(String, String)>, Error> {
    let stacks = clients::cloudformation::standing(&account.stacks).await;
    let stacks = stacks.map_err(|error| aws("cannot list the stacks", &error))?;
    let told = stacks.into_iter().map(|stack| {
        let status = stack.stack_status().map_or("UNKNOWN", StackStatus::as_str).to_owned();
        (stack.stack_name.unwrap_or_default(), status)
    });
    Ok(told.collect())
}

/// How many environments of a project these stacks are of.
pub(crate) fn count(project: &Project, stacks: &[(String, String)]) -> usize {
    let environments = stacks
        .iter()
        .filter_map(|(name, _)| environment(&project.project, name));
    environments.collect::<BTreeSet<_>>().len()
}

/// The environment that a stack is of, if it is one of the project's.
fn environment(project: &str, stack: &str) -> Option<String> {
    let own = stack.strip_prefix(project)?.strip_prefix('-')?;
    let name = own.strip_prefix("app-").or_else(|| own.strip_prefix("deploy-"))?;
    let environment: Environment = name.parse().ok()?;
    Some(environment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stacks_of_this_projects_environments_are_found() {
        let of = |stack| environment("best", stack);
        assert_eq!(of("best-app-pr-17").as_deref(), Some("pr-17"));
        assert_eq!(of("best-deploy-stage").as_deref(), Some("stage"));
        for other in [
            "best-pipeline-manager",
            "bestest-app-pr-17",
            "best-app-pr-x",
            "best-app-",
            "app-pr-17",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
