//! One way gives a source, the other a build.

#[path = "handlers/mod.rs"]
mod handlers;

use handlers::*;
use synth::stepfunctions::*;

fn main() {
    let _ = choice("Which?")
        .when(|source: Expr<Source>| source.key.equals("x"), pass("Same", |source: Expr<Source>| source))
        .otherwise(task(Function(Start)));
}
