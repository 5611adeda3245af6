//! The number is missing.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).arguments(|build: Expr<Build>| CommitExpr {
        sha: "6dcb09b".into(),
        fork: Expr::none(),
    });
}
