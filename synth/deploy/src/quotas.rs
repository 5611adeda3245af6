//! Whether the account has room: what the shared stacks and the environments need, counted in their own templates, against what AWS
//! lets an account have.
//!
//! Looked at are the quotas that new accounts meet first: stacks, IAM roles and concurrent executions of Lambda, of which new accounts
//! have 10. How many builds run at a time is told by [`builds`], since new accounts may build one or none, and CodeBuild queues five times as many before it refuses.

use aws_sdk_iam::types::SummaryKeyType;
use serde::Serialize;
use stacks::project::{Compute, Processor};
use stacks::{Environment, Project};

use crate::account::Account;
use crate::environments;
use crate::error::{Error, aws, told};
use crate::status::Line;
use crate::wanted::{self, Wanted};

const ROLE: &str = "AWS::IAM::Role";
/// Executions of functions that no environment causes: a webhook, the reconciler, a stage's deployment.
const SHARED_EXECUTIONS: u64 = 3;
/// Executions at a time for one environment: its state machine runs one function after the other.
const OWN_EXECUTIONS: u64 = 1;

/// How much of something an account may have, has, and will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Of what.
    pub what: &'static str,
    /// Where AWS raises it: the service and the quota's name in Service Quotas.
    #[serde(skip)]
    pub raised: &'static str,
    /// How much there may be.
    pub limit: u64,
    /// How much there is.
    pub used: u64,
    /// How much more the shared stacks need.
    pub shared: u64,
    /// How much each environment needs.
    pub each: u64,
    /// How many environments may still come.
    pub environments: u64,
}

impl Quota {
    const fn room(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Why the shared stacks have no room, and the way out; none if they have.
    pub fn problem(&self) -> Option<String> {
        let Self {
            what, raised, shared, ..
        } = self;
        let room = self.room();
        (*shared > room).then(|| {
            format!(
                "the shared stacks need {shared} {what} more, and there is room for {room}: ask for a higher quota (Service Quotas, {raised})"
            )
        })
    }

    /// What is short once there are many environments, and the way out; none if nothing is.
    pub fn warning(&self) -> Option<String> {
        let Self {
            raised,
            shared,
            each,
            environments,
            ..
        } = self;
        let room = self.room();
        let fit = room.saturating_sub(*shared).checked_div(*each).unwrap_or(*environments);
        (fit < *environments).then(|| {
            format!(
                "there is room for {fit} of the {environments} environments that may still come: ask for a higher quota (Service Quotas, {raised}), or lower `limits.environments`"
            )
        })
    }

    /// How it is, in words.
    pub fn state(&self) -> String {
        let Self {
            limit,
            used,
            shared,
            each,
            environments,
            ..
        } = self;
        let needed = shared + each * environments;
        format!("{used} of {limit} are taken, up to {needed} more will be")
    }
}

/// Looks at the quotas. `missing` are the shared stacks that are still to be made.
///
/// # Errors
/// Where AWS does not say.
pub async fn look(account: &Account, project: &Project, missing: &[&Wanted]) -> Result<Vec<Quota>, Error> {
    let environment = wanted::environment(project, Environment::Stage)?;
    let there = environments::standing(account).await?;
    // `stage` is one more than those that are limited.
    let environments = u64::from(project.limits.environments) + 1;
    let environments = environments.saturating_sub(count(environments::count(project, &there)));
    // A stack that is to be made may be there already, as a change set that was never executed.
    let is_pending =
        |name: &str, status: &str| status == "REVIEW_IN_PROGRESS" && missing.iter().any(|stack| stack.name == name);
    let roles = |stack: &Wanted| count(stack.count(ROLE));
    let stacks = Quota {
        what: "stacks",
        raised: "AWS CloudFormation, Stack count",
        limit: stack_limit(account).await?,
        used: count(there.iter().filter(|(name, status)| !is_pending(name, status)).count()),
        shared: count(missing.len()),
        each: count(environment.len()),
        environments,
    };
    let (used, limit) = roles_there(account).await?;
    let roles = Quota {
        what: "IAM roles",
        raised: "AWS Identity and Access Management in us-east-1, Roles per account",
        limit,
        used,
        shared: missing.iter().map(|stack| roles(stack)).sum(),
        each: environment.iter().map(roles).sum(),
        environments,
    };
    let (used, limit) = executions(account).await?;
    let executions = Quota {
        what: "concurrent executions",
        raised: "AWS Lambda, Concurrent executions",
        limit,
        used,
        shared: if missing.is_empty() { 0 } else { SHARED_EXECUTIONS },
        each: OWN_EXECUTIONS,
        environments,
    };
    Ok(vec![stacks, roles, executions])
}

/// How many builds of the project's kind of machine run at a time, and what that means where it is none or one.
///
/// The quotas are those of <https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html>. An account that is new may be held
/// to less than its quota says, see <https://github.com/rebuy-de/aws-nuke/issues/1209>: only a build shows that.
///
/// # Errors
/// Where AWS does not say.
pub async fn builds(account: &Account, project: &Project) -> Result<Line, Error> {
    const NAME: &str = "builds at a time";
    let doing = "cannot ask how many builds may run at a time";
    let quota = builds_quota(project);
    let mut quotas = account
        .quotas
        .list_service_quotas()
        .service_code("codebuild")
        .into_paginator()
        .items()
        .send();
    while let Some(listed) = quotas.next().await {
        let listed = listed.map_err(|error| aws(doing, &error))?;
        if listed.quota_name() == Some(quota.as_str()) {
            let value = listed.value().unwrap_or_default();
            return Ok(told_builds(NAME, value, &quota));
        }
    }
    let state = format!("not looked at: Service Quotas does not list `{quota}`");
    Ok(Line::new(NAME, state, None))
}

fn told_builds(name: &str, value: f64, quota: &str) -> Line {
    let raise = format!(
        "ask for a higher quota (Service Quotas, AWS CodeBuild, {quota}), or take another size of `build.compute`"
    );
    if value < 1.0 {
        let problem = format!("no build runs in this account, and so no test and no deployment: {raise}");
        return Line::new(name, "0", Some(problem));
    }
    let queued = 5.0 * value;
    let state = if value < 2.0 {
        format!("1, and {queued} wait for it: pull requests test and deploy one after the other; {raise}")
    } else {
        format!("{value}, and {queued} wait")
    };
    Line::new(name, state, None)
}

/// The name of the quota of the project's kind of machine, in Service Quotas' words.
fn builds_quota(project: &Project) -> String {
    let platform = match project.build.processor {
        Processor::Arm64 => "ARM",
        Processor::X86_64 => "Linux",
    };
    let size = match project.build.compute {
        Compute::Small => "Small",
        Compute::Medium => "Medium",
        Compute::Large => "Large",
    };
    format!("Concurrently running builds for {platform}/{size} environment")
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

async fn stack_limit(account: &Account) -> Result<u64, Error> {
    let doing = "cannot ask how many stacks there may be";
    let mut limits = account.stacks.describe_account_limits().into_paginator().items().send();
    while let Some(limit) = limits.next().await {
        let limit = limit.map_err(|error| aws(doing, &error))?;
        if limit.name() == Some("StackLimit") {
            return Ok(limit.value().and_then(|value| value.try_into().ok()).unwrap_or(0));
        }
    }
    Err(told(doing, "CloudFormation names no StackLimit"))
}

/// How many roles there are and may be.
async fn roles_there(account: &Account) -> Result<(u64, u64), Error> {
    let doing = "cannot ask how many roles there may be";
    let answer = account.identities.get_account_summary().send().await;
    let answer = answer.map_err(|error| aws(doing, &error))?;
    let number = |key: SummaryKeyType| {
        let number = answer.summary_map().and_then(|map| map.get(&key));
        number.and_then(|number| u64::try_from(*number).ok())
    };
    // The SDK's list of keys lacks the newer ones, which IAM answers all the same.
    let (used, limit) = (
        number(SummaryKeyType::from("Roles")),
        number(SummaryKeyType::from("RolesQuota")),
    );
    used.zip(limit)
        .ok_or_else(|| told(doing, "IAM's summary has no number of roles"))
}

/// How many executions other functions have reserved, and how many there may be.
async fn executions(account: &Account) -> Result<(u64, u64), Error> {
    let doing = "cannot ask how many functions may run at a time";
    let answer = account.functions.get_account_settings().send().await;
    let answer = answer.map_err(|error| aws(doing, &error))?;
    let limit = answer
        .account_limit()
        .ok_or_else(|| told(doing, "Lambda names no limit"))?;
    let all = u64::try_from(limit.concurrent_executions()).unwrap_or(0);
    let free = limit.unreserved_concurrent_executions();
    let free = free.and_then(|free| u64::try_from(free).ok()).unwrap_or(all);
    Ok((all.saturating_sub(free), all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limit: u64, used: u64) -> Quota {
        Quota {
            what: "IAM roles",
            raised: "IAM, Roles per account",
            limit,
            used,
            shared: 20,
            each: 10,
            environments: 5,
        }
    }

    #[test]
    fn an_account_that_builds_nothing_or_one_after_the_other_is_told_how_to_raise_it() {
        let line = |value| told_builds("builds", value, "Concurrently running builds for ARM/Small environment");
        let none = line(0.0).problem.unwrap();
        assert!(
            none.contains("no build runs") && none.contains("Service Quotas, AWS CodeBuild, Concurrently"),
            "{none}"
        );
        let one = line(1.0);
        assert_eq!(one.problem, None);
        assert!(
            one.state.starts_with("1, and 5 wait") && one.state.contains("ask for a higher quota"),
            "{}",
            one.state
        );
        assert_eq!(line(60.0).state, "60, and 300 wait");
    }

    #[test]
    fn nothing_is_short_where_all_environments_fit() {
        assert_eq!(quota(100, 30).problem(), None);
        assert_eq!(quota(100, 30).warning(), None);
    }

    #[test]
    fn environments_that_do_not_fit_are_counted_and_stop_nothing() {
        let short = quota(100, 31);
        let warning = short.warning().unwrap();
        assert!(warning.contains("room for 4 of the 5 environments"), "{warning}");
        assert_eq!(short.problem(), None);
    }

    #[test]
    fn shared_stacks_that_do_not_fit_stop_a_run() {
        let full = quota(100, 81);
        let problem = full.problem().unwrap();
        assert!(
            problem.contains("need 20 IAM roles more, and there is room for 19"),
            "{problem}"
        );
        assert!(
            quota(10, 11).problem().is_some(),
            "a quota that was lowered is no underflow"
        );
    }
}
