//! Alarms: executions that failed or ran out of time, pull requests that are stuck, a reconciler that fails or does not run, webhooks
//! that are refused, a token for GitHub that is about to end.
//!
//! | what it is | metric | missing data |
//! |---|---|---|
//! | something happened that should not | a count above nothing | nothing has happened |
//! | something should happen and does not | the reconciler's invocations | is the fault: nobody is there to tell of it |
//!
//! Metrics of AWS's own are the services'; the project's are [`contract::metric`], in the namespace that is named after the project.

use contract::{Reconcile, metric};
use synth::cloudwatch::{self, alarm};
use synth::lambda::FunctionHandle;
use synth::sns;
use synth::{Duration, Handle, Stack, Value, hours, minutes, stepfunctions};

use super::{Resources, schedule, webhook};

/// How many days before its end a token for GitHub is to be replaced.
const DAYS_BEFORE_THE_END: f64 = 14.0;
/// How many periods in a row may pass without a run of the reconciler.
const MISSED_RUNS: i64 = 3;
/// Which part of the webhooks of an hour may be refused: who scans for open doors is refused too, and GitHub never should be.
const REFUSED: f64 = 0.5;

/// What alarms watch.
pub(super) struct Watched {
    pub(super) machine: Handle<stepfunctions::StateMachineResource>,
    pub(super) reconcile: FunctionHandle<Reconcile>,
}

/// Adds the topic that alarms go to, and the alarms.
pub(super) fn add(stack: &mut Stack, resources: &Resources<'_>, watched: Watched) {
    let topic = sns::Topic::new()
        .topic_name(resources.names.shared("alarms"))
        .display_name("Pipeline alarms");
    let topic = stack.add("Alarms", topic);
    let alarms = Alarms { resources };
    let all = [
        alarms.executions(watched.machine),
        alarms.reconciler(watched.reconcile),
        alarms.webhooks(),
        alarms.own(),
    ];
    for (id, alarm) in all.into_iter().flatten() {
        let actions: [Value<String>; 1] = [topic.arn().into()];
        stack.add(id, alarm.alarm_actions(actions));
    }
    stack.output("AlarmsTopicArn", "Subscribe to be told of alarms.", topic.arn());
}

type Alarm = (&'static str, cloudwatch::Alarm);

struct Alarms<'a> {
    resources: &'a Resources<'a>,
}

impl Alarms<'_> {
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html>
    fn executions(&self, machine: Handle<stepfunctions::StateMachineResource>) -> Vec<Alarm> {
        let executions = [
            (
                "ExecutionsFailed",
                "An execution failed: a pull request may lack its final status.",
            ),
            (
                "ExecutionsTimedOut",
                "An execution ran out of time: the reconciler will repair its status.",
            ),
        ];
        let alarm = |(id, description)| {
            let alarm = self.above(id, description, 0.0, minutes(5));
            let alarm = alarm.namespace("AWS/States").metric_name(id);
            let dimension = alarm::Dimension::new("StateMachineArn", machine.arn());
            (id, alarm.dimensions([dimension]))
        };
        executions.map(alarm).into()
    }

    /// A reconciler that fails, and one that is not started at all: then nothing fails, and no webhook that was lost is ever missed.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
    fn reconciler(&self, reconcile: FunctionHandle<Reconcile>) -> Vec<Alarm> {
        let of_function = || [alarm::Dimension::new("FunctionName", reconcile.name())];
        let (failed, missing) = ("ReconcilerFailed", "ReconcilerMissing");
        let errors = self
            .above(
                failed,
                "The reconciler failed: what webhooks miss stays as it is until a run succeeds.",
                0.0,
                minutes(5),
            )
            .namespace("AWS/Lambda")
            .metric_name("Errors")
            .dimensions(of_function());
        let runs = self
            .alarm(
                missing,
                "The reconciler does not run: what webhooks miss stays as it is.",
                alarm::ComparisonOperator::LessThanThreshold,
                1.0,
            )
            .statistic(alarm::Statistic::Sum)
            .period(schedule::longest_pause(self.resources))
            .evaluation_periods(MISSED_RUNS)
            .treat_missing_data(alarm::TreatMissingData::Breaching)
            .namespace("AWS/Lambda")
            .metric_name("Invocations")
            .dimensions(of_function());
        vec![(failed, errors), (missing, runs)]
    }

    /// The mean of an error metric is the part of requests that ended so.
    ///
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html>
    fn webhooks(&self) -> Vec<Alarm> {
        let refused = (
            "WebhooksRefused",
            "4XXError",
            "Most webhooks of an hour were refused: look whether they are GitHub's.",
            (REFUSED, hours(1)),
        );
        let failed = (
            "WebhooksFailed",
            "5XXError",
            "A webhook started no execution: the reconciler will pick the pull request up.",
            (0.0, minutes(5)),
        );
        let alarm = |(id, metric, description, (part, period))| {
            let alarm = self
                .above(id, description, part, period)
                .statistic(alarm::Statistic::Average)
                .namespace("AWS/ApiGateway")
                .metric_name(metric)
                .dimensions([
                    alarm::Dimension::new("ApiName", webhook::name(self.resources)),
                    alarm::Dimension::new("Stage", webhook::STAGE),
                ]);
            (id, alarm)
        };
        [refused, failed].map(alarm).into()
    }

    /// The project's own metrics, without dimensions.
    fn own(&self) -> Vec<Alarm> {
        let (stuck, ending) = ("StuckPullRequests", "CredentialEnds");
        let of_project = |alarm: cloudwatch::Alarm, metric: &'static str| {
            let namespace = self.resources.project.project.as_str();
            alarm.namespace(namespace).metric_name(metric)
        };
        let pending = "A pull request has been pending for longer than the pipeline's bound.";
        let pending = self.above(stuck, pending, 0.0, minutes(5));
        let days = self
            .alarm(
                ending,
                "The token for GitHub is about to end: make a new one, put it into a file, and run `deploy up --credentials <file>`.",
                alarm::ComparisonOperator::LessThanThreshold,
                DAYS_BEFORE_THE_END,
            )
            .statistic(alarm::Statistic::Minimum)
            .period(hours(1));
        vec![
            (stuck, of_project(pending, metric::STUCK_PULL_REQUESTS)),
            (ending, of_project(days, metric::CREDENTIAL_DAYS_LEFT)),
        ]
    }

    /// An alarm on a sum above a threshold within one period.
    fn above(&self, id: &str, description: &str, threshold: f64, period: Duration) -> cloudwatch::Alarm {
        let above = alarm::ComparisonOperator::GreaterThanThreshold;
        self.alarm(id, description, above, threshold)
            .statistic(alarm::Statistic::Sum)
            .period(period)
    }

    /// An alarm on one period. A metric that has no data is no fault: nothing has happened.
    fn alarm(
        &self,
        id: &str,
        description: &str,
        comparison: alarm::ComparisonOperator,
        threshold: f64,
    ) -> cloudwatch::Alarm {
        cloudwatch::Alarm::new()
            .comparison_operator(comparison)
            .evaluation_periods(1)
            .alarm_name(format!("{}-{id}", self.resources.project.project))
            .alarm_description(description)
            .threshold(threshold)
            .treat_missing_data(alarm::TreatMissingData::NotBreaching)
    }
}
