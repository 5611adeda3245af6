//! Fetching never fails with a broken build.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).retry((States::Timeout, BuildError::BuildBroken), attempts(2));
}
