//! What if no rule holds?

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).then(choice("Which?").when(
        |source: Expr<Source>| source.key.equals("x"),
        task(Function(Start)),
    ));
}
