//! A change set that is executed has a name.
use synth::codepipeline::CloudFormation;

fn main() {
    let _ = CloudFormation::change_set_execute("Execute", "app-17");
}
