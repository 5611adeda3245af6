//! What the template may do was said when the change set was made.
use synth::codepipeline::{Capability, CloudFormation};

fn main() {
    let _ = CloudFormation::change_set_execute("Execute", "app-17", "pull-request").capability(Capability::Iam);
}
