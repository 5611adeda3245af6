//! A nested type belongs to its resource.
use synth::{codebuild, lambda, Handle, iam};

fn function(role: Handle<iam::RoleResource>, environment: codebuild::project::Environment) -> lambda::Function {
    lambda::Function::new(lambda::function::Code::new(), role.arn()).environment(environment)
}

fn main() {}
