//! What a Lambda handler is to a state machine and to a function: its data, its errors, its name and its environment.
//!
//! This module never runs a handler and knows none in particular: an application's contract implements [`Handler`] for its own
//! marker types.

use std::convert::Infallible;

pub use synth_derive::HandlerError;

use crate::stepfunctions::{Errors, RaisedBy, Shape};

/// A Lambda handler, implemented by a marker type that a function is built for and a task is named by.
///
/// ```
/// use synth::{EnvironmentVariable, Handler, HandlerError, Shape};
///
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// pub struct Commit { repository: String, sha: String }
///
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// pub struct Source { key: String, version: String }
///
/// #[derive(Clone, Copy, HandlerError)]
/// pub enum FetchSourceError { SourceRejected, SourceMissing }
///
/// pub struct FetchSource;
///
/// impl FetchSource {
///     pub const BUCKET: EnvironmentVariable = EnvironmentVariable::named("BUCKET");
/// }
///
/// impl Handler for FetchSource {
///     type Input = Commit;
///     type Output = Source;
///     type Error = FetchSourceError;
///     const NAME: &'static str = "fetch_source";
///     const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::BUCKET];
/// }
///
/// assert_eq!(FetchSource::ERRORS[1].0, "SourceMissing");
/// ```
pub trait Handler: 'static {
    /// What the handler is invoked with.
    type Input: Shape;
    /// What it returns.
    type Output: Shape;
    /// What it fails with: an enum of error names, or [`Infallible`] for none that a state machine tells apart.
    type Error: HandlerError;
    /// The name that the runtime dispatches on (`_HANDLER`), in snake_case.
    const NAME: &'static str;
    /// The environment variables that it reads.
    const ENVIRONMENT: &'static [EnvironmentVariable];
    /// The error names that `Retry` and `Catch` may match, besides the predefined ones.
    const ERRORS: &'static [ErrorName] = <Self::Error as HandlerError>::NAMES;
}

/// The errors that a handler fails with. Derive it for an enum of unit variants: the variant's name is the error name.
pub trait HandlerError: Copy + 'static {
    /// All of them.
    const NAMES: &'static [ErrorName];

    /// The name of this one, which the runtime reports as the function's error type.
    fn name(self) -> ErrorName;
}

impl HandlerError for Infallible {
    const NAMES: &'static [ErrorName] = &[];

    fn name(self) -> ErrorName {
        match self {}
    }
}

impl Errors for Infallible {
    fn names(&self) -> Vec<ErrorName> {
        match *self {}
    }
}

impl<H: Handler<Error = Self>> RaisedBy<H> for Infallible {}

/// The name of an error, as Step Functions compares it: exact, case and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorName(pub &'static str);

/// An environment variable that a handler reads and its function must set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentVariable {
    /// The variable's name: letters, digits and `_`, a letter first.
    pub name: &'static str,
}

impl EnvironmentVariable {
    /// The variable of this name.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self { name }
    }
}
