//! A change set is made of a template.
use synth::codepipeline::CloudFormation;
use synth::{Handle, iam};

fn prepare(role: Handle<iam::RoleResource>) {
    let _ = CloudFormation::change_set_replace("Prepare", "app-17", "pull-request", role.arn());
}

fn main() {}
