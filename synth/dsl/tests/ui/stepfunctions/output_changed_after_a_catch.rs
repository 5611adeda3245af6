//! The catcher's flow goes on with the output as it was.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch))
        .catch(States::All, rethrow("Failed"))
        .output(|source| source.key.clone());
}
