//! A catcher's flow gets the error, not the input.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).catch(FetchError::SourceRejected, task(Function(Fetch)));
}
