//! A timeout is no size.
use synth::codepipeline::{Artifact, CodeBuild};
use synth::mebibytes;

fn build(source: &Artifact) -> CodeBuild {
    CodeBuild::build("Build", "project", source).timeout(mebibytes(30))
}

fn main() {}
