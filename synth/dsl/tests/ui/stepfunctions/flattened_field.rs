//! A flattened field is no field of the JSON.

use synth::Shape;

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
struct Inner {
    key: String,
}

#[derive(serde::Serialize, schemars::JsonSchema, Shape)]
struct Outer {
    #[serde(flatten)]
    inner: Inner,
}

fn main() {}
