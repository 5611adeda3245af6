//! The `bootstrap` as it is deployed.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use serde_json::Value;

use crate::{Error, skip::say, tools};

/// Builds the binary of all handlers with the command that the README names, for the processor of this machine, and returns
/// its path. Building it anew takes minutes, since it is optimized as a whole; when nothing has changed it takes none.
///
/// # Errors
/// Where the compiler refuses, with what it says.
pub fn bootstrap() -> Result<PathBuf, Error> {
    const TOOL: &str = "the bootstrap";
    let target = tools::target();
    let begun = Instant::now();
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    // What the compiler refuses is to be read on the error output, not as JSON.
    command
        .args([
            "bootstrap",
            "--message-format",
            "json-render-diagnostics",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // Build scripts look at what cargo says of the package at work: the same as from a shell, or everything is built anew.
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_a_package(name)) {
        command.env_remove(name);
    }
    let output = command.output().map_err(|source| Error::Start { tool: TOOL, source })?;
    let refused = |output: String| Error::Install {
        tool: TOOL,
        step: "cargo bootstrap".to_owned(),
        output,
    };
    if !output.status.success() {
        return Err(refused(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let seconds = begun.elapsed().as_secs();
    if seconds > 10 {
        say(&format!("testing: built the bootstrap in {seconds} s"));
    }
    // Cargo says where it put what it built: the folder is named after the processor.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| refused("cargo names no executable".to_owned()))
}

/// Whether cargo sets a variable to say which package it runs.
fn is_of_a_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
