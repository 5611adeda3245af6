//! The rules of a claim and of the reconciler, one by one. That together they converge is `convergence`'s to prove.

use std::collections::BTreeSet;

use contract::{Change, Decision, Outcome, Repair, Run, Step, Verified};
use runtime::record::plan::{self, Plan, execution_name, plan, pull_request_of};
use runtime::record::{
    Attempt, Record, ReportRow, Shared, Stage, StageClaim, Standing, Transition, answer, claim_stage, full_house,
    row_key, transition,
};
use runtime::webhook::Wanted;
use stacks::Project;

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

#[test]
fn a_first_event_is_claimed_and_its_repetition_is_not() {
    let record = raise(None, &deploy(ONE, 1), "first");
    assert_eq!((record.generation, record.sha.as_str()), (1, ONE));
    assert!(record.deployable());
    assert!(loses(&record, &deploy(ONE, 1)));
}

#[test]
fn an_execution_that_asks_twice_gets_the_same_answer() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let Transition::Again(again) = transition(Some(&record), &deploy(ONE, 1), attempt("first")) else {
        panic!("it has claimed it already");
    };
    assert_eq!(answer(&again, None), answer(&record, None));
    assert_eq!(answer(&record, None).decision, Decision::Deploy);
}

#[test]
fn a_newer_event_wins_and_an_older_one_loses() {
    let record = raise(None, &deploy(ONE, 2), "first");
    let next = raise(Some(&record), &deploy(TWO, 3), "second");
    assert_eq!((next.generation, next.sha.as_str()), (2, TWO));
    assert!(loses(&next, &deploy(ONE, 2)));
    assert!(loses(&next, &closed(1)));
}

#[test]
fn within_a_second_closing_wins_over_a_push_and_reopening_over_closing() {
    let open = raise(None, &deploy(ONE, 1), "first");
    let shut = raise(Some(&open), &closed(1), "second");
    assert_eq!(shut.decision, Decision::TearDown);
    assert!(loses(&shut, &deploy(TWO, 1)));
    let mut reopening = deploy(ONE, 1);
    reopening.change.as_mut().expect("it has one").reopened = true;
    let again = raise(Some(&shut), &reopening, "third");
    assert_eq!(again.decision, Decision::Deploy);
    assert!(loses(&again, &closed(1)));
}

#[test]
fn within_a_second_a_push_wins_over_the_head_that_it_replaced() {
    for (old, new) in [(ONE, TWO), (TWO, ONE)] {
        let mut push = deploy(new, 1);
        push.change.as_mut().expect("it has one").before = Some(old.to_owned());
        let before = raise(None, &deploy(old, 1), "first");
        assert_eq!(raise(Some(&before), &push, "second").sha, new);
        let after = raise(None, &push, "first");
        assert!(loses(&after, &deploy(old, 1)));
    }
}

#[test]
fn within_a_second_what_is_left_has_one_winner_whatever_comes_first() {
    let (one, two) = (deploy(ONE, 1), deploy(TWO, 1));
    let winner = |first: &Verified, second: &Verified| {
        let record = raise(None, first, "first");
        match transition(Some(&record), second, attempt("second")) {
            Transition::Raise(next) => next.sha,
            _ => record.sha,
        }
    };
    assert_eq!(winner(&one, &two), winner(&two, &one));
}

#[test]
fn a_repair_wins_over_the_record_that_it_compared_and_no_other() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let repair = |compared| {
        let change = Change {
            compared: Some(compared),
            ..change(TWO, 1)
        };
        verified(Decision::Deploy, change)
    };
    assert!(loses(&record, &repair(0)));
    let repaired = raise(Some(&record), &repair(1), "second");
    assert_eq!(repaired.sha, TWO);
    assert!(loses(&repaired, &repair(1)), "a second one compared the record before");
    assert!(
        loses(&repaired, &deploy(ONE, 1)),
        "GitHub was asked: a webhook of that second is no news"
    );
    assert_eq!(raise(Some(&repaired), &deploy(ONE, 2), "third").sha, ONE);
    assert!(matches!(
        transition(None, &repair(3), attempt("fourth")),
        Transition::Lose(_)
    ));
}

#[test]
fn the_same_again_runs_again_only_if_its_execution_died_or_the_pipeline_failed_it() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let late = Attempt {
        now: 1_000 + BOUND + 1,
        ..attempt("second")
    };
    let Transition::Raise(next) = transition(Some(&record), &deploy(ONE, 1), late) else {
        panic!("its execution died");
    };
    assert_eq!((next.generation, next.attempts), (2, 2));
    let failed = reported(record.clone(), Step::UnitTest, Outcome::Error);
    assert_eq!(raise(Some(&failed), &deploy(ONE, 1), "second").generation, 2);
    let tested = reported(record, Step::UnitTest, Outcome::Failure);
    assert!(matches!(
        transition(Some(&tested), &deploy(ONE, 1), late),
        Transition::Lose(_)
    ));
    let noted = transition(Some(&tested), &deploy(ONE, 5), late);
    let Transition::Note(noted, _) = noted else {
        panic!("only its time is new: {noted:?}");
    };
    assert_eq!((noted.generation, noted.revision), (1, 2));
    assert!(loses(&noted, &closed(4)), "the note keeps what is older away");
}

#[test]
fn closing_what_never_was_is_remembered_and_starts_nothing() {
    let record = raise(None, &closed(5), "first");
    assert_eq!(answer(&record, None).decision, Decision::Ignore);
    assert_eq!(record.standing(u64::MAX, BOUND), Standing::Done);
    assert!(loses(&record, &deploy(ONE, 4)), "the opening that comes late");
}

#[test]
fn closing_what_was_only_tested_takes_its_source_and_ends_what_is_pending() {
    let fork = Change {
        trusted: false,
        ..change(ONE, 1)
    };
    let record = raise(None, &verified(Decision::Deploy, fork), "first");
    assert!(!record.environment);
    let gone = raise(Some(&record), &closed(2), "second");
    assert_eq!(
        (gone.finished, answer(&gone, None).decision),
        (None, Decision::TearDown)
    );
    // Once that is done, another event of the same kind finds nothing to do.
    let mut done = reported(gone, Step::Teardown, Outcome::Success);
    done.finished = Some(done.generation);
    let base = Change {
        open: true,
        ..change(ONE, 3)
    };
    let next = raise(Some(&done), &verified(Decision::TearDown, base), "third");
    assert_eq!(next.finished, Some(next.generation));
}

#[test]
fn a_teardown_is_done_only_when_github_knows() {
    let mut record = raise(None, &deploy(ONE, 1), "first");
    record = raise(Some(&record), &closed(2), "second");
    let mut pending = reported(record, Step::Teardown, Outcome::Pending);
    pending.finished = Some(pending.generation);
    assert_eq!(pending.standing(1_000, BOUND), Standing::AtWork);
    assert_eq!(pending.standing(1_001 + BOUND, BOUND), Standing::Dead);
    let failed = reported(pending.clone(), Step::Teardown, Outcome::Error);
    assert_eq!(failed.standing(1_000, BOUND), Standing::Failed);
    let mut told = reported(pending, Step::Teardown, Outcome::Success);
    assert_eq!(told.standing(1_000, BOUND), Standing::Done);
    told.memory.unfinished = true;
    assert_eq!(told.standing(1_001 + BOUND, BOUND), Standing::Dead);
}

#[test]
fn reopening_after_a_close_starts_over() {
    let record = raise(Some(&raise(None, &deploy(ONE, 1), "first")), &closed(2), "second");
    assert_eq!(answer(&record, None).decision, Decision::TearDown);
    let again = raise(Some(&record), &deploy(ONE, 3), "third");
    assert_eq!((again.decision, again.generation), (Decision::Deploy, 3));
}

#[test]
fn losing_the_label_takes_the_environment_before_the_next_tests() {
    let record = raise(None, &deploy(ONE, 1), "first");
    let unlabelled = Change {
        labelled: false,
        ..change(ONE, 2)
    };
    let next = raise(Some(&record), &verified(Decision::Deploy, unlabelled.clone()), "second");
    assert_eq!(answer(&next, None).decision, Decision::TearDown);
    let never = raise(None, &verified(Decision::Deploy, unlabelled), "first");
    let claimed = answer(&never, None);
    assert_eq!((claimed.decision, claimed.deployable), (Decision::Deploy, false));
}

#[test]
fn a_full_house_is_an_answer_that_says_so() {
    let Transition::Raise(record) = transition(None, &deploy(ONE, 1), attempt("first")) else {
        panic!("it is claimed");
    };
    let claimed = answer(&full_house(*record, 3), None);
    assert_eq!((claimed.decision, claimed.deployable), (Decision::Deploy, false));
    assert!(claimed.reason.contains("all 3 environments"), "{}", claimed.reason);
}

#[test]
fn the_executions_of_earlier_generations_are_named_to_be_stopped() {
    let mut record = raise(None, &deploy(ONE, 1), "first");
    record.runs.insert("unit-test".to_owned(), "a".to_owned());
    let next = raise(Some(&record), &deploy(TWO, 2), "second");
    let run = |execution_id: &str| Run {
        pipeline: "unit-test".to_owned(),
        execution_id: execution_id.to_owned(),
    };
    assert_eq!(answer(&next, None).superseded, [run("a")]);
    let mut last = next;
    for count in 0..20 {
        last.runs.insert("unit-test".to_owned(), format!("{count}"));
        last = raise(
            Some(&last),
            &deploy(if count % 2 == 0 { ONE } else { TWO }, 3 + count),
            &format!("{count}"),
        );
    }
    assert_eq!(last.earlier_runs.len(), 10, "the newest ten are enough");
    assert_eq!(last.earlier_runs.last(), Some(&run("19")));
}

fn merge(number: u32, second: u32) -> Record {
    let change = Change {
        number,
        open: false,
        merged_at: Some(format!("2026-01-31T12:00:{second:02}Z")),
        ..change(TWO, second)
    };
    raise(None, &verified(Decision::Promote, change), &format!("of {number}"))
}

#[test]
fn stage_goes_to_the_latest_merge_whichever_comes_first() {
    let StageClaim::Raise(stage) = claim_stage(&Stage::default(), &merge(18, 2)) else {
        panic!("stage was free");
    };
    assert_eq!((stage.generation, stage.number), (1, 18));
    assert_eq!(claim_stage(&stage, &merge(18, 2)), StageClaim::Again);
    let earlier = merge(17, 1);
    assert_eq!(claim_stage(&stage, &earlier), StageClaim::Later);
    assert_eq!(
        answer(&earlier, None).decision,
        Decision::TearDown,
        "its environment goes all the same"
    );
    let StageClaim::Raise(next) = claim_stage(&stage, &merge(19, 3)) else {
        panic!("it is later");
    };
    assert_eq!(next.generation, 2);
    let claimed = answer(&merge(19, 3), Some(&next));
    assert_eq!(claimed.decision, Decision::Promote);
    assert_eq!(
        (claimed.stage.environment.as_str(), claimed.stage.generation),
        ("stage", 2)
    );
    assert_eq!(
        (claimed.target.environment.as_str(), claimed.target.generation),
        ("pr-19", 1)
    );
}

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
fn a_run_starts_the_oldest_twenty_and_says_that_there_are_more() {
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
    assert_eq!((plan.repairs.len(), plan.more), (20, true));
    assert_eq!(plan.repairs[0].change.number, 30);
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
    assert_eq!(pull_request_of("demo-app-pr-17", &project), Some(17));
    assert_eq!(pull_request_of("demo-deploy-pr-17", &project), Some(17));
    for other in [
        "demo-app-stage",
        "demo-app-pr-017",
        "demo-app-pr-17-x",
        "demo2-app-pr-17",
        "demo-app-pr-#17",
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
