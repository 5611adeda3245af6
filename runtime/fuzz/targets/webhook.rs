//! A delivery's way from raw bytes to a decision: no bytes make it panic.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stacks::Project;

/// The project's own configuration.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let project = Project::from_yaml(include_str!("../../../stacks/project.yaml"));
    project.unwrap_or_else(|faults| panic!("the project's configuration is faulty: {faults:?}"))
});

fuzz_target!(|bytes: &[u8]| {
    runtime::webhook::survive(bytes, &PROJECT);
});
