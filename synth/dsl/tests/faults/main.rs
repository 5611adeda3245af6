//! The words of every fault of the core, with the place and the source line that they name.
//!
//! The texts are a part of the product: what failed, the value, what is allowed, then the edit that mends it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests fails the test that called it"
)]

mod loader;
mod names;
mod order;
mod reasons;
mod references;
mod values;

use std::convert::Infallible;

use synth::{App, EnvironmentVariable, Fault, Handler, Stack, lambda, sqs};

/// Everything that is wrong with the application, as people read it; without the columns, which formatting moves.
fn faults(app: App) -> Vec<String> {
    app.synthesize()
        .expect_err("the application has faults")
        .0
        .iter()
        .map(shown)
        .collect()
}

fn shown(fault: &Fault) -> String {
    let text = fault.to_string();
    match fault.at {
        Some(at) => text.replace(&at.to_string(), &format!("{}:{}", at.file(), at.line())),
        None => text,
    }
}

/// What is wrong with the one stack `app`, which has a resource that is fine besides.
fn of_stack(build: impl FnOnce(&mut Stack)) -> Vec<String> {
    let mut app = App::new();
    app.stack("app", "", |stack| {
        stack.add("Sound", sqs::Queue::new());
        build(stack);
    });
    faults(app)
}

/// The place `<this file>:<line>`.
macro_rules! at {
    ($line:expr) => {
        format!("{}:{}", file!(), $line)
    };
}
use at;

struct FetchSource;

impl FetchSource {
    const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
    const SECRET: EnvironmentVariable = EnvironmentVariable::named("SECRET_ARN");
}

impl Handler for FetchSource {
    type Input = String;
    type Output = String;
    type Error = Infallible;
    const NAME: &'static str = "fetch_source";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET, Self::SECRET];
}

fn function(stack: &mut Stack) -> lambda::HandlerFunction<FetchSource> {
    let code = lambda::Artifacts::from_asset(stack, "bootstrap", lambda::function::Architecture::Arm64);
    lambda::handling(&code, "fetch-source")
}
