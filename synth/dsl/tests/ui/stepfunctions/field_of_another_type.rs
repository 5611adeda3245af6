//! The sha is text.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch)).arguments(|source: Expr<Source>| CommitExpr {
        sha: Expr::literal(17_u64),
        number: 17.into(),
        fork: Expr::none(),
    });
}
