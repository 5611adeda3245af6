//! A timeout has a unit.
use synth::codepipeline::{Artifact, CodeBuild};

fn build(source: &Artifact) -> CodeBuild {
    CodeBuild::build("Build", "project", source).timeout(30)
}

fn main() {}
