//! Text has no order here.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice::<Commit, Commit>("Old?").when(|commit| commit.sha.less_than("7"), proceed());
}
