//! Not every task fails with it.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).into_flow().retry_each(FetchError::SourceRejected, attempts(2));
}
