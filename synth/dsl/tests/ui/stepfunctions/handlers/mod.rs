//! The handlers that the mistakes are made with.

use synth::stepfunctions::Invocable;
use synth::{Arn, EnvironmentVariable, ErrorName, Handler, HandlerError, Shape, Value, lambda};

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
pub struct Commit {
    pub sha: String,
    pub number: u64,
    pub fork: Option<String>,
}

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
pub struct Source {
    pub key: String,
}

#[derive(Clone, Copy, serde::Serialize, schemars::JsonSchema, Shape)]
pub enum Verdict {
    Passed,
    Failed,
}

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
pub struct Build {
    pub verdict: Verdict,
}

#[derive(Clone, Copy, HandlerError)]
pub enum FetchError {
    SourceRejected,
}

#[derive(Clone, Copy, HandlerError)]
pub enum BuildError {
    BuildBroken,
}

pub struct Fetch;
pub struct Start;

impl Handler for Fetch {
    type Input = Commit;
    type Output = Source;
    type Error = FetchError;
    const NAME: &'static str = "fetch";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
}

impl Handler for Start {
    type Input = Source;
    type Output = Build;
    type Error = BuildError;
    const NAME: &'static str = "start";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
}

pub struct Function<H>(pub H);

impl<H: Handler> Invocable for Function<H> {
    type Handler = H;

    fn arn(&self) -> Value<Arn<lambda::Function>> {
        Value::from("arn").trusted()
    }
}

pub const ERROR: ErrorName = ErrorName("Error");
