//! `report`: what GitHub shows of a step. The commit status first, since a merge may wait for it; then the deployment, then the
//! one comment of the pull request.
//!
//! - What GitHub refuses of one of the three does not keep it from the others: the first refusal is the failure, once all were
//!   tried. Where GitHub is out of reach the rest is left for the next attempt, which repeats nothing that would double.
//! - Only the commit's status may hold a run up: GitHub takes 80 contents a minute and 500 an hour, of all pull requests together. The
//!   deployment and the comment of a report that another one follows get no more than a moment; the next one shows what they lack.
//! - A report that GitHub has taken altogether is not sent again, however often it is asked for. A deployment or teardown of which GitHub
//!   knows that it succeeded is not made an error by what fails afterwards.
//! - A step that an earlier generation left pending is given its end with the first report of a later one: nobody is at it any more.
//! - What the application's stack said when it was deployed, its outputs and with them the environment's address, is read once,
//!   and remembered for the comments that follow.

mod environment;
mod outputs;

use std::time::Duration;

use contract::{Outcome, ReportError, ReportRequest, Reported, Step, Target};
use stacks::Project;
use synth::Handler;

use super::{Environment, Function, Invocation, StartError};
use crate::clock::Clock;
use crate::comment::{self, DESCRIPTION, one_line};
use crate::github::{Client, CommitState, CommitStatus, DeploymentState, DeploymentStatus, Error, NewDeployment};
use crate::record::{ReportMemory, ReportRow, STAGE, row_key};
use crate::records::{Records, RecordsError};
use crate::secrets::Secret;
use crate::{Failure, github};

/// How long the deployment and the comment may take where another report follows.
const MOMENT: Duration = Duration::from_secs(20);

/// What is said of a step that an earlier generation left pending.
const SUPERSEDED: &str = "Stopped: the pull request has changed.";

/// Sets the commit status, the deployment's status and the comment.
#[derive(Debug)]
pub struct Report {
    records: Records,
    clock: Clock,
    github: Client,
    cloudformation: aws_sdk_cloudformation::Client,
    project: Project,
}

impl Function for Report {
    type Contract = contract::Report;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        let project = environment.project(contract::Report::PROJECT)?;
        let credentials = environment.variable(contract::Report::GITHUB_CREDENTIALS)?;
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(contract::Report::TABLE)?)
                .by(environment.clock()),
            clock: environment.clock(),
            github: Client::new(&project.github_api, Secret::new(environment.aws(), credentials))?,
            cloudformation: aws_sdk_cloudformation::Client::new(environment.aws()),
            project,
        })
    }

    async fn call(
        &self,
        request: ReportRequest,
        invocation: &Invocation,
    ) -> Result<Reported, Failure<<contract::Report as Handler>::Error>> {
        let memory = self.records.require_current(&request.target).await?.memory;
        let key = row_key(&request.target.environment, request.step);
        let row = ReportRow {
            outcome: request.outcome,
            summary: request.summary.clone(),
            url: request.url.clone(),
            sha: request.target.sha.clone(),
            generation: request.target.generation,
            updated: self.clock.now(),
        };
        let known = memory.rows.get(key).map(|known| ReportRow {
            updated: row.updated,
            ..known.clone()
        });
        if !memory.unfinished && known.as_ref() == Some(&row) {
            tracing::info!(step = key, "reported before");
            self.tidy_up(&request, invocation).await;
            return Ok(Reported {
                comment_url: memory.comment_url,
            });
        }
        if !memory.unfinished && request.outcome == Outcome::Error && has_succeeded(&memory, key, &request) {
            tracing::warn!(
                step = key,
                summary = request.summary,
                "what failed has succeeded before"
            );
            return Ok(Reported {
                comment_url: memory.comment_url,
            });
        }
        let mut work = Work {
            report: self,
            request: &request,
            invocation,
            moment: invocation.at_most(if is_followed(&request) {
                MOMENT
            } else {
                invocation.remaining()
            }),
            memory,
            refused: None,
            late: false,
        };
        let reached = work.report(key, row).await;
        let Work { memory, refused, .. } = work;
        // Whatever came of it: what was made is remembered, so that the next attempt finds it.
        self.records.save_report(&request.target, &memory).await?;
        reached?;
        match refused {
            Some(refusal) => Err(refusal.into()),
            None => {
                tracing::info!(step = key, outcome = ?request.outcome, "reported");
                self.tidy_up(&request, invocation).await;
                Ok(Reported {
                    comment_url: memory.comment_url,
                })
            }
        }
    }
}

/// One report at work.
struct Work<'a> {
    report: &'a Report,
    request: &'a ReportRequest,
    invocation: &'a Invocation,
    /// The time that the deployment and the comment have.
    moment: Invocation,
    /// What is known, and grows as GitHub takes it.
    memory: ReportMemory,
    /// What GitHub refused first.
    refused: Option<Error>,
    /// Whether GitHub was out of reach for what the next report shows as well.
    late: bool,
}

impl Work<'_> {
    /// Does it all. An error here ends it: the deadline, or nobody to ask.
    async fn report(&mut self, key: &str, row: ReportRow) -> Result<(), Failure<ReportError>> {
        self.end_superseded(key).await?;
        let earlier = self.memory.rows.get(key).map(|row| row.sha.clone());
        let set = self.set_status().await;
        if self.passes(set)?.is_some() {
            // The record must not say that a step ended of which the commit knows nothing.
            self.memory.rows.insert(key.to_owned(), row);
        }
        self.memory.unfinished = true;
        match (self.request.step, self.request.outcome) {
            (Step::Deploy, Outcome::Skipped) | (Step::UnitTest, _) => {}
            (Step::Deploy, outcome) => {
                if outcome == Outcome::Success {
                    self.read_outputs().await?;
                }
                let deployed = self.report_deployment(outcome, earlier.as_deref()).await;
                self.passes_later(deployed)?;
            }
            (Step::Teardown, Outcome::Success) => {
                let environment = &self.request.target.environment;
                self.memory.outputs.remove(environment);
                let ended = self.end_deployments().await;
                self.passes(ended)?;
            }
            (Step::Teardown, _) => {}
        }
        if !self.late {
            let commented = self.comment().await?;
            self.passes_later(commented)?;
        }
        self.memory.unfinished = self.refused.is_some() || self.late;
        Ok(())
    }

    /// Like [`Self::passes`], but where another report follows, a GitHub that is out of reach is left to that one.
    fn passes_later<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Failure<ReportError>> {
        match result {
            Err(Error::Unavailable { what, message }) if is_followed(self.request) => {
                tracing::warn!(what, message, "left to the next report");
                self.late = true;
                Ok(None)
            }
            other => self.passes(other),
        }
    }

    /// Keeps a refusal for later and ends where GitHub is out of reach.
    fn passes<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Failure<ReportError>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault @ Error::Unavailable { .. }) => Err(fault.into()),
            Err(refusal) => {
                tracing::warn!(refusal = %refusal, "github refuses a part of the report");
                self.refused.get_or_insert(refusal);
                Ok(None)
            }
        }
    }

    async fn set_status(&self) -> Result<(), Error> {
        let ReportRequest {
            target, step, outcome, ..
        } = self.request;
        let status = CommitStatus {
            context: context(&self.report.project.project, row_key(&target.environment, *step)),
            state: match outcome {
                Outcome::Pending => CommitState::Pending,
                // GitHub knows no status for what was left out; one that blocks a merge would be wrong, the words say why.
                Outcome::Success | Outcome::Skipped => CommitState::Success,
                Outcome::Failure => CommitState::Failure,
                Outcome::Error => CommitState::Error,
            },
            description: self.description(),
            target_url: self.page().or_else(|| page(&self.memory.comment_url)),
        };
        let github = &self.report.github;
        github
            .set_status(&target.repository, &target.sha, &status, self.invocation)
            .await
    }

    /// Gives the steps that earlier generations left pending their end, but for the one that this report is about.
    async fn end_superseded(&mut self, key: &str) -> Result<(), Failure<ReportError>> {
        let target = &self.request.target;
        // The generations of `stage` are counted apart, among all pull requests.
        if target.environment == STAGE {
            return Ok(());
        }
        let left = |(name, row): &(&String, &ReportRow)| {
            let again = name.as_str() == key && row.sha == target.sha;
            let earlier = name.as_str() != STAGE && row.generation < target.generation;
            row.outcome == Outcome::Pending && earlier && !again
        };
        let left: Vec<(String, ReportRow)> = self
            .memory
            .rows
            .iter()
            .filter(left)
            .map(|(name, row)| (name.clone(), row.clone()))
            .collect();
        for (name, row) in left {
            let status = CommitStatus {
                context: context(&self.report.project.project, &name),
                state: CommitState::Error,
                description: SUPERSEDED.to_owned(),
                target_url: None,
            };
            let github = &self.report.github;
            let set = github.set_status(&target.repository, &row.sha, &status, self.invocation);
            match set.await {
                Ok(()) => {}
                Err(fault @ Error::Unavailable { .. }) => return Err(fault.into()),
                // The commit may be gone, and nobody waits for it then.
                Err(refusal) => tracing::warn!(refusal = %refusal, step = name, "a superseded step keeps its status"),
            }
            let ended = ReportRow {
                outcome: Outcome::Error,
                summary: SUPERSEDED.to_owned(),
                ..row
            };
            self.memory.rows.insert(name, ended);
        }
        Ok(())
    }

    /// The summary as a status takes it.
    fn description(&self) -> String {
        match self.request.outcome {
            Outcome::Skipped => one_line(&format!("Skipped: {}", self.request.summary), DESCRIPTION),
            _ => one_line(&self.request.summary, DESCRIPTION),
        }
    }

    fn page(&self) -> Option<String> {
        page(self.request.url.as_deref()?)
    }

    /// The deployment of this commit and how it stands. Once it succeeded it has taken the place of the environment's earlier ones.
    async fn report_deployment(&mut self, outcome: Outcome, earlier_sha: Option<&str>) -> Result<(), Error> {
        let id = self.deployment(earlier_sha).await?;
        let target = &self.request.target;
        let stage = target.environment == STAGE;
        let state = match outcome {
            Outcome::Pending | Outcome::Skipped => DeploymentState::InProgress,
            Outcome::Success => DeploymentState::Success,
            Outcome::Failure => DeploymentState::Failure,
            Outcome::Error => DeploymentState::Error,
        };
        let outputs = self.memory.outputs.get(&target.environment);
        let url = outputs.and_then(comment::environment_url);
        let status = DeploymentStatus {
            state,
            description: self.description(),
            environment_url: url.filter(|_| outcome == Outcome::Success),
            log_url: self.page(),
            // Other pull requests' deployments of `stage` are known to GitHub only.
            replaces_others: stage,
        };
        match self.set_deployment_status(id, &status).await {
            // Somebody has deleted it.
            Err(Error::Missing { .. }) => {
                self.memory.deployments.remove(&target.environment);
                let id = self.deployment(None).await?;
                self.set_deployment_status(id, &status).await?;
            }
            set => set?,
        }
        if outcome == Outcome::Success {
            let replaced = self.memory.earlier_deployments.get(&target.environment);
            self.end(replaced.cloned().unwrap_or_default(), "Replaced by a newer commit")
                .await?;
            self.memory.earlier_deployments.remove(&target.environment);
        }
        Ok(())
    }

    /// The id of this commit's deployment: the one that is remembered if that is of this commit, or the one that GitHub has or makes.
    async fn deployment(&mut self, earlier_sha: Option<&str>) -> Result<u64, Error> {
        let target = &self.request.target;
        let remembered = self.memory.deployments.get(&target.environment).copied();
        if let Some(id) = remembered.filter(|_| earlier_sha == Some(&target.sha)) {
            return Ok(id);
        }
        let new = NewDeployment {
            sha: target.sha.clone(),
            environment: target.environment.clone(),
            description: of_pull_request(target.number),
            transient: target.environment != STAGE,
        };
        let id = self
            .report
            .github
            .ensure_deployment(&target.repository, &new, &self.moment)
            .await?
            .id;
        self.memory.deployments.insert(target.environment.clone(), id);
        let earlier = self
            .memory
            .earlier_deployments
            .entry(target.environment.clone())
            .or_default();
        earlier.extend(remembered);
        earlier.retain(|earlier| *earlier != id);
        Ok(id)
    }

    /// Nothing of the environment is left: GitHub shows its deployments as destroyed.
    async fn end_deployments(&mut self) -> Result<(), Error> {
        let environment = &self.request.target.environment;
        let earlier = self.memory.earlier_deployments.get(environment);
        let mut ids = earlier.cloned().unwrap_or_default();
        ids.extend(self.memory.deployments.get(environment));
        self.end(ids, "The environment is deleted").await?;
        // Not before: they are remembered until GitHub shows them as ended.
        self.memory.earlier_deployments.remove(environment);
        self.memory.deployments.remove(environment);
        Ok(())
    }

    /// Sets deployments inactive. Those that GitHub does not have any more are as good.
    async fn end(&self, ids: Vec<u64>, why: &str) -> Result<(), Error> {
        let status = DeploymentStatus {
            state: DeploymentState::Inactive,
            description: why.to_owned(),
            environment_url: None,
            log_url: None,
            replaces_others: false,
        };
        for id in ids {
            match self.set_deployment_status(id, &status).await {
                Ok(()) | Err(Error::Missing { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    async fn set_deployment_status(&self, id: u64, status: &DeploymentStatus) -> Result<(), Error> {
        let repository = &self.request.target.repository;
        self.report
            .github
            .set_deployment_status(repository, id, status, &self.moment)
            .await
    }

    /// The comment, made or brought up to date. One that somebody deleted is made anew.
    async fn comment(&mut self) -> Result<Result<(), Error>, Failure<ReportError>> {
        let Target { repository, number, .. } = &self.request.target;
        let project = &self.report.project.project;
        let body = comment::render(project, &self.request.target, &self.memory).map_err(|fault| {
            Failure::new(
                ReportError::ReportRejected,
                format!("the comment cannot be rendered: {fault}"),
            )
        })?;
        let github = &self.report.github;
        if let Some(id) = self.memory.comment_id {
            match github.update_comment(repository, id, &body, &self.moment).await {
                Ok(comment) => {
                    self.memory.comment_url = comment.url;
                    return Ok(Ok(()));
                }
                Err(Error::Missing { .. }) => self.memory.comment_id = None,
                Err(fault) => return Ok(Err(fault)),
            }
        }
        let marker = comment::marker(project);
        let (comment, new) = match github
            .ensure_comment(repository, *number, &marker, &body, &self.moment)
            .await
        {
            Ok(made) => made,
            Err(fault) => return Ok(Err(fault)),
        };
        self.memory.comment_id = Some(comment.id);
        self.memory.comment_url = comment.url;
        if !new && comment.body != body {
            let updated = github.update_comment(repository, comment.id, &body, &self.moment).await;
            return Ok(updated.map(drop));
        }
        Ok(Ok(()))
    }
}

/// Whether another report of the same execution follows this one, unless the execution fails.
fn is_followed(request: &ReportRequest) -> bool {
    match request.outcome {
        Outcome::Pending => true,
        Outcome::Success => request.step == Step::UnitTest,
        Outcome::Failure | Outcome::Error | Outcome::Skipped => false,
    }
}

/// How the deployments of a pull request are described.
fn of_pull_request(number: u32) -> String {
    format!("Pull request {number}")
}

/// What sets the status of a step, by its row's key, apart from those of other systems, and of the same step for `stage`.
fn context(project: &str, key: &str) -> String {
    let step = match key {
        "unit_test" => "unit-tests",
        other => other,
    };
    format!("{project}/{step}")
}

/// Whether GitHub knows that the environment's last step has succeeded: what follows it may fail, but not the step.
fn has_succeeded(memory: &ReportMemory, key: &str, request: &ReportRequest) -> bool {
    let target = &request.target;
    request.step != Step::UnitTest
        && memory.rows.get(key).is_some_and(|row| {
            row.outcome == Outcome::Success && row.generation == target.generation && row.sha == target.sha
        })
}

/// An address that GitHub takes as a link.
fn page(url: &str) -> Option<String> {
    let takes = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    (takes && url.bytes().all(|byte| byte.is_ascii_graphic())).then(|| url.to_owned())
}

impl From<github::Error> for Failure<ReportError> {
    fn from(fault: github::Error) -> Self {
        let error = match fault {
            github::Error::Unavailable { .. } => ReportError::Unavailable,
            github::Error::Missing { .. } | github::Error::Refused { .. } => ReportError::ReportRejected,
        };
        Self::new(error, fault)
    }
}

impl From<RecordsError> for Failure<ReportError> {
    fn from(fault: RecordsError) -> Self {
        let error = match fault {
            RecordsError::Superseded { .. } => ReportError::Superseded,
            RecordsError::Unavailable(_) => ReportError::Unavailable,
        };
        Self::new(error, fault)
    }
}
