//! A number is no condition.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice::<Commit, Commit>("Number?").when(|commit| commit.number.clone(), proceed());
}
