//! What must not compile in a state machine, and what the compiler says to whoever tries.
//!
//! Each file under `ui/stepfunctions/` is a mistake that a type catches; the `.stderr` next to it is the message that its author reads. When a
//! message changes for the better, `TRYBUILD=overwrite cargo test -p synth-dsl --test compile_fail` writes the new ones.

#[test]
fn mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/stepfunctions/*.rs");
}
