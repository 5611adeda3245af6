//! The typed DSL.

pub mod apigateway;
pub mod codebuild;
pub mod codepipeline;
mod fault;

pub use fault::{Fault, Faults};
pub use synth_aws::*;
