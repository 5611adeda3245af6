//! The fault matrix: whatever goes wrong at whichever state, the commit gets a final status, there is one environment, nothing is
//! left after the close, and no secret is in anything that was recorded.
//!
//! Every case runs the whole system in virtual time: the state machine as it is emitted, the handlers themselves, pipelines and
//! stacks in an account of their own, and a GitHub. `MATRIX=fetch cargo test -p testing --test matrix` runs the cases whose names
//! contain `fetch`, and tells what happened in each.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

mod account;
mod builds;
mod burst;
mod case;
mod cases;
mod clock;
mod fault;
mod functions;
mod inject;
mod promises;
mod replay;
mod repository;
mod timeline;
mod twins;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::thread;

use account::Account;
use case::{Case, Verdict};

/// The variable that chooses cases by a part of their name.
const FILTER: &str = "MATRIX";
/// How many cases run side by side: each waits now and then for CloudFormation.
const THREADS: usize = 3;

#[test]
fn whatever_goes_wrong_wherever_it_ends_as_promised() {
    let filter = std::env::var(FILTER).ok();
    let mut cases = cases::all();
    if let Some(part) = &filter {
        cases.retain(|case| case.full_name().contains(part.as_str()));
    }
    let size = cases.len();
    let Some(verdicts) = run_all(cases) else { return };
    assert_eq!(verdicts.len(), size);
    let wrong: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.wrong.is_empty()).collect();
    let mut names: Vec<String> = verdicts.iter().map(|verdict| verdict.case.full_name()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), size, "each case has a name of its own");
    for verdict in verdicts
        .iter()
        .filter(|verdict| filter.is_some() || !verdict.wrong.is_empty())
    {
        println!("== {} {:?}", verdict.case.full_name(), verdict.took);
        println!("{}", verdict.trail.join("\n"));
        println!("{:#?}", verdict.wrong);
    }
    say(&table(&verdicts));
    let names: Vec<String> = wrong.iter().map(|verdict| verdict.case.full_name()).collect();
    assert!(
        wrong.is_empty(),
        "{} of {size} cases ended wrong; {FILTER}=NAME runs one alone:\n{}",
        wrong.len(),
        names.join("\n")
    );
}

/// Runs all cases, several side by side. None without the tools.
fn run_all(cases: Vec<Case>) -> Option<Vec<Verdict>> {
    let machine = Account::machine();
    let queue = Mutex::new(cases.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let (mut verdicts, mut account) = (Vec::new(), None);
        while let Some(case) = next() {
            verdicts.push(case.run(&machine, &mut account)?);
        }
        Some(verdicts)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let all = workers
            .into_iter()
            .map(|worker| worker.join().expect("a case's panics are its own"));
        all.collect::<Option<Vec<_>>>()
            .map(|all| all.into_iter().flatten().collect())
    })
}

/// How many cases of each kind there are, and how many of them ended wrong.
fn table(verdicts: &[Verdict]) -> String {
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for verdict in verdicts {
        let kind = kinds.entry(verdict.case.fault.kind()).or_default();
        kind.0 += 1;
        kind.1 += usize::from(!verdict.wrong.is_empty());
    }
    let mut text = format!("\n{:<45}{:>8}{:>8}\n", "fault", "cases", "wrong");
    for (kind, (cases, wrong)) in &kinds {
        let _ = writeln!(text, "{kind:<45}{cases:>8}{wrong:>8}");
    }
    let wrong: usize = kinds.values().map(|(_, wrong)| wrong).sum();
    let _ = write!(text, "fault matrix: {} cases, {wrong} ended wrong", verdicts.len());
    text
}

/// Past the capture of the test harness: a passing test shows nothing.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
