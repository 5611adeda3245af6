//! What the handlers do, one file a handler.
//!
//! Each is a struct that [`Function::new`] makes once a cold start, with the clients it needs, and [`Function::call`] uses for
//! every invocation.

mod app;
mod apply_stack;
mod check_pipeline;
mod check_stack;
mod claim;
mod executions;
pub mod fetch_source;
mod reconcile;
mod report;
mod stage_deployer;
mod start_pipeline;
mod stop_pipeline;
mod teardown;
mod verify_webhook;

pub use app::{DeleteItem, GetItem, ListItems, PutItem};
pub use apply_stack::ApplyStack;
pub use check_pipeline::CheckPipeline;
pub use check_stack::CheckStack;
pub use claim::Claim;
pub use fetch_source::FetchSource;
pub use reconcile::Reconcile;
pub use report::Report;
pub use stage_deployer::StageDeployer;
pub use start_pipeline::StartPipeline;
pub use stop_pipeline::StopPipeline;
pub use teardown::Teardown;
pub use verify_webhook::VerifyWebhook;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use aws_types::SdkConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stacks::Project;
use synth::{EnvironmentVariable, Handler};

use crate::Failure;
use crate::clock::Clock;

/// What carries out a handler of the contract.
pub trait Function: Sized + 'static {
    /// The handler.
    type Contract: Handler<Input: DeserializeOwned, Output: Serialize>;

    /// Makes it ready, once a cold start. Asks nobody anything yet: what is not needed is not waited for.
    ///
    /// # Errors
    /// Where a variable is missing or is not what it should be.
    fn new(environment: &Environment) -> Result<Self, StartError>;

    /// Carries out one invocation.
    ///
    /// # Errors
    /// Those that the contract declares.
    fn call(
        &self,
        input: <Self::Contract as Handler>::Input,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<<Self::Contract as Handler>::Output, FailureOf<Self>>>;
}

/// What a function fails with.
pub type FailureOf<F> = Failure<<<F as Function>::Contract as Handler>::Error>;

/// What a function reads when it starts: its environment variables, how to reach AWS, and what time it is.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    aws: SdkConfig,
    clock: Clock,
}

/// Why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A variable is missing.
    #[error(
        "the environment variable {0} is not set\n  help: set it in the function's template, with `.environment(…)`"
    )]
    Missing(&'static str),
    /// A variable is not what it should be.
    #[error("the environment variable {name} {problem}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// What is wrong with it, and how to mend it.
        problem: String,
    },
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's id of it.
    pub request_id: String,
    /// When Lambda will end it, whatever it is doing.
    pub deadline: Instant,
}

impl Environment {
    /// These variables, and this way to AWS.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, aws: SdkConfig) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            aws,
            clock: Clock::default(),
        }
    }

    /// The same with another clock than the system's.
    #[must_use]
    pub fn at(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// What time it is.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// How to reach AWS.
    pub fn aws(&self) -> &SdkConfig {
        &self.aws
    }

    /// A variable of the contract.
    ///
    /// # Errors
    /// Where it is not set, or empty.
    pub fn variable(&self, variable: EnvironmentVariable) -> Result<String, StartError> {
        self.variables
            .get(variable.name)
            .filter(|value| !value.is_empty())
            .cloned()
            .ok_or(StartError::Missing(variable.name))
    }

    /// The project's configuration, which a variable holds as JSON.
    ///
    /// # Errors
    /// Where it is not set, or is no valid configuration.
    pub fn project(&self, variable: EnvironmentVariable) -> Result<Project, StartError> {
        let text = self.variable(variable)?;
        // It was validated when the stacks were synthesized, from this very type.
        serde_json::from_str(&text).map_err(|error| StartError::Invalid {
            name: variable.name,
            problem: format!("is no configuration of a project: {error}\n  help: deploy the pipeline manager again"),
        })
    }
}

impl Invocation {
    /// One that may take this long from now.
    pub fn lasting(request_id: impl Into<String>, time: Duration) -> Self {
        Self {
            request_id: request_id.into(),
            deadline: Instant::now() + time,
        }
    }

    /// This invocation with an earlier deadline: at most `time` from now.
    #[must_use]
    pub fn at_most(&self, time: Duration) -> Self {
        Self {
            request_id: self.request_id.clone(),
            deadline: self.deadline.min(Instant::now() + time),
        }
    }

    /// How long there is until the deadline.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
