//! One change set, from its creation to its execution. Its name is the fingerprint of what it brings about, so a run that follows one
//! that was killed finds the same again, and none is made twice.

use std::time::Duration;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{ChangeSetStatus, ChangeSetType, ExecutionStatus, ResourceChange};
use clients::cloudformation::Refusal;

use crate::account::Account;
use crate::error::{Error, told};
use crate::wanted::Wanted;

/// The first wait for a change set that is being made; each one after is half as long again.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// How often a change set that was used up is made again before somebody must look.
const TRIES: usize = 4;

/// What has become of a change set.
#[derive(Debug)]
pub enum Prepared {
    /// It can be executed, and does this.
    Ready(Vec<ResourceChange>),
    /// It holds no change.
    Nothing,
    /// The stack is at work, so it must be looked at again.
    Busy,
}

/// Makes the change set, or finds it.
///
/// # Errors
/// Where CloudFormation refuses what it holds.
pub async fn prepare(
    account: &Account,
    wanted: &Wanted,
    kind: &ChangeSetType,
    template: Option<&str>,
) -> Result<Prepared, Error> {
    for _ in 0..TRIES {
        if !create(account, wanted, kind, template).await? {
            return Ok(Prepared::Busy);
        }
        let Some(made) = made(account, wanted).await? else {
            continue;
        };
        let reason = made.status_reason().unwrap_or_default();
        match (made.status(), made.execution_status()) {
            (Some(ChangeSetStatus::CreateComplete), Some(ExecutionStatus::Available)) => {
                return Ok(Prepared::Ready(changes(account, wanted, made).await?));
            }
            (Some(ChangeSetStatus::CreateComplete), Some(ExecutionStatus::ExecuteInProgress)) => {
                return Ok(Prepared::Busy);
            }
            (Some(ChangeSetStatus::Failed), _) if holds_nothing(reason) => {
                discard(account, wanted).await?;
                return Ok(Prepared::Nothing);
            }
            (Some(ChangeSetStatus::Failed), _) => {
                discard(account, wanted).await?;
                return Err(Error::Rejected {
                    stack: wanted.name.clone(),
                    words: reason.to_owned(),
                });
            }
            // It was executed before, or the stack has changed since it was made.
            _ => discard(account, wanted).await?,
        }
    }
    Ok(Prepared::Busy)
}

/// Executes the change set. False if the stack is at work on something else.
///
/// # Errors
/// Where CloudFormation refuses.
pub async fn execute(account: &Account, wanted: &Wanted) -> Result<bool, Error> {
    let name = wanted.change_set();
    let answer = account
        .stacks
        .execute_change_set()
        .stack_name(&wanted.name)
        .change_set_name(&name)
        .client_request_token(&name)
        .send()
        .await;
    match answer.map_err(|error| Refusal::of(&error)) {
        Ok(_) => Ok(true),
        Err(Refusal::Busy(_) | Refusal::Missing(_)) => Ok(false),
        Err(refusal) => Err(refused(wanted, "execute the change set", refusal)),
    }
}

/// Deletes the change set.
///
/// # Errors
/// Where CloudFormation refuses.
pub async fn discard(account: &Account, wanted: &Wanted) -> Result<(), Error> {
    let answer = account
        .stacks
        .delete_change_set()
        .stack_name(&wanted.name)
        .change_set_name(wanted.change_set())
        .send()
        .await;
    match answer.map_err(|error| Refusal::of(&error)) {
        Ok(_) | Err(Refusal::Missing(_)) => Ok(()),
        Err(refusal) => Err(refused(wanted, "delete the change set", refusal)),
    }
}

/// Makes the change set unless it is there. False if the stack is at work.
async fn create(
    account: &Account,
    wanted: &Wanted,
    kind: &ChangeSetType,
    template: Option<&str>,
) -> Result<bool, Error> {
    let mut request = account
        .stacks
        .create_change_set()
        .stack_name(&wanted.name)
        .change_set_name(wanted.change_set())
        .change_set_type(kind.clone())
        // A stack that was deleted has left what holds data, by its policy: that becomes the new stack's.
        .set_import_existing_resources((*kind == ChangeSetType::Create).then_some(true))
        .set_role_arn(account.service_role.clone())
        .set_parameters(Some(wanted.parameters()))
        .set_tags(Some(wanted.tags()))
        .set_capabilities(Some(wanted.capabilities()));
    request = match template {
        Some(url) => request.template_url(url),
        None => request.template_body(&wanted.template),
    };
    match request.send().await {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_already_exists_exception()) =>
        {
            Ok(true)
        }
        Err(error) => match Refusal::of(&error) {
            Refusal::Busy(_) => Ok(false),
            refusal => Err(refused(wanted, "make a change set", refusal)),
        },
    }
}

/// The change set once it is made or has failed; none if it is gone.
async fn made(account: &Account, wanted: &Wanted) -> Result<Option<DescribeChangeSetOutput>, Error> {
    let mut wait = FIRST_WAIT;
    loop {
        let Some(described) = describe(account, wanted, None).await? else {
            return Ok(None);
        };
        let in_making = match described.status() {
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => true,
            Some(ChangeSetStatus::DeletePending | ChangeSetStatus::DeleteInProgress) => true,
            Some(ChangeSetStatus::CreateComplete) => {
                described.execution_status() == Some(&ExecutionStatus::Unavailable)
            }
            _ => false,
        };
        if !in_making {
            return Ok(Some(described));
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 3 / 2).min(LONGEST_WAIT);
    }
}

/// All that a change set does, page by page.
async fn changes(
    account: &Account,
    wanted: &Wanted,
    first: DescribeChangeSetOutput,
) -> Result<Vec<ResourceChange>, Error> {
    let mut page = first;
    let mut changes = Vec::new();
    loop {
        let own = page.changes.unwrap_or_default().into_iter();
        changes.extend(own.filter_map(|change| change.resource_change));
        let Some(next) = page.next_token else {
            return Ok(changes);
        };
        match describe(account, wanted, Some(next)).await? {
            Some(next) => page = next,
            None => return Ok(changes),
        }
    }
}

async fn describe(
    account: &Account,
    wanted: &Wanted,
    page: Option<String>,
) -> Result<Option<DescribeChangeSetOutput>, Error> {
    let answer = account
        .stacks
        .describe_change_set()
        .stack_name(&wanted.name)
        .change_set_name(wanted.change_set())
        .set_next_token(page)
        .send()
        .await;
    match answer.map_err(|error| Refusal::of(&error)) {
        Ok(described) => Ok(Some(described)),
        Err(Refusal::Missing(_)) => Ok(None),
        Err(refusal) => Err(refused(wanted, "describe the change set", refusal)),
    }
}

fn refused(wanted: &Wanted, doing: &str, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Rejected(words) if !words.starts_with("AccessDenied") => Error::Rejected {
            stack: wanted.name.clone(),
            words,
        },
        refusal => told(format!("{}: cannot {doing}", wanted.name), &refusal.to_string()),
    }
}

/// Whether a change set failed because there is nothing to change: an error that means success.
fn holds_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}
