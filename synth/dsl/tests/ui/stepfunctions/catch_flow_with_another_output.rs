//! What is caught goes on to a start, which takes a source.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).catch(States::All, pass("Make do", |caught: Expr<Caught>| caught.error.clone()));
}
