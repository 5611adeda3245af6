//! One change set, from its creation to its execution.

use std::time::Duration;

use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetError;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{ChangeSetStatus, ChangeSetType, ExecutionStatus};
use contract::{ApplyStackError, StackChange, Target};
use stacks::artifacts::TEMPLATES;
use tracing::info;

use super::ApplyStack;
use super::template::Wanted;
use crate::cloudformation::Refusal;
use crate::functions::Invocation;
use crate::{Failure, sdk};

/// The first wait for a change set that is being made; each one after is a second longer, to the fifth.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// What must be left of the invocation to look at a change set once more and execute it.
const RESERVE: Duration = Duration::from_secs(20);

/// What is to be done with a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// It is being made, or deleted.
    Wait,
    /// It can be executed.
    Execute,
    /// It is being executed: an earlier call has seen to it.
    Executing,
    /// It holds no change.
    Nothing,
    /// It is of no use any more: another of the same name must be made.
    Discard,
    /// CloudFormation refuses what it holds, for this reason.
    Reject(String),
}

impl ApplyStack {
    /// Makes the change set, or finds the one that an earlier call has made, and executes it.
    pub(super) async fn change(
        &self,
        target: &Target,
        wanted: &Wanted,
        kind: ChangeSetType,
        invocation: &Invocation,
    ) -> Result<StackChange, Failure<ApplyStackError>> {
        let name = wanted.change_set(target.generation);
        self.create(wanted, &name, kind).await?;
        let mut wait = FIRST_WAIT;
        loop {
            let change_set = self.describe(wanted, &name).await?;
            let stack_id = change_set.stack_id().unwrap_or(&wanted.name).to_owned();
            match next(&change_set) {
                Next::Wait if invocation.remaining() > wait + RESERVE => {
                    tokio::time::sleep(wait).await;
                    wait = (wait + FIRST_WAIT).min(LONGEST_WAIT);
                }
                Next::Wait => {
                    let message = format!("the change set {name} of {} is still being made", wanted.name);
                    return Err(Failure::new(ApplyStackError::StackBusy, message));
                }
                Next::Execute => {
                    self.records.require_current(target).await?;
                    self.execute(wanted, &name).await?;
                    info!(stack = wanted.name, change_set = name, "change set executed");
                    return Ok(StackChange {
                        stack_id,
                        changing: true,
                    });
                }
                Next::Executing => {
                    return Ok(StackChange {
                        stack_id,
                        changing: true,
                    });
                }
                Next::Nothing => {
                    self.discard(wanted, &name).await?;
                    info!(stack = wanted.name, "stack is as it should be");
                    return Ok(StackChange {
                        stack_id,
                        changing: false,
                    });
                }
                Next::Discard => {
                    self.discard(wanted, &name).await?;
                    let message = format!("the change set {name} of {} was used up and is made again", wanted.name);
                    return Err(Failure::new(ApplyStackError::StackBusy, message));
                }
                Next::Reject(reason) => {
                    self.discard(wanted, &name).await?;
                    let message = format!("CloudFormation refuses the change of {}: {reason}", wanted.name);
                    return Err(Failure::new(ApplyStackError::StackRejected, message));
                }
            }
        }
    }

    /// Makes the change set unless it is there.
    async fn create(&self, wanted: &Wanted, name: &str, kind: ChangeSetType) -> Result<(), Failure<ApplyStackError>> {
        let mut request = self
            .stacks
            .create_change_set()
            .stack_name(&wanted.name)
            .change_set_name(name)
            .change_set_type(kind)
            .role_arn(&self.role)
            .set_tags(Some(wanted.tags.clone()))
            .set_capabilities(Some(wanted.capabilities.clone()));
        request = if wanted.is_large() {
            request.template_url(self.upload(wanted).await?)
        } else {
            request.template_body(&wanted.template)
        };
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_there(error.as_service_error()) => Ok(()),
            Err(error) => Err(Refusal::of(&error).into()),
        }
    }

    /// Puts a large template where CloudFormation reads it, with the rights of this function.
    async fn upload(&self, wanted: &Wanted) -> Result<String, Failure<ApplyStackError>> {
        let Self { bucket, region, .. } = self;
        let key = format!("{TEMPLATES}{}.json", wanted.template_hash);
        self.objects
            .put_object()
            .bucket(bucket)
            .key(&key)
            .content_type("application/json")
            .body(wanted.template.clone().into_bytes().into())
            .send()
            .await
            .map_err(|error| {
                let message = format!("the template was not put at {key} of {bucket}: {}", sdk::words(&error));
                Failure::new(ApplyStackError::Unavailable, message)
            })?;
        Ok(format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"))
    }

    async fn describe(&self, wanted: &Wanted, name: &str) -> Result<DescribeChangeSetOutput, Failure<ApplyStackError>> {
        let answer = self
            .stacks
            .describe_change_set()
            .stack_name(&wanted.name)
            .change_set_name(name)
            .send()
            .await;
        answer.map_err(|error| Refusal::of(&error).into())
    }

    async fn execute(&self, wanted: &Wanted, name: &str) -> Result<(), Failure<ApplyStackError>> {
        let answer = self
            .stacks
            .execute_change_set()
            .stack_name(&wanted.name)
            .change_set_name(name)
            .client_request_token(name)
            .send()
            .await;
        answer.map(drop).map_err(|error| Refusal::of(&error).into())
    }

    async fn discard(&self, wanted: &Wanted, name: &str) -> Result<(), Failure<ApplyStackError>> {
        let answer = self
            .stacks
            .delete_change_set()
            .stack_name(&wanted.name)
            .change_set_name(name)
            .send()
            .await;
        match answer.map_err(|error| Refusal::of(&error)) {
            Ok(_) | Err(Refusal::Missing(_)) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

const fn is_there(error: Option<&CreateChangeSetError>) -> bool {
    matches!(error, Some(CreateChangeSetError::AlreadyExistsException(_)))
}

/// What the statuses of a change set mean, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>.
fn next(change_set: &DescribeChangeSetOutput) -> Next {
    let reason = change_set.status_reason().unwrap_or_default();
    match change_set.status() {
        Some(ChangeSetStatus::CreateComplete) => match change_set.execution_status() {
            Some(ExecutionStatus::Available) => Next::Execute,
            Some(ExecutionStatus::ExecuteInProgress) => Next::Executing,
            Some(ExecutionStatus::Unavailable) => Next::Wait,
            _ => Next::Discard,
        },
        Some(ChangeSetStatus::Failed) if holds_nothing(reason) => Next::Nothing,
        Some(ChangeSetStatus::Failed) => Next::Reject(reason.to_owned()),
        Some(ChangeSetStatus::DeleteComplete | ChangeSetStatus::DeleteFailed) => Next::Discard,
        _ => Next::Wait,
    }
}

/// Whether a change set failed because there is nothing to change: an error that means success.
fn holds_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change_set(status: &str, execution: &str, reason: &str) -> DescribeChangeSetOutput {
        DescribeChangeSetOutput::builder()
            .status(ChangeSetStatus::from(status))
            .execution_status(ExecutionStatus::from(execution))
            .status_reason(reason)
            .build()
    }

    #[test]
    fn both_ways_of_saying_that_nothing_changes_mean_success() {
        let reasons = [
            "The submitted information didn't contain changes. Submit different information to create a change set.",
            "No updates are to be performed.",
        ];
        for reason in reasons {
            assert_eq!(next(&change_set("FAILED", "UNAVAILABLE", reason)), Next::Nothing);
        }
    }

    #[test]
    fn any_other_failure_is_a_rejection_with_its_reason() {
        let reason = "Template error: unresolved dependencies [Nobody] in the Resources block";
        assert_eq!(
            next(&change_set("FAILED", "UNAVAILABLE", reason)),
            Next::Reject(reason.to_owned())
        );
    }

    #[test]
    fn only_what_is_complete_and_available_is_executed() {
        for status in ChangeSetStatus::values() {
            for execution in ExecutionStatus::values() {
                let executed = next(&change_set(status, execution, "")) == Next::Execute;
                assert_eq!(
                    executed,
                    (*status, *execution) == ("CREATE_COMPLETE", "AVAILABLE"),
                    "{status} {execution}"
                );
            }
        }
    }

    #[test]
    fn what_an_earlier_call_executes_is_left_alone_and_what_was_used_up_is_made_again() {
        assert_eq!(
            next(&change_set("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
            Next::Executing
        );
        for execution in ["EXECUTE_COMPLETE", "EXECUTE_FAILED", "OBSOLETE"] {
            assert_eq!(next(&change_set("CREATE_COMPLETE", execution, "")), Next::Discard);
        }
        assert_eq!(next(&change_set("CREATE_PENDING", "UNAVAILABLE", "")), Next::Wait);
    }
}
