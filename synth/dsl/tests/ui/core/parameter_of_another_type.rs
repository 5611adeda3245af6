//! A parameter's value has the parameter's type.
use synth::{Parameter, Stack, lambda};

fn function(stack: &mut Stack) -> lambda::Function {
    let role = stack.parameter("Role", Parameter::<String>::new("The role's name."));
    lambda::Function::new(lambda::function::Code::new(), role.value())
}

fn main() {}
