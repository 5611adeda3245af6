//! A bare number has no unit.
use synth::{Handle, iam, lambda};

fn function(role: Handle<iam::RoleResource>) -> lambda::Function {
    lambda::Function::new(lambda::function::Code::new(), role.arn()).timeout(300)
}

fn main() {}
