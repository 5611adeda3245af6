//! An artifact is what an action has made, not a name.
use synth::codepipeline::CodeBuild;

fn main() {
    let _ = CodeBuild::build("Build", "project", "Source");
}
