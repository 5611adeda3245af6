//! The cases are verdicts.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice_on::<Build, _, Build>("How?", |build| build.verdict.clone()).case("Passed", proceed());
}
