//! The environments that there are, by their stacks' names.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::StackStatus;
use serde::Serialize;
use stacks::Project;
use stacks::names::Names;

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
            && let Some(environment) = Names::of(project).environment_of(&name)
        {
            found.entry(environment.to_string()).or_default().push((name, status));
        }
    }
    let stacks = found.into_iter().map(|(environment, mut stacks)| {
        stacks.sort_by_key(|(name, _)| (!name.ends_with("-app"), name.clone()));
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
        .filter_map(|(name, _)| Names::of(project).environment_of(name));
    environments.collect::<BTreeSet<_>>().len()
}
