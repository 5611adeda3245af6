//! Serves the handler that the function's template names: all that knows of Lambda.
//!
//! The shell reads the environment, hands each invocation to its [`Function`] with a deadline, and turns what comes back into
//! Lambda's answer, a log line and metrics. It never decides anything about a pull request.

pub mod logs;
pub mod metrics;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use synth::{ErrorName, Handler, HandlerError};
use tracing::Instrument;

use crate::functions::{
    ApplyStack, CheckPipeline, CheckStack, Claim, DeleteItem, Environment, FetchSource, Function, GetItem, Invocation,
    ListItems, PutItem, Reconcile, Report, StageDeployer, StartError, StartPipeline, StopPipeline, Teardown,
    VerifyWebhook,
};
use crate::{Failure, aws};

/// How long before Lambda would end the invocation the shell ends it itself, with an error that has a name.
const MARGIN: Duration = Duration::from_millis(500);

/// The error of a handler that declares none for it and ran out of time.
const TIMED_OUT: ErrorName = ErrorName("TimedOut");

/// The error of an input that is not what the handler takes. No handler declares it: it is a fault of the caller.
const INPUT_REJECTED: ErrorName = ErrorName("InputRejected");

/// What most handlers declare for "try again later".
const UNAVAILABLE: &str = "Unavailable";

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The program was not started by Lambda.
    #[error(
        "the environment variable {0} is not set: this program is started by AWS Lambda\n  help: deploy it, or invoke it through a local Runtime API"
    )]
    NotInLambda(&'static str),
    /// There is no such handler.
    #[error("the handler {name:?} of _HANDLER does not exist, allowed are {}", allowed.join(", "))]
    UnknownHandler {
        /// What the template says.
        name: String,
        /// The handlers of this binary.
        allowed: Vec<&'static str>,
    },
    /// The handler cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system lacks what HTTPS needs.
    #[error("HTTPS is not available: {0}")]
    Https(#[from] std::io::Error),
    /// The Runtime API failed.
    #[error("the Runtime API failed: {0}")]
    Runtime(lambda_runtime::Error),
}

macro_rules! dispatch {
    ($name:expr, $environment:expr, [$($function:ty),* $(,)?]) => {{
        let name = $name;
        $(if name == <<$function as Function>::Contract as Handler>::NAME {
            return Box::pin(serve::<$function>(<$function>::new($environment)?)).await;
        })*
        Err(ShellError::UnknownHandler {
            name: name.to_owned(),
            allowed: vec![$(<<$function as Function>::Contract as Handler>::NAME),*],
        })
    }};
}

/// Serves the handler that `_HANDLER` names until Lambda ends the process.
///
/// # Errors
/// Where the environment is not that of one of this binary's functions.
pub async fn run(variables: BTreeMap<String, String>) -> Result<(), ShellError> {
    for name in ["_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME"] {
        if !variables.contains_key(name) {
            return Err(ShellError::NotInLambda(name));
        }
    }
    let name = variables["_HANDLER"].clone();
    metrics::begin(&variables["AWS_LAMBDA_FUNCTION_NAME"], &name);
    let aws = aws::config(&variables, &name)?;
    let environment = Environment::new(variables, aws);
    dispatch!(
        name.as_str(),
        &environment,
        [
            VerifyWebhook,
            Claim,
            FetchSource,
            StartPipeline,
            CheckPipeline,
            StopPipeline,
            ApplyStack,
            CheckStack,
            Report,
            Teardown,
            Reconcile,
            StageDeployer,
            ListItems,
            GetItem,
            PutItem,
            DeleteItem,
        ]
    )
}

/// Takes invocations from the Runtime API and answers them, one after the other.
async fn serve<F: Function>(function: F) -> Result<(), ShellError> {
    let function = &function;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| answer(function, event)))
        .await
        .map_err(ShellError::Runtime)
}

/// What a function answers with.
pub type Output<F> = <<F as Function>::Contract as Handler>::Output;

/// One invocation of the Runtime API.
async fn answer<F: Function>(function: &F, event: LambdaEvent<Value>) -> Result<Output<F>, Diagnostic> {
    let invocation = Invocation {
        request_id: event.context.request_id.clone(),
        deadline: Instant::now()
            + event
                .context
                .deadline()
                .duration_since(SystemTime::now())
                .unwrap_or_default(),
    };
    invoke(function, event.payload, &invocation).await
}

/// One invocation, from its JSON to its answer, with its logs.
///
/// # Errors
/// The handler's own errors by their names, and those that it declares none for: `InputRejected` and `TimedOut`.
pub async fn invoke<F: Function>(
    function: &F,
    payload: Value,
    invocation: &Invocation,
) -> Result<Output<F>, Diagnostic> {
    let span = logs::span(<F::Contract as Handler>::NAME, &invocation.request_id, &payload);
    async {
        let begun = Instant::now();
        let result = carry_out(function, payload, invocation).await;
        let outcome = result
            .as_ref()
            .err()
            .map_or("Succeeded", |error| error.error_type.as_str());
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(_) => tracing::info!(outcome, milliseconds, "done"),
            Err(error) => tracing::warn!(outcome, milliseconds, reason = error.error_message, "failed"),
        }
        result
    }
    .instrument(span)
    .await
}

async fn carry_out<F: Function>(
    function: &F,
    payload: Value,
    invocation: &Invocation,
) -> Result<Output<F>, Diagnostic> {
    let input = serde_json::from_value(payload).map_err(|error| {
        diagnostic(
            INPUT_REJECTED,
            format!(
                "the input is not what {} takes: {error}",
                <F::Contract as Handler>::NAME
            ),
        )
    })?;
    let time = invocation.remaining().saturating_sub(MARGIN);
    // Boxed, so that the types of a handler's futures end here and not in every caller's.
    match tokio::time::timeout(time, Box::pin(function.call(input, invocation))).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(Failure { error, message })) => Err(diagnostic(error.name(), message)),
        Err(_) => Err(diagnostic(
            out_of_time(<F::Contract as Handler>::ERRORS),
            format!("it took longer than the {} s that the function has", time.as_secs()),
        )),
    }
}

/// The name that the handler declares for being out of time, if it does.
fn out_of_time(declared: &[ErrorName]) -> ErrorName {
    declared
        .iter()
        .copied()
        .find(|name| name.0 == UNAVAILABLE)
        .unwrap_or(TIMED_OUT)
}

fn diagnostic(name: ErrorName, message: String) -> Diagnostic {
    Diagnostic {
        error_type: name.0.to_owned(),
        error_message: message,
    }
}
