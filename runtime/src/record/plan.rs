//! What the reconciler starts: the difference between GitHub, the records and the stacks, each with what mends it.
//!
//! | found | mended by |
//! |---|---|
//! | an open pull request that nothing was claimed of, or another commit, or with other filters | what is wanted of it |
//! | an approval of a fork's head commit | its deployment |
//! | a free place for a pull request that waits for one | its deployment |
//! | a closed pull request that is known as open, or whose stacks are there | its promotion or teardown |
//! | a merge that never reached `stage`, unless a later one did | its promotion |
//! | a promotion that a later one superseded on `stage` | the teardown of its pull request's environment |
//! | work that died, or failed by the pipeline's own fault | the same again, each time after a longer wait |
//! | a place that nobody holds, an environment without a place | the list of places |
//!
//! The records are read before GitHub is asked, so that a difference is news and not the other way round. Nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Change, Decision, Repair};
use stacks::{Environment, Project, names::Names};

use super::{Record, Shared, Stage, Standing};
use crate::webhook::Wanted;

/// How often a deployment that failed by the pipeline's own fault is tried in all.
const MOST_DEPLOYMENTS: u32 = 4;
/// How long a first retry waits, in seconds; each further one twice as long.
const FIRST_WAIT: u64 = 1_800;
/// The longest wait before a retry, in seconds.
const LONGEST_WAIT: u64 = 86_400;
/// How long a record may be ahead of what GitHub's API shows, in seconds.
const LAG: u64 = 600;
/// How long a place may be held without a record that says so, in seconds: a claim may be between the two.
const CLAIMING: u64 = 3_600;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What is wanted of the open pull requests, as GitHub lists them.
    pub open: &'a [Wanted],
    /// What is wanted of closed ones that were looked up.
    pub closed: &'a [Wanted],
    /// All records.
    pub records: &'a [Record],
    /// What they share.
    pub shared: &'a Shared,
    /// The pull requests of which a stack exists.
    pub stacks: &'a BTreeSet<u32>,
    /// How many environments the project allows.
    pub places: u32,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// How long an execution may take, in seconds.
    pub bound: u64,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The executions to start, the oldest change first; a run may not start them all.
    pub repairs: Vec<Repair>,
    /// The environments that have a place without holding it.
    pub release: Vec<String>,
    /// The environments that hold a place without having it.
    pub hold: Vec<String>,
    /// How many pull requests have been pending for longer than the bound.
    pub stuck: u32,
}

/// The closed pull requests to look up: those that a record or a stack says there is something to do about.
pub fn questions(open: &BTreeSet<u32>, seen: Seen<'_>) -> Vec<u32> {
    let records = seen.records.iter();
    let unsettled = records.filter(|record| record.open || record.standing(seen.now, seen.bound) != Standing::Done);
    let asked: BTreeSet<u32> = unsettled
        .map(|record| record.number)
        .chain(seen.stacks.iter().copied())
        .filter(|number| !open.contains(number))
        .collect();
    asked.into_iter().collect()
}

/// Compares, and says what is to be done.
pub fn plan(seen: Seen<'_>) -> Plan {
    let records: BTreeMap<u32, &Record> = seen.records.iter().map(|record| (record.number, record)).collect();
    let mut planner = Planner {
        seen,
        records,
        free: (seen.places as usize).saturating_sub(seen.shared.environments.len()),
        plan: Plan::default(),
    };
    let mut open: Vec<&Wanted> = seen.open.iter().collect();
    // The oldest gets the free place.
    open.sort_by(|one, other| age(&one.change).cmp(&age(&other.change)));
    for wanted in open {
        planner.open(wanted);
    }
    let latest = latest_unknown_merge(seen, &planner.records);
    for wanted in seen.closed {
        planner.closed(wanted, latest);
    }
    planner.count_stuck();
    planner.places();
    let mut plan = planner.plan;
    plan.repairs
        .sort_by(|one, other| age(&one.change).cmp(&age(&other.change)));
    plan
}

/// The pull request of a stack of this project: 17 of `thebestest-pr-17-app` and `thebestest-deploy-pr-17`.
pub fn pull_request_of(stack: &str, project: &Project) -> Option<u32> {
    match Names::of(project).environment_of(stack)? {
        Environment::PullRequest(number) => Some(number.number()),
        Environment::Stage => None,
    }
}

/// The name of the execution that carries out a repair: the same for the same difference within an hour, so that two runs of the
/// reconciler start one. What is claimed is decided by the record, never by the name.
pub fn execution_name(repair: &Repair, now: u64) -> String {
    let change = &repair.change;
    let sha = change.sha.get(..12).unwrap_or(&change.sha);
    let compared = change.compared.unwrap_or(0);
    format!("repair-pr-{}-{sha}-g{compared}-{}", change.number, now / 3_600)
}

fn age(change: &Change) -> (&str, u32) {
    (&change.updated_at, change.number)
}

/// Of the merges that no record knows, the only one that `stage` may lack: the latest contains all others.
fn latest_unknown_merge(seen: Seen<'_>, records: &BTreeMap<u32, &Record>) -> Option<u32> {
    seen.closed
        .iter()
        .filter(|wanted| wanted.decision == Decision::Promote)
        .max_by_key(|wanted| (wanted.change.merged_at.clone(), wanted.change.number))
        .map(|wanted| wanted.change.number)
        .filter(|number| !records.contains_key(number))
}

struct Planner<'a> {
    seen: Seen<'a>,
    records: BTreeMap<u32, &'a Record>,
    free: usize,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn open(&mut self, wanted: &Wanted) {
        let change = &wanted.change;
        let stack = self.seen.stacks.contains(&change.number);
        let Some(record) = self.records.get(&change.number).copied() else {
            if wanted.decision == Decision::Deploy || stack {
                self.repair(wanted.decision, wanted, None, "nothing was claimed of it");
            }
            return;
        };
        if self.lags(wanted, record) {
            return;
        }
        let environment = change.trusted && change.labelled;
        let claimed = match wanted.decision {
            Decision::Deploy => {
                let deploys = record.decision == Decision::Deploy && record.wanted == environment;
                // After the teardown of what it may not have any more, the tests of the same commit are not repeated.
                let torn_down = record.decision == Decision::TearDown
                    && !environment
                    && record.finished == Some(record.generation)
                    && record.tested() == Some(&change.sha);
                record.open && (record.sha == change.sha && deploys || torn_down)
            }
            _ => record.decision == Decision::TearDown && record.open || !record.environment && !stack,
        };
        if !claimed {
            self.repair(
                wanted.decision,
                wanted,
                Some(record),
                "something else was claimed of it",
            );
        } else if record.decision == Decision::Deploy && wanted.decision == Decision::Deploy {
            self.deployed(wanted, record, stack);
        } else if record.decision == Decision::TearDown {
            self.torn_down(wanted, record, stack);
        }
    }

    /// A pull request whose deployment is claimed as it should be.
    fn deployed(&mut self, wanted: &Wanted, record: &Record, stack: bool) {
        match record.standing(self.seen.now, self.seen.bound) {
            Standing::AtWork => {}
            Standing::Dead => self.again(wanted.decision, wanted, record),
            Standing::Failed if record.attempts < MOST_DEPLOYMENTS => self.again(wanted.decision, wanted, record),
            Standing::Failed => {}
            Standing::Done if record.wanted && !record.environment && self.free > 0 => {
                self.free -= 1;
                self.repair(wanted.decision, wanted, Some(record), "an environment is free for it");
            }
            // A fork's approved commit was overtaken before it was deployed.
            Standing::Done if !record.wanted && record.environment && !stack => {
                self.repair(
                    Decision::TearDown,
                    wanted,
                    Some(record),
                    "it has a place that it does not use",
                );
            }
            Standing::Done => {}
        }
    }

    /// A pull request whose teardown, or promotion and teardown, is claimed as it should be.
    fn torn_down(&mut self, wanted: &Wanted, record: &Record, stack: bool) {
        match record.standing(self.seen.now, self.seen.bound) {
            Standing::AtWork => {}
            Standing::Dead | Standing::Failed => self.again(wanted.decision, wanted, record),
            Standing::Done if stack && self.due(record) => {
                self.repair(
                    Decision::TearDown,
                    wanted,
                    Some(record),
                    "a stack of its environment is left",
                );
            }
            Standing::Done => {}
        }
    }

    fn closed(&mut self, wanted: &Wanted, latest: Option<u32>) {
        let change = &wanted.change;
        let stack = self.seen.stacks.contains(&change.number);
        let promotes = wanted.decision == Decision::Promote && !contained(change, &self.seen.shared.stage);
        let Some(record) = self.records.get(&change.number).copied() else {
            if promotes && latest == Some(change.number) {
                self.repair(Decision::Promote, wanted, None, "its merge never reached stage");
            } else if stack {
                self.repair(
                    Decision::TearDown,
                    wanted,
                    None,
                    "it is closed, and a stack of its environment is left",
                );
            }
            return;
        };
        if self.lags(wanted, record) {
            return;
        }
        let promoted = record.promoted.as_ref() == Some(&change.sha);
        let decision = if promotes && !promoted {
            Decision::Promote
        } else {
            Decision::TearDown
        };
        let claimed = match record.decision {
            Decision::Promote => decision == Decision::TearDown || record.sha == change.sha,
            Decision::TearDown => decision == Decision::TearDown,
            Decision::Deploy | Decision::Ignore => false,
        };
        if claimed && !record.open {
            let wanted = Wanted {
                decision,
                ..wanted.clone()
            };
            if self.overtaken(decision, record) {
                self.repair(decision, &wanted, Some(record), "a later merge took stage over");
            } else {
                self.torn_down(&wanted, record, stack);
            }
        } else {
            self.repair(decision, wanted, Some(record), "it is closed, and that was not claimed");
        }
    }

    /// Whether GitHub's API may not have caught up with the webhook that made the record.
    fn lags(&self, wanted: &Wanted, record: &Record) -> bool {
        wanted.change.updated_at < record.updated_at && self.seen.now.saturating_sub(record.claimed_at) < LAG
    }

    /// Whether a promotion was superseded on `stage`: its execution ends there, and the pull request's own environment stays.
    fn overtaken(&self, decision: Decision, record: &Record) -> bool {
        decision == Decision::TearDown
            && record.decision == Decision::Promote
            && record.standing(self.seen.now, self.seen.bound) == Standing::AtWork
            && !record.tears_down()
            && self.seen.now.saturating_sub(record.heard_at()) > LAG
    }

    /// The same again, if it is time.
    fn again(&mut self, decision: Decision, wanted: &Wanted, record: &Record) {
        if self.due(record) {
            self.repair(decision, wanted, Some(record), "its last execution died or failed");
        }
    }

    fn due(&self, record: &Record) -> bool {
        let doublings = record.attempts.saturating_sub(1).min(16);
        let wait = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
        self.seen.now.saturating_sub(record.heard_at()) >= wait
    }

    fn repair(&mut self, decision: Decision, wanted: &Wanted, record: Option<&Record>, found: &str) {
        self.plan.repairs.push(Repair {
            decision,
            reason: format!("{} (the reconciler found that {found})", wanted.reason),
            change: Change {
                compared: Some(record.map_or(0, |record| record.generation)),
                ..wanted.change.clone()
            },
        });
    }

    fn count_stuck(&mut self) {
        let dead = |record: &&Record| record.standing(self.seen.now, self.seen.bound) == Standing::Dead;
        self.plan.stuck = u32::try_from(self.seen.records.iter().filter(dead).count()).unwrap_or(u32::MAX);
    }

    fn places(&mut self) {
        let name = |record: &&Record| format!("pr-{}", record.number);
        let holding = self.seen.records.iter().filter(|record| record.environment);
        let holding: BTreeSet<String> = holding.map(|record| name(&record)).collect();
        let held = &self.seen.shared.environments;
        let old = |since: &u64| self.seen.now.saturating_sub(*since) > CLAIMING;
        self.plan.release = held
            .iter()
            .filter(|(environment, since)| !holding.contains(*environment) && old(since))
            .map(|(environment, _)| environment.clone())
            .collect();
        self.plan.hold = holding
            .into_iter()
            .filter(|environment| !held.contains_key(environment))
            .collect();
    }
}

/// Whether `stage` was claimed for a later merge, which contains this one.
fn contained(change: &Change, stage: &Stage) -> bool {
    let merged_at = change.merged_at.as_deref().unwrap_or_default();
    (merged_at, change.number) < (stage.merged_at.as_str(), stage.number)
}
