//! What AWS does to steps of CloudFormation on a bad day: functions of custom resources that never answer, and API Gateway's rates.
//!
//! Both are a matter of time. Where the account has a clock of its user's, time stands until that moves it: a function that never
//! answers keeps its stack waiting until its `ServiceTimeout` has passed on it, and API Gateway's published rates are those of the
//! account on it. Without such a clock nobody waits, and nothing is throttled but what is asked for.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use codepipeline_local::Clock;
use serde_json::Value;

use super::resources::Kind;
use crate::aws::lock;

/// How long CloudFormation waits for a custom resource that does not say, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>.
const SERVICE_TIMEOUT: u64 = 3_600;

/// How often an account may take a step, see "Amazon API Gateway quotas for creating, deploying and managing an API" at
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const RATES: [(&str, Kind, Duration); 3] = [
    ("AWS::ApiGateway::RestApi", Kind::Create, Duration::from_secs(3)),
    ("AWS::ApiGateway::RestApi", Kind::Delete, Duration::from_secs(30)),
    ("AWS::ApiGateway::Deployment", Kind::Create, Duration::from_secs(5)),
];

/// As API Gateway says it, and CloudFormation after it: <https://github.com/pulumi/pulumi-cdk/issues/277>.
const TOO_MANY: &str =
    "Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: 9649383f-8ebe-4073-8cac-100df7a113cb)";

/// As CloudFormation says that nobody answered, in public reports such as
/// <https://repost.aws/knowledge-center/cloudformation-stack-delete-failed>.
const SILENT: &str = "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId \
                      [c718b62b-b361-4a4e-bbb8-6b4cbc41c08b]. If you are using the Python cfn-response module, you may need to \
                      update your Lambda function code so that CloudFormation can attach the updated version.";

/// How often the account's clock is looked at, in real time.
const GLANCE: Duration = Duration::from_millis(2);

/// The weather of one account.
#[derive(Default)]
pub(in crate::aws) struct Weather(Mutex<State>);

#[derive(Default)]
struct State {
    clock: Option<Arc<dyn Clock>>,
    /// Until when a function is waited for, by its stack; one at a time.
    waiting: BTreeMap<String, SystemTime>,
    /// When a step that has a rate was taken last.
    taken: BTreeMap<(&'static str, Kind), SystemTime>,
    /// How many of the next steps of a kind are throttled, whatever the rates are.
    throttled: BTreeMap<(String, Kind), u32>,
}

impl Weather {
    /// From now on time is what this clock says.
    pub(in crate::aws) fn tell_time(&self, clock: Arc<dyn Clock>) {
        lock(&self.0).clock = Some(clock);
    }

    /// Throttles the next steps of this kind.
    pub(in crate::aws) fn throttle(&self, kind: &str, step: Kind, times: u32) {
        lock(&self.0).throttled.insert((kind.to_owned(), step), times);
    }

    /// How many steps are still to be throttled.
    pub(in crate::aws) fn to_throttle(&self) -> u32 {
        lock(&self.0).throttled.values().sum()
    }

    /// Ends the bad day.
    pub(in crate::aws) fn clear(&self) {
        let mut state = lock(&self.0);
        state.throttled.clear();
        state.taken.clear();
    }

    /// When the first stack that waits for a function's answer has waited long enough.
    pub(in crate::aws) fn next_timeout(&self) -> Option<SystemTime> {
        let state = lock(&self.0);
        let now = state.clock.as_ref()?.now();
        state.waiting.values().filter(|until| **until > now).min().copied()
    }

    /// Whether the stack waits for an answer that does not come.
    pub(in crate::aws) fn waits(&self, stack: &str) -> bool {
        let state = lock(&self.0);
        let Some(now) = state.clock.as_ref().map(|clock| clock.now()) else {
            return false;
        };
        state.waiting.get(stack).is_some_and(|until| *until > now)
    }

    /// Why a step fails, if the account was asked for too many of its kind.
    pub(super) fn throttled(&self, kind: &str, step: Kind) -> Option<String> {
        self.is_throttled(kind, step).then(|| TOO_MANY.to_owned())
    }

    fn is_throttled(&self, kind: &str, step: Kind) -> bool {
        let mut state = lock(&self.0);
        if let Some(left) = state
            .throttled
            .get_mut(&(kind.to_owned(), step))
            .filter(|left| **left > 0)
        {
            *left -= 1;
            return true;
        }
        let Some(now) = state.clock.as_ref().map(|clock| clock.now()) else {
            return false;
        };
        let Some((name, _, pause)) = RATES.iter().find(|(name, of, _)| *name == kind && *of == step) else {
            return false;
        };
        let early = state.taken.get(&(*name, step)).is_some_and(|last| now < *last + *pause);
        if !early {
            state.taken.insert((name, step), now);
        }
        early
    }

    /// Waits until CloudFormation has waited long enough for a function that never answers. Returns what it says then.
    pub(super) async fn silence(&self, stack: &str, properties: &Value) -> String {
        let timeout = match &properties["ServiceTimeout"] {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let clock = lock(&self.0).clock.clone();
        if let Some(clock) = clock {
            let until = clock.now() + Duration::from_secs(timeout.unwrap_or(SERVICE_TIMEOUT));
            lock(&self.0).waiting.insert(stack.to_owned(), until);
            while self.waits(stack) {
                tokio::time::sleep(GLANCE).await;
            }
            lock(&self.0).waiting.remove(stack);
        }
        SILENT.to_owned()
    }
}

impl fmt::Debug for Weather {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Weather")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn an_account_deletes_one_api_in_thirty_seconds_and_creates_one_in_three() {
        let weather = Weather::default();
        let deletes = || !weather.is_throttled("AWS::ApiGateway::RestApi", Kind::Delete);
        assert!(deletes() && deletes(), "without a clock there are no rates");
        let hands = Arc::new(Hands(AtomicU64::new(1_000)));
        weather.tell_time(Arc::clone(&hands) as Arc<dyn Clock>);
        let at = |seconds, step| {
            hands.0.store(seconds, Ordering::SeqCst);
            !weather.is_throttled("AWS::ApiGateway::RestApi", step)
        };
        let deleted = [1_000, 1_010, 1_029, 1_030, 1_059, 1_060].map(|seconds| at(seconds, Kind::Delete));
        assert_eq!(deleted, [true, false, false, true, false, true]);
        let created = [2_000, 2_002, 2_003].map(|seconds| at(seconds, Kind::Create));
        assert_eq!(created, [true, false, true]);
    }
}
