//! What the reconciler makes of a difference between GitHub, the records and the stacks.

use std::collections::BTreeSet;

use contract::{Change, Decision, Outcome, Repair, Step};
use runtime::record::plan::{self, Plan, execution_name, plan, pull_request_of};
use runtime::record::{Record, Shared};
use runtime::webhook::Wanted;
use stacks::Project;

use crate::{BOUND, ONE, TWO, change, deploy, raise, reported, verified};

fn wanted(decision: Decision, change: Change) -> Wanted {
    Wanted {
        decision,
        reason: "The reason.".to_owned(),
        change,
    }
}

fn planned(open: &[Wanted], closed: &[Wanted], records: &[Record], stacks: &[u32], now: u64) -> Plan {
    plan(plan::Seen {
        open,
        closed,
        records,
        shared: &Shared::of("owner/name"),
        stacks: &BTreeSet::from_iter(stacks.iter().copied()),
        places: 10,
        now,
        bound: BOUND,
    })
}

fn decisions(plan: &Plan) -> Vec<Decision> {
    plan.repairs.iter().map(|repair| repair.decision).collect()
}

#[test]
fn a_lost_webhook_is_repaired() {
    let open = [wanted(Decision::Deploy, change(TWO, 5))];
    let repairs = planned(&open, &[], &[], &[], 2_000).repairs;
    assert_eq!(repairs[0].change.compared, Some(0));
    let record = raise(None, &deploy(ONE, 1), "first");
    let repairs = planned(&open, &[], std::slice::from_ref(&record), &[], 2_000).repairs;
    assert_eq!(
        (repairs[0].change.compared, repairs[0].change.sha.as_str()),
        (Some(1), TWO)
    );
    let gone = Change {
        open: false,
        ..change(ONE, 5)
    };
    let plan = planned(
        &[],
        &[wanted(Decision::TearDown, gone.clone())],
        &[record],
        &[17],
        2_000,
    );
    assert_eq!(decisions(&plan), [Decision::TearDown]);
    let plan = planned(&[], &[wanted(Decision::TearDown, gone)], &[], &[17], 2_000);
    assert_eq!(decisions(&plan), [Decision::TearDown], "a stack without a record");
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let open = [wanted(Decision::Deploy, change(ONE, 9))];
    assert_eq!(decisions(&planned(&open, &[], &[record], &[17], 2_000)), []);
    let draft = [wanted(Decision::TearDown, change(ONE, 9))];
    assert_eq!(decisions(&planned(&draft, &[], &[], &[], 2_000)), []);
}

#[test]
fn a_record_that_is_ahead_of_githubs_list_is_given_time() {
    let record = raise(None, &deploy(TWO, 5), "first");
    let behind = [wanted(Decision::Deploy, change(ONE, 1))];
    let records = std::slice::from_ref(&record);
    assert_eq!(decisions(&planned(&behind, &[], records, &[], 1_100)), []);
    assert_eq!(
        decisions(&planned(&behind, &[], records, &[], 9_000)),
        [Decision::Deploy]
    );
}

#[test]
fn an_approval_of_a_forks_commit_is_deployed() {
    let fork = Change {
        trusted: false,
        ..change(ONE, 1)
    };
    let record = raise(None, &verified(Decision::Deploy, fork.clone()), "first");
    let records = [reported(
        reported(record, Step::UnitTest, Outcome::Success),
        Step::Deploy,
        Outcome::Skipped,
    )];
    assert_eq!(
        decisions(&planned(&[wanted(Decision::Deploy, fork)], &[], &records, &[], 2_000)),
        []
    );
    let approved = [wanted(Decision::Deploy, change(ONE, 1))];
    assert_eq!(
        decisions(&planned(&approved, &[], &records, &[], 2_000)),
        [Decision::Deploy]
    );
}

#[test]
fn work_that_died_is_repeated_after_waits_that_grow_and_counts_as_stuck() {
    let open = [wanted(Decision::Deploy, change(ONE, 1))];
    let mut record = raise(None, &deploy(ONE, 1), "first");
    let plan_at = |record: &Record, now| planned(&open, &[], std::slice::from_ref(record), &[17], now);
    assert_eq!(decisions(&plan_at(&record, 1_000 + BOUND)), []);
    let plan = plan_at(&record, 1_001 + BOUND);
    assert_eq!((decisions(&plan), plan.stuck), (vec![Decision::Deploy], 1));
    record.attempts = 5;
    let plan = plan_at(&record, 1_001 + BOUND);
    assert_eq!(
        (decisions(&plan), plan.stuck),
        (vec![], 1),
        "it was tried often enough for now"
    );
    assert_eq!(decisions(&plan_at(&record, 1_000 + 86_400)), [Decision::Deploy]);
}

#[test]
fn a_merge_that_no_record_knows_is_promoted_if_it_is_the_latest() {
    let merged = |number, second: u32| {
        let change = Change {
            number,
            open: false,
            merged_at: Some(format!("2026-01-31T12:00:{second:02}Z")),
            ..change(TWO, second)
        };
        wanted(Decision::Promote, change)
    };
    let plan = planned(&[], &[merged(17, 9), merged(18, 3)], &[], &[], 2_000);
    let numbers: Vec<u32> = plan.repairs.iter().map(|repair| repair.change.number).collect();
    assert_eq!((decisions(&plan), numbers), (vec![Decision::Promote], vec![17]));
}

#[test]
fn the_oldest_change_comes_first() {
    let open: Vec<Wanted> = (1..=30)
        .map(|number| {
            let change = Change {
                number,
                ..change(ONE, 59 - number)
            };
            wanted(Decision::Deploy, change)
        })
        .collect();
    let plan = planned(&open, &[], &[], &[], 2_000);
    let numbers: Vec<u32> = plan.repairs.iter().map(|repair| repair.change.number).collect();
    assert_eq!(numbers, (1..=30).rev().collect::<Vec<u32>>());
}

#[test]
fn places_that_nobody_holds_are_given_back_and_holders_get_theirs() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let mut shared = Shared::of("owner/name");
    shared.environments.insert("pr-99".to_owned(), 0);
    shared.environments.insert("pr-98".to_owned(), 9_000);
    let plan = plan(plan::Seen {
        open: &[wanted(Decision::Deploy, change(ONE, 1))],
        closed: &[],
        records: &[record],
        shared: &shared,
        stacks: &BTreeSet::new(),
        places: 10,
        now: 9_100,
        bound: BOUND * 10,
    });
    assert_eq!(plan.release, ["pr-99"], "pr-98 may be about to be claimed");
    assert_eq!(plan.hold, ["pr-17"]);
}

#[test]
fn stacks_are_known_by_their_names_and_others_are_not_ours() {
    let project = Project::from_yaml(
        "project: demo\nrepository: owner/name\nregion: eu-west-1\n\
         unit_test:\n  commands: [make]\napplication:\n  synthesize: [make]\n  code: null\n",
    )
    .expect("it is a configuration");
    assert_eq!(pull_request_of("demo-pr-17-app", &project), Some(17));
    assert_eq!(pull_request_of("demo-deploy-pr-17", &project), Some(17));
    for other in [
        "demo-stage-app",
        "demo-pr-017-app",
        "demo-pr-17-app-x",
        "demo2-pr-17-app",
        "demo-pr-#17-app",
    ] {
        assert_eq!(pull_request_of(other, &project), None, "{other}");
    }
}

#[test]
fn a_repairs_execution_has_one_name_an_hour_that_step_functions_takes() {
    let repair = Repair {
        decision: Decision::Deploy,
        reason: String::new(),
        change: Change {
            number: 999_999,
            compared: Some(u64::MAX),
            ..change(ONE, 1)
        },
    };
    let name = execution_name(&repair, 1_900_000_000);
    assert!(name.len() <= 80, "{name}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    assert_eq!(name, execution_name(&repair, 1_900_000_001));
    assert_ne!(name, execution_name(&repair, 1_900_003_600));
}
