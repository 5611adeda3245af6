//! A poll ends on the check's output.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = poll("Build", task(Function(Start))).until(|build| build.verdict.clone());
}
