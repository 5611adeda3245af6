//! The variable holds a source.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let source = var::<Source>("source");
    let _ = task(Function(Fetch)).assign(&source, |result| result.key.clone());
}
