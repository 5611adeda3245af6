//! A variable is named once, as a `Variable`.
use synth::codebuild::Buildspec;

fn main() {
    let _ = Buildspec::new().variable("TABLE_NAME", "items");
}
