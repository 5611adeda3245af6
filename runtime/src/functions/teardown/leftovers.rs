//! What still carries the environment's tags after everything was deleted.
//!
//! The tagging service lists resources for a while after they are gone. So what CloudFormation says it has deleted does not
//! count, and the rest gets some minutes to vanish before it counts as left.

use aws_sdk_cloudformation::types::StackResourceSummary;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use contract::TeardownError;
use tracing::info;

use super::stacks::is_deleted;
use super::{Next, SETTLING, Step, Stepped, unavailable};
use crate::{Failure, sdk};

impl Step<'_> {
    /// Looks for resources by tag.
    pub(super) async fn look_for_leftovers(&mut self) -> Stepped {
        let tagged = self.tagged().await?;
        if tagged.is_empty() {
            return Ok(Next::Done);
        }
        let mut deleted = self.ledger.stacks.clone();
        for stack in &self.ledger.stacks {
            let resources = self.resources(stack).await?;
            deleted.extend(resources.into_iter().filter_map(physical_id_if_deleted));
        }
        let left = still_there(tagged, &deleted);
        if left.is_empty() {
            return Ok(Next::Done);
        }
        info!(?left, "resources still carry the environment's tags");
        let since = match self.ledger.settling_since {
            Some(since) => since,
            None => {
                let since = self.teardown.clock.now();
                self.ledger.settling_since = Some(since);
                self.save().await?;
                since
            }
        };
        if self.teardown.clock.now().saturating_sub(since) < SETTLING {
            return Ok(Next::Again(format!(
                "{} resources still carry the environment's tags.",
                left.len()
            )));
        }
        Ok(Next::Stuck {
            summary: format!(
                "{} resources of the environment are left, which belong to no stack.",
                left.len()
            ),
            stuck: left,
        })
    }

    /// The ARNs of what carries the project's and the environment's tags.
    async fn tagged(&self) -> Result<Vec<String>, Failure<TeardownError>> {
        let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
        let mut items = self
            .teardown
            .tags
            .get_resources()
            .tag_filters(filter("pipeline:project", &self.teardown.project.project))
            .tag_filters(filter("pipeline:environment", &self.target.environment))
            .into_paginator()
            .items()
            .send();
        let mut arns = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| unavailable(format!("tags are not shown: {}", sdk::words(&error))))?;
            arns.extend(item.resource_arn);
        }
        Ok(arns)
    }
}

fn physical_id_if_deleted(resource: StackResourceSummary) -> Option<String> {
    let deleted = is_deleted(&resource);
    resource.physical_resource_id.filter(|id| deleted && !id.is_empty())
}

/// The ARNs that are of nothing that was deleted. An ARN ends with what CloudFormation knows the resource by.
fn still_there(tagged: Vec<String>, deleted: &[String]) -> Vec<String> {
    let is_of = |arn: &str, id: &String| {
        arn.strip_suffix(id.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', ':']))
    };
    tagged
        .into_iter()
        .filter(|arn| !deleted.iter().any(|id| is_of(arn.trim_end_matches(":*"), id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cloudformation_has_deleted_is_not_there_any_more_and_its_namesakes_are() {
        let ours = [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/x-pr-17-items",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/x-pr-17-get-item:*",
            "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3",
            "arn:aws:s3:::x-pr-17-files",
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-app-pr-17/1",
        ];
        let left = [
            "arn:aws:dynamodb:eu-west-1:123456789012:table/other-x-pr-17-items",
            "arn:aws:s3:::x-pr-17-files-2",
        ];
        let deleted = [
            "x-pr-17-items",
            "/aws/lambda/x-pr-17-get-item",
            "a1b2c3",
            "x-pr-17-files",
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-app-pr-17/1",
        ];
        let tagged = ours.into_iter().chain(left).map(str::to_owned).collect();
        assert_eq!(still_there(tagged, &deleted.map(str::to_owned)), left);
    }
}
