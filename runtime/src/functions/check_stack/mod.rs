//! `check_stack`: how a stack's change goes, and what made it fail.
//!
//! It reads, and changes nothing. Which event is the cause is decided in [`root_cause`], without asking anybody.

mod root_cause;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Stack, StackEvent, StackStatus};
use contract::{CheckStackError, StackProgress, StackQuery, StackState};
use tracing::info;

use super::{Environment, Function, Invocation, StartError};
use crate::cloudformation::{self, Refusal};
use crate::console::Console;
use crate::records::{Records, RecordsError};
use crate::{Failure, sdk};

/// The longest summary.
const LONGEST_SUMMARY: usize = 1_000;
/// The most pages of events that are looked through: a hundred events each, newest first.
const PAGES: usize = 30;

/// Reports a stack's progress, and the root cause of a failure.
#[derive(Debug)]
pub struct CheckStack {
    records: Records,
    stacks: Client,
    console: Console,
}

impl Function for CheckStack {
    type Contract = contract::CheckStack;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(contract::CheckStack::TABLE)?),
            stacks: Client::new(environment.aws()),
            console: Console::new(environment.aws())?,
        })
    }

    async fn call(&self, input: StackQuery, _: &Invocation) -> Result<StackProgress, Failure<CheckStackError>> {
        let StackQuery { target, stack_id } = input;
        self.records.require_current(&target).await?;
        let stack = cloudformation::stack(&self.stacks, &stack_id).await?;
        let status = stack.as_ref().and_then(Stack::stack_status);
        let state = state_of(status);
        let shown = status.map_or("gone", StackStatus::as_str);
        let summary = match state {
            StackState::Changing => format!("The pipeline's stack is {shown}."),
            StackState::Complete => "The pipeline's stack is up to date.".to_owned(),
            StackState::Failed => {
                let cause = match stack {
                    Some(_) => self.cause(&stack_id).await?,
                    None => None,
                };
                match cause {
                    Some(cause) => format!("The pipeline's stack is {shown}: {cause}"),
                    None => format!("The pipeline's stack is {shown}."),
                }
            }
        };
        let summary = sdk::shortened(&summary, LONGEST_SUMMARY);
        info!(stack = stack_id, ?state, summary, "stack checked");
        Ok(StackProgress {
            state,
            summary,
            url: self.console.stack_events(&stack_id),
        })
    }
}

impl CheckStack {
    /// The first event that made the stack's last change fail; only the events of that change are read.
    async fn cause(&self, stack_id: &str) -> Result<Option<String>, Failure<CheckStackError>> {
        let mut pages = self
            .stacks
            .describe_stack_events()
            .stack_name(stack_id)
            .into_paginator()
            .send();
        let mut events: Vec<StackEvent> = Vec::new();
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| Refusal::of(&error))?;
            events.extend(page.stack_events.unwrap_or_default());
            if events.iter().any(root_cause::begins_change) {
                break;
            }
        }
        Ok(root_cause::of(&events))
    }
}

impl From<RecordsError> for Failure<CheckStackError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => CheckStackError::Superseded,
            RecordsError::Unavailable(_) => CheckStackError::Unavailable,
        };
        Self::new(name, error)
    }
}

impl From<Refusal> for Failure<CheckStackError> {
    fn from(refusal: Refusal) -> Self {
        Self::new(CheckStackError::Unavailable, refusal)
    }
}

/// Where a stack is after its change was set in motion. One that went back to what it was has failed.
fn state_of(status: Option<&StackStatus>) -> StackState {
    use StackStatus as Status;
    match status {
        Some(Status::CreateComplete | Status::UpdateComplete | Status::ImportComplete) => StackState::Complete,
        Some(
            Status::CreateFailed
            | Status::RollbackComplete
            | Status::RollbackFailed
            | Status::UpdateFailed
            | Status::UpdateRollbackComplete
            | Status::UpdateRollbackFailed
            | Status::ImportRollbackComplete
            | Status::ImportRollbackFailed
            | Status::DeleteComplete
            | Status::DeleteFailed
            | Status::DeleteInProgress,
        )
        | None => StackState::Failed,
        // Those in progress, and those that are new to us: whoever waits does so for a bounded time.
        Some(_) => StackState::Changing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_cloudformation_has_is_mapped() {
        let expected = |status: &str| match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => StackState::Complete,
            "DELETE_IN_PROGRESS" => StackState::Failed,
            other if other.ends_with("_IN_PROGRESS") => StackState::Changing,
            other if other.ends_with("_FAILED") || other.ends_with("_COMPLETE") => StackState::Failed,
            new => panic!("{new} is new: say what it means"),
        };
        for status in StackStatus::values() {
            assert_eq!(
                state_of(Some(&StackStatus::from(*status))),
                expected(status),
                "{status}"
            );
        }
        assert_eq!(state_of(None), StackState::Failed);
    }
}
