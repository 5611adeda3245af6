//! What builds, pipelines and mapping templates refuse to compile, with the words that the author reads.
//!
//! `TRYBUILD=overwrite cargo test -p synth-dsl --test compile_fail_build` takes over changed words after a review.

#[test]
fn misuse_of_builds_pipelines_and_templates_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/build/*.rs");
}
