//! `apply_stack`: an environment's pipeline stack, created or brought up to date through a change set.
//!
//! It sets the change in motion and does not wait for it: that is `check_stack`'s part. Every call looks at the stack and does
//! the next thing, so that a retry goes on wherever the call before it ended:
//!
//! | stack | what is done |
//! |---|---|
//! | none, or only reviewed | a change set that creates it |
//! | complete, or rolled back to what it was | a change set that updates it; none if nothing changes. Before that, the way is cleared for the application's stack |
//! | creation failed or rolled back, deletion failed | deleted, then `StackBusy` until it is gone |
//! | update rolled back and failed at it | goes back once more, see [`ways_out`], then `StackBusy` until it has |
//! | at work | `StackBusy`, unless it is at work on this very change |
//!
//! CodePipeline cannot make a change set for an application's stack that is in one of the failed statuses, and every later commit would
//! fail for an earlier one's fault. So such a stack is got out of its status before the commit is deployed, as the pipeline's own is. The
//! pipeline stack keeps no data, so deleting one that is unusable loses nothing. The application's stack is deleted only where it
//! never came to be, or was being deleted.

mod change_set;
mod template;
mod ways_out;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ChangeSetType, Stack, StackStatus};
use contract::{ApplyRequest, ApplyStackError, StackChange, Target};
use stacks::Project;

use super::{Environment, Function, Invocation, StartError};
use crate::cloudformation::{self, Condition, Refusal};
use crate::records::{Records, RecordsError};
use crate::{Failure, sdk};

use template::Wanted;
use ways_out::Failed;

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
                self.clear_the_way(&wanted, environment).await?;
                self.change(&target, &wanted, ChangeSetType::Update, invocation).await
            }
            Condition::Changing if self.is_ours(&stack, &target, &wanted) => Ok(StackChange {
                stack_id: stack.stack_id.unwrap_or(wanted.name),
                changing: true,
            }),
            Condition::Changing | Condition::Deleting => Err(busy(&wanted.name, status.as_str())),
            Condition::Unusable => self.delete(self.own(&wanted, &stack)).await,
            Condition::Torn => self.go_back(self.own(&wanted, &stack)).await,
        }
    }
}

impl ApplyStack {
    /// The pipeline's own stack, which keeps no data.
    fn own<'a>(&'a self, wanted: &'a Wanted, stack: &'a Stack) -> Failed<'a> {
        Failed {
            name: &wanted.name,
            stack,
            role: Some(&self.role),
            disposable: true,
        }
    }

    /// Whether the stack is at work on the change that this call is about: then the call before it has set that in motion.
    fn is_ours(&self, stack: &Stack, target: &Target, wanted: &Wanted) -> bool {
        cloudformation::last_change_set(stack) == Some(wanted.change_set(target.generation).as_str())
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
