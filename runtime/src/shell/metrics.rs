//! Metrics in CloudWatch's embedded metric format: a line of the log that CloudWatch reads numbers from, see
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! The namespace is the function's name without its handler: the project's name, as the alarms expect it. The sample
//! application's functions publish none, since each pull request's would be metrics of their own, and metrics are billed.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// What all metrics of a process share.
#[derive(Debug)]
struct Source {
    namespace: String,
    handler: String,
}

static SOURCE: OnceLock<Source> = OnceLock::new();

/// Names what the process's metrics are of. Without it, as in tests, none are published.
pub(super) fn begin(function: &str, handler: &str) {
    if let Some(namespace) = namespace(function, handler) {
        // Only a second call in the same process finds one that is set; a process serves one handler.
        SOURCE
            .set(Source {
                namespace,
                handler: handler.to_owned(),
            })
            .ok();
    }
}

/// A function is called `<project>-<handler>`; one of an environment has the environment in between.
fn namespace(function: &str, handler: &str) -> Option<String> {
    let project = function.strip_suffix(&handler.replace('_', "-"))?.strip_suffix('-')?;
    let mut words = project.rsplit('-');
    let of_environment = match (words.next(), words.next()) {
        (Some(number), Some("pr")) => number.bytes().all(|byte| byte.is_ascii_digit()),
        (Some("stage"), _) => true,
        _ => false,
    };
    (!of_environment && !project.is_empty()).then(|| project.to_owned())
}

/// How an invocation ended and how long it took.
pub(super) fn invocation(outcome: &str, took: Duration) {
    publish(
        &[&["Handler"], &["Handler", "Outcome"]],
        &[
            ("Duration", "Milliseconds", took.as_secs_f64() * 1_000.0),
            ("Invocations", "Count", 1.0),
        ],
        &[("Outcome", outcome)],
    );
}

/// How many of something there are, such as the pull requests that are stuck; 0 counts too.
pub fn count(name: &str, value: u32) {
    publish(&[&[]], &[(name, "Count", value.into())], &[]);
}

fn publish(dimensions: &[&[&str]], metrics: &[(&str, &str, f64)], labels: &[(&str, &str)]) {
    if let Some(source) = SOURCE.get() {
        println!("{}", line(source, SystemTime::now(), dimensions, metrics, labels));
    }
}

fn line(
    source: &Source,
    now: SystemTime,
    dimensions: &[&[&str]],
    metrics: &[(&str, &str, f64)],
    labels: &[(&str, &str)],
) -> Value {
    let named: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            "CloudWatchMetrics": [{ "Namespace": source.namespace, "Dimensions": dimensions, "Metrics": named }],
        },
        "Handler": source.handler,
    });
    for (name, value) in labels {
        line[*name] = json!(value);
    }
    for (name, _, value) in metrics {
        line[*name] = json!(value);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_the_project() {
        assert_eq!(
            namespace("thebestest-fetch-source", "fetch_source").as_deref(),
            Some("thebestest")
        );
        assert_eq!(namespace("my-pr-tool-report", "report").as_deref(), Some("my-pr-tool"));
        assert_eq!(namespace("thebestest-webhook-deployer", "stage_deployer"), None);
    }

    #[test]
    fn an_environments_function_publishes_nothing() {
        assert_eq!(namespace("thebestest-pr-17-list-items", "list_items"), None);
        assert_eq!(namespace("thebestest-stage-list-items", "list_items"), None);
    }

    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let source = Source {
            namespace: "thebestest".to_owned(),
            handler: "claim".to_owned(),
        };
        let line = line(
            &source,
            UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            &[&["Handler"], &["Handler", "Outcome"]],
            &[("Duration", "Milliseconds", 12.5)],
            &[("Outcome", "Unavailable")],
        );
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_123_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "thebestest",
                        "Dimensions": [["Handler"], ["Handler", "Outcome"]],
                        "Metrics": [{ "Name": "Duration", "Unit": "Milliseconds" }],
                    }],
                },
                "Handler": "claim",
                "Outcome": "Unavailable",
                "Duration": 12.5,
            })
        );
    }
}
