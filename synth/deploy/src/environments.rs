//! The environments that there are, by their stacks' names.

use std::collections::BTreeMap;

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
    let there = StackStatus::values()
        .iter()
        .filter(|status| !["DELETE_COMPLETE", "REVIEW_IN_PROGRESS"].contains(status));
    let there = there.map(|status| StackStatus::from(*status)).collect();
    let mut pages = account
        .stacks
        .list_stacks()
        .set_stack_status_filter(Some(there))
        .into_paginator()
        .send();
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws("cannot list the stacks", &error))?;
        for stack in page.stack_summaries.unwrap_or_default() {
            let name = stack.stack_name().unwrap_or_default();
            let status = stack.stack_status().map_or("UNKNOWN", StackStatus::as_str);
            if let Some(environment) = environment(&project.project, name) {
                let stacks = found.entry(environment).or_default();
                stacks.push((name.to_owned(), status.to_owned()));
            }
        }
    }
    let stacks = found.into_iter().map(|(environment, mut stacks)| {
        stacks.sort();
        Stacks { environment, stacks }
    });
    Ok(stacks.collect())
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
