//! Lambda on this machine: a function's process, and the Runtime API that it takes its invocations from.
//!
//! The process is the real one — the `bootstrap` that is deployed, or any other runtime's — and is spoken to only through the
//! API that Lambda documents, see <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Nothing here limits what the
//! process may do: memory, time and permissions are not enforced.

mod api;
mod build;
mod process;

pub use api::{Answer, RuntimeApi};
pub use build::bootstrap;
pub use process::{Memory, Process};
