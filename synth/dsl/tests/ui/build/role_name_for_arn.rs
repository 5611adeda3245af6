//! A role's name is not its ARN.
use synth::codepipeline::{ExecutionMode, PipelineDeclaration};
use synth::{Handle, iam, s3};

fn pipeline(role: Handle<iam::RoleResource>, bucket: Handle<s3::Bucket>) -> PipelineDeclaration {
    PipelineDeclaration::new(ExecutionMode::Parallel, role.name(), bucket.name())
}

fn main() {}
