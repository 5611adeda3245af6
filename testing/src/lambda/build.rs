//! The `bootstrap` as it is deployed.

use std::{
    env,
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
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()))
        .args(["bootstrap", "--message-format", "json", "--target-dir"])
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .map_err(|source| Error::Start { tool: TOOL, source })?;
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
