//! The typed DSL.

// The derive macros write `::synth::…`, in this crate's own types too.
extern crate self as synth;

mod fault;
mod handler;
pub mod stepfunctions;

pub use fault::{Fault, Faults};
pub use handler::{EnvironmentVariable, ErrorName, Handler, HandlerError};
pub use stepfunctions::Shape;
pub use synth_aws::*;
