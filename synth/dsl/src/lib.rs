//! The typed DSL.

pub mod codebuild;
pub mod codepipeline;
mod fault;

pub use fault::{Fault, Faults};
pub use synth_aws::*;
