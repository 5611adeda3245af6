//! A verdict is a verdict.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice::<Build, Build>("Passed?").when(|build| build.verdict.equals("passed"), proceed());
}
