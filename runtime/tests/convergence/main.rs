//! Whatever happens to webhooks and executions, the pipeline ends where GitHub is.
//!
//! A model of GitHub makes events for several pull requests, many of them within the same second. They are reordered, duplicated
//! and dropped; executions die at any step; the reconciler looks in between. What decides is the real code: `webhook`, `record` and
//! its `plan`. A failure names its seed.

mod bound;
mod github;
mod pipeline;
mod random;

use std::collections::BTreeSet;

use contract::{Decision, Verified};
use github::{GitHub, REPOSITORY};
use pipeline::{BOUND, Pipeline};
use random::Random;
use runtime::record::plan::{self, Plan};
use runtime::record::{Record, Standing};
use runtime::webhook::{Hint, parse};
use serde_json::Value;
use stacks::Project;

/// How many sequences of events are tried.
const SEQUENCES: u64 = 10_000;
/// How often the reconciler may have to look until nothing is left to mend, once nobody does anything and nothing dies.
const ROUNDS: usize = 12;
/// Longer than the reconciler ever waits before it tries again, in seconds.
const DAY: u64 = 100_000;

#[expect(clippy::expect_used, reason = "the configuration is the test's own")]
fn project() -> Project {
    Project::from_yaml(&format!(
        "project: demo\nrepository: {REPOSITORY}\nregion: eu-west-1\npull_requests:\n  required_label: deploy\n\
         unit_test:\n  commands: [make]\napplication:\n  synthesize: [make]\n  code: null\n"
    ))
    .expect("it is a configuration")
}

/// What `verify_webhook` makes of a body.
#[expect(clippy::expect_used, reason = "the model writes what GitHub would")]
fn verified(body: &Value, project: &Project) -> Option<Verified> {
    let body = serde_json::to_vec(body).expect("it is JSON");
    match parse("pull_request", &body, project).expect("it is a pull request's event") {
        Hint::Ignore(_) => None,
        Hint::PullRequest(event) => Some(
            event
                .decide(project, None, "guid")
                .expect("it holds what GitHub writes"),
        )
        .filter(|verified| verified.decision != Decision::Ignore),
    }
}

/// One run of the reconciler.
fn reconcile(github: &GitHub, pipeline: &mut Pipeline, project: &Project) -> Plan {
    let records: Vec<Record> = pipeline.records.values().cloned().collect();
    let (open, closed) = (github.wanted(project, true), github.wanted(project, false));
    let stacks = pipeline.stacks();
    let seen = plan::Seen {
        open: &open,
        closed: &closed,
        records: &records,
        shared: &pipeline.shared,
        stacks: &stacks,
        places: pipeline.places,
        now: pipeline.now,
        bound: BOUND,
    };
    let asked: BTreeSet<u32> = open.iter().map(|wanted| wanted.change.number).collect();
    assert!(
        plan::questions(&asked, seen)
            .iter()
            .all(|number| !asked.contains(number)),
        "open pull requests are not looked up again"
    );
    let plan = plan::plan(seen);
    for environment in &plan.release {
        pipeline.shared.environments.remove(environment);
    }
    for environment in &plan.hold {
        pipeline.shared.environments.insert(environment.clone(), pipeline.now);
    }
    plan
}

fn repaired(plan: &Plan) -> Vec<Verified> {
    let repairs = plan.repairs.iter().cloned();
    repairs
        .map(|repair| Verified {
            decision: repair.decision,
            reason: repair.reason,
            change: Some(repair.change),
        })
        .collect()
}

/// Everything at once: events of the same second, lost, doubled and late; deaths; a reconciler in between.
fn chaos(seed: u64, project: &Project) {
    let mut random = Random::seeded(seed);
    let places = if random.one_in(3) { 1 } else { 10 };
    let (mut github, mut pipeline) = (GitHub::default(), Pipeline::empty(places, 12));
    let mut on_the_way: Vec<Verified> = Vec::new();
    for _ in 0..4 + random.below(22) {
        if let Some(body) = github.act(&mut random, true) {
            let copies = [1, 1, 1, 2, 3, 0, 0][random.below(7)];
            let event = verified(&body, project);
            on_the_way.extend(std::iter::repeat_n(event, copies).flatten());
        }
        pipeline.now = pipeline.now.max(github.now);
        if random.one_in(8) {
            pipeline.now += [60, 700, BOUND + 1, DAY][random.below(4)];
            on_the_way.extend(repaired(&reconcile(&github, &mut pipeline, project)));
        }
        while !on_the_way.is_empty() && !random.one_in(2) {
            pipeline.start(on_the_way.swap_remove(random.below(on_the_way.len())));
        }
        for _ in 0..random.below(8) {
            pipeline.step(&mut random);
        }
    }
    while !on_the_way.is_empty() {
        pipeline.start(on_the_way.swap_remove(random.below(on_the_way.len())));
        pipeline.step(&mut random);
    }
    pipeline.finish(&mut random);
    pipeline.deaths = 0;
    settle(seed, &github, &mut pipeline, &mut random, project);
    as_github_has_it(seed, &github, &pipeline, project);
}

/// Lets the reconciler look until there is nothing to mend.
fn settle(seed: u64, github: &GitHub, pipeline: &mut Pipeline, random: &mut Random, project: &Project) {
    for _ in 0..ROUNDS {
        pipeline.now += DAY;
        let plan = reconcile(github, pipeline, project);
        if plan.repairs.is_empty() && plan.hold.is_empty() && plan.release.is_empty() {
            return;
        }
        for verified in repaired(&plan) {
            pipeline.start(verified);
        }
        pipeline.finish(random);
    }
    let plan = reconcile(github, pipeline, project);
    panic!("seed {seed}: after {ROUNDS} rounds there is still to mend: {plan:#?}");
}

fn as_github_has_it(seed: u64, github: &GitHub, pipeline: &Pipeline, project: &Project) {
    let mut entitled = 0;
    for pull in &github.pulls {
        let wanted = pull.wanted(project);
        let (number, change) = (pull.number, &wanted.change);
        let environment = pipeline.environments.get(&number);
        let record = pipeline.records.get(&number);
        let told = || format!("seed {seed}: {pull:#?} has {environment:?} and {record:#?}");
        if wanted.decision != Decision::Deploy || !change.labelled {
            assert_eq!(environment, None, "{}", told());
            assert!(record.is_none_or(|record| !record.environment), "{}", told());
        }
        if wanted.decision == Decision::Deploy {
            assert_eq!(record.and_then(Record::tested), Some(&*change.sha), "{}", told());
            let standing = record.map(|record| record.standing(pipeline.now, BOUND));
            assert_eq!(standing, Some(Standing::Done), "{}", told());
            if change.trusted && change.labelled {
                entitled += 1;
                let deployed = environment == Some(&change.sha);
                let waits = pipeline.shared.environments.len() >= pipeline.places as usize;
                assert!(deployed || waits && environment.is_none(), "{}", told());
            }
        }
    }
    let held = pipeline.shared.environments.len();
    assert!(
        held <= pipeline.places as usize && entitled.min(pipeline.places as usize) <= held,
        "seed {seed}: {held} places are held of {}, and {entitled} pull requests could hold one",
        pipeline.places
    );
    let holders: BTreeSet<String> = pipeline.shared.environments.keys().cloned().collect();
    let running: BTreeSet<String> = pipeline
        .environments
        .keys()
        .map(|number| format!("pr-{number}"))
        .collect();
    assert_eq!(
        holders, running,
        "seed {seed}: who holds a place, and whose environment runs"
    );
    assert_eq!(pipeline.stage, github.stage, "seed {seed}: what runs in stage");
}

/// Without loss, every event in a second of its own, and nobody to repair anything: only the order of arrival is anything.
fn shuffle(seed: u64, project: &Project) {
    let mut random = Random::seeded(seed);
    let (mut github, mut pipeline) = (GitHub::default(), Pipeline::empty(10, 0));
    let mut on_the_way: Vec<Verified> = Vec::new();
    for _ in 0..4 + random.below(16) {
        if let Some(event) = github.act(&mut random, false).and_then(|body| verified(&body, project)) {
            on_the_way.extend(std::iter::repeat_n(event, 1 + random.below(3)));
        }
    }
    while !on_the_way.is_empty() {
        pipeline.start(on_the_way.swap_remove(random.below(on_the_way.len())));
        for _ in 0..random.below(6) {
            pipeline.step(&mut random);
        }
    }
    pipeline.finish(&mut random);
    for pull in &github.pulls {
        let wanted = pull.wanted(project);
        let told = || format!("seed {seed}: {pull:#?} has {:#?}", pipeline.records.get(&pull.number));
        let environment = pipeline.environments.get(&pull.number);
        if wanted.decision == Decision::Promote && pipeline.shared.stage.number != pull.number {
            // A promotion that a later one superseded leaves its environment to the reconciler.
        } else if wanted.decision != Decision::Deploy || !wanted.change.labelled {
            assert_eq!(environment, None, "{}", told());
        } else if wanted.change.head_repository == REPOSITORY {
            assert_eq!(environment, Some(&wanted.change.sha), "{}", told());
        }
    }
    assert_eq!(pipeline.stage, github.stage, "seed {seed}: what runs in stage");
}

#[test]
fn ten_thousand_sequences_of_lost_doubled_and_late_events_and_dying_executions_end_where_github_is() {
    let project = project();
    for seed in 0..SEQUENCES {
        chaos(seed, &project);
    }
}

#[test]
fn ten_thousand_shuffled_sequences_end_where_github_is_without_any_repair() {
    let project = project();
    for seed in 0..SEQUENCES {
        shuffle(seed, &project);
    }
}
