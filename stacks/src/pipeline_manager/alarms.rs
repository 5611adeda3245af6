//! Alarms: executions that failed or ran out of time, and pull requests that are stuck.
//!
//! A metric that has no data is no fault: nothing has happened. The reconciler publishes how many pull requests have had a
//! pending status for longer than the bound; the namespace is the project's name.

use synth::cloudwatch::{self, alarm};
use synth::sns;
use synth::{Handle, Stack, Value, minutes, stepfunctions};

use super::Resources;

/// Adds the topic that alarms go to, and the alarms.
pub(super) fn add(stack: &mut Stack, resources: &Resources<'_>, machine: Handle<stepfunctions::StateMachineResource>) {
    let topic = sns::Topic::new()
        .topic_name(resources.names.shared("alarms"))
        .display_name("Pipeline alarms");
    let topic = stack.add("Alarms", topic);
    let of_machine = || alarm::Dimension::new("StateMachineArn", machine.arn());
    let executions = [
        (
            "ExecutionsFailed",
            "An execution failed: a pull request may lack its final status.",
            "ExecutionsFailed",
        ),
        (
            "ExecutionsTimedOut",
            "An execution ran out of time: the reconciler will repair its status.",
            "ExecutionsTimedOut",
        ),
    ];
    for (id, description, metric) in executions {
        let alarm = count(resources, id, description)
            .namespace("AWS/States")
            .metric_name(metric)
            .dimensions([of_machine()]);
        stack.add(id, notifying(alarm, topic));
    }
    let stuck = count(
        resources,
        "StuckPullRequests",
        "A pull request has been pending for longer than the pipeline's bound.",
    )
    .namespace(resources.project.project.as_str())
    .metric_name("StuckPullRequests");
    stack.add("StuckPullRequests", notifying(stuck, topic));
    stack.output("AlarmsTopicArn", "Subscribe to be told of alarms.", topic.arn());
}

/// An alarm on any count above nothing within five minutes.
fn count(resources: &Resources<'_>, id: &str, description: &str) -> cloudwatch::Alarm {
    let name = format!("{}-{id}", resources.project.project);
    cloudwatch::Alarm::new()
        .comparison_operator(alarm::ComparisonOperator::GreaterThanThreshold)
        .evaluation_periods(1)
        .alarm_name(name)
        .alarm_description(description)
        .statistic(alarm::Statistic::Sum)
        .period(minutes(5))
        .threshold(0.0)
        .treat_missing_data(alarm::TreatMissingData::NotBreaching)
}

fn notifying(alarm: cloudwatch::Alarm, topic: Handle<sns::Topic>) -> cloudwatch::Alarm {
    let actions: [Value<String>; 1] = [topic.arn().into()];
    alarm.alarm_actions(actions)
}
