//! A typed DSL for CloudFormation applications.

// The derive macros write `::synth::…`, in this crate's own types too.
extern crate self as synth;

pub mod apigateway;
mod app;
mod assembly;
pub mod cloudformation;
pub mod codebuild;
pub mod codepipeline;
mod fault;
mod handler;
pub mod iam;
pub mod lambda;
mod parameter;
mod render;
mod rest_api;
pub mod s3;
mod stack;
pub mod stepfunctions;
mod synthesis;

pub use app::App;
pub use assembly::{Assembly, Asset, Content, Document, DocumentKind, Escape, SynthesizedStack, Template, Wildcard};
pub use fault::{Fault, Faults};
pub use handler::{EnvironmentVariable, ErrorName, Handler, HandlerError};
pub use parameter::{Parameter, ParameterHandle, ParameterType};
pub use render::RenderError;
pub use rest_api::{Api, HttpMethod};
pub use stack::{Condition, Construct, DeletionPolicy, ResourceOptions, Stack};
pub use stepfunctions::Shape;
pub use synth_aws::*;

/// What most stacks need in scope: the traits whose methods handles and resources have.
pub mod prelude {
    pub use crate::Construct;
    pub use crate::s3::ObjectGrants;
}
