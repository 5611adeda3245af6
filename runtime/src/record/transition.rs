//! How a claim changes a record.
//!
//! - Of two webhooks the one with the later `updated_at` wins. Within the same second, all that GitHub resolves: reopening wins over
//!   closing, closing over the rest, a push over the head that it replaced; what is left is decided by the contents, so that the
//!   order of arrival never matters and a replay never turns anything back.
//! - A repair wins if the record is still the one that the reconciler compared: it has seen GitHub itself. After it, webhooks of the
//!   same second are no news.
//! - The same again starts nothing, unless its execution has died or failed by the pipeline's own fault. An execution that asks
//!   twice gets the same answer.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use contract::{Change, Claimed, Decision, Run, Target, Verified};

use super::{Record, STAGE, Stage, Standing};

/// How many pipeline executions of earlier generations are remembered; the newest are kept.
const EARLIER_RUNS: usize = 10;

/// Who claims, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The execution's ARN.
    pub execution: &'a str,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// How long an execution may take, in seconds.
    pub bound: u64,
}

/// What a claim does to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Nothing, for this reason.
    Lose(String),
    /// What is wanted stays, and only the time of the last event is new: write, and ignore the event for this reason.
    Note(Box<Record>, String),
    /// The execution has claimed it already: answer as before.
    Again(Box<Record>),
    /// A new generation: write, and answer. Where it wants an environment and has none, a place for it is to be found first.
    Raise(Box<Record>),
}

/// What a promotion does to `stage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageClaim {
    /// A later merge, which contains this one, has `stage` already.
    Later,
    /// The execution has claimed it already.
    Again,
    /// A new generation: write.
    Raise(Stage),
}

/// How an event stands to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Newer,
    Same,
    Older,
}

/// What a claim of this change does to the record of its pull request.
pub fn transition(record: Option<&Record>, verified: &Verified, attempt: Attempt<'_>) -> Transition {
    let Some(change) = verified
        .change
        .as_ref()
        .filter(|_| verified.decision != Decision::Ignore)
    else {
        return Transition::Lose(verified.reason.clone());
    };
    let Some(record) = record else {
        return match change.compared {
            None | Some(0) => Transition::Raise(Box::new(raised(None, verified, change, attempt))),
            Some(_) => Transition::Lose("the record is gone since the reconciler looked".to_owned()),
        };
    };
    if record.execution == attempt.execution {
        return Transition::Again(Box::new(record.clone()));
    }
    if let Some(compared) = change.compared {
        return if compared == record.generation {
            Transition::Raise(Box::new(raised(Some(record), verified, change, attempt)))
        } else {
            Transition::Lose("the pull request was claimed since the reconciler looked".to_owned())
        };
    }
    let next = raised(Some(record), verified, change, attempt);
    match order(record, &next) {
        Order::Older => Transition::Lose("the event is older than what is known of the pull request".to_owned()),
        Order::Newer if !same(record, &next) => Transition::Raise(Box::new(next)),
        Order::Newer | Order::Same => again(record, next, attempt),
    }
}

/// The same is wanted as before.
fn again(record: &Record, next: Record, attempt: Attempt<'_>) -> Transition {
    match record.standing(attempt.now, attempt.bound) {
        Standing::Dead | Standing::Failed => Transition::Raise(Box::new(next)),
        standing => {
            let reason = match standing {
                Standing::Done => "this was done already",
                _ => "another execution is at it",
            };
            if next.updated_at == record.updated_at {
                return Transition::Lose(reason.to_owned());
            }
            let mut noted = record.clone();
            noted.revision += 1;
            noted.updated_at = next.updated_at;
            noted.confirmed = false;
            noted.reopened = next.reopened;
            noted.before = next.before;
            Transition::Note(Box::new(noted), reason.to_owned())
        }
    }
}

/// Whether two records want the same of the pull request.
fn same(one: &Record, other: &Record) -> bool {
    let same = one.decision == other.decision && one.open == other.open;
    same && match one.decision {
        Decision::Deploy => one.sha == other.sha && one.wanted == other.wanted,
        Decision::Promote => one.sha == other.sha,
        Decision::TearDown | Decision::Ignore => true,
    }
}

/// How a webhook's record stands to the one that is known. Among webhooks it is a total order but for a push to and fro within
/// one second.
fn order(record: &Record, next: &Record) -> Order {
    match next.updated_at.cmp(&record.updated_at) {
        Ordering::Greater => return Order::Newer,
        Ordering::Less => return Order::Older,
        Ordering::Equal if same(record, next) => return Order::Same,
        Ordering::Equal if record.confirmed => return Order::Older,
        Ordering::Equal => {}
    }
    let rank = |record: &Record| match (record.reopened, record.open) {
        (true, _) => 2,
        (false, false) => 1,
        (false, true) => 0,
    };
    let by_push = || {
        if next.before.as_ref() == Some(&record.sha) {
            Ordering::Greater
        } else if record.before.as_ref() == Some(&next.sha) {
            Ordering::Less
        } else {
            Ordering::Equal
        }
    };
    // What does less wins: it costs nothing, and what it leaves undone the reconciler finds.
    let contents = |record: &Record| {
        (
            record.decision == Decision::TearDown,
            !record.wanted,
            record.sha.clone(),
        )
    };
    let ordering = rank(next)
        .cmp(&rank(record))
        .then_with(by_push)
        .then_with(|| contents(next).cmp(&contents(record)));
    match ordering {
        Ordering::Greater => Order::Newer,
        Ordering::Equal => Order::Same,
        Ordering::Less => Order::Older,
    }
}

/// The record of the next generation.
fn raised(record: Option<&Record>, verified: &Verified, change: &Change, attempt: Attempt<'_>) -> Record {
    let repair = change.compared.is_some();
    let environment = record.is_some_and(|record| record.environment);
    // Without the label there is no environment; one that is there goes before the commit is tested.
    let unlabelled = verified.decision == Decision::Deploy && !change.labelled && environment;
    let decision = if unlabelled {
        Decision::TearDown
    } else {
        verified.decision
    };
    let generation = record.map_or(0, |record| record.generation) + 1;
    // A repair has seen something that is to go; what is pending is to be given its end; and of what was only tested the source is there.
    let over = |record: &Record| record.finished == Some(record.generation) && !record.is_pending();
    let nothing_there = decision == Decision::TearDown && !environment && !repair && record.is_none_or(over);
    let known = record.map(|record| record.updated_at.clone()).unwrap_or_default();
    let next = Record {
        repository: change.repository.clone(),
        number: change.number,
        revision: record.map_or(0, |record| record.revision) + 1,
        generation,
        decision,
        reason: verified.reason.clone(),
        sha: change.sha.clone(),
        open: change.open,
        wanted: decision == Decision::Deploy && change.trusted && change.labelled,
        // A repair may have been looked up before the last event that was heard.
        updated_at: if repair {
            known.max(change.updated_at.clone())
        } else {
            change.updated_at.clone()
        },
        merged_at: change.merged_at.clone(),
        confirmed: repair,
        reopened: change.reopened,
        before: change.before.clone(),
        environment,
        deployed: record.and_then(|record| record.deployed.clone()),
        promoted: record.and_then(|record| record.promoted.clone()),
        tested: record.and_then(|record| record.tested().map(str::to_owned)),
        execution: attempt.execution.to_owned(),
        claimed_at: attempt.now,
        attempts: 1,
        runs: BTreeMap::new(),
        earlier_runs: record.map_or_else(Vec::new, |record| earlier(&record.earlier_runs, &record.runs)),
        memory: record.map(|record| record.memory.clone()).unwrap_or_default(),
        reported_at: record.map_or(0, |record| record.reported_at),
        finished: nothing_there.then_some(generation),
        receipt: record.and_then(|record| record.receipt.clone()),
    };
    match record {
        Some(record) if same(record, &next) => Record {
            attempts: record.attempts.saturating_add(1),
            ..next
        },
        _ => next,
    }
}

/// The record whose commit could have an environment, but there is none to be had.
pub fn full_house(record: Record, places: u32) -> Record {
    Record {
        reason: format!(
            "The commit is tested only: all {places} environments that the project allows are in use. It is deployed once one is free."
        ),
        ..record
    }
}

/// What the promotion that the record wants does to `stage`: merges are ordered by their time, and within a second by number.
pub fn claim_stage(stage: &Stage, record: &Record) -> StageClaim {
    let merged_at = record.merged_at.clone().unwrap_or_default();
    if stage.execution == record.execution && stage.number == record.number {
        return StageClaim::Again;
    }
    if (&merged_at, record.number) < (&stage.merged_at, stage.number) {
        return StageClaim::Later;
    }
    StageClaim::Raise(Stage {
        generation: stage.generation + 1,
        number: record.number,
        sha: record.sha.clone(),
        merged_at,
        execution: record.execution.clone(),
        runs: BTreeMap::new(),
        earlier_runs: earlier(&stage.earlier_runs, &stage.runs),
    })
}

/// What a claimed record says to the state machine; `stage` is given where the record's promotion has claimed it.
pub fn answer(record: &Record, stage: Option<&Stage>) -> Claimed {
    let target = |environment: String, generation| Target {
        repository: record.repository.clone(),
        number: record.number,
        sha: record.sha.clone(),
        environment,
        generation,
    };
    let finished = record.finished == Some(record.generation);
    let (decision, reason) = match record.decision {
        Decision::TearDown if finished => (
            Decision::Ignore,
            format!("{}, and there is nothing to tear down", record.reason),
        ),
        Decision::Promote if stage.is_none() => (
            Decision::TearDown,
            "a later merge, which contains this one, is deployed to stage".to_owned(),
        ),
        decision => (decision, record.reason.clone()),
    };
    let stage_runs = stage.map(|stage| stage.earlier_runs.clone()).unwrap_or_default();
    Claimed {
        decision,
        reason,
        target: target(format!("pr-{}", record.number), record.generation),
        stage: target(STAGE.to_owned(), stage.map_or(0, |stage| stage.generation)),
        deployable: record.deployable(),
        superseded: record.earlier_runs.iter().cloned().chain(stage_runs).collect(),
    }
}

/// Moves the executions of a generation to those of earlier ones.
fn earlier(earlier: &[Run], runs: &BTreeMap<String, String>) -> Vec<Run> {
    let moved = runs.iter().map(|(pipeline, execution_id)| Run {
        pipeline: pipeline.clone(),
        execution_id: execution_id.clone(),
    });
    let all: Vec<Run> = earlier.iter().cloned().chain(moved).collect();
    all[all.len().saturating_sub(EARLIER_RUNS)..].to_vec()
}
