//! What the pipeline remembers of a pull request, and how a claim changes it.
//!
//! - [`Record`] is the item of one pull request, [`Shared`] the one that all pull requests of a repository share: which claim
//!   `stage` belongs to, and who holds an environment.
//! - [`Memory`](ReportMemory) is what `report` needs to find its own comment and deployments again.
//!
//! Nothing here asks anybody: `records` reads and writes the table, and the clock is passed in, in seconds since 1970.

pub mod plan;
mod standing;
mod transition;

use std::collections::BTreeMap;

use contract::{Decision, Outcome, Run, Step};
use serde::{Deserialize, Serialize};

pub use standing::Standing;
pub use transition::{Attempt, StageClaim, Transition, answer, claim_stage, full_house, transition};

/// What is known of one pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The base repository, `owner/name`: the table's hash key.
    pub repository: String,
    /// The pull request's number: the table's range key.
    pub number: u32,
    /// Counts the writes of every kind: the condition of a claim, so that no other write is lost.
    pub revision: u64,
    /// Counts the claims, from 1. An execution works for one of them.
    pub generation: u64,
    /// What is wanted of the pull request; never [`Decision::Ignore`].
    pub decision: Decision,
    /// Why, in a sentence for people.
    pub reason: String,
    /// The commit that the decision is about.
    pub sha: String,
    /// Whether the pull request was open when it was claimed.
    pub open: bool,
    /// Whether the commit may have an environment: trusted, and labelled where a label is needed.
    pub wanted: bool,
    /// GitHub's `updated_at` of what was claimed.
    pub updated_at: String,
    /// GitHub's `merged_at` of a pull request that is to be promoted.
    #[serde(default)]
    pub merged_at: Option<String>,
    /// Whether GitHub itself was asked, and not only a webhook heard: then a webhook of the same second is no news.
    #[serde(default)]
    pub confirmed: bool,
    /// Whether the claimed event was the pull request's reopening.
    #[serde(default)]
    pub reopened: bool,
    /// The head that the claimed push replaced.
    #[serde(default)]
    pub before: Option<String>,
    /// Whether the pull request holds one of the environments that the project allows, since its first claim of one until the
    /// teardown is done.
    #[serde(default)]
    pub environment: bool,
    /// The commit that its environment runs; absent where nothing was deployed.
    #[serde(default)]
    pub deployed: Option<String>,
    /// The merge commit that was deployed to `stage`.
    #[serde(default)]
    pub promoted: Option<String>,
    /// The last commit whose unit tests ended, well or not.
    #[serde(default)]
    pub tested: Option<String>,
    /// The ARN of the execution that the current generation belongs to.
    pub execution: String,
    /// When the current generation was claimed, in seconds since 1970.
    pub claimed_at: u64,
    /// How often in a row the same was claimed without coming to an end; from 1.
    pub attempts: u32,
    /// The executions of the current generation, by pipeline.
    #[serde(default)]
    pub runs: BTreeMap<String, String>,
    /// Executions of earlier generations, which may still run.
    #[serde(default)]
    pub earlier_runs: Vec<Run>,
    /// What `report` remembers.
    #[serde(default)]
    pub memory: ReportMemory,
    /// When `report` last wrote, in seconds since 1970.
    #[serde(default)]
    pub reported_at: u64,
    /// The generation whose teardown came to its end.
    #[serde(default)]
    pub finished: Option<u64>,
    /// What the last teardown left: its receipt.
    #[serde(default)]
    pub receipt: Option<String>,
}

/// What `report` remembers of a pull request, so that it updates what it has made instead of making more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportMemory {
    /// The one comment's id.
    pub comment_id: Option<u64>,
    /// The one comment's page.
    pub comment_url: String,
    /// GitHub's deployment ids by environment, `pr-17` or `stage`.
    pub deployments: BTreeMap<String, u64>,
    /// The ids of an environment's earlier deployments, which GitHub still shows as active, by environment.
    pub earlier_deployments: BTreeMap<String, Vec<u64>>,
    /// What the application's stack said when it was deployed last, by environment: its outputs by name.
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether GitHub has not taken all of the last report.
    pub unfinished: bool,
    /// The comment's rows, by [`row_key`].
    pub rows: BTreeMap<String, ReportRow>,
}

/// One row of the comment: how a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    /// How it stands.
    pub outcome: Outcome,
    /// One line for people.
    pub summary: String,
    /// The page with the details.
    #[serde(default)]
    pub url: Option<String>,
    /// The commit.
    pub sha: String,
    /// The target's generation: a row of an earlier one says nothing of the current.
    pub generation: u64,
    /// When it was reported, in seconds since 1970.
    pub updated: u64,
}

/// What the pull requests of a repository share: the item with the number 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The repository, `owner/name`: the table's hash key.
    pub repository: String,
    /// 0: the table's range key.
    pub number: u32,
    /// Who holds an environment, `pr-17`, and since when in seconds since 1970.
    #[serde(default)]
    pub environments: BTreeMap<String, u64>,
    /// Which claim the environment `stage` belongs to.
    #[serde(default)]
    pub stage: Stage,
}

/// Which claim the environment `stage` belongs to: promotions are ordered among all pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// Counts the promotions, from 1; 0 before the first.
    pub generation: u64,
    /// The merged pull request.
    pub number: u32,
    /// The merge commit.
    pub sha: String,
    /// GitHub's `merged_at`: an earlier merge never takes the place of a later one, which contains it.
    pub merged_at: String,
    /// The ARN of the execution that promotes.
    pub execution: String,
    /// The executions of the current generation, by pipeline.
    pub runs: BTreeMap<String, String>,
    /// Executions of earlier generations, which may still run.
    pub earlier_runs: Vec<Run>,
}

/// The key of a step's row: `unit_test`, `deploy`, `teardown`, and `stage` for the deployment of that environment.
pub fn row_key(environment: &str, step: Step) -> &'static str {
    match step {
        Step::Deploy if environment == STAGE => STAGE,
        Step::UnitTest => "unit_test",
        Step::Deploy => "deploy",
        Step::Teardown => "teardown",
    }
}

/// The name of the environment that merges are deployed to.
pub const STAGE: &str = "stage";

impl Shared {
    /// What the pull requests of a repository share before the first claim.
    pub fn of(repository: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            ..Self::default()
        }
    }
}
