//! A stack while it changes: its events as they come, and the first that failed, which is what a person must know.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudformation::types::{ResourceStatus, Stack, StackEvent, StackResourceSummary};
use clients::cloudformation::{self, Condition};

use crate::account::Account;
use crate::error::{Error, aws, told};
use crate::event::{Event, Frontend};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// How long a stack may look as it did before it is at work on what it was asked.
const PATIENCE: u32 = 20;

/// A stack that has come to rest.
#[derive(Debug)]
pub struct Settled {
    /// The stack; none if it is gone.
    pub stack: Option<Stack>,
    /// What has failed first, in words.
    pub cause: Option<String>,
}

/// The status of a stack.
pub(crate) fn status(stack: &Stack) -> String {
    let status = stack.stack_status();
    status.map_or("UNKNOWN", |status| status.as_str()).to_owned()
}

/// What can be done with a stack that is there or not.
pub(crate) fn condition(stack: Option<&Stack>) -> Condition {
    let status = stack.and_then(Stack::stack_status);
    status.map_or(Condition::Gone, cloudformation::condition)
}

/// When the stack was last changed, or made.
pub(crate) fn changed(stack: &Stack) -> String {
    let time = stack.last_updated_time().or_else(|| stack.creation_time());
    time.map(ToString::to_string).unwrap_or_default()
}

/// A stack's output.
pub(crate) fn output(stack: Option<&Stack>, name: &str) -> Option<String> {
    let outputs = stack.map(Stack::outputs).unwrap_or_default();
    let output = outputs.iter().find(|output| output.output_key() == Some(name));
    output.and_then(|output| output.output_value()).map(str::to_owned)
}

/// What tells a stack that has done what it was asked from one that has not begun.
pub(crate) fn mark(stack: &Stack) -> String {
    format!("{} {}", changed(stack), status(stack))
}

/// The stack of this name or id.
///
/// # Errors
/// Where CloudFormation does not say.
pub async fn stack(account: &Account, name: &str) -> Result<Option<Stack>, Error> {
    cloudformation::stack(&account.stacks, name)
        .await
        .map_err(|refusal| told(format!("cannot look at the stack {name}"), &refusal.to_string()))
}

/// All resources of a stack that are there.
///
/// # Errors
/// Where CloudFormation does not say.
pub async fn resources(account: &Account, stack: &str) -> Result<Vec<StackResourceSummary>, Error> {
    let items = account.stacks.list_stack_resources().stack_name(stack);
    let mut items = items.into_paginator().items().send();
    let mut resources = Vec::new();
    while let Some(resource) = items.next().await {
        resources.push(resource.map_err(|error| aws(format!("cannot list the resources of {stack}"), &error))?);
    }
    resources
        .retain(|resource: &StackResourceSummary| resource.resource_status() != Some(&ResourceStatus::DeleteComplete));
    Ok(resources)
}

/// The name in the account of a stack's resource.
///
/// # Errors
/// Where CloudFormation does not say.
pub(crate) async fn physical_id(account: &Account, stack: &str, logical_id: &str) -> Result<Option<String>, Error> {
    let found = resources(account, stack).await?.into_iter();
    let mut found = found.filter(|resource| resource.logical_resource_id() == Some(logical_id));
    Ok(found.next().and_then(|resource| resource.physical_resource_id))
}

/// Follows a stack until it is at rest. `before` is [`mark`] of it before it was asked to change; none if it is at work already.
///
/// # Errors
/// Where CloudFormation does not say.
pub async fn follow(
    account: &Account,
    name: &str,
    id: &str,
    before: Option<&str>,
    of: usize,
    frontend: &dyn Frontend,
) -> Result<Settled, Error> {
    let mut seen = Seen::default();
    let mut wait = FIRST_WAIT;
    let mut unchanged = 0;
    loop {
        let stack = stack(account, id).await?;
        let at_work = match condition(stack.as_ref()) {
            Condition::Changing | Condition::Deleting => true,
            Condition::Empty => true,
            Condition::Gone => false,
            _ => {
                let same = stack.as_ref().map(mark).as_deref() == before && before.is_some();
                unchanged += u32::from(same);
                same && unchanged < PATIENCE
            }
        };
        let stirred = stack.is_some() && seen.update(account, name, id, frontend).await?;
        if !at_work {
            return Ok(Settled {
                cause: seen.cause(),
                stack,
            });
        }
        frontend.event(&Event::Working {
            stack: name.to_owned(),
            status: stack.as_ref().map(status).unwrap_or_default(),
            done: seen.done.len().min(of),
            of,
        });
        tokio::time::sleep(wait).await;
        wait = if stirred { FIRST_WAIT } else { wait * 3 / 2 }.min(LONGEST_WAIT);
    }
}

/// The events of what a stack is at work on, as far as they were seen.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<String>,
    /// The oldest first.
    failed: Vec<String>,
    done: BTreeSet<String>,
}

impl Seen {
    /// Tells of the events since the last time; whether there were any.
    async fn update(
        &mut self,
        account: &Account,
        name: &str,
        id: &str,
        frontend: &dyn Frontend,
    ) -> Result<bool, Error> {
        let mut pages = account
            .stacks
            .describe_stack_events()
            .stack_name(id)
            .into_paginator()
            .send();
        let mut new = Vec::new();
        'pages: while let Some(page) = pages.next().await {
            let page = page.map_err(|error| aws(format!("cannot read the events of {name}"), &error))?;
            for event in page.stack_events.unwrap_or_default() {
                if event.event_id().is_some_and(|id| self.ids.contains(id)) {
                    break 'pages;
                }
                let begins = begins(&event);
                new.push(event);
                if begins {
                    break 'pages;
                }
            }
        }
        for event in new.iter().rev() {
            self.take(name, event, frontend);
        }
        Ok(!new.is_empty())
    }

    fn take(&mut self, name: &str, event: &StackEvent, frontend: &dyn Frontend) {
        self.ids.extend(event.event_id().map(str::to_owned));
        let status = event.resource_status().map_or("", ResourceStatus::as_str);
        let logical_id = event.logical_resource_id().unwrap_or_default();
        let type_name = event.resource_type().unwrap_or_default();
        let reason = event.resource_status_reason().filter(|reason| !reason.is_empty());
        let is_own = is_own(event);
        if status.ends_with("_COMPLETE") && !is_own {
            self.done.insert(logical_id.to_owned());
        }
        if status.ends_with("_FAILED") && !reason.is_some_and(|reason| reason.contains("ancelled")) {
            let words = reason.unwrap_or("CloudFormation says no more");
            self.failed
                .push(format!("{logical_id} ({type_name}) is {status}: {words}"));
        }
        frontend.event(&Event::Resource {
            stack: name.to_owned(),
            logical_id: logical_id.to_owned(),
            type_name: type_name.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
        });
    }

    fn cause(&self) -> Option<String> {
        self.failed.first().cloned()
    }
}

fn is_own(event: &StackEvent) -> bool {
    event.physical_resource_id() == event.stack_id()
}

/// Whether this is where what the stack is at work on begins.
fn begins(event: &StackEvent) -> bool {
    let status = event.resource_status().map_or("", ResourceStatus::as_str);
    is_own(event)
        && [
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "DELETE_IN_PROGRESS",
            "IMPORT_IN_PROGRESS",
        ]
        .contains(&status)
}
