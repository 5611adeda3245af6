//! The typed DSL.

mod fault;

pub use fault::{Fault, Faults};
pub use synth_aws::*;
