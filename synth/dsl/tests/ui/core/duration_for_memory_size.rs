//! Seconds are no mebibytes.
use synth::{Handle, iam, lambda, seconds};

fn function(role: Handle<iam::RoleResource>) -> lambda::Function {
    lambda::Function::new(lambda::function::Code::new(), role.arn()).memory_size(seconds(256))
}

fn main() {}
