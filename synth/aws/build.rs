//! Generates a module for every service whose feature is on, from `spec/`, `patches.json` and `permissions.json`.

#[path = "codegen/emit/mod.rs"]
mod emit;
#[path = "codegen/names.rs"]
mod names;
#[path = "codegen/permissions.rs"]
mod permissions;
#[path = "codegen/spec.rs"]
mod spec;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    if let Err(error) = generate() {
        // A build script has no other way to fail with a message.
        println!("cargo::error={error}");
    }
}

fn generate() -> Result<(), String> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?);
    let output = PathBuf::from(env::var("OUT_DIR").map_err(|error| error.to_string())?);
    for input in ["spec", "patches.json", "permissions.json", "codegen", "build.rs"] {
        println!("cargo::rerun-if-changed={}", package.join(input).display());
    }

    let mut patches = spec::Patches::read(&package.join("patches.json"))?;
    let mut corrections = permissions::Corrections::read(&package.join("permissions.json"))?;
    let mut services = Vec::new();
    for path in spec_files(&package.join("spec"))? {
        let feature = path.file_stem().unwrap_or_default().to_string_lossy().to_uppercase();
        if env::var_os(format!("CARGO_FEATURE_{feature}")).is_some() {
            println!("cargo::rerun-if-changed={}", path.display());
            services.push(spec::Service::read(&path, &mut patches, &mut corrections)?);
        }
    }
    let actions = spec::actions(&package.join("spec/actions.json"), |feature| {
        env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
    })?;
    patches.all_applied(&services)?;
    corrections.all_applied(&services)?;

    for service in &services {
        write(&output.join(format!("{}.rs", service.module)), &emit::service(service))?;
    }
    let mut root = emit::modules(&services);
    root.push_str(&emit::registry(&services));
    root.push_str(&emit::actions(&actions));
    write(&output.join("services.rs"), &root)
}

fn spec_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "json") && !path.ends_with("actions.json")
    });
    paths.sort();
    Ok(paths)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
