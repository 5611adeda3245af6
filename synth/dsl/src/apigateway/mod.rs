//! Everything of `synth_aws::apigateway`, and typed mapping templates and models on top of it.
//!
//! - [`mapping`]: request and response templates as values, in which nothing that a caller sent can leave its place.
//! - [`ModelSchema`]: the schema of a model from a Rust type.
//!
//! This module never makes APIs, methods or deployments.

pub mod mapping;
mod model_schema;

pub use model_schema::ModelSchema;
pub use synth_aws::apigateway::*;
