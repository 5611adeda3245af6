//! The `bootstrap` as it is deployed.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

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
        .arg("bootstrap")
        .arg("--target-dir")
        .arg(&target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .map_err(|source| Error::Start { tool: TOOL, source })?;
    if !output.status.success() {
        return Err(Error::Install {
            tool: TOOL,
            step: "cargo bootstrap".to_owned(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    let seconds = begun.elapsed().as_secs();
    if seconds > 10 {
        say(&format!("testing: built the bootstrap in {seconds} s"));
    }
    Ok(target.join("lambda").join("bootstrap"))
}
