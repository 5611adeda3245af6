//! The handler takes a commit.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).arguments(|build: Expr<Build>| SourceExpr { key: "key".into() });
}
