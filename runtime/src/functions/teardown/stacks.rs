//! Deleting a stack: waiting while it changes, emptying its buckets first, trying again a few times, then naming what is stuck.

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

impl Step<'_> {
    /// One step towards a stack's deletion.
    pub(super) async fn delete_stack(&mut self, name: &str) -> Stepped {
        let Some(stack) = cloudformation::stack(&self.teardown.stacks, name).await? else {
            return Ok(Next::Done);
        };
        let id = stack.stack_id().unwrap_or(name).to_owned();
        let status = stack
            .stack_status
            .clone()
            .unwrap_or_else(|| StackStatus::from("UNKNOWN"));
        let condition = cloudformation::condition(&status);
        if condition == Condition::Gone {
            return Ok(Next::Done);
        }
        if !self.ledger.stacks.contains(&id) {
            self.ledger.stacks.push(id.clone());
            self.save().await?;
        }
        match condition {
            Condition::Deleting => Ok(Next::Again(format!("The stack {name} is being deleted."))),
            Condition::Changing => Ok(Next::Again(format!(
                "The stack {name} is {} and is deleted after that.",
                status.as_str()
            ))),
            _ => {
                let failed = match status {
                    StackStatus::DeleteFailed => self.failed_deletions(&id).await?,
                    _ => 0,
                };
                if failed >= TRIES {
                    return self.name_stuck(name, &stack).await;
                }
                match self.empty_buckets(&id).await? {
                    Next::Done => self.delete_again(name, &id, failed).await,
                    waiting => Ok(waiting),
                }
            }
        }
    }

    /// How often this teardown has tried to delete the stack in vain: its tries are known by their tokens.
    async fn failed_deletions(&self, id: &str) -> Result<usize, Failure<TeardownError>> {
        let mut pages = self
            .teardown
            .stacks
            .describe_stack_events()
            .stack_name(id)
            .into_paginator()
            .send();
        let token = self.token();
        let mut failed = 0;
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| Refusal::of(&error))?;
            failed += page
                .stack_events()
                .iter()
                .filter(|event| is_failed_deletion(event, &token))
                .count();
        }
        Ok(failed)
    }

    /// What the tokens of this teardown's deletions begin with.
    fn token(&self) -> String {
        format!("teardown-g{}-", self.target.generation)
    }

    /// Deletes the stack. Its own role does it: the one that CloudFormation has applied it with last.
    async fn delete_again(&self, name: &str, id: &str, failed: usize) -> Stepped {
        self.teardown.records.require_current(self.target).await?;
        let answer = self
            .teardown
            .stacks
            .delete_stack()
            .stack_name(id)
            .client_request_token(format!("{}{}", self.token(), failed + 1))
            .send()
            .await;
        match answer.map_err(|error| Refusal::of(&error)) {
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
        let mut items = self
            .teardown
            .stacks
            .list_stack_resources()
            .stack_name(id)
            .into_paginator()
            .items()
            .send();
        let mut resources = Vec::new();
        while let Some(resource) = items.next().await {
            match resource.map_err(|error| Refusal::of(&error)) {
                Ok(resource) => resources.push(resource),
                Err(Refusal::Missing(_)) => break,
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(resources)
    }

    /// Names what CloudFormation could not delete, or the stack itself if it does not say.
    async fn name_stuck(&self, name: &str, stack: &Stack) -> Stepped {
        let id = stack.stack_id().unwrap_or(name);
        let failed: Vec<StackResourceSummary> = self
            .resources(id)
            .await?
            .into_iter()
            .filter(|resource| resource.resource_status() == Some(&ResourceStatus::DeleteFailed))
            .collect();
        let mut reasons: Vec<&str> = failed
            .iter()
            .filter_map(|resource| resource.resource_status_reason())
            .collect();
        reasons.extend(stack.stack_status_reason());
        let reason = reasons.first().copied().unwrap_or("CloudFormation says no more");
        let mut stuck: Vec<String> = failed.iter().map(|resource| arn_of(resource, id)).collect();
        if stuck.is_empty() {
            stuck.push(id.to_owned());
        }
        Ok(Next::Stuck {
            summary: format!("The stack {name} cannot be deleted, after {TRIES} tries: {reason}"),
            stuck,
        })
    }
}

fn is_failed_deletion(event: &StackEvent, token: &str) -> bool {
    event.physical_resource_id() == event.stack_id()
        && event.resource_status() == Some(&ResourceStatus::DeleteFailed)
        && event.client_request_token().is_some_and(|own| own.starts_with(token))
}

pub(super) fn is_deleted(resource: &StackResourceSummary) -> bool {
    resource.resource_status() == Some(&ResourceStatus::DeleteComplete)
}

/// The ARN of a resource of a stack, or words that find it: CloudFormation knows resources by what `Ref` returns.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.
fn arn_of(resource: &StackResourceSummary, stack_id: &str) -> String {
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

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-app-pr-17/1";

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

    #[test]
    fn only_this_teardowns_own_deletions_count_as_its_tries() {
        let event = |physical: &str, token: &str| {
            StackEvent::builder()
                .stack_id(STACK)
                .physical_resource_id(physical)
                .resource_status(ResourceStatus::DeleteFailed)
                .client_request_token(token)
                .build()
        };
        assert!(is_failed_deletion(&event(STACK, "teardown-g3-1"), "teardown-g3-"));
        assert!(!is_failed_deletion(&event(STACK, "teardown-g31-1"), "teardown-g3-"));
        assert!(!is_failed_deletion(
            &event(STACK, "Console-DeleteStack-1"),
            "teardown-g3-"
        ));
        assert!(!is_failed_deletion(
            &event("x-pr-17-files", "teardown-g3-1"),
            "teardown-g3-"
        ));
    }
}
