//! `apply_stack`: an environment's pipeline stack, created or brought up to date through a change set.
//!
//! It sets the change in motion and does not wait for it: that is `check_stack`'s part. Every call looks at the stack and does
//! the next thing, so that a retry goes on wherever the call before it ended:
//!
//! | stack | what is done |
//! |---|---|
//! | none, or only reviewed | a change set that creates it |
//! | complete, or rolled back to what it was | a change set that updates it; none if nothing changes. Before that, an application's stack whose creation failed is deleted, then `StackBusy` until it is gone |
//! | creation failed or rolled back, deletion failed | deleted, then `StackBusy` until it is gone |
//! | update rolled back and failed at it | asked once more to go back; then a person must |
//! | at work | `StackBusy`, unless it is at work on this very change |
//!
//! The pipeline stack keeps no data, so deleting one that is unusable loses nothing. The application's stack is deleted only where it
//! never came to be: CodePipeline cannot make a change set for such a stack, and every later commit would fail for the first one's fault.

mod change_set;
mod template;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ChangeSetType, OperationType, Stack, StackStatus};
use contract::{ApplyRequest, ApplyStackError, StackChange, Target};
use stacks::Project;
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError};
use crate::cloudformation::{self, Condition, Refusal};
use crate::records::{Records, RecordsError};
use crate::{Failure, sdk};

use template::Wanted;

/// Synthesizes the template in process and applies it through a change set.
#[derive(Debug)]
pub struct ApplyStack {
    records: Records,
    stacks: Client,
    objects: aws_sdk_s3::Client,
    bucket: String,
    project: Project,
    role: String,
    region: String,
}

impl Function for ApplyStack {
    type Contract = contract::ApplyStack;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        use contract::ApplyStack as Variables;
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(Variables::TABLE)?),
            stacks: Client::new(environment.aws()),
            objects: aws_sdk_s3::Client::new(environment.aws()),
            bucket: environment.variable(Variables::BUCKET)?,
            project: environment.project(Variables::PROJECT)?,
            role: environment.variable(Variables::STACK_ROLE)?,
            region: sdk::region(environment.aws())?,
        })
    }

    async fn call(
        &self,
        input: ApplyRequest,
        invocation: &Invocation,
    ) -> Result<StackChange, Failure<ApplyStackError>> {
        let target = input.target;
        let environment = target
            .environment
            .parse()
            .map_err(|error| Failure::new(ApplyStackError::StackRejected, error))?;
        let wanted = Wanted::of(&self.project, environment, &self.role)
            .map_err(|words| Failure::new(ApplyStackError::StackRejected, words))?;
        self.records.require_current(&target).await?;
        let present = cloudformation::stack(&self.stacks, &wanted.name).await?;
        let Some(stack) = present else {
            return self.change(&target, &wanted, ChangeSetType::Create, invocation).await;
        };
        let status = status_of(&stack);
        match cloudformation::condition(&status) {
            Condition::Gone | Condition::Empty => {
                self.change(&target, &wanted, ChangeSetType::Create, invocation).await
            }
            Condition::Settled => {
                self.clear_the_way(&wanted.application).await?;
                self.change(&target, &wanted, ChangeSetType::Update, invocation).await
            }
            Condition::Changing if self.is_ours(&stack, &target, &wanted) => Ok(StackChange {
                stack_id: stack.stack_id.unwrap_or(wanted.name),
                changing: true,
            }),
            Condition::Changing | Condition::Deleting => Err(busy(&wanted.name, status.as_str())),
            Condition::Unusable => self.delete(&wanted.name, &stack).await,
            Condition::Torn => self.go_back(&wanted.name, &stack).await,
        }
    }
}

impl ApplyStack {
    /// Whether the stack is at work on the change that this call is about: then the call before it has set that in motion.
    fn is_ours(&self, stack: &Stack, target: &Target, wanted: &Wanted) -> bool {
        cloudformation::last_change_set(stack) == Some(wanted.change_set(target.generation).as_str())
    }

    /// Deletes a stack that can be nothing else any more, so that a later call creates it again.
    async fn delete(&self, name: &str, stack: &Stack) -> Result<StackChange, Failure<ApplyStackError>> {
        let status = status_of(stack);
        warn!(
            stack = name,
            status = status.as_str(),
            "deleting a stack that cannot be updated"
        );
        self.stacks
            .delete_stack()
            .stack_name(stack.stack_id().unwrap_or(name))
            .role_arn(&self.role)
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        let reason = stack.stack_status_reason().unwrap_or("CloudFormation says no more");
        let message = format!(
            "the stack {name} was {} ({reason}) and is being deleted before it is created again",
            status.as_str()
        );
        Err(Failure::new(ApplyStackError::StackBusy, message))
    }

    /// Deletes the application's stack if its creation failed, and waits while it is being deleted.
    async fn clear_the_way(&self, application: &str) -> Result<(), Failure<ApplyStackError>> {
        let Some(stack) = cloudformation::stack(&self.stacks, application).await? else {
            return Ok(());
        };
        let status = status_of(&stack);
        match status {
            StackStatus::CreateFailed | StackStatus::RollbackComplete | StackStatus::RollbackFailed => {}
            StackStatus::DeleteInProgress => return Err(busy(application, status.as_str())),
            _ => return Ok(()),
        }
        info!(
            stack = application,
            status = status.as_str(),
            "deleting a stack that was never made"
        );
        // Its own role does it: the one that the pipeline has CloudFormation make it with.
        self.stacks
            .delete_stack()
            .stack_name(stack.stack_id().unwrap_or(application))
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        let message = format!(
            "the stack {application} was {} and is being deleted before the commit is deployed",
            status.as_str()
        );
        Err(Failure::new(ApplyStackError::StackBusy, message))
    }

    /// Lets a stack that could not go back try once more: what kept it from it may have passed.
    async fn go_back(&self, name: &str, stack: &Stack) -> Result<StackChange, Failure<ApplyStackError>> {
        let tried = stack
            .last_operations()
            .iter()
            .any(|operation| operation.operation_type == Some(OperationType::ContinueRollback));
        if tried || status_of(stack) != StackStatus::UpdateRollbackFailed {
            let message = format!(
                "the stack {name} is {} and cannot go back by itself: {}\n  help: `aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip …` with the resources that are gone, then push again",
                status_of(stack).as_str(),
                stack.stack_status_reason().unwrap_or("see its events"),
            );
            return Err(Failure::new(ApplyStackError::StackRejected, message));
        }
        info!(stack = name, "continuing a rollback that failed");
        self.stacks
            .continue_update_rollback()
            .stack_name(stack.stack_id().unwrap_or(name))
            .role_arn(&self.role)
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        Err(busy(name, "UPDATE_ROLLBACK_FAILED and goes back once more"))
    }
}

impl From<RecordsError> for Failure<ApplyStackError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => ApplyStackError::Superseded,
            RecordsError::Unavailable(_) => ApplyStackError::Unavailable,
        };
        Self::new(name, error)
    }
}

impl From<Refusal> for Failure<ApplyStackError> {
    fn from(refusal: Refusal) -> Self {
        let name = match refusal {
            // What was there a moment ago and is not any more will be made anew by the next call.
            Refusal::Missing(_) | Refusal::Busy(_) => ApplyStackError::StackBusy,
            Refusal::Rejected(_) => ApplyStackError::StackRejected,
            Refusal::Unavailable(_) => ApplyStackError::Unavailable,
        };
        Self::new(name, refusal)
    }
}

fn status_of(stack: &Stack) -> StackStatus {
    stack
        .stack_status
        .clone()
        .unwrap_or_else(|| StackStatus::from("UNKNOWN"))
}

fn busy(name: &str, status: &str) -> Failure<ApplyStackError> {
    Failure::new(ApplyStackError::StackBusy, format!("the stack {name} is {status}"))
}
