//! Executes state machines of the [Amazon States Language] as AWS Step Functions does, without AWS: to test a machine that you
//! define, with closures as its tasks.
//!
//! ```
//! use serde_json::json;
//! use stepfunctions_runner::{Fault, Handlers, Machine, Outcome, Start};
//!
//! // One task, which is tried again when its service is busy.
//! let machine = Machine::load(&json!({
//!     "QueryLanguage": "JSONata",
//!     "StartAt": "Greet",
//!     "States": {
//!         "Greet": {
//!             "Type": "Task",
//!             "Resource": "arn:aws:states:::lambda:invoke",
//!             "Arguments": { "FunctionName": "greet", "Payload": { "name": "{% $states.input.name %}" } },
//!             "Retry": [{ "ErrorEquals": ["Busy"], "IntervalSeconds": 30, "MaxAttempts": 2 }],
//!             "Output": "{% $uppercase($states.result.Payload) %}",
//!             "End": true
//!         }
//!     }
//! }))?;
//!
//! // Busy at first, so that the first retry comes half a minute later. The clock is virtual: nothing waits.
//! let mut calls = 0;
//! let mut handlers = Handlers::new().function("greet", |payload| {
//!     calls += 1;
//!     match calls {
//!         1 => Err(Fault::of_function("Busy", "come again")),
//!         _ => Ok(json!(format!("hello {}", payload["name"].as_str().unwrap_or("you")))),
//!     }
//! });
//! let execution = machine.run(Start::new(json!({ "name": "Ada" })), &mut handlers)?;
//!
//! assert_eq!(execution.outcome(), Some(&Outcome::Succeeded(json!("HELLO ADA"))));
//! assert_eq!(execution.elapsed().as_secs(), 30);
//! assert_eq!(execution.transitions(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it is
//!
//! - [`Machine::load`] reads a definition and **refuses** what it would not execute as Step Functions does, with all reasons at once. Nothing
//!   is silently ignored: an unknown field is a refusal.
//! - [`Execution`] is the interpreter, **without I/O**: it says which tasks it wants and what it waits for, and is told results and times.
//!   A driver of any kind can stand on it; it is [`Send`], so each thread may have its own.
//! - [`Machine::run`] is a driver on a virtual clock, with [`Handlers`] made of closures.
//! - [`Event`]s are those of `GetExecutionHistory`, number for number, since causes of errors name them.
//!
//! What it never does: call AWS, read a clock (but to stop an expression that never ends), or draw randomness other than from the seed.
//!
//! [Amazon States Language]: https://states-language.net

mod condition;
pub mod conformance;
mod definition;
mod driver;
mod evaluate;
mod event;
mod execution;
mod failure;
mod hash;
mod intrinsic;
mod jsonata;
mod load;
mod machine;
mod path;
mod random;
mod refusal;
mod start;
mod task;
mod time;

pub use definition::{Pattern, Resource, StateType};
pub use driver::{Handlers, Reply, RunError, drive};
pub use event::{Enclosing, Event, EventDetail, Fault, TaskFamily};
pub use execution::{Execution, MOST_BYTES, MOST_EVENTS, NotOpen, Outcome, TaskId};
pub use machine::Machine;
pub use refusal::{Refusal, Refusals};
pub use start::{Start, Workflow};
pub use task::{Effect, Invocation, TaskCall, TaskError};
pub use time::{NotATime, Time};
