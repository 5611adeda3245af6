//! How the binary of all functions is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Only what is optimized for size is deployed. A binary at fixed addresses leaves the loader nothing to relocate before `main`:
    // a megabyte less to load, and to hold. Lambda gives every function a virtual machine of its own, the fence that matters there.
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "z") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
