//! All branches get the same input.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = parallel("Both", (task(Function(Fetch)), task(Function(Start))));
}
