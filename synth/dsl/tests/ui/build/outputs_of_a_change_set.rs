//! A change set that was not executed has no outputs.
use synth::codepipeline::{ArtifactFile, CloudFormation};
use synth::{Handle, iam};

fn prepare(role: Handle<iam::RoleResource>, template: ArtifactFile) {
    let mut prepare = CloudFormation::change_set_replace("Prepare", "app-17", "pull-request", template, role.arn());
    let _ = prepare.output("outputs.json", "Outputs");
}

fn main() {}
