//! Only what derives `Shape` flows through a state machine.

use synth::stepfunctions::{Var, var};

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Plain {
    key: String,
}

fn main() {
    let _: Var<Plain> = var("plain");
}
