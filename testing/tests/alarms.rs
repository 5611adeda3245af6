//! Alarms: each watches a metric that somebody publishes, with the dimensions that it is published with, of what the stack really has.
//! An alarm on anything else is green for ever.

#![expect(clippy::expect_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};

use contract::metric;
use serde_json::Value;
use testing::emission::{self, Emission};
use testing::{metrics, or_skip};

/// The stack with the alarms.
fn stack() -> Emission {
    let all = emission::emit(&emission::project(), &[]);
    let mut with = all.into_iter().filter(|emission| emission.resources().any(is_alarm));
    let stack = with.next().expect("a stack has alarms");
    assert!(with.next().is_none(), "one stack has alarms");
    stack
}

fn is_alarm(resource: emission::Resource<'_>) -> bool {
    resource.kind == "AWS::CloudWatch::Alarm"
}

struct Alarm {
    id: String,
    properties: Value,
}

impl Alarm {
    fn all(stack: &Emission) -> Vec<Self> {
        let alarms = stack.resources().filter(|resource| is_alarm(*resource));
        alarms
            .map(|resource| Self {
                id: resource.id.to_owned(),
                properties: resource.properties.clone(),
            })
            .collect()
    }

    fn text(&self, property: &str) -> &str {
        self.properties[property].as_str().unwrap_or_default()
    }

    fn number(&self, property: &str) -> f64 {
        self.properties[property].as_f64().expect("a number")
    }

    fn dimensions(&self) -> BTreeMap<String, Value> {
        let dimensions = self.properties["Dimensions"].as_array().cloned().unwrap_or_default();
        let named = dimensions.into_iter().map(|dimension| {
            let name = dimension["Name"].as_str().expect("a name").to_owned();
            (name, dimension["Value"].clone())
        });
        named.collect()
    }

    fn metric(&self) -> (&str, &str) {
        (self.text("Namespace"), self.text("MetricName"))
    }
}

/// The alarm on this metric of an AWS service or of the project.
fn on<'a>(alarms: &'a [Alarm], namespace: &str, metric: &str) -> &'a Alarm {
    let mut found = alarms.iter().filter(|alarm| alarm.metric() == (namespace, metric));
    let alarm = found
        .next()
        .unwrap_or_else(|| panic!("nothing watches {namespace} {metric}"));
    assert!(found.next().is_none(), "{namespace} {metric} is watched twice");
    alarm
}

#[test]
fn every_alarm_watches_a_metric_that_is_published_with_its_dimensions() {
    let Some(known) = or_skip("alarms beside AWS's metrics", metrics::known()) else {
        return;
    };
    let project = emission::project().project;
    let alarms = Alarm::all(&stack());
    assert!(!alarms.is_empty());
    for alarm in &alarms {
        let (namespace, name) = alarm.metric();
        let dimensions: BTreeSet<String> = alarm.dimensions().into_keys().collect();
        if namespace == project {
            assert!(metric::ALL.contains(&name), "{}: nobody publishes {name}", alarm.id);
            assert!(dimensions.is_empty(), "{}: {name} has no dimensions", alarm.id);
            continue;
        }
        let published = known
            .iter()
            .find(|metric| (metric.namespace.as_str(), metric.name.as_str()) == (namespace, name))
            .unwrap_or_else(|| panic!("{}: AWS publishes no {namespace} {name}", alarm.id));
        assert!(
            published.dimensions.contains(&dimensions),
            "{}: {name} comes with {:?}, never with {dimensions:?}",
            alarm.id,
            published.dimensions
        );
    }
}

#[test]
fn every_metric_that_costs_money_is_watched() {
    let alarms = Alarm::all(&stack());
    let project = emission::project().project;
    for name in metric::ALL {
        on(&alarms, &project, name);
    }
    // Detailed metrics of API Gateway are a metric a method and each is billed.
    let mut stages = 0;
    for emission in emission::everything() {
        for stage in emission
            .resources()
            .filter(|resource| resource.kind == "AWS::ApiGateway::Stage")
        {
            let settings = stage.properties["MethodSettings"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for setting in settings {
                assert_ne!(setting["MetricsEnabled"], true, "{} {}", emission.stack.name, stage.id);
            }
            stages += 1;
        }
    }
    assert!(stages >= 2, "the webhook's and an environment's: {stages}");
}

#[test]
fn what_an_alarm_watches_is_what_the_stack_has() {
    let stack = stack();
    let alarms = Alarm::all(&stack);
    let of_kind = |kind: &str| -> Vec<emission::Resource<'_>> {
        stack.resources().filter(|resource| resource.kind == kind).collect()
    };
    let referred = |value: &Value| value["Ref"].as_str().expect("a reference").to_owned();
    for metric in ["Errors", "Invocations"] {
        let function = referred(&on(&alarms, "AWS/Lambda", metric).dimensions()["FunctionName"]);
        let watched = of_kind("AWS::Lambda::Function")
            .into_iter()
            .find(|resource| resource.id == function)
            .expect("it is a function");
        assert_eq!(watched.properties["Handler"], "reconcile", "{metric}");
    }
    for metric in ["ExecutionsFailed", "ExecutionsTimedOut"] {
        let machine = referred(&on(&alarms, "AWS/States", metric).dimensions()["StateMachineArn"]);
        assert!(
            of_kind("AWS::StepFunctions::StateMachine")
                .iter()
                .any(|resource| resource.id == machine)
        );
    }
    let (apis, stages) = (of_kind("AWS::ApiGateway::RestApi"), of_kind("AWS::ApiGateway::Stage"));
    for metric in ["4XXError", "5XXError"] {
        let alarm = on(&alarms, "AWS/ApiGateway", metric);
        let dimensions = alarm.dimensions();
        let api = apis.iter().find(|api| api.properties["Name"] == dimensions["ApiName"]);
        let api = api.expect("an API has that name");
        let stage = stages
            .iter()
            .find(|stage| stage.properties["StageName"] == dimensions["Stage"])
            .expect("a stage has that name");
        assert_eq!(referred(&stage.properties["RestApiId"]), api.id);
        // "The Average statistic represents the 4XXError error rate":
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
        assert_eq!(alarm.text("Statistic"), "Average");
    }
}

#[test]
fn a_reconciler_that_does_not_run_is_told_of_since_missing_data_breaches() {
    let stack = stack();
    let alarms = Alarm::all(&stack);
    let heartbeat = on(&alarms, "AWS/Lambda", "Invocations");
    assert_eq!(heartbeat.text("TreatMissingData"), "breaching");
    assert_eq!(heartbeat.text("ComparisonOperator"), "LessThanThreshold");
    assert_eq!(heartbeat.text("Statistic"), "Sum");
    assert!((heartbeat.number("Threshold") - 1.0).abs() < f64::EPSILON);
    let schedules = stack
        .resources()
        .filter(|resource| resource.kind == "AWS::Scheduler::Schedule");
    let [schedule] = schedules
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("one schedule"));
    let every = schedule.properties["ScheduleExpression"].as_str().unwrap();
    let every: f64 = every
        .trim_start_matches("rate(")
        .split(' ')
        .next()
        .and_then(|minutes| minutes.parse().ok())
        .expect("a rate in minutes");
    let window = schedule.properties["FlexibleTimeWindow"]["MaximumWindowInMinutes"]
        .as_f64()
        .unwrap();
    assert!(
        heartbeat.number("Period") >= (every + window) * 60.0,
        "a period without a run may be no fault"
    );
    assert!(
        heartbeat.number("EvaluationPeriods") > 1.0,
        "one run that is late is no fault"
    );
    // What is counted when something goes wrong has no data while nothing does.
    for alarm in alarms.iter().filter(|alarm| alarm.id != heartbeat.id) {
        assert_eq!(alarm.text("TreatMissingData"), "notBreaching", "{}", alarm.id);
    }
}

#[test]
fn every_alarm_tells_somebody_and_a_period_is_one_of_cloudwatchs() {
    let stack = stack();
    let topics: Vec<&str> = stack
        .resources()
        .filter(|resource| resource.kind == "AWS::SNS::Topic")
        .map(|resource| resource.id)
        .collect();
    for alarm in Alarm::all(&stack) {
        let action = alarm.properties["AlarmActions"][0]["Ref"].as_str().expect("an action");
        assert!(topics.contains(&action), "{}: {action}", alarm.id);
        // "Valid values are 10, 20, 30, and any multiple of 60", and all periods together make up a week at the most, a day where one is
        // shorter than an hour: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        let (period, periods) = (alarm.number("Period"), alarm.number("EvaluationPeriods"));
        assert!(period % 60.0 == 0.0, "{}: {period}", alarm.id);
        let longest = if period < 3_600.0 { 86_400.0 } else { 604_800.0 };
        assert!(period * periods <= longest, "{}: {period} × {periods}", alarm.id);
    }
}

#[test]
fn what_api_gateway_logs_lies_in_a_group_that_the_stack_makes_first_keeps_for_a_time_and_removes() {
    let mut logging = 0;
    for emission in emission::everything() {
        let resources: Vec<emission::Resource<'_>> = emission.resources().collect();
        let logged = resources.iter().filter(|resource| {
            resource.kind.starts_with("Custom::") && !resource.properties["LogLevel"].is_null()
                || resource.kind == "AWS::ApiGateway::Stage" && resource.properties.to_string().contains("LoggingLevel")
        });
        for logged in logged {
            logging += 1;
            let api = logged.properties["RestApiId"]["Ref"].as_str().expect("an API");
            let stages = resources.iter().filter(|of| {
                of.kind == "AWS::ApiGateway::Stage" && of.properties["RestApiId"]["Ref"].as_str() == Some(api)
            });
            for stage in stages {
                let name = stage.properties["StageName"].as_str().expect("a name");
                let expected = format!("API-Gateway-Execution-Logs_${{{api}}}/{name}");
                let group = resources
                    .iter()
                    .find(|of| {
                        of.kind == "AWS::Logs::LogGroup" && emission::shown(&of.properties["LogGroupName"]) == expected
                    })
                    .unwrap_or_else(|| panic!("{}: {expected} would be API Gateway's own", emission.stack.name));
                assert!(group.properties["RetentionInDays"].is_u64(), "{expected}");
                let whole = &emission.template["Resources"];
                assert!(
                    whole[group.id]["DeletionPolicy"]
                        .as_str()
                        .is_none_or(|policy| policy == "Delete")
                );
                let needs = whole[stage.id]["DependsOn"].to_string();
                assert!(needs.contains(group.id), "{}: {needs}", stage.id);
            }
        }
    }
    assert!(logging > 0, "nothing logs, so nothing was looked at");
}
