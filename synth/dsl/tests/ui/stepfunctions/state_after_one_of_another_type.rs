//! The build takes a source, the fetch takes a commit.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Start)).then(task(Function(Fetch)));
}
