//! The handlers in this process, each invoked as its state asks: through the shell that Lambda's own invocations go through.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use runtime::aws;
use runtime::functions::{
    ApplyStack, CheckPipeline, CheckStack, Claim, Environment, FetchSource, Function, Invocation, Reconcile, Report,
    StartPipeline, StopPipeline, Teardown, VerifyWebhook,
};
use runtime::shell;
use serde_json::Value;
use stepfunctions_runner::Fault;
use synth::Handler;
use testing::aws::Cloud;
use testing::emission::{self, Emission};

use crate::clock::VirtualClock;

/// The shared stacks, synthesized once.
pub(crate) fn emissions() -> &'static [Emission] {
    static EMISSIONS: LazyLock<Vec<Emission>> = LazyLock::new(|| emission::emit(&emission::project(), &[]));
    &EMISSIONS
}

type Invoked<'a> = Pin<Box<dyn Future<Output = Result<Value, Fault>> + 'a>>;

trait InProcess {
    fn invoke<'a>(&'a self, payload: Value, invocation: &'a Invocation) -> Invoked<'a>;
}

impl<F: Function> InProcess for F {
    fn invoke<'a>(&'a self, payload: Value, invocation: &'a Invocation) -> Invoked<'a> {
        Box::pin(async move {
            match shell::invoke(self, payload, invocation).await {
                Ok(output) => Ok(serde_json::to_value(output).expect("outputs are JSON")),
                Err(error) => Err(Fault::of_function(error.error_type, error.error_message)),
            }
        })
    }
}

/// The functions of an account by their logical ids, as the state machine names them.
pub(crate) struct Functions {
    by_id: BTreeMap<String, Deployed>,
    runtime: tokio::runtime::Runtime,
}

struct Deployed {
    handler: &'static str,
    timeout: Duration,
    function: Box<dyn InProcess>,
}

/// What makes the functions of an account.
struct Making<'a> {
    cloud: &'a Cloud,
    clock: &'a VirtualClock,
    known: &'a BTreeMap<&'static str, String>,
    by_id: BTreeMap<String, Deployed>,
}

impl Making<'_> {
    fn add<F: Function>(&mut self) {
        let handler = <F::Contract as Handler>::NAME;
        let account = self.cloud.account();
        let mut variables = testing::aws::variables(emissions(), "shared", handler, account).expect("it is deployed");
        for (name, value) in self.known {
            if let Some(variable) = variables.get_mut(*name) {
                variable.clone_from(value);
            }
        }
        let config = aws::config(&self.cloud.variables(handler), handler).expect("it is complete");
        // What the SDK waits for between two attempts is real time, of which nothing depends on.
        let retry = RetryConfig::standard()
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(2));
        let config = config.to_builder().retry_config(retry).build();
        let environment = Environment::new(variables, config).at(self.clock.of_handlers());
        let (id, timeout) = declared(handler);
        let deployed = Deployed {
            handler,
            timeout,
            function: Box::new(F::new(&environment).expect("the function starts")),
        };
        self.by_id.insert(id, deployed);
    }
}

/// The logical id of the function with this handler, and its timeout.
fn declared(handler: &str) -> (String, Duration) {
    let mut found = emissions().iter().flat_map(Emission::resources);
    let found =
        found.find(|resource| resource.kind == "AWS::Lambda::Function" && resource.properties["Handler"] == handler);
    let function = found.expect("it is emitted");
    let seconds = function.properties["Timeout"].as_u64().expect("it has a timeout");
    (function.id.to_owned(), Duration::from_secs(seconds))
}

impl Functions {
    /// Those of the state machine and of the schedule. `known` are variables that only a deployment knows.
    pub(crate) fn deploy(cloud: &Cloud, clock: &VirtualClock, known: &BTreeMap<&'static str, String>) -> Self {
        let mut making = Making {
            cloud,
            clock,
            known,
            by_id: BTreeMap::new(),
        };
        making.add::<VerifyWebhook>();
        making.add::<Claim>();
        making.add::<FetchSource>();
        making.add::<StartPipeline>();
        making.add::<CheckPipeline>();
        making.add::<StopPipeline>();
        making.add::<ApplyStack>();
        making.add::<CheckStack>();
        making.add::<Report>();
        making.add::<Teardown>();
        making.add::<Reconcile>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self {
            by_id: making.by_id,
            runtime: runtime.expect("the system has room for it"),
        }
    }

    /// The logical ids of all functions.
    pub(crate) fn ids() -> Vec<String> {
        let functions = emissions().iter().flat_map(Emission::resources);
        let functions = functions.filter(|resource| resource.kind == "AWS::Lambda::Function");
        functions.map(|function| function.id.to_owned()).collect()
    }

    /// The handler of a function.
    pub(crate) fn handler(&self, id: &str) -> &'static str {
        self.by_id[id].handler
    }

    /// How long a function may take, by its template.
    pub(crate) fn timeout(&self, id: &str) -> Duration {
        self.by_id[id].timeout
    }

    /// One invocation. `within` is the real time that it has; leaving it out is the time that the template says.
    pub(crate) fn invoke(&self, id: &str, payload: &Value, within: Option<Duration>) -> Result<Value, Fault> {
        let deployed = &self.by_id[id];
        let invocation = Invocation::lasting("matrix", within.unwrap_or(deployed.timeout));
        self.runtime
            .block_on(deployed.function.invoke(payload.clone(), &invocation))
    }
}
