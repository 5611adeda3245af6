//! A catcher of every task has no one output to go on with.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = task(Function(Fetch))
        .into_flow()
        .catch_each(States::All, pass("Go on", |caught: Expr<Caught>| caught));
}
