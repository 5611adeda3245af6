//! The variable holds a build.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let build = var::<Build>("build");
    let _ = task(Function(Start)).arguments(|_: Expr<Commit>| build.get());
}
