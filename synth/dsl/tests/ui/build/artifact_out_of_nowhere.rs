//! Only an action makes artifacts.
use synth::codepipeline::Artifact;

fn main() {
    let _ = Artifact::new("Source");
}
