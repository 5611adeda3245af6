//! Text is no ARN until the author says so with `trusted`.
use synth::lambda;

fn main() {
    let _ = lambda::Function::new(lambda::function::Code::new(), "arn:aws:iam::123456789012:role/fetch");
}
