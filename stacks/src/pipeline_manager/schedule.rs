//! The reconciler's schedule: what keeps the pipeline converging when no webhook comes, and within which time it does.

use contract::Reconcile;
use synth::iam::Role;
use synth::lambda::FunctionHandle;
use synth::scheduler::{self, schedule};
use synth::{Duration, Stack, minutes};

use super::{Resources, bound_minutes};
use crate::project::Limits;

/// How many executions the reconciler starts an hour at the most. More would only wait for each other:
///
/// - API Gateway deletes one REST API each 30 seconds in an account, 120 an hour:
///   <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
/// - GitHub takes 500 writes an hour, and a deployment sets four statuses, 125 of them an hour:
///   <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
const REPAIRS_AN_HOUR: u32 = 120;

/// How much later than it is due a run may begin, in minutes.
const WINDOW: u64 = 5;

/// The longest that there is between the beginnings of two runs.
pub(super) fn longest_pause(resources: &Resources<'_>) -> Duration {
    minutes(u64::from(resources.project.limits.reconcile_minutes) + WINDOW)
}

/// How many executions one run of the reconciler starts at the most: its part of the hour's.
pub fn repairs_a_run(limits: &Limits) -> usize {
    (REPAIRS_AN_HOUR * limits.reconcile_minutes / 60) as usize
}

/// Within how many minutes everything is as GitHub has it, if this many pull requests are wrong at once and nothing else fails: the last
/// of them is started by the run whose turn it is, and ends within the pipeline's bound.
pub fn convergence_minutes(limits: &Limits, wrong: u32) -> u64 {
    let runs = (wrong as usize).div_ceil(repairs_a_run(limits)) as u64;
    runs * u64::from(limits.reconcile_minutes) + WINDOW + bound_minutes(limits)
}

/// Invokes the reconciler every so many minutes, at no exact time so that accounts do not strike together.
pub(super) fn add(stack: &mut Stack, resources: &Resources<'_>, reconcile: FunctionHandle<Reconcile>) {
    let name = resources.names.shared("reconcile");
    let role = Role::assumed_by("scheduler.amazonaws.com")
        .name(format!("{name}-schedule"))
        .allow(reconcile.invoke());
    let role = stack.add("ReconcileScheduleRole", role);
    let every = resources.project.limits.reconcile_minutes;
    let window = schedule::FlexibleTimeWindow::new(schedule::FlexibleTimeWindowMode::Flexible)
        .maximum_window_in_minutes(minutes(WINDOW));
    let retry = schedule::RetryPolicy::new().maximum_retry_attempts(0);
    let target = schedule::Target::new(reconcile.arn(), role.arn())
        .input("{\"dry_run\":false}")
        .retry_policy(retry);
    let expression = if every == 1 {
        "rate(1 minute)".to_owned()
    } else {
        format!("rate({every} minutes)")
    };
    let schedule = scheduler::Schedule::new(window, expression, target)
        .name(name)
        .description("Compares GitHub, records and environments.");
    stack.add("ReconcileSchedule", schedule);
}
