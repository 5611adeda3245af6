//! The rules of a claim and of the reconciler, one by one. That together they converge is `convergence`'s to prove.

mod claim;
mod plan;

use contract::{Change, Decision, Outcome, Step, Verified};
use runtime::record::{Attempt, Record, ReportRow, Transition, row_key, transition};

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";
const BOUND: u64 = 3_600;

fn change(sha: &str, second: u32) -> Change {
    Change {
        repository: "owner/name".to_owned(),
        number: 17,
        sha: sha.to_owned(),
        head_repository: "owner/name".to_owned(),
        open: true,
        trusted: true,
        labelled: true,
        updated_at: format!("2026-01-31T12:00:{second:02}Z"),
        merged_at: None,
        before: None,
        reopened: false,
        compared: None,
        delivery: "guid".to_owned(),
    }
}

fn verified(decision: Decision, change: Change) -> Verified {
    Verified {
        decision,
        reason: "it was so".to_owned(),
        change: Some(change),
    }
}

fn deploy(sha: &str, second: u32) -> Verified {
    verified(Decision::Deploy, change(sha, second))
}

fn closed(second: u32) -> Verified {
    let closed = Change {
        open: false,
        ..change(ONE, second)
    };
    verified(Decision::TearDown, closed)
}

fn attempt(execution: &str) -> Attempt<'_> {
    Attempt {
        execution,
        now: 1_000,
        bound: BOUND,
    }
}

/// What an event makes of a record, with a place for an environment.
fn raise(record: Option<&Record>, verified: &Verified, execution: &str) -> Record {
    match transition(record, verified, attempt(execution)) {
        Transition::Raise(record) => Record {
            environment: record.environment || record.wanted,
            ..*record
        },
        other => panic!("it is claimed: {other:?}"),
    }
}

fn loses(record: &Record, verified: &Verified) -> bool {
    matches!(transition(Some(record), verified, attempt("late")), Transition::Lose(_))
}

fn reported(mut record: Record, step: Step, outcome: Outcome) -> Record {
    let row = ReportRow {
        outcome,
        summary: String::new(),
        url: None,
        sha: record.sha.clone(),
        generation: record.generation,
        updated: 1_000,
    };
    record.memory.rows.insert(row_key("pr-17", step).to_owned(), row);
    record
}
