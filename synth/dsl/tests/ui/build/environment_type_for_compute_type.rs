//! The kind of machine is not its size.
use synth::codebuild::project::{Environment, EnvironmentType};

fn main() {
    let _ = Environment::new(EnvironmentType::ArmContainer, "aws/codebuild/standard:7.0", EnvironmentType::ArmContainer);
}
