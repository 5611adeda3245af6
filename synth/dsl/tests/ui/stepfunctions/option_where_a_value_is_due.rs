//! A fork may be absent.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Start)).arguments(|commit: Expr<Commit>| SourceExpr { key: commit.fork.clone() });
}
