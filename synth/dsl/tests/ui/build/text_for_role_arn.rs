//! Text is no ARN until the author says so with `trusted`.
use synth::codepipeline::CloudFormation;

fn main() {
    let _ = CloudFormation::delete_only("Delete", "app-17", "arn:aws:iam::123456789012:role/deploy");
}
