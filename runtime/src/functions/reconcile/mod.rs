//! `reconcile`: compares GitHub, the records and the stacks, and starts what mends the difference.
//!
//! [`record::plan`](crate::record::plan) decides; here it is asked and carried out. The records are read first. A pull request about
//! which something could not be learned is left for the next run, and the run says that there is more.

mod packages;

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_cloudformation::types::StackSummary;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use contract::{ReconcileError, ReconcileRequest, Reconciled, Repair, Trigger, metric};
use stacks::Project;
use stacks::pipeline_manager::{bound_minutes, repairs_a_run};

use packages::Packages;

use super::{Environment, FailureOf, Function, Invocation, StartError};
use crate::Failure;
use crate::clock::Clock;
use crate::github::{Client, Error};
use crate::record::plan::{self, Plan, execution_name, plan, pull_request_of, questions};
use crate::record::{Record, Shared};
use crate::records::{AllRecords, Records, RecordsError};
use crate::secrets::Secret;
use crate::shell::metrics;
use crate::webhook::{
    Branch, Head, Label, PullRequest, PullRequestState, Repository, Seen, Wanted, needs_files, wanted,
};

/// How much time is kept for starting executions.
const RESERVED: Duration = Duration::from_secs(60);

/// Repairs what lost webhooks, crashes and people left behind.
#[derive(Debug)]
pub struct Reconcile {
    records: Records,
    clock: Clock,
    github: Client,
    cloudformation: aws_sdk_cloudformation::Client,
    step_functions: aws_sdk_sfn::Client,
    state_machine: String,
    packages: Packages,
    project: Project,
}

/// What GitHub says, as far as there was time to ask.
#[derive(Debug, Default)]
struct Pulls {
    open: Vec<Wanted>,
    closed: Vec<Wanted>,
    /// Whether something is left for the next run.
    more: bool,
}

impl Function for Reconcile {
    type Contract = contract::Reconcile;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        let variable = |variable| environment.variable(variable);
        let aws = environment.aws();
        let project = environment.project(contract::Reconcile::PROJECT)?;
        let credentials = Secret::new(aws, variable(contract::Reconcile::GITHUB_CREDENTIALS)?);
        Ok(Self {
            records: Records::new(aws, variable(contract::Reconcile::TABLE)?).by(environment.clock()),
            clock: environment.clock(),
            github: Client::new(&project.github_api, credentials)?,
            cloudformation: aws_sdk_cloudformation::Client::new(aws),
            step_functions: aws_sdk_sfn::Client::new(aws),
            state_machine: variable(contract::Reconcile::STATE_MACHINE)?,
            packages: Packages {
                objects: aws_sdk_s3::Client::new(aws),
                stacks: aws_sdk_cloudformation::Client::new(aws),
                bucket: variable(contract::Reconcile::BUCKET)?,
            },
            project,
        })
    }

    async fn call(&self, request: ReconcileRequest, invocation: &Invocation) -> Result<Reconciled, FailureOf<Self>> {
        let AllRecords { records, shared, more } = self.records.scan(&self.project.repository).await?;
        let stacks = self.stacks().await?;
        let pulls = self.pulls(&records, &shared, &stacks, invocation).await?;
        let plan = plan(self.seen(&pulls, &records, &shared, &stacks));
        let numbers = records.iter().map(|record| record.number);
        let listed = pulls
            .open
            .iter()
            .chain(&pulls.closed)
            .map(|wanted| wanted.change.number);
        let compared: BTreeSet<u32> = numbers.chain(listed).chain(stacks.iter().copied()).collect();
        let most = repairs_a_run(&self.project.limits);
        let tried = if request.dry_run {
            plan.repairs.len().min(most)
        } else {
            let tried = self.carry_out(&plan, most).await?;
            self.prune().await;
            tried
        };
        Ok(Reconciled {
            compared: u32::try_from(compared.len()).unwrap_or(u32::MAX),
            started: plan.repairs.iter().take(tried).map(line).collect(),
            more: tried < plan.repairs.len() || pulls.more || more,
        })
    }
}

impl Reconcile {
    fn seen<'a>(
        &self,
        pulls: &'a Pulls,
        records: &'a [Record],
        shared: &'a Shared,
        stacks: &'a BTreeSet<u32>,
    ) -> plan::Seen<'a> {
        plan::Seen {
            open: &pulls.open,
            closed: &pulls.closed,
            records,
            shared,
            stacks,
            places: self.project.limits.environments,
            now: self.clock.now(),
            bound: bound_minutes(&self.project.limits) * 60,
        }
    }

    /// The pull requests of which a stack exists.
    async fn stacks(&self) -> Result<BTreeSet<u32>, FailureOf<Self>> {
        let stacks = clients::cloudformation::standing(&self.cloudformation).await;
        let stacks = stacks.map_err(|error| unavailable(DisplayErrorContext(&error)))?;
        let names = stacks.iter().filter_map(StackSummary::stack_name);
        Ok(names.filter_map(|name| pull_request_of(name, &self.project)).collect())
    }

    /// The open pull requests, those that were closed lately, and those that there is a question about.
    async fn pulls(
        &self,
        records: &[Record],
        shared: &Shared,
        stacks: &BTreeSet<u32>,
        invocation: &Invocation,
    ) -> Result<Pulls, FailureOf<Self>> {
        let repository = &self.project.repository;
        let listed = self.github.open_pull_requests(repository, invocation).await?;
        let open: BTreeSet<u32> = listed.iter().map(|pull| pull.number).collect();
        let mut pulls = Pulls::default();
        for pull in listed {
            let record = records.iter().find(|record| record.number == pull.number);
            match self.wanted(pull, record, invocation).await {
                Some(wanted) => pulls.open.push(wanted),
                None => pulls.more = true,
            }
        }
        let closed = self
            .github
            .recently_closed_pull_requests(repository, invocation)
            .await?;
        let known: BTreeSet<u32> = closed.iter().map(|pull| pull.number).collect();
        let asked = questions(&open, self.seen(&Pulls::default(), records, shared, stacks));
        let mut looked_up = closed;
        for number in asked.into_iter().filter(|number| !known.contains(number)) {
            if invocation.remaining() < RESERVED {
                pulls.more = true;
                break;
            }
            match self.github.pull_request(repository, number, invocation).await {
                Ok(pull) => looked_up.push(pull),
                Err(error @ Error::Missing { .. }) => {
                    tracing::warn!(number, %error, "a record or a stack is of no pull request");
                }
                Err(error) => return Err(error.into()),
            }
        }
        // One that was opened again since the list was made is left for the next run.
        let closed = looked_up.into_iter().filter(|pull| !open.contains(&pull.number));
        for pull in closed
            .map(described)
            .filter(|pull| pull.state == PullRequestState::Closed)
        {
            let asks = needs_files(&pull, &self.project) && unknown(&pull, records);
            match self.decide(&pull, false, asks, invocation).await {
                Some(wanted) => pulls.closed.push(wanted),
                None => pulls.more = true,
            }
        }
        Ok(pulls)
    }

    /// What is wanted of an open pull request; nothing if that could not be learned now.
    async fn wanted(
        &self,
        pull: crate::github::PullRequest,
        record: Option<&Record>,
        invocation: &Invocation,
    ) -> Option<Wanted> {
        let fork = pull
            .head_repository
            .as_ref()
            .is_none_or(|head| !head.eq_ignore_ascii_case(&self.project.repository));
        let pull = described(pull);
        let known = record.is_some_and(|record| record.wanted && record.sha == pull.head.sha);
        let approved = if fork && !known {
            let number = pull.check().ok()?;
            let asked =
                self.in_time(invocation)?
                    .approved_by(&self.project.repository, number, &pull.head.sha, invocation);
            told(asked.await, number)?.is_some()
        } else {
            known
        };
        let asks = needs_files(&pull, &self.project);
        self.decide(&pull, approved, asks, invocation).await
    }

    async fn decide(&self, pull: &PullRequest, approved: bool, asks: bool, invocation: &Invocation) -> Option<Wanted> {
        let number = told(pull.check(), pull.number)?;
        let changed = if asks {
            let asked = self
                .in_time(invocation)?
                .changed_files(&self.project.repository, number, invocation);
            Some(told(asked.await, number)?)
        } else {
            None
        };
        let files = changed
            .as_ref()
            .filter(|changed| changed.complete)
            .map(|changed| changed.paths.as_slice());
        told(wanted(pull, &self.project, Seen { approved, files }), number)
    }

    /// GitHub, if there is time to ask it one thing more.
    fn in_time(&self, invocation: &Invocation) -> Option<&Client> {
        (invocation.remaining() > RESERVED).then_some(&self.github)
    }

    /// Starts up to `most` repairs, and says how many were seen to. One that was started within this hour and has claimed nothing yet
    /// takes no other's turn.
    async fn carry_out(&self, plan: &Plan, most: usize) -> Result<usize, FailureOf<Self>> {
        metrics::count(metric::STUCK_PULL_REQUESTS, plan.stuck);
        if let Some(left) = self.github.token_lasts() {
            metrics::count(metric::CREDENTIAL_DAYS_LEFT, days(left));
        }
        let repository = &self.project.repository;
        for environment in &plan.release {
            tracing::warn!(environment, "nobody holds the place");
            self.records.release(repository, environment).await?;
        }
        for environment in &plan.hold {
            tracing::warn!(environment, "it had no place");
            self.records.hold(repository, environment, u32::MAX).await?;
        }
        let (mut tried, mut begun) = (0, 0);
        for repair in &plan.repairs {
            if begun == most {
                break;
            }
            tried += 1;
            begun += usize::from(self.start(repair).await?);
        }
        Ok(tried)
    }

    /// Removes packages that nothing needs. It can wait: what goes wrong is told and tried again by the next run.
    async fn prune(&self) {
        let now = UNIX_EPOCH + Duration::from_secs(self.clock.now());
        match self.packages.prune(&self.project, now).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed packages that are not deployed any more"),
            Err(problem) => tracing::warn!(problem, "packages are left to the next run"),
        }
    }

    /// Starts an execution; says whether it had not been started before.
    async fn start(&self, repair: &Repair) -> Result<bool, FailureOf<Self>> {
        let name = execution_name(repair, self.clock.now());
        let mut repair = repair.clone();
        repair.change.delivery.clone_from(&name);
        let number = repair.change.number;
        let trigger = Trigger {
            webhook: None,
            repair: Some(repair),
        };
        let started = self
            .step_functions
            .start_execution()
            .state_machine_arn(&self.state_machine)
            .name(&name)
            .input(serde_json::to_string(&trigger).map_err(unavailable)?)
            .send()
            .await;
        match started {
            Ok(_) => {
                tracing::info!(number, name, "started");
                Ok(true)
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), StartExecutionError::ExecutionAlreadyExists(_)) =>
            {
                tracing::info!(number, name, "started before");
                Ok(false)
            }
            Err(error) => Err(unavailable(DisplayErrorContext(&error))),
        }
    }
}

/// Whether the record of a closed pull request leaves open what its merge changed.
fn unknown(pull: &PullRequest, records: &[Record]) -> bool {
    let merge = pull.merge_commit_sha.as_ref();
    !records
        .iter()
        .any(|record| u64::from(record.number) == pull.number && !record.open && Some(&record.sha) == merge)
}

/// What was learned of a pull request, or a word in the log that it was not.
fn told<T, E: std::fmt::Display>(learned: Result<T, E>, number: impl Into<u64>) -> Option<T> {
    learned
        .inspect_err(|error| tracing::warn!(number = number.into(), %error, "left for the next run"))
        .ok()
}

/// Whole days of a time.
fn days(time: Duration) -> u32 {
    u32::try_from(time.as_secs() / 86_400).unwrap_or(u32::MAX)
}

/// One line for people.
fn line(repair: &Repair) -> String {
    format!("#{}: {}", repair.change.number, repair.reason)
}

fn described(pull: crate::github::PullRequest) -> PullRequest {
    let repository = |full_name| Repository { full_name };
    PullRequest {
        number: pull.number.into(),
        state: match pull.state {
            crate::github::State::Open => PullRequestState::Open,
            crate::github::State::Closed => PullRequestState::Closed,
        },
        draft: Some(pull.draft),
        updated_at: pull.updated_at,
        merged_at: pull.merged_at,
        merge_commit_sha: pull.merge_commit_sha,
        head: Head {
            sha: pull.head_sha,
            repo: pull.head_repository.map(repository),
        },
        base: Branch {
            name: pull.base_branch,
            repo: repository(String::new()),
        },
        labels: pull.labels.into_iter().map(|name| Label { name }).collect(),
    }
}

fn unavailable(error: impl std::fmt::Display) -> Failure<ReconcileError> {
    Failure::new(ReconcileError::Unavailable, error)
}

impl From<RecordsError> for Failure<ReconcileError> {
    fn from(error: RecordsError) -> Self {
        unavailable(error)
    }
}

impl From<Error> for Failure<ReconcileError> {
    fn from(error: Error) -> Self {
        unavailable(error)
    }
}
