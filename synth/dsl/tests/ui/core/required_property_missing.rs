//! What the registry requires is an argument of the constructor.
use synth::lambda;

fn main() {
    let _ = lambda::Function::new(lambda::function::Code::new());
}
