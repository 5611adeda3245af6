//! The ways out of the statuses in which CloudFormation takes no change set: deleting the stack, or continuing its rollback.
//!
//! Neither depends on code of a pull request: what its functions do not answer is left out, and everything else is for a person.

use aws_sdk_cloudformation::types::{OperationType, Stack, StackStatus};
use contract::{ApplyStackError, StackChange};
use stacks::Environment;
use tracing::{info, warn};

use super::template::Wanted;
use super::{ApplyStack, busy, status_of};
use crate::Failure;
use crate::cloudformation::{self, Condition, Refusal, Skip};

/// After how many failed deletions whatever holds nothing is left out: whoever has deleted the stack before has tried.
const TRIED: usize = 2;

/// How the way is cleared for a commit, past the application's stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// CodePipeline can make a change set of it, or is at work on it: then the next execution is queued behind that.
    Free,
    /// It is being deleted or goes back, for which no execution of the pipeline waits.
    Wait,
    /// It is deleted, and created anew.
    Delete,
    /// It goes back to what it was, and is updated from there.
    GoBack,
    /// Nothing here gets it out of its status.
    Person,
}

/// What is done with an application's stack in a status, before a commit is deployed.
///
/// <https://github.com/awsdocs/aws-cloudformation-user-guide/blob/main/doc_source/using-cfn-describing-stacks.md> has what each
/// status means.
pub(super) fn way(status: &StackStatus) -> Way {
    match cloudformation::condition(status) {
        Condition::Changing if goes_back(status) => Way::Wait,
        Condition::Gone | Condition::Empty | Condition::Settled | Condition::Changing => Way::Free,
        Condition::Deleting => Way::Wait,
        Condition::Unusable => Way::Delete,
        Condition::Torn if *status == StackStatus::UpdateRollbackFailed => Way::GoBack,
        // Somebody has imported resources by hand, and knows which.
        Condition::Torn => Way::Person,
    }
}

fn goes_back(status: &StackStatus) -> bool {
    matches!(
        status,
        StackStatus::RollbackInProgress
            | StackStatus::UpdateRollbackInProgress
            | StackStatus::UpdateRollbackCompleteCleanupInProgress
            | StackStatus::ImportRollbackInProgress
    )
}

/// A stack that is to be got out of its status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'a> {
    /// Its name.
    pub(super) name: &'a str,
    pub(super) stack: &'a Stack,
    /// The role that it is done with; the one that the stack was last applied with, if none.
    pub(super) role: Option<&'a str>,
    /// Whether what keeps it from going back may be left as it is, whatever it holds.
    pub(super) disposable: bool,
}

impl Failed<'_> {
    fn id(&self) -> &str {
        self.stack.stack_id().unwrap_or(self.name)
    }
}

impl ApplyStack {
    /// Gets the application's stack out of a status in which the commit could not be deployed.
    pub(super) async fn clear_the_way(
        &self,
        wanted: &Wanted,
        environment: Environment,
    ) -> Result<(), Failure<ApplyStackError>> {
        let name = wanted.application.as_str();
        let Some(stack) = cloudformation::stack(&self.stacks, name).await? else {
            return Ok(());
        };
        let failed = Failed {
            name,
            stack: &stack,
            // Its own role does it: the one that the pipeline has CloudFormation make it with.
            role: None,
            disposable: matches!(environment, Environment::PullRequest(_)),
        };
        let status = status_of(&stack);
        match way(&status) {
            Way::Free => Ok(()),
            Way::Wait => Err(busy(name, status.as_str())),
            Way::Delete => self.delete(failed).await.map(drop),
            Way::GoBack => self.go_back(failed).await.map(drop),
            Way::Person => Err(for_a_person(failed)),
        }
    }

    /// Deletes a stack that can be nothing else any more, so that a later call creates it again.
    pub(super) async fn delete(&self, failed: Failed<'_>) -> Result<StackChange, Failure<ApplyStackError>> {
        let status = status_of(failed.stack);
        let (id, retained) = self.deepest(failed, &status).await?;
        warn!(
            stack = failed.name,
            status = status.as_str(),
            ?retained,
            "deleting a stack that cannot be updated"
        );
        self.stacks
            .delete_stack()
            .stack_name(id)
            .set_role_arn(failed.role.map(str::to_owned))
            .set_retain_resources((!retained.is_empty()).then_some(retained))
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        let reason = failed
            .stack
            .stack_status_reason()
            .unwrap_or("CloudFormation says no more");
        let message = format!(
            "the stack {} was {} ({reason}) and is being deleted before it is created again",
            failed.name,
            status.as_str()
        );
        Err(Failure::new(ApplyStackError::StackBusy, message))
    }

    /// The stack to delete, which is the innermost one that failed, and what is left out of that.
    async fn deepest(
        &self,
        failed: Failed<'_>,
        status: &StackStatus,
    ) -> Result<(String, Vec<String>), Failure<ApplyStackError>> {
        let mut id = failed.id().to_owned();
        if *status != StackStatus::DeleteFailed {
            return Ok((id, Vec::new()));
        }
        loop {
            let resources = cloudformation::resources(&self.stacks, &id).await?;
            let mut inner = resources
                .iter()
                .filter(|inner| cloudformation::failed_to_delete(inner))
                .filter_map(cloudformation::nested);
            match inner.next() {
                Some(inner) => id = inner.to_owned(),
                None => return Ok((id, cloudformation::to_retain(&resources, TRIED))),
            }
        }
    }

    /// Lets a stack that could not go back try once more: what kept it from it may have passed. What never answered is skipped at
    /// once, and the rest after that if the stack is disposable.
    pub(super) async fn go_back(&self, failed: Failed<'_>) -> Result<StackChange, Failure<ApplyStackError>> {
        let tried = failed
            .stack
            .last_operations()
            .iter()
            .any(|operation| operation.operation_type == Some(OperationType::ContinueRollback));
        if status_of(failed.stack) != StackStatus::UpdateRollbackFailed {
            return Err(for_a_person(failed));
        }
        let mut skipped = Vec::new();
        self.skippable(failed.id(), "", &mut skipped).await?;
        skipped.retain(|(_, skip)| *skip == Skip::AtOnce || tried && failed.disposable);
        let skipped: Vec<String> = skipped.into_iter().map(|(id, _)| id).collect();
        if tried && skipped.is_empty() {
            return Err(for_a_person(failed));
        }
        info!(stack = failed.name, ?skipped, "continuing a rollback that failed");
        self.stacks
            .continue_update_rollback()
            .stack_name(failed.id())
            .set_role_arn(failed.role.map(str::to_owned))
            .set_resources_to_skip((!skipped.is_empty()).then_some(skipped))
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        Err(busy(failed.name, "UPDATE_ROLLBACK_FAILED and goes back once more"))
    }

    /// What may be left out of a stack's rollback, as `ResourcesToSkip` names it: what is in a stack of the stack, by the name of
    /// that.
    async fn skippable(
        &self,
        stack: &str,
        within: &str,
        found: &mut Vec<(String, Skip)>,
    ) -> Result<(), Failure<ApplyStackError>> {
        for resource in cloudformation::resources(&self.stacks, stack).await? {
            let (Some(skip), Some(id)) = (cloudformation::to_skip(&resource), resource.logical_resource_id()) else {
                continue;
            };
            match cloudformation::nested(&resource) {
                Some(inner) => {
                    let name = inner.split('/').nth(1).unwrap_or(inner);
                    Box::pin(self.skippable(inner, &format!("{name}."), found)).await?;
                }
                None => found.push((format!("{within}{id}"), skip)),
            }
        }
        Ok(())
    }
}

/// Says what somebody must do, since nothing here may.
fn for_a_person(failed: Failed<'_>) -> Failure<ApplyStackError> {
    let Failed { name, stack, .. } = failed;
    let status = status_of(stack);
    let help = if status == StackStatus::UpdateRollbackFailed {
        format!(
            "`aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip …` with the resources that are gone, then push again"
        )
    } else {
        "finish or undo the import in CloudFormation's console, then push again".to_owned()
    };
    let message = format!(
        "the stack {name} is {} and cannot go back by itself: {}\n  help: {help}",
        status.as_str(),
        stack.stack_status_reason().unwrap_or("see its events"),
    );
    Failure::new(ApplyStackError::StackRejected, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_cloudformation_has_lets_the_next_commit_be_deployed_or_is_got_out_of() {
        let expected = |status: &str| match status {
            "DELETE_IN_PROGRESS" => Way::Wait,
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => Way::Delete,
            "UPDATE_ROLLBACK_FAILED" => Way::GoBack,
            "IMPORT_ROLLBACK_FAILED" => Way::Person,
            other if other.ends_with("_IN_PROGRESS") && other.contains("ROLLBACK") => Way::Wait,
            other if other.ends_with("_IN_PROGRESS") || other.ends_with("_COMPLETE") || other == "UPDATE_FAILED" => {
                Way::Free
            }
            new => panic!("{new} is new: say what is done with it"),
        };
        for status in StackStatus::values() {
            assert_eq!(way(&StackStatus::from(*status)), expected(status), "{status}");
        }
        assert_eq!(way(&StackStatus::from("ARCHIVED")), Way::Free);
    }
}
