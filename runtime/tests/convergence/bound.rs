//! However many pull requests are wrong at once, they are right within the bound that follows from the project's limits.

use contract::Decision;
use runtime::record::plan::Plan;
use stacks::Project;
use stacks::pipeline_manager::{bound_minutes, convergence_minutes, repairs_a_run};

use crate::github::GitHub;
use crate::pipeline::Pipeline;
use crate::random::Random;
use crate::{project, reconcile, repaired};

/// How many pull requests are wrong at once.
const MANY: [u32; 4] = [1, 50, 400, 500];
/// How often the reconciler looks, in minutes: the least, the usual and the most that a project may say.
const EVERY: [u32; 3] = [5, 15, 60];

fn limited(places: u32, every: u32) -> Project {
    let mut project = project();
    project.limits.environments = places;
    project.limits.reconcile_minutes = every;
    project
}

/// Runs the reconciler as its schedule does until it finds nothing; how many minutes passed until the last execution was started.
fn minutes_until_right(github: &GitHub, pipeline: &mut Pipeline, project: &Project, random: &mut Random) -> u64 {
    let every = u64::from(project.limits.reconcile_minutes);
    let (mut passed, mut last) = (0, 0);
    loop {
        passed += every;
        pipeline.now += every * 60;
        let mut plan: Plan = reconcile(github, pipeline, project);
        if plan.repairs.is_empty() {
            return last;
        }
        plan.repairs.truncate(repairs_a_run(&project.limits));
        last = passed;
        for verified in repaired(&plan) {
            pipeline.start(verified);
        }
        pipeline.finish(random);
        assert!(passed < 100_000, "it never ends: {plan:#?}");
    }
}

/// So many pull requests that are deployed, and nobody at work.
fn deployed(many: u32, project: &Project, random: &mut Random) -> (GitHub, Pipeline) {
    let (mut github, mut pipeline) = (GitHub::default(), Pipeline::empty(many, 0));
    github.open_deployable(many);
    pipeline.now = github.now;
    minutes_until_right(&github, &mut pipeline, project, random);
    assert_eq!(pipeline.environments.len(), many as usize);
    // Long enough for GitHub's API to have caught up.
    github.now += 7_200;
    pipeline.now = github.now.max(pipeline.now);
    github.now = pipeline.now;
    (github, pipeline)
}

fn within_the_bound(what: &str, many: u32, project: &Project, minutes: u64) {
    let allowed = convergence_minutes(&project.limits, many) - bound_minutes(&project.limits);
    assert!(
        minutes <= allowed,
        "{what} of {many} pull requests, every {} minutes: the last was started after {minutes} minutes, and {allowed} are promised",
        project.limits.reconcile_minutes
    );
}

#[test]
fn many_environments_that_are_all_wrong_at_once_are_right_within_a_bound_that_follows_from_the_limits() {
    for many in MANY {
        for every in EVERY {
            let (project, mut random) = (limited(many, every), Random::seeded(u64::from(many)));
            let (mut github, mut pipeline) = (GitHub::default(), Pipeline::empty(many, 0));
            github.open_deployable(many);
            pipeline.now = github.now;
            let minutes = minutes_until_right(&github, &mut pipeline, &project, &mut random);
            assert_eq!(
                pipeline.environments.len(),
                many as usize,
                "every one has its environment"
            );
            within_the_bound("openings", many, &project, minutes);

            let (mut github, mut pipeline) = deployed(many, &project, &mut random);
            github.push_to_all();
            let minutes = minutes_until_right(&github, &mut pipeline, &project, &mut random);
            let wanted = github.wanted(&project, true);
            for wanted in &wanted {
                assert_eq!(wanted.decision, Decision::Deploy);
                assert_eq!(
                    pipeline.environments.get(&wanted.change.number),
                    Some(&wanted.change.sha)
                );
            }
            within_the_bound("pushes", many, &project, minutes);

            let (mut github, mut pipeline) = deployed(many, &project, &mut random);
            github.close_all();
            let minutes = minutes_until_right(&github, &mut pipeline, &project, &mut random);
            assert!(pipeline.environments.is_empty() && pipeline.shared.environments.is_empty());
            within_the_bound("closings", many, &project, minutes);
        }
    }
}

#[test]
fn a_run_starts_what_the_hour_allows_and_never_nothing() {
    for every in 5..=60 {
        let project = limited(100, every);
        let a_run = repairs_a_run(&project.limits);
        assert!(a_run >= 10, "{a_run} each {every} minutes");
        assert!(a_run * 60 <= 120 * every as usize, "{a_run} each {every} minutes");
    }
    // A project as it comes: 100 environments that all must be made again begin within an hour and a quarter.
    let limits = limited(100, 15).limits;
    assert_eq!(convergence_minutes(&limits, 100) - bound_minutes(&limits), 65);
}
