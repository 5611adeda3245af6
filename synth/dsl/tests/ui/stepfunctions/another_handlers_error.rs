//! Fetching never fails with a broken build.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).catch(BuildError::BuildBroken, rethrow("Broken"));
}
