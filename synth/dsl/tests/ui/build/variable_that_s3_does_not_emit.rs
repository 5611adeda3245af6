//! An S3 source has four variables, and a commit is none of them.
use synth::codepipeline::S3Source;

fn main() {
    let mut fetch = S3Source::new("Fetch", "sources", "source.zip", "Source");
    let _ = fetch.namespace("SourceVariables").commit_id();
}
