//! Stacks as handlers and the deployer see them: whether one is there, what can be done in which status, what a refusal means.
//!
//! CloudFormation reports most refusals as `ValidationError` and tells them apart only in words; they are read here and nowhere
//! else.

mod denial;
mod resources;

use std::error::Error;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::operation::list_stacks::ListStacksError;
use aws_sdk_cloudformation::types::{Stack, StackStatus, StackSummary};

pub use denial::Denial;
pub use resources::{
    Skip, failed_to_delete, holds_nothing, is_throttled, nested, never_answered, resources, to_retain, to_skip,
};

use crate::words;

/// What CloudFormation says instead of doing what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such stack or change set.
    #[error("{0}")]
    Missing(String),
    /// The stack is in a status that will pass, or somebody else has changed it at the same moment.
    #[error("{0}")]
    Busy(String),
    /// The request is wrong, or not allowed, and will be the next time.
    #[error("{0}")]
    Rejected(String),
    /// It did not answer, or asks to be left alone for a while.
    #[error("{0}")]
    Unavailable(String),
}

/// What can be done with a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It can be updated.
    Settled,
    /// Only a change set of it was made: it has no resources, and is created by executing one.
    Empty,
    /// CloudFormation is at work on it.
    Changing,
    /// It is being deleted.
    Deleting,
    /// It can only be deleted.
    Unusable,
    /// An update failed, and so did going back.
    Torn,
    /// It is gone.
    Gone,
}

impl Refusal {
    /// What an error of any operation means.
    pub fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let words = words::words(error);
        let Some(code) = words::code(error) else {
            return Self::Unavailable(words);
        };
        let message = words::message(error);
        match code {
            "ChangeSetNotFound" | "ChangeSetNotFoundException" => Self::Missing(words),
            "ValidationError" if message.contains("does not exist") => Self::Missing(words),
            "ValidationError" if told_of_a_status(message) => Self::Busy(words),
            "InvalidChangeSetStatus"
            | "InvalidChangeSetStatusException"
            | "OperationInProgressException"
            | "TokenAlreadyExistsException" => Self::Busy(words),
            "ValidationError"
            | "InsufficientCapabilitiesException"
            | "InsufficientCapabilities"
            | "LimitExceededException"
            | "LimitExceeded"
            | "AccessDenied"
            | "AccessDeniedException" => Self::Rejected(words),
            _ => Self::Unavailable(words),
        }
    }
}

/// Whether a refusal is about the status that the stack or change set is in at the moment.
///
/// Such as `Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated.` and `Stack [x] already exists and cannot be
/// created again with the changeSet [y].`
fn told_of_a_status(message: &str) -> bool {
    let state = message.contains(" state and can") || message.contains("_IN_PROGRESS");
    state || message.contains("already exists and cannot be created again") || message.contains("current status of [")
}

/// The stack of this name or id; the stack's id finds it even after it was deleted, its name does not.
///
/// # Errors
/// As [`Refusal`]; a stack that is not there is `None`.
pub async fn stack(client: &Client, name: &str) -> Result<Option<Stack>, Refusal> {
    match client.describe_stacks().stack_name(name).send().await {
        Ok(answer) => Ok(answer.stacks.unwrap_or_default().into_iter().next()),
        Err(error) => match Refusal::of(&error) {
            Refusal::Missing(_) => Ok(None),
            refusal => Err(refusal),
        },
    }
}

/// All stacks of the account that were not deleted.
///
/// # Errors
/// Where CloudFormation does not list them.
pub async fn standing(client: &Client) -> Result<Vec<StackSummary>, SdkError<ListStacksError>> {
    // A stack that is deleted is listed for ninety days; there is no other way to leave it out than to name the rest.
    let standing = StackStatus::values()
        .iter()
        .filter(|status| **status != "DELETE_COMPLETE")
        .map(|status| StackStatus::from(*status));
    let stacks = client.list_stacks().set_stack_status_filter(Some(standing.collect()));
    stacks.into_paginator().items().send().try_collect().await
}

/// What can be done with a stack in a status.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>.
pub fn condition(status: &StackStatus) -> Condition {
    use StackStatus as Status;
    match status {
        Status::CreateComplete
        | Status::UpdateComplete
        | Status::UpdateRollbackComplete
        | Status::UpdateFailed
        | Status::ImportComplete
        | Status::ImportRollbackComplete => Condition::Settled,
        Status::ReviewInProgress => Condition::Empty,
        Status::DeleteInProgress => Condition::Deleting,
        Status::CreateFailed | Status::RollbackComplete | Status::RollbackFailed | Status::DeleteFailed => {
            Condition::Unusable
        }
        Status::UpdateRollbackFailed | Status::ImportRollbackFailed => Condition::Torn,
        Status::DeleteComplete => Condition::Gone,
        // Those in progress, and those that are new: until it is known what can be done nothing is.
        _ => Condition::Changing,
    }
}

/// The name of the change set that a stack was last changed with.
pub fn last_change_set(stack: &Stack) -> Option<&str> {
    stack.change_set_id()?.split('/').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_cloudformation_has_is_mapped() {
        let expected = |status: &str| match status {
            "REVIEW_IN_PROGRESS" => Condition::Empty,
            "DELETE_IN_PROGRESS" => Condition::Deleting,
            "DELETE_COMPLETE" => Condition::Gone,
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => Condition::Unusable,
            "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => Condition::Torn,
            other if other.ends_with("_IN_PROGRESS") => Condition::Changing,
            other if other.ends_with("_COMPLETE") || other == "UPDATE_FAILED" => Condition::Settled,
            new => panic!("{new} is new: say what can be done with it"),
        };
        for status in StackStatus::values() {
            assert_eq!(condition(&StackStatus::from(*status)), expected(status), "{status}");
        }
        assert_eq!(condition(&StackStatus::from("ARCHIVED")), Condition::Changing);
    }

    #[test]
    fn a_refusal_for_the_status_of_the_moment_is_told_from_one_for_good() {
        let busy = [
            "Stack:arn:aws:cloudformation:eu-west-1:1:stack/x/1 is in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS state and can not be updated.",
            "Stack [x] already exists and cannot be created again with the changeSet [g3-0].",
            "ChangeSet [arn] cannot be executed in its current status of [CREATE_IN_PROGRESS]",
        ];
        for message in busy {
            assert!(told_of_a_status(message), "{message}");
        }
        for message in [
            "Template format error: unsupported structure.",
            "Parameters: [CodeKey] must have values",
            "Role arn:aws:iam::1:role/gone is invalid or cannot be assumed",
        ] {
            assert!(!told_of_a_status(message), "{message}");
        }
    }

    #[test]
    fn the_change_set_is_the_second_part_of_its_id() {
        let id = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/g3-0f/6b8a5a40-1111-2222-3333-444455556666";
        let stack = Stack::builder().change_set_id(id).build();
        assert_eq!(last_change_set(&stack), Some("g3-0f"));
        assert_eq!(last_change_set(&Stack::builder().build()), None);
    }
}
