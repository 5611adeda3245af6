//! What an event makes of a record: who wins, what runs again, what is to be stopped, and to whom `stage` goes.

use contract::{Change, Decision, Outcome, Run, Step, Verified};
use runtime::record::{
    Attempt, Record, Stage, StageClaim, Standing, Transition, answer, claim_stage, full_house, transition,
};

use crate::{BOUND, ONE, TWO, attempt, change, closed, deploy, loses, raise, reported, verified};

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
