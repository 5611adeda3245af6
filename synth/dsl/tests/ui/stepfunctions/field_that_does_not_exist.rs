//! A commit has no `branch`.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = pass("Branch", |commit: Expr<Commit>| commit.branch.clone());
}
