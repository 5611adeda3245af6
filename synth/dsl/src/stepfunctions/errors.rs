//! The errors that `Retry` and `Catch` match: predefined ones, the Lambda service's, and the handlers' own, see
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.

use schemars::JsonSchema;
use serde::Serialize;

use super::shape::Shape;
use crate::handler::{ErrorName, Handler};

/// One error name or several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error name",
    note = "name a `States` or `LambdaService` error, or one of a handler's own (`#[derive(HandlerError)]`)"
)]
pub trait Errors {
    /// The names, in order.
    fn names(&self) -> Vec<ErrorName>;
}

/// Errors that the handler `H` may fail with, so that a task of it may retry or catch them.
#[diagnostic::on_unimplemented(
    message = "`{H}` never fails with `{Self}`",
    label = "not an error of this task's handler",
    note = "a task retries and catches `States` and `LambdaService` errors, and those of its handler's `Error` type"
)]
pub trait RaisedBy<H: Handler>: Errors {}

/// Errors that any state may fail with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error that every state may fail with",
    note = "what is applied to each task of a flow matches `States` and `LambdaService` errors alone"
)]
pub trait Predefined: Errors {}

/// The errors that Step Functions itself reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum States {
    /// Every error but `States.DataLimitExceeded` and `States.Runtime`. It stands alone and last.
    All,
    /// Every error but [`Timeout`](Self::Timeout).
    TaskFailed,
    /// The state ran longer than its `TimeoutSeconds`.
    Timeout,
    /// The state machine's role may not do what the task does.
    Permissions,
    /// A JSONata expression failed, or gave nothing or a value of the wrong type.
    QueryEvaluationError,
    /// The data exceeds 256 KiB, which [`All`](Self::All) does not match.
    DataLimitExceeded,
    /// A choice matched no rule.
    NoChoiceMatched,
    /// A branch of a Parallel state failed.
    BranchFailed,
}

impl States {
    pub(crate) const fn name(self) -> ErrorName {
        ErrorName(match self {
            Self::All => "States.ALL",
            Self::TaskFailed => "States.TaskFailed",
            Self::Timeout => "States.Timeout",
            Self::Permissions => "States.Permissions",
            Self::QueryEvaluationError => "States.QueryEvaluationError",
            Self::DataLimitExceeded => "States.DataLimitExceeded",
            Self::NoChoiceMatched => "States.NoChoiceMatched",
            Self::BranchFailed => "States.BranchFailed",
        })
    }
}

/// The errors that the Lambda service reports for an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LambdaService {
    /// The service failed (500).
    ServiceException,
    /// An internal failure of the service (500).
    AwsLambdaException,
    /// The request did not reach the service.
    SdkClientException,
    /// The function's concurrency is exhausted (429).
    TooManyRequestsException,
    /// The function ended without an answer: out of memory, a crash.
    Unknown,
    /// The function ran into its own time-out.
    SandboxTimedOut,
}

impl LambdaService {
    const fn name(self) -> ErrorName {
        ErrorName(match self {
            Self::ServiceException => "Lambda.ServiceException",
            Self::AwsLambdaException => "Lambda.AWSLambdaException",
            Self::SdkClientException => "Lambda.SdkClientException",
            Self::TooManyRequestsException => "Lambda.TooManyRequestsException",
            Self::Unknown => "Lambda.Unknown",
            Self::SandboxTimedOut => "Sandbox.Timedout",
        })
    }
}

/// The failures of the Lambda service that pass, which AWS recommends every task to retry, see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html>.
pub const TRANSIENT: [LambdaService; 4] = [
    LambdaService::ServiceException,
    LambdaService::AwsLambdaException,
    LambdaService::SdkClientException,
    LambdaService::TooManyRequestsException,
];

macro_rules! predefined {
    ($($errors:ty),*) => {$(
        impl Errors for $errors {
            fn names(&self) -> Vec<ErrorName> {
                vec![self.name()]
            }
        }

        impl Predefined for $errors {}

        impl<H: Handler> RaisedBy<H> for $errors {}
    )*};
}

predefined!(States, LambdaService);

impl Errors for ErrorName {
    fn names(&self) -> Vec<ErrorName> {
        vec![*self]
    }
}

impl<E: Errors, const N: usize> Errors for [E; N] {
    fn names(&self) -> Vec<ErrorName> {
        self.iter().flat_map(Errors::names).collect()
    }
}

impl<E: Predefined, const N: usize> Predefined for [E; N] {}

impl<H: Handler, E: RaisedBy<H>, const N: usize> RaisedBy<H> for [E; N] {}

macro_rules! tuples {
    ($([$($item:ident $index:tt),*]),*) => {$(
        impl<$($item: Errors),*> Errors for ($($item,)*) {
            fn names(&self) -> Vec<ErrorName> {
                [$(self.$index.names()),*].concat()
            }
        }

        impl<$($item: Predefined),*> Predefined for ($($item,)*) {}

        impl<Of: Handler, $($item: RaisedBy<Of>),*> RaisedBy<Of> for ($($item,)*) {}
    )*};
}

tuples!([A 0, B 1], [A 0, B 1, C 2], [A 0, B 1, C 2, D 3]);

/// What a catcher hands to its flow.
#[derive(Debug, Clone, Serialize, JsonSchema, Shape)]
pub struct Caught {
    /// The error's name.
    #[serde(rename = "Error")]
    pub error: String,
    /// What the failed state says about it: for a Lambda function, the JSON of its error, as text.
    #[serde(rename = "Cause")]
    pub cause: Option<String>,
}
