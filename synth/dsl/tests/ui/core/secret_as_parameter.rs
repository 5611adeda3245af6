//! A secret is no parameter: there is no `NoEcho`, and a secret's ARN is all that a stack knows of it.
use synth::{Parameter, Stack};

fn token(stack: &mut Stack) {
    stack.parameter("Token", Parameter::<String>::new("GitHub's token.").no_echo(true));
}

fn main() {}
