//! State machines as typed data flow, emitted in the States Language with JSONata.
//!
//! A [`task`] is named by a function whose handler is known, which fixes what it takes and gives; a [`Flow`] composes only where
//! types meet; a [variable](var) holds one type; a [`choice`] asks for fields that exist. [`definition`] makes a state machine of a
//! flow, checks what types cannot say, and emits it.
//!
//! ```
//! # mod handlers {
//! #     use std::convert::Infallible;
//! #     use synth::stepfunctions::{Caught, Invocable};
//! #     use synth::{Arn, EnvironmentVariable, Handler, HandlerError, Shape, Value, lambda};
//! #
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct Delivery { pub body: String, pub signature: String }
//! #     #[derive(Clone, Copy, serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub enum Wish { Test, TearDown, Ignore }
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct Verified { pub wish: Wish, pub repository: String, pub number: u64, pub sha: String }
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct PullRequest { pub repository: String, pub number: u64 }
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct Claim { pub generation: u64, pub current: bool }
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct Commit { pub repository: String, pub sha: String }
//! #     #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
//! #     pub struct Build { pub id: String, pub finished: bool }
//! #     #[derive(Clone, Copy, HandlerError)]
//! #     pub enum VerifyError { SignatureMismatch }
//! #     #[derive(Clone, Copy, HandlerError)]
//! #     pub enum FetchError { SourceRejected }
//! #
//! #     macro_rules! handler {
//! #         ($marker:ident, $name:literal, $in:ty => $out:ty, $error:ty) => {
//! #             #[derive(Clone, Copy)]
//! #             pub struct $marker;
//! #             impl Handler for $marker {
//! #                 type Input = $in; type Output = $out; type Error = $error;
//! #                 const NAME: &'static str = $name;
//! #                 const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
//! #             }
//! #             impl Invocable for $marker {
//! #                 type Handler = Self;
//! #                 fn arn(&self) -> Value<Arn<lambda::Function>> { Value::from("arn:aws:lambda:…").trusted() }
//! #             }
//! #         };
//! #     }
//! #     handler!(Verify, "verify", Delivery => Verified, VerifyError);
//! #     handler!(ClaimIt, "claim", PullRequest => Claim, Infallible);
//! #     handler!(Fetch, "fetch_source", Commit => Build, FetchError);
//! #     handler!(Check, "check_build", Build => Build, Infallible);
//! #     handler!(Report, "report", Build => (), Infallible);
//! #     handler!(ReportFailure, "report_failure", Caught => (), Infallible);
//! #     handler!(TearDown, "tear_down", PullRequest => (), Infallible);
//! # }
//! # use handlers::*;
//! use synth::stepfunctions::*;
//! use synth::{ErrorName, minutes, seconds};
//!
//! /// Tests a pull request's head, or clears up after it.
//! # /*
//! fn machine(…) -> Definition {
//! # */
//! # fn machine() -> Definition {
//! #   let (verify, claim, fetch_source, check_build) = (Verify, ClaimIt, Fetch, Check);
//! #   let (report, report_failure, tear_down) = (Report, ReportFailure, TearDown);
//!     let verified = var::<Verified>("verified");
//!
//!     let pull_request = |_| PullRequestExpr {
//!         repository: verified.get().repository.clone(),
//!         number: verified.get().number.clone(),
//!     };
//!
//!     let test = task(fetch_source)
//!         .arguments(|_: Expr<Claim>| CommitExpr {
//!             repository: verified.get().repository.clone(),
//!             sha: verified.get().sha.clone(),
//!         })
//!         .catch(FetchError::SourceRejected, task(report_failure).named("Report rejection").end())
//!         .then(
//!             poll("Unit tests", task(check_build))
//!                 .first(seconds(10))
//!                 .for_at_most(minutes(60))
//!                 .until(|build| build.finished.clone())
//!                 .otherwise(fail("Unit tests: too long", ErrorName("BuildTimedOut"))),
//!         )
//!         .then(task(report));
//!
//!     let superseded = succeed("Superseded");
//!
//!     let flow = task(verify)
//!         .assign(&verified, |result| result)
//!         .catch(VerifyError::SignatureMismatch, rethrow("Forged"))
//!         .then(
//!             choice_on("What is wished?", |verified: Expr<Verified>| verified.wish.clone())
//!                 .case(
//!                     Wish::Test,
//!                     task(claim).arguments(pull_request).then(
//!                         choice("Still current?").when(|claim: Expr<Claim>| claim.current.clone(), test).otherwise(superseded),
//!                     ),
//!                 )
//!                 .case(Wish::TearDown, task(tear_down).arguments(pull_request))
//!                 .case(Wish::Ignore, succeed("Nothing to do"))
//!                 .exhaustive(),
//!         )
//!         .retry_each(TRANSIENT, attempts(4).backing_off_from(seconds(2)).full_jitter())
//!         .catch_each(States::All, task(report_failure).end());
//!
//!     definition(flow).comment("Tests a pull request's head, or clears up after it.").timeout(minutes(90))
//! }
//!
//! let machine = machine();
//! assert_eq!(machine.check(), []);
//! assert_eq!(machine.invoked().len(), 1); // All functions of this example have one ARN.
//! ```
//!
//! # What does not compile
//!
//! A state after one that gives another type; arguments or an output with a field missing or of another type; a field that does
//! not exist; a comparison with another type; an assignment of another type; a catcher or retrier of an error that the handler does
//! not fail with; ways of a choice with different outputs; a choice without an end; a state after one that never goes on.
//!
//! # What is a fault of synthesis
//!
//! Each with the line to blame, all at once: a variable that some path does not assign; a field that serde names otherwise than
//! `Shape` does; an expression that was carried from one state's closure into another's; two states of one name; a wildcard that
//! is not last; an exhaustive choice that leaves a value out; limits and ranges.
//!
//! This module never talks to AWS, never runs a state machine, and knows no handler.

mod assignment;
mod basic;
mod check;
mod choice;
pub mod context;
mod definition;
mod emit;
mod errors;
mod expr;
mod flow;
mod graph;
mod lower;
mod machine;
mod nested;
mod poll;
mod retry;
mod schema;
mod shape;
mod state;
mod variable;
mod work;

pub use basic::{Failing, Passing, fail, pass, proceed, rethrow, succeed, wait, wait_seconds, wait_until};
pub use choice::{Cases, Choice, choice, choice_on};
pub use definition::{Definition, definition};
pub use errors::{Caught, Errors, LambdaService, Predefined, RaisedBy, States, TRANSIENT};
pub use expr::{Expr, Expression, IntoExpr, Number, Untyped, concatenation};
pub use flow::{Flow, IntoFlow};
pub use graph::{Edge, EdgeKind, Graph, GraphNode};
pub use machine::{StateMachine, StateMachineHandle, arn_of};
pub use nested::{Branches, map, parallel};
pub use poll::{Bounds, Poll, Restarts, Until, poll, restarts};
pub use retry::{Retry, attempts};
pub use shape::{Never, Shape};
pub use synth_aws::stepfunctions::StateMachine as StateMachineResource;
pub use synth_aws::stepfunctions::*;
pub use variable::{Var, var};
pub use work::{Catching, Guarded, Invocable, Invoke, Nested, Open, Task, Work, task};
