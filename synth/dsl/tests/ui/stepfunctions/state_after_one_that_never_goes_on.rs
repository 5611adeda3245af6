//! Nothing follows a flow that never goes on.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let over: Flow<Commit, Never> = fail("Over", ERROR).into_flow();
    let _ = over.then(task(Function(Fetch)));
}
