//! The typed DSL.

pub mod codebuild;
mod fault;

pub use fault::{Fault, Faults};
pub use synth_aws::*;
