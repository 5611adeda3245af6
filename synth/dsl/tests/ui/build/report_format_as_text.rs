//! A report's format is one that CodeBuild reads.
use synth::codebuild::Report;

fn main() {
    let _ = Report::new("unit-tests", "JUNITXML", ["unit.xml"]);
}
