//! What is looked at before anything is made: whether names are taken, and whether the account has room.

use aws_sdk_cloudformation::types::Stack;
use clients::cloudformation::Condition;
use stacks::Project;

use crate::account::Account;
use crate::error::Error;
use crate::event::{Event, Frontend};
use crate::follow::condition;
use crate::wanted::Wanted;
use crate::{names, quotas};

/// Looks, and says what it found. Where no stack is to be made nothing of AWS is asked.
///
/// # Errors
/// *All* names that are taken; or *all* quotas that leave no room for the shared stacks.
pub async fn run(
    account: &Account,
    project: &Project,
    stacks: &[(&Wanted, Option<&Stack>)],
    frontend: &dyn Frontend,
) -> Result<(), Error> {
    let names::Found { looked_at, clashes } = names::clashes(account, &project.project, stacks).await?;
    if !clashes.is_empty() {
        return Err(Error::Taken(clashes));
    }
    let missing = missing(stacks);
    if missing.is_empty() {
        return Ok(());
    }
    frontend.event(&Event::Checked {
        what: "names",
        found: format!(
            "{} stacks are to be made, and none of {looked_at} names of stacks and secrets is taken",
            missing.len()
        ),
    });
    let quotas = quotas::look(account, project, &missing).await?;
    let full: Vec<String> = quotas.iter().filter_map(quotas::Quota::problem).collect();
    if !full.is_empty() {
        return Err(Error::NoRoom(full));
    }
    for quota in quotas {
        match quota.warning() {
            Some(warning) => frontend.event(&Event::Warning {
                message: format!("{}: {warning}", quota.what),
            }),
            None => frontend.event(&Event::Checked {
                what: quota.what,
                found: quota.state(),
            }),
        }
    }
    Ok(())
}

/// The stacks that are still to be made.
pub(crate) fn missing<'a>(stacks: &[(&'a Wanted, Option<&Stack>)]) -> Vec<&'a Wanted> {
    let missing = stacks
        .iter()
        .filter(|(_, present)| matches!(condition(*present), Condition::Gone | Condition::Empty));
    missing.map(|(wanted, _)| *wanted).collect()
}
