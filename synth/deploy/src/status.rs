//! `status`: what there is, and what of it is not as it should be. It changes nothing.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::Stack;
use serde::Serialize;
use stacks::Project;
use stacks::names::Names;

use crate::account::Account;
use crate::environments;
use crate::error::Error;
use crate::follow::{self, status};
use crate::github::GitHub;
use crate::memory::{Facts, Memory};
use crate::wanted::Wanted;
use crate::{secrets, up, webhook};

/// Everything that is found.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The shared stacks.
    pub stacks: Vec<Line>,
    /// The webhook.
    pub webhook: Line,
    /// The environments, and the open pull requests that have none.
    pub environments: Vec<Line>,
}

/// Something, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// How it is, in words.
    pub state: String,
    /// What is not as it should be; none if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Status {
    /// Whether all is as it should be.
    pub fn is_well(&self) -> bool {
        let all = self.stacks.iter().chain([&self.webhook]).chain(&self.environments);
        all.into_iter().all(|line| line.problem.is_none())
    }
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, state: impl Into<String>, problem: Option<String>) -> Self {
        Self {
            name: name.into(),
            state: state.into(),
            problem,
        }
    }
}

/// Looks at everything.
///
/// # Errors
/// Where AWS does not say.
pub async fn run(account: &Account, project: &Project, wanted: &[Wanted]) -> Result<Status, Error> {
    let facts = Memory::peek(account, &project.project).await?;
    let mut lines = Vec::new();
    let (mut url, mut secret, mut credentials) = (None, None, None);
    for stack in wanted {
        let there = follow::stack(account, &stack.name).await?;
        lines.push(stack_line(stack, there.as_ref(), &facts));
        let output = |name| follow::output(there.as_ref(), name);
        url = url.or_else(|| output(up::URL));
        secret = secret.or_else(|| output(up::SECRET));
        credentials = credentials.or_else(|| output(up::CREDENTIALS));
    }
    let github = github_with(account, project, credentials.as_deref()).await?;
    let webhook = match (&github, url, secret) {
        (Some(github), Some(url), Some(secret)) => webhook_line(account, github, &url, &secret, &facts).await?,
        _ => not_there(),
    };
    let environments = environment_lines(account, project, github.as_ref()).await?;
    Ok(Status {
        stacks: lines,
        webhook,
        environments,
    })
}

/// GitHub, with the credentials that the functions have; none if there are none.
///
/// # Errors
/// Where AWS does not say.
pub async fn github(account: &Account, project: &Project) -> Result<Option<GitHub>, Error> {
    let stack = Names::of(project).shared("pipeline-manager");
    let stack = follow::stack(account, &stack).await?;
    let credentials = follow::output(stack.as_ref(), up::CREDENTIALS);
    github_with(account, project, credentials.as_deref()).await
}

async fn github_with(account: &Account, project: &Project, secret: Option<&str>) -> Result<Option<GitHub>, Error> {
    let stored = match secret {
        Some(secret) => secrets::stored(account, secret).await?,
        None => None,
    };
    let github = stored.map(|stored| GitHub::new(&project.github_api, &project.repository, &stored.value));
    github.transpose()
}

fn not_there() -> Line {
    Line::new("webhook", "not there", Some("`deploy up` creates it".to_owned()))
}

fn stack_line(wanted: &Wanted, there: Option<&Stack>, facts: &Facts) -> Line {
    let Some(stack) = there else {
        return Line::new(&wanted.name, "not there", Some("`deploy up` creates it".to_owned()));
    };
    let state = status(stack);
    let known = facts.stacks.get(&wanted.name);
    let problem = match known {
        _ if state.ends_with("_IN_PROGRESS") => None,
        _ if !["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"].contains(&state.as_str()) => {
            Some("`deploy up` goes on from there".to_owned())
        }
        None => Some("no run has left it as it should be: `deploy up`".to_owned()),
        Some(known) if !known.is(stack) => Some("somebody else has changed it: `deploy diff` shows how".to_owned()),
        Some(known) if known.template != wanted.template_hash() => {
            Some("the code says something else: `deploy diff` shows what".to_owned())
        }
        Some(_) => None,
    };
    Line::new(&wanted.name, state, problem)
}

async fn webhook_line(
    account: &Account,
    github: &GitHub,
    url: &str,
    secret: &str,
    facts: &Facts,
) -> Result<Line, Error> {
    let Some(known) = &facts.webhook else {
        return Ok(not_there());
    };
    let hook = match github.hook(known.id).await {
        Ok(hook) => hook,
        Err(error) => return Ok(Line::new("webhook", "not known", Some(error.to_string()))),
    };
    let Some(hook) = hook else {
        let state = format!("{} is gone", known.id);
        return Ok(Line::new(
            "webhook",
            state,
            Some("`deploy up` creates it again".to_owned()),
        ));
    };
    let state = format!("{} → {}", hook.id, hook.config.url);
    let version = secrets::stored(account, secret).await?.map(|stored| stored.version);
    let deliveries = github.deliveries(hook.id).await?;
    let failed = webhook::failed(&deliveries).len();
    let problem = if !webhook::is_right(&hook, url) {
        Some("it is not as it should be: `deploy up` mends it".to_owned())
    } else if version.as_ref() != Some(&known.secret_version) {
        Some("it signs with another secret: `deploy up` mends it".to_owned())
    } else if !known.answered {
        Some("its ping was never answered: `deploy up` pings again".to_owned())
    } else if failed > 0 {
        Some(format!(
            "{failed} deliveries have failed: `deploy redeliver` repeats them"
        ))
    } else {
        None
    };
    Ok(Line::new("webhook", state, problem))
}

async fn environment_lines(account: &Account, project: &Project, github: Option<&GitHub>) -> Result<Vec<Line>, Error> {
    let environments = environments::all(account, project).await?;
    let open: Option<BTreeSet<u64>> = match github {
        Some(github) => github.open_pull_requests().await.ok(),
        None => None,
    };
    let number = |environment: &str| environment.strip_prefix("pr-").and_then(|number| number.parse().ok());
    let mut lines: Vec<Line> = environments
        .iter()
        .map(|each| {
            let state = each.stacks.iter().map(|(name, status)| format!("{name} {status}"));
            let state = state.collect::<Vec<_>>().join(", ");
            let stuck = |status: &str| status.ends_with("_FAILED") || status.starts_with("ROLLBACK");
            let is_open = |number: u64| open.as_ref().is_none_or(|open| open.contains(&number));
            let problem = if each.stacks.iter().any(|(_, status)| stuck(status)) {
                Some("it is stuck".to_owned())
            } else if number(&each.environment).is_some_and(|number| !is_open(number)) {
                Some("its pull request is closed".to_owned())
            } else {
                None
            };
            let problem = problem.map(|problem| match number(&each.environment) {
                Some(number) => format!("{problem}: `deploy down --pr {number}` removes it"),
                None => problem,
            });
            Line::new(&each.environment, state, problem)
        })
        .collect();
    let with_one: BTreeSet<u64> = environments
        .iter()
        .filter_map(|each| number(&each.environment))
        .collect();
    let without = open.iter().flatten().filter(|number| !with_one.contains(number));
    lines.extend(without.map(|number| Line::new(format!("pr-{number}"), "open, without an environment", None)));
    Ok(lines)
}
