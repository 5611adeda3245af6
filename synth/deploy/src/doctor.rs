//! `doctor`: what `up` will need, looked at before it is needed. It changes nothing, and goes on where something is wrong.
//!
//! Not looked at is what only a change shows: whether the service role can be taken on, and what it and the caller may change.

use std::path::{Path, PathBuf};

use serde::Serialize;
use stacks::Project;
use stacks::images::{Images, Verdict};

use crate::account::Account;
use crate::error::Error;
use crate::github::GitHub;
use crate::memory::Memory;
use crate::secrets::SecretText;
use crate::status::{self, Line};
use crate::wanted::{self, Wanted};
use crate::{bootstrap, checks, follow, names, quotas};

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// The configuration.
    pub project: Project,
    /// GitHub's credentials that are to be tried, or why they cannot be read; those that the functions have if none are given.
    pub credentials: Option<Result<SecretText, Error>>,
    /// The functions' binary; it would be built if none is named.
    pub bootstrap: Option<PathBuf>,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// A line each.
    pub checks: Vec<Line>,
}

impl Diagnosis {
    /// Whether nothing stands in the way of `up`.
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|line| line.problem.is_none())
    }
}

/// Looks at everything.
pub async fn run(request: &Request, root: &Path, account: Result<Account, Error>) -> Diagnosis {
    let project = &request.project;
    let mut checks = Vec::new();
    let wanted = match wanted::shared(project) {
        Ok(wanted) => {
            let names: Vec<&str> = wanted.iter().map(|stack| stack.name.as_str()).collect();
            checks.push(Line::new("configuration", names.join(", "), None));
            Some(wanted)
        }
        Err(error) => {
            checks.push(broken("configuration", &error));
            None
        }
    };
    checks.push(image(project));
    checks.push(functions(request.bootstrap.as_deref(), root, project));
    let account = match account {
        Ok(account) => {
            checks.push(caller(&account));
            Some(account)
        }
        Err(error) => {
            checks.push(broken("account", &error));
            None
        }
    };
    if let Some(account) = &account {
        checks.extend(lock(account, project).await);
        if let Some(wanted) = &wanted {
            checks.extend(stacks(account, project, wanted).await);
        }
        checks.push(builds(account, project).await);
    }
    checks.push(github(account.as_ref(), request).await);
    Diagnosis { checks }
}

/// What could not be looked at, or is of no use.
fn broken(name: &str, error: &Error) -> Line {
    Line::new(name, "not usable", Some(error.to_string()))
}

fn functions(path: Option<&Path>, root: &Path, project: &Project) -> Line {
    match bootstrap::obtainable(path, root, project.build.processor) {
        Ok(how) => Line::new("functions", how, None),
        Err(error) => broken("functions", &error),
    }
}

fn caller(account: &Account) -> Line {
    let state = format!("{} in {} as {}", account.id, account.region, account.arn);
    let role = account.service_role.as_deref();
    // arn:aws:iam::123456789012:role/name
    let problem = role
        .filter(|role| role.split(':').nth(4) != Some(account.id.as_str()))
        .map(|role| {
            format!(
                "the service role {role} is of another account: name one of {} with `--service-role`",
                account.id
            )
        });
    Line::new("account", state, problem)
}

/// Whether another run is at work.
async fn lock(account: &Account, project: &Project) -> Option<Line> {
    match Memory::peek(account, &project.project).await {
        Ok(facts) => {
            let refusal = facts.holder(&project.project)?;
            Some(Line::new("lock", "held", Some(refusal.to_string())))
        }
        Err(error) => Some(broken("lock", &error)),
    }
}

/// The stacks' names, and whether there is room for those that are missing.
async fn stacks(account: &Account, project: &Project, wanted: &[Wanted]) -> Vec<Line> {
    let mut present = Vec::new();
    for stack in wanted {
        match follow::stack(account, &stack.name).await {
            Ok(found) => present.push(found),
            Err(error) => return vec![broken("stacks", &error)],
        }
    }
    let both: Vec<_> = wanted.iter().zip(present.iter().map(Option::as_ref)).collect();
    let missing = checks::missing(&both);
    let mut lines = match names::clashes(account, &project.project, &both).await {
        Ok(names::Found { looked_at, clashes }) if clashes.is_empty() => {
            let state = format!("none of {looked_at} names of stacks and secrets is taken");
            vec![Line::new("names", state, None)]
        }
        Ok(names::Found { clashes, .. }) => {
            let line =
                |clash: &names::Clash| Line::new("names", format!("{} is taken", clash.name), Some(clash.to_string()));
            clashes.iter().map(line).collect()
        }
        Err(error) => vec![broken("names", &error)],
    };
    match quotas::look(account, project, &missing).await {
        Ok(quotas) => lines.extend(quotas.iter().map(|quota| {
            let state = quota.warning().unwrap_or_else(|| quota.state());
            Line::new(quota.what, state, quota.problem())
        })),
        Err(error) => lines.push(broken("quotas", &error)),
    }
    lines
}

/// How many builds the account runs at a time.
async fn builds(account: &Account, project: &Project) -> Line {
    match quotas::builds(account, project).await {
        Ok(line) => line,
        Err(error) => broken("builds at a time", &error),
    }
}

/// Whether the image has what the builds take for granted, as far as AWS publishes it.
fn image(project: &Project) -> Line {
    const NAME: &str = "image";
    let images = match Images::published() {
        Ok(images) => images,
        Err(error) => return Line::new(NAME, "not usable", Some(error.to_string())),
    };
    match images.judge(project) {
        Verdict::NotLookedAt { image } => Line::new(NAME, format!("not looked at: nothing is known of {image}"), None),
        Verdict::LookedAt(found) if found.is_empty() => {
            Line::new(NAME, format!("has what the builds use, as of {}", images.read), None)
        }
        Verdict::LookedAt(found) => {
            let words = found
                .iter()
                .map(|one| format!("{}: {}: {}", one.path, one.message, one.help));
            Line::new(NAME, words.collect::<Vec<_>>().join("; "), None)
        }
    }
}

/// GitHub, with the credentials that are given or stored.
async fn github(account: Option<&Account>, request: &Request) -> Line {
    match look_at_github(account, request).await {
        Ok(line) => line,
        Err(error) => broken("GitHub", &error),
    }
}

async fn look_at_github(account: Option<&Account>, request: &Request) -> Result<Line, Error> {
    let project = &request.project;
    let github = match (&request.credentials, account) {
        (Some(given), _) => {
            let given = given.as_ref().map_err(Clone::clone)?;
            Some(GitHub::new(&project.github_api, &project.repository, given)?)
        }
        (None, Some(account)) => status::github(account, project).await?,
        (None, None) => None,
    };
    let Some(github) = github else {
        let way = "`deploy up` asks for them; `deploy doctor --credentials FILE` tries some before";
        return Ok(Line::new("GitHub", "no credentials yet", Some(way.to_owned())));
    };
    if !github.accepts().await? {
        let problem = "the credentials are expired or were revoked: give others with `deploy up --credentials FILE`";
        return Ok(Line::new("GitHub", "401", Some(problem.to_owned())));
    }
    let missing = github.lacks().await?;
    let problem = (!missing.is_empty()).then(|| Error::unentitled(&project.repository, &missing).to_string());
    let mut words = format!("the credentials open {}", project.repository);
    if github.keeps_environments().await? {
        words += ", and leave one environment of GitHub's behind for each pull request: the permission \"Administration\" to write, \
                  which nothing else takes, lets a teardown delete it";
    }
    Ok(Line::new("GitHub", words, problem))
}
