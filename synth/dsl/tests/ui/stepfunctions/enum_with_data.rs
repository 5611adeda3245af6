//! A state machine compares an enum's variants, so they hold nothing.

use synth::Shape;

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
enum Outcome {
    Passed,
    Failed { reason: String },
}

fn main() {}
