//! The flow takes commits.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = map("Each", |names: Expr<Vec<String>>| names, task(Function(Fetch)));
}
