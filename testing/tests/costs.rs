//! What the runbook says of costs is computed: counted on what is emitted and executed, priced by a list that says where it was read.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use testing::costs::{Costs, Item, Push, USUAL, sum};
use testing::emission::{self, Emission};

const RUNBOOK: &str = include_str!("../../synth/deploy/RUNBOOK.md");

fn costs(push: Push) -> Costs {
    Costs::of(&emission::project(), push).expect("it is computed")
}

fn item<'a>(items: &'a [Item], what: &str) -> &'a Item {
    let found = items.iter().find(|item| item.what == what);
    found.unwrap_or_else(|| panic!("{what} is not counted: {items:#?}"))
}

#[test]
fn the_runbooks_table_is_the_computed_one() {
    let computed = costs(USUAL).to_string();
    assert!(
        RUNBOOK.contains(&computed),
        "the runbook's section on costs is not what is computed; put there what `cargo run -p testing -- costs` prints:\n\n{computed}"
    );
}

#[test]
fn every_price_says_where_it_stands_and_whether_it_was_read_there() {
    let costs = costs(USUAL);
    let mut read = Vec::new();
    for (of, source, day) in costs.sources() {
        if let Some(day) = day {
            let parts: Vec<&str> = day.split('-').collect();
            assert!(
                matches!(parts.as_slice(), [year, month, day] if year.len() == 4 && month.len() == 2 && day.len() == 2),
                "{of}: {day}"
            );
            read.push(of);
        }
        assert!(
            source.starts_with("https://aws.amazon.com/") && source.ends_with("/pricing/"),
            "{of}: {source}"
        );
    }
    assert_eq!(
        read,
        ["transition", "action_minute"],
        "the others have a mark in the table"
    );
}

#[test]
fn what_is_emitted_is_what_is_counted() {
    let costs = costs(USUAL);
    let all = emission::emit(&emission::project(), &[]);
    let emitted = |kind: &str| {
        let resources = all.iter().flat_map(Emission::resources);
        f64::from(u32::try_from(resources.filter(|of| of.kind == kind).count()).expect("few"))
    };
    for (what, kind) in [
        ("secrets", "AWS::SecretsManager::Secret"),
        ("alarms", "AWS::CloudWatch::Alarm"),
    ] {
        let counted = item(&costs.month, what).count;
        assert!(
            (counted - emitted(kind)).abs() < 0.5 && counted > 0.0,
            "{what}: {counted}"
        );
    }
    // Every quarter of an hour for thirty days.
    let runs = item(&costs.month, "runs of the reconciler").count;
    assert!((runs - 2_880.0).abs() < 0.5, "{runs}");
    let whole: f64 = costs.month.iter().map(|item| item.count * item.price).sum();
    assert!((sum(&costs.month) - whole).abs() < 1e-9);
}

/// "You pay $0.002 per action execution minute": <https://aws.amazon.com/codepipeline/pricing/>.
#[test]
fn a_build_that_takes_longer_costs_its_minutes_its_actions_minutes_and_the_polls() {
    let usual = costs(USUAL);
    let longer = costs(Push {
        test_minutes: USUAL.test_minutes + 30,
        ..USUAL
    });
    let more = |what: &str| item(&longer.push, what).count - item(&usual.push, what).count;
    assert!((more("minutes of the tests' build") - 30.0).abs() < 0.5);
    assert!((more("minutes of pipelines' actions") - 30.0).abs() < 0.5);
    // A poll of three states a minute at the most often.
    let transitions = more("state transitions");
    assert!((30.0..=120.0).contains(&transitions), "{transitions}");
    let pipelines = item(&usual.push, "minutes of pipelines' actions");
    assert!((pipelines.price - 0.002).abs() < 1e-9);
}
