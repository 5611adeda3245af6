//! GitHub's official description of its REST API, from the npm package `@octokit/openapi`. Of its 400 MB only the operations in use are kept.

use std::{fs, path::PathBuf};

use super::{folder, install, node::npm, run::step};
use crate::{Error, github::slice};

const TOOL: &str = "github-description";
const PACKAGE: &str = include_str!("../../tools/openapi/package.json");
const LOCK: &str = include_str!("../../tools/openapi/package-lock.json");
const DESCRIPTION: &str = "node_modules/@octokit/openapi/generated/api.github.com.json";

/// The file with the operations in use.
///
/// # Errors
/// [`Error::Unavailable`] with neither npm nor Python 3.11; [`Error::Install`] when the installation fails.
pub fn github_description() -> Result<PathBuf, Error> {
    let mut npm = npm()?;
    let made_from = [PACKAGE.as_bytes(), LOCK.as_bytes(), slice::SOURCE.as_bytes()];
    let folder = install(&folder()?, TOOL, &made_from, |draft| {
        for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
            write(draft.join(name), text.as_bytes())?;
        }
        step(
            TOOL,
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(draft),
        )?;
        let path = draft.join(DESCRIPTION);
        let whole = fs::read(&path).map_err(|source| Error::Io {
            doing: "read",
            path: path.clone(),
            source,
        })?;
        let unreadable = |output: String| Error::Install {
            tool: TOOL,
            step: format!("reading {DESCRIPTION}"),
            output,
        };
        let whole = serde_json::from_slice(&whole).map_err(|fault| unreadable(fault.to_string()))?;
        let slice = slice::of(&whole).map_err(unreadable)?;
        write(draft.join("slice.json"), slice.to_string().as_bytes())?;
        let modules = draft.join("node_modules");
        fs::remove_dir_all(&modules).map_err(|source| Error::Io {
            doing: "remove",
            path: modules,
            source,
        })
    })?;
    Ok(folder.join("slice.json"))
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), Error> {
    fs::write(&path, bytes).map_err(|source| Error::Io {
        doing: "write",
        path,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_pins_by_hash_and_names_no_host() {
        assert!(LOCK.contains("\"integrity\""));
        assert!(!LOCK.contains("\"resolved\""));
    }
}
