//! How the binary of all functions is linked.

use std::env;

/// What the linker does to what is deployed, with reasons.
const SMALL: [&str; 2] = [
    // A binary at fixed addresses leaves the loader nothing to relocate before `main`: a megabyte less to load, and to hold. Lambda
    // gives every function a virtual machine of its own, the fence that matters there.
    "-no-pie",
    // The tables for unwinding, a megabyte, are of no use where a panic aborts.
    concat!("-Wl,-T,", env!("CARGO_MANIFEST_DIR"), "/functions.ld"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=functions.ld");
    // Only what is optimized for size is deployed.
    if env::var("OPT_LEVEL").is_ok_and(|level| level == "z") {
        for argument in SMALL {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
