//! An ARN is typed by what it names.
use synth::{Handle, iam};

fn resource(role: Handle<iam::RoleResource>) -> synth::cloudformation::CustomResource {
    synth::cloudformation::CustomResource::new("StageDeployment", role.arn(), synth::minutes(5))
}

fn main() {}
