//! A typed DSL for CloudFormation applications.

mod app;
mod assembly;
mod fault;
pub mod iam;
mod parameter;
mod render;
mod stack;

pub use app::App;
pub use assembly::{Assembly, Asset, Content, Document, DocumentKind, Escape, SynthesizedStack, Template, Wildcard};
pub use fault::{Fault, Faults};
pub use parameter::{Parameter, ParameterHandle, ParameterType};
pub use render::RenderError;
pub use stack::{Condition, Construct, DeletionPolicy, ResourceOptions, Stack};
pub use synth_aws::*;

/// What most stacks need in scope: the traits whose methods handles and resources have.
pub mod prelude {
    pub use crate::Construct;
}
