//! What must not compile, and what the compiler says to whoever tries.
//!
//! Each file under `ui/` is a mistake that a type catches: in stacks and their properties (`ui/core/`), in builds, pipelines
//! and mapping templates (`ui/build/`), in state machines (`ui/stepfunctions/`). The `.stderr` next to it is the message that
//! its author reads. When a message changes for the better, `TRYBUILD=overwrite cargo test -p synth-dsl --test compile_fail`
//! writes the new ones, to be reviewed like any other change.

#[test]
fn mistakes_do_not_compile() {
    let cases = trybuild::TestCases::new();
    for area in ["build", "core", "stepfunctions"] {
        cases.compile_fail(format!("tests/ui/{area}/*.rs"));
    }
}
