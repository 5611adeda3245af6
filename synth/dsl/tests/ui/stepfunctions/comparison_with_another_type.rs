//! A number is no text.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice::<Commit, Commit>("Seventeen?").when(|commit| commit.number.equals("17"), proceed());
}
