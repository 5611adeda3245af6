//! The reconciler's schedule: what keeps the pipeline converging when no webhook comes.

use contract::Reconcile;
use synth::iam::Role;
use synth::lambda::FunctionHandle;
use synth::scheduler::{self, schedule};
use synth::{Duration, Stack, minutes};

use super::Resources;

/// How much later than it is due a run may begin, in minutes.
const WINDOW: u64 = 5;

/// The longest that there is between the beginnings of two runs.
pub(super) fn longest_pause(resources: &Resources<'_>) -> Duration {
    minutes(u64::from(resources.project.limits.reconcile_minutes) + WINDOW)
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
