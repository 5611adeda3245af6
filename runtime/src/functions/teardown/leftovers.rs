//! What is left of the environment after everything was deleted. No list shows all of it, so three are looked at:
//!
//! | list | what it shows | what it does not |
//! |---|---|---|
//! | the resources that the stacks ever had | what CloudFormation has left behind: retained, or left out of a deletion | what no stack has made |
//! | tags | whatever carries the environment's | roles: "The GetResources operation does not currently support IAM users and roles"; what cannot be tagged |
//! | names in IAM | roles and policies with the environment's prefix | everything else |
//!
//! So what no stack has made, that has no tags and is not IAM's stays unseen, such as a log group that a function writes anew after
//! it was deleted: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>.
//!
//! The tagging service lists resources for a while after they are gone, and so may IAM. What CloudFormation says it has deleted does
//! not count as tagged, and the rest gets some minutes to vanish before it counts as left.

use aws_sdk_cloudformation::types::StackResourceSummary;
use aws_sdk_iam::types::PolicyScopeType;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use contract::TeardownError;
use tracing::info;

use super::stacks::{arn_of, is_deleted, is_retained};
use super::{Next, SETTLING, Step, Stepped, unavailable};
use crate::cloudformation::{holds_nothing, nested};
use crate::{Failure, sdk};

/// What was looked at, for the receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many resources the stacks ever had.
    pub(super) resources: usize,
    /// How many roles and policies the account has.
    pub(super) named: usize,
    /// What CloudFormation has left behind, and neither tags nor names show.
    pub(super) left: Vec<String>,
}

/// What is in IAM.
#[derive(Debug, Default)]
struct Iam {
    /// How many roles and policies there are.
    all: usize,
    /// The ARNs of those with the environment's prefix.
    own: Vec<String>,
}

impl Step<'_> {
    /// Deletes the stacks that CloudFormation has left behind with the stacks that they were in, while their role is there.
    pub(super) async fn delete_retained_stacks(&mut self) -> Stepped {
        for (_, resource) in self.resources_of_all().await? {
            let Some(inner) = nested(&resource).filter(|_| is_retained(&resource)) else {
                continue;
            };
            match self.delete_stack(inner).await? {
                Next::Done => {}
                waiting => return Ok(waiting),
            }
        }
        Ok(Next::Done)
    }

    /// Looks at what the stacks had, at tags and at names.
    pub(super) async fn look_for_leftovers(&mut self) -> Stepped {
        let tagged = self.tagged().await?;
        let iam = self.in_iam().await?;
        let resources = self.resources_of_all().await?;
        let mut deleted = self.ledger.stacks.clone();
        deleted.extend(
            resources
                .iter()
                .filter_map(|(_, resource)| physical_id_if_deleted(resource)),
        );
        let mut left = still_there(tagged, &deleted);
        left.extend(iam.own);
        let retained = || {
            let retained = resources.iter().filter(|(_, resource)| is_retained(resource));
            retained.filter(|(_, resource)| nested(resource).is_none())
        };
        self.remember_retained(retained().map(|(stack, _)| stack.clone()).collect())
            .await?;
        self.seen = Seen {
            resources: resources.len(),
            named: iam.all,
            left: retained()
                .map(|(stack, resource)| left_behind(resource, stack))
                .collect(),
        };
        if left.is_empty() {
            return Ok(Next::Done);
        }
        info!(?left, "resources of the environment are still there");
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
                "{} resources still carry the environment's tags or name.",
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

    /// The resources that the teardown's stacks ever had, each with its stack; those of stacks in them too.
    async fn resources_of_all(&self) -> Result<Vec<(String, StackResourceSummary)>, Failure<TeardownError>> {
        let mut stacks = self.ledger.stacks.clone();
        stacks.extend(self.ledger.retaining.iter().cloned());
        let (mut all, mut place) = (Vec::new(), 0);
        while let Some(stack) = stacks.get(place).cloned() {
            place += 1;
            // A stack may have been met by itself, and in the one that it is in.
            if stacks[..place - 1].contains(&stack) {
                continue;
            }
            for resource in self.resources(&stack).await? {
                stacks.extend(nested(&resource).map(str::to_owned));
                all.push((stack.clone(), resource));
            }
        }
        Ok(all)
    }

    /// Remembers the stacks that have left something behind: a later teardown does not meet them any more, and must not say that
    /// nothing is left.
    async fn remember_retained(&mut self, mut stacks: Vec<String>) -> Result<(), Failure<TeardownError>> {
        stacks.dedup();
        if self.ledger.retaining != stacks {
            self.ledger.retaining = stacks;
            self.save().await?;
        }
        Ok(())
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

    /// The account's roles and policies. IAM filters them by path alone, so all are asked for: a call per thousand, and an account
    /// has 1,000 roles and 1,500 policies unless it has asked for more.
    async fn in_iam(&self) -> Result<Iam, Failure<TeardownError>> {
        const PAGE: i32 = 1_000;
        let refused = |words: String| unavailable(format!("roles and policies are not shown: {words}"));
        let prefix = self.names.prefix();
        let mut iam = Iam::default();
        let mut see = |name: &str, arn: &str| {
            iam.all += 1;
            if name.starts_with(&prefix) {
                iam.own.push(arn.to_owned());
            }
        };
        let client = &self.teardown.iam;
        let mut roles = client.list_roles().max_items(PAGE).into_paginator().items().send();
        while let Some(role) = roles.next().await {
            let role = role.map_err(|error| refused(sdk::words(&error)))?;
            see(role.role_name(), role.arn());
        }
        let policies = client.list_policies().scope(PolicyScopeType::Local);
        let mut pages = policies.max_items(PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused(sdk::words(&error)))?;
            for policy in page.policies() {
                see(
                    policy.policy_name().unwrap_or_default(),
                    policy.arn().unwrap_or_default(),
                );
            }
        }
        Ok(iam)
    }
}

/// What CloudFormation has left behind, in words.
fn left_behind(resource: &StackResourceSummary, stack: &str) -> String {
    let id = resource.logical_resource_id().unwrap_or("a resource");
    let kind = resource.resource_type().unwrap_or_default();
    if holds_nothing(kind) {
        format!("{id} ({kind}), which holds nothing by itself")
    } else {
        format!("{id} ({})", arn_of(resource, stack))
    }
}

fn physical_id_if_deleted(resource: &StackResourceSummary) -> Option<String> {
    let id = resource.physical_resource_id()?;
    (is_deleted(resource) && !id.is_empty()).then(|| id.to_owned())
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
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-pr-17-app/1",
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
            "arn:aws:cloudformation:eu-west-1:123456789012:stack/x-pr-17-app/1",
        ];
        let tagged = ours.into_iter().chain(left).map(str::to_owned).collect();
        assert_eq!(still_there(tagged, &deleted.map(str::to_owned)), left);
    }
}
