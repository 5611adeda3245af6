//! Deleting a stack: waiting while it changes, emptying its buckets first, trying again a few times, then naming what is stuck.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{ResourceStatus, Stack, StackEvent, StackResourceSummary, StackStatus};
use tracing::{info, warn};

use super::{Next, Step, Stepped};
use crate::Failure;
use crate::cloudformation::{self, Condition, Refusal};
use contract::TeardownError;

/// How often a stack is deleted in one teardown. What fails for a moment, such as a bucket that was written to, is gone the next
/// time; what does not is for a person.
const TRIES: usize = 3;
/// The most pages of a stack's events that are looked through: a hundred events each, newest first.
const PAGES: usize = 30;

/// What is done with a stack in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is gone.
    Nothing,
    /// CloudFormation is at work on it, and comes to an end by itself: each of its operations has one.
    Wait,
    /// It is deleted.
    Delete,
    /// A deletion has failed: it is deleted again, and what holds nothing may be left out.
    DeleteAgain,
}

/// What is done with a stack in a status. `DeleteStack` takes every stack that nothing is at work on.
///
/// <https://github.com/awsdocs/aws-cloudformation-user-guide/blob/main/doc_source/using-cfn-describing-stacks.md> has what each
/// status means: in `UPDATE_ROLLBACK_FAILED` "you can delete the stack or continue rollback", in `ROLLBACK_COMPLETE` "only a delete
/// operation can be performed", in `ROLLBACK_FAILED` "delete the stack", in `DELETE_FAILED` "delete the stack again".
fn way(status: &StackStatus) -> Way {
    match cloudformation::condition(status) {
        Condition::Gone => Way::Nothing,
        Condition::Changing | Condition::Deleting => Way::Wait,
        Condition::Unusable if *status == StackStatus::DeleteFailed => Way::DeleteAgain,
        Condition::Settled | Condition::Empty | Condition::Unusable | Condition::Torn => Way::Delete,
    }
}

/// The deletions of this teardown that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Failed {
    /// All of them.
    all: usize,
    /// Those that count as tries: what failed only because AWS was asked too often does not.
    tries: usize,
}

impl Step<'_> {
    /// One step towards a stack's deletion, by its name or its id.
    pub(super) async fn delete_stack(&mut self, name: &str) -> Stepped {
        let Some(stack) = cloudformation::stack(&self.teardown.stacks, name).await? else {
            return Ok(Next::Done);
        };
        let id = stack.stack_id().unwrap_or(name).to_owned();
        let name = stack.stack_name().unwrap_or(name);
        let status = stack
            .stack_status
            .clone()
            .unwrap_or_else(|| StackStatus::from("UNKNOWN"));
        let way = way(&status);
        if way == Way::Nothing {
            return Ok(Next::Done);
        }
        if !self.ledger.stacks.contains(&id) {
            self.ledger.stacks.push(id.clone());
            self.save().await?;
        }
        match way {
            Way::Nothing => Ok(Next::Done),
            Way::Wait if status == StackStatus::DeleteInProgress => {
                Ok(Next::Again(format!("The stack {name} is being deleted.")))
            }
            Way::Wait => Ok(Next::Again(format!(
                "The stack {name} is {} and is deleted after that.",
                status.as_str()
            ))),
            Way::Delete => match self.empty_buckets(&id).await? {
                Next::Done => self.delete_leaving(name, &id, 0, Vec::new()).await,
                waiting => Ok(waiting),
            },
            Way::DeleteAgain => self.delete_again(name, &stack).await,
        }
    }

    /// Deletes a stack whose deletion has failed: the stacks in it that failed first, then without what holds nothing, until only
    /// what a person must see to is left.
    async fn delete_again(&mut self, name: &str, stack: &Stack) -> Stepped {
        let id = stack.stack_id().unwrap_or(name).to_owned();
        let resources = self.resources(&id).await?;
        let inner = resources.iter().filter(|inner| cloudformation::failed_to_delete(inner));
        for inner in inner.filter_map(cloudformation::nested) {
            match Box::pin(self.delete_stack(inner)).await? {
                Next::Done => {}
                waiting => return Ok(waiting),
            }
        }
        let failed = self.failed_deletions(&id).await?;
        let retained = cloudformation::to_retain(&resources, failed.tries);
        // Each deletion that leaves more out is a step further, and there is an end to what can be left out.
        if failed.tries >= TRIES && retained.is_empty() {
            return Ok(name_stuck(name, stack, &resources));
        }
        match self.empty_buckets(&id).await? {
            Next::Done => self.delete_leaving(name, &id, failed.all, retained).await,
            waiting => Ok(waiting),
        }
    }

    /// How often this teardown has tried to delete the stack in vain: its tries are known by their tokens.
    async fn failed_deletions(&self, id: &str) -> Result<Failed, Failure<TeardownError>> {
        let mut pages = self
            .teardown
            .stacks
            .describe_stack_events()
            .stack_name(id)
            .into_paginator()
            .send();
        let mut events = Vec::new();
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| Refusal::of(&error))?;
            events.extend(page.stack_events.unwrap_or_default());
        }
        Ok(failed_deletions(&events, &self.token()))
    }

    /// What the tokens of this teardown's deletions begin with.
    fn token(&self) -> String {
        format!("teardown-g{}-", self.target.generation)
    }

    /// Deletes the stack but for these of its resources. Its own role does it: the one that CloudFormation has applied it with last.
    async fn delete_leaving(&self, name: &str, id: &str, failed: usize, retained: Vec<String>) -> Stepped {
        self.teardown.records.require_current(self.target).await?;
        let mut request = self
            .teardown
            .stacks
            .delete_stack()
            .stack_name(id)
            .client_request_token(format!("{}{}", self.token(), failed + 1));
        if !retained.is_empty() {
            warn!(
                stack = name,
                ?retained,
                "resources that hold nothing are left out of the deletion"
            );
            request = request.set_retain_resources(Some(retained));
        }
        match request.send().await.map_err(|error| Refusal::of(&error)) {
            Ok(_) => {
                info!(stack = name, failed, "deleting stack");
                let again = if failed == 0 { "" } else { " again" };
                Ok(Next::Again(format!("The stack {name} is being deleted{again}.")))
            }
            Err(Refusal::Missing(_)) => Ok(Next::Done),
            Err(Refusal::Busy(words)) => Ok(Next::Again(format!("The stack {name} is busy: {words}"))),
            // It is protected against deletion, or its role is gone.
            Err(Refusal::Rejected(words)) => Ok(Next::Stuck {
                summary: format!("CloudFormation does not delete the stack {name}: {words}"),
                stuck: vec![id.to_owned()],
            }),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Empties the stack's own buckets, those that bear the environment's name.
    async fn empty_buckets(&mut self, id: &str) -> Stepped {
        let prefix = self.names.prefix();
        for resource in self.resources(id).await? {
            let is_bucket = resource.resource_type() == Some("AWS::S3::Bucket");
            let Some(bucket) = resource
                .physical_resource_id()
                .filter(|_| is_bucket && !is_deleted(&resource))
            else {
                continue;
            };
            if !bucket.starts_with(&prefix) {
                warn!(bucket, "a bucket without the environment's prefix is not emptied");
                continue;
            }
            let bucket = bucket.to_owned();
            match self.empty(&bucket, "").await? {
                Next::Done => {}
                waiting => return Ok(waiting),
            }
        }
        Ok(Next::Done)
    }

    /// All resources of a stack, also of one that was deleted.
    pub(super) async fn resources(&self, id: &str) -> Result<Vec<StackResourceSummary>, Failure<TeardownError>> {
        Ok(cloudformation::resources(&self.teardown.stacks, id).await?)
    }
}

/// Names what CloudFormation could not delete, or the stack itself if it does not say.
fn name_stuck(name: &str, stack: &Stack, resources: &[StackResourceSummary]) -> Next {
    let id = stack.stack_id().unwrap_or(name);
    let failed = || {
        resources
            .iter()
            .filter(|resource| cloudformation::failed_to_delete(resource))
    };
    let mut reasons: Vec<&str> = failed()
        .filter_map(|resource| resource.resource_status_reason())
        .collect();
    reasons.extend(stack.stack_status_reason());
    let reason = reasons.first().copied().unwrap_or("CloudFormation says no more");
    let mut stuck: Vec<String> = failed().map(|resource| arn_of(resource, id)).collect();
    if stuck.is_empty() {
        stuck.push(id.to_owned());
    }
    Next::Stuck {
        summary: format!("The stack {name} cannot be deleted, after {TRIES} tries: {reason}"),
        stuck,
    }
}

/// The failed deletions among a stack's events, by the tokens of those who asked for them: all events of an operation have its
/// token. A deletion all of whose failures are throttles is no try.
fn failed_deletions(events: &[StackEvent], token: &str) -> Failed {
    // Of each deletion: whether it failed as a whole, how many of its resources failed, how many of them by a throttle.
    let mut deletions: BTreeMap<&str, (bool, usize, usize)> = BTreeMap::new();
    for event in events {
        let failed = event.resource_status() == Some(&ResourceStatus::DeleteFailed);
        let own = event
            .client_request_token()
            .filter(|own| failed && own.starts_with(token));
        let Some(own) = own else { continue };
        let deletion = deletions.entry(own).or_default();
        if event.physical_resource_id() == event.stack_id() {
            deletion.0 = true;
        } else {
            deletion.1 += 1;
            let reason = event.resource_status_reason().unwrap_or_default();
            deletion.2 += usize::from(cloudformation::is_throttled(reason));
        }
    }
    let over = || deletions.values().filter(|(over, ..)| *over);
    Failed {
        all: over().count(),
        tries: over()
            .filter(|(_, failed, throttled)| *failed == 0 || throttled < failed)
            .count(),
    }
}

pub(super) fn is_deleted(resource: &StackResourceSummary) -> bool {
    resource.resource_status() == Some(&ResourceStatus::DeleteComplete)
}

/// Whether CloudFormation has left the resource behind: its template retains it, or it was left out of a deletion.
pub(super) fn is_retained(resource: &StackResourceSummary) -> bool {
    resource.resource_status() == Some(&ResourceStatus::DeleteSkipped)
}

/// The ARN of a resource of a stack, or words that find it: CloudFormation knows resources by what `Ref` returns.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.
pub(super) fn arn_of(resource: &StackResourceSummary, stack_id: &str) -> String {
    let id = resource.physical_resource_id().unwrap_or_default();
    if id.starts_with("arn:") {
        return id.to_owned();
    }
    let mut parts = stack_id.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let kind = resource.resource_type().unwrap_or_default();
    let (service, path) = match kind {
        "AWS::S3::Bucket" => return format!("arn:aws:s3:::{id}"),
        "AWS::IAM::Role" => return format!("arn:aws:iam::{account}:role/{id}"),
        "AWS::ApiGateway::RestApi" => return format!("arn:aws:apigateway:{region}::/restapis/{id}"),
        "AWS::CodeBuild::Project" => ("codebuild", "project/"),
        "AWS::CodePipeline::Pipeline" => ("codepipeline", ""),
        "AWS::Cognito::UserPool" => ("cognito-idp", "userpool/"),
        "AWS::DynamoDB::Table" => ("dynamodb", "table/"),
        "AWS::Lambda::Function" => ("lambda", "function:"),
        "AWS::Logs::LogGroup" => ("logs", "log-group:"),
        _ => {
            let logical_id = resource.logical_resource_id().unwrap_or("a resource");
            return format!("{stack_id}: {logical_id} ({kind} {id})");
        }
    };
    format!("arn:aws:{service}:{region}:{account}:{path}{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-pr-17-app/1";

    #[test]
    fn a_resource_is_named_by_its_arn_or_else_found_by_its_stack() {
        let resource = |kind: &str, id: &str| {
            StackResourceSummary::builder()
                .logical_resource_id("It")
                .resource_type(kind)
                .physical_resource_id(id)
                .build()
        };
        let named = |kind, id| arn_of(&resource(kind, id), STACK);
        assert_eq!(named("AWS::S3::Bucket", "x-pr-17-files"), "arn:aws:s3:::x-pr-17-files");
        assert_eq!(
            named("AWS::DynamoDB::Table", "x-pr-17-items"),
            "arn:aws:dynamodb:eu-west-1:123456789012:table/x-pr-17-items"
        );
        assert_eq!(
            named("AWS::IAM::ManagedPolicy", "arn:aws:iam::123456789012:policy/x"),
            "arn:aws:iam::123456789012:policy/x"
        );
        assert_eq!(
            named("AWS::New::Thing", "t-1"),
            format!("{STACK}: It (AWS::New::Thing t-1)")
        );
    }

    fn failed(physical: &str, token: &str, reason: &str) -> StackEvent {
        StackEvent::builder()
            .stack_id(STACK)
            .physical_resource_id(physical)
            .resource_status(ResourceStatus::DeleteFailed)
            .resource_status_reason(reason)
            .client_request_token(token)
            .build()
    }

    #[test]
    fn only_this_teardowns_own_deletions_count_as_its_tries() {
        let of = |physical, token| failed_deletions(&[failed(physical, token, "")], "teardown-g3-");
        assert_eq!(of(STACK, "teardown-g3-1"), Failed { all: 1, tries: 1 });
        for (physical, token) in [
            (STACK, "teardown-g31-1"),
            (STACK, "Console-DeleteStack-1"),
            ("x-pr-17-files", "teardown-g3-1"),
        ] {
            assert_eq!(of(physical, token), Failed::default(), "{physical} {token}");
        }
    }

    #[test]
    fn a_deletion_that_failed_by_throttling_alone_is_no_try() {
        let throttle = "Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: 9649383f)";
        let events = [
            failed(
                STACK,
                "teardown-g3-1",
                "The following resource(s) failed to delete: [Api].",
            ),
            failed("a1b2c3", "teardown-g3-1", throttle),
            failed(
                STACK,
                "teardown-g3-2",
                "The following resource(s) failed to delete: [Api, Items].",
            ),
            failed("a1b2c3", "teardown-g3-2", throttle),
            failed("x-pr-17-items", "teardown-g3-2", "deletion protection is on"),
            failed(
                STACK,
                "teardown-g3-3",
                "The following resource(s) failed to delete: [Api].",
            ),
            failed("a1b2c3", "teardown-g3-3", throttle),
        ];
        assert_eq!(failed_deletions(&events, "teardown-g3-"), Failed { all: 3, tries: 1 });
    }

    #[test]
    fn every_status_that_cloudformation_has_is_waited_for_or_ends_in_a_deletion() {
        let expected = |status: &str| match status {
            "DELETE_COMPLETE" => Way::Nothing,
            "DELETE_FAILED" => Way::DeleteAgain,
            // A change set of it alone was made: nothing is at work.
            "REVIEW_IN_PROGRESS" => Way::Delete,
            other if other.ends_with("_IN_PROGRESS") => Way::Wait,
            other if other.ends_with("_COMPLETE") || other.ends_with("_FAILED") => Way::Delete,
            new => panic!("{new} is new: say what is done with it"),
        };
        for status in StackStatus::values() {
            assert_eq!(way(&StackStatus::from(*status)), expected(status), "{status}");
        }
        assert_eq!(way(&StackStatus::from("ARCHIVED")), Way::Wait);
    }
}
