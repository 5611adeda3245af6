//! Metrics in CloudWatch's embedded metric format: a line of the log that CloudWatch reads numbers from, see
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! The namespace is the function's name without its handler: the project's name, as the alarms expect it. The sample
//! application's functions publish none, since each pull request's would be metrics of their own, and metrics are billed.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

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

/// Publishes how many of something there are, such as the pull requests that are stuck; 0 counts too. `name` is one of
/// [`contract::metric`], each of which an alarm watches.
pub fn count(name: &str, value: u32) {
    if let Some(source) = SOURCE.get() {
        println!("{}", line(source, SystemTime::now(), name, value));
    }
}

/// One metric without dimensions: each further value of a dimension would be a metric of its own.
fn line(source: &Source, now: SystemTime, name: &str, value: u32) -> Value {
    let mut line = json!({
        "_aws": {
            "Timestamp": now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            "CloudWatchMetrics": [{
                "Namespace": source.namespace,
                "Dimensions": [[]],
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        "Handler": source.handler,
    });
    line[name] = json!(value);
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
            handler: "reconcile".to_owned(),
        };
        let line = line(
            &source,
            UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            "StuckPullRequests",
            3,
        );
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_123_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "thebestest",
                        "Dimensions": [[]],
                        "Metrics": [{ "Name": "StuckPullRequests", "Unit": "Count" }],
                    }],
                },
                "Handler": "reconcile",
                "StuckPullRequests": 3,
            })
        );
    }
}
