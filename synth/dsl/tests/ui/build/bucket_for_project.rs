//! A bucket is no project.
use synth::codepipeline::{Artifact, CodeBuild};
use synth::{Handle, s3};

fn build(bucket: Handle<s3::Bucket>, source: &Artifact) -> CodeBuild {
    CodeBuild::build("Build", bucket.name(), source)
}

fn main() {}
