//! The Lambda handlers of the pipeline and of its sample application.
//!
//! A handler's types, errors and environment are declared in `contract`; here is what it does, one file a handler, under
//! [`functions`]. What can be decided without asking anybody — a webhook, a claim, a comment — is decided in modules that know
//! no SDK, and the functions carry it out. [`shell`] is all that knows of Lambda.

pub mod app;
pub mod comment;
mod failure;
pub mod record;
pub mod webhook;

#[cfg(feature = "lambda")]
pub mod clock;
#[cfg(feature = "lambda")]
pub mod console;
#[cfg(feature = "lambda")]
pub mod functions;
#[cfg(feature = "lambda")]
pub mod github;
#[cfg(feature = "lambda")]
pub mod records;
#[cfg(feature = "lambda")]
pub mod sdk;
#[cfg(feature = "lambda")]
pub mod secrets;
#[cfg(feature = "lambda")]
pub mod shell;
#[cfg(feature = "lambda")]
pub mod upload;

#[cfg(feature = "lambda")]
pub use clients::{aws, cloudformation, https};
pub use failure::Failure;
