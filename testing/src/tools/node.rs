//! Node tools: `npm ci` of the committed `testing/tools/package-lock.json`, which pins every package by hash and names no host.

use std::{fs, path::PathBuf, process::Command};

use super::{
    folder, install,
    run::{step, word_of},
};
use crate::Error;

const TOOL: &str = "asl-validator";
const PACKAGE: &str = include_str!("../../tools/package.json");
const LOCK: &str = include_str!("../../tools/package-lock.json");

/// The folder that holds `node_modules`.
///
/// # Errors
/// [`Error::Unavailable`] without Node 18 or later and npm; [`Error::Install`] when the installation fails.
pub fn node_modules() -> Result<PathBuf, Error> {
    present(TOOL, "node")?;
    present(TOOL, "npm")?;
    install(&folder()?, TOOL, &[PACKAGE.as_bytes(), LOCK.as_bytes()], |draft| {
        for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
            let path = draft.join(name);
            fs::write(&path, text).map_err(|source| Error::Io {
                doing: "write",
                path,
                source,
            })?;
        }
        let mut npm = Command::new("npm");
        step(
            TOOL,
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(draft),
        )
    })
}

/// GitHub's own examples of webhooks (npm `@octokit/webhooks-examples`), of each of its products: the event's name and the body.
///
/// # Errors
/// As [`node_modules`], and [`Error::Io`] where an example cannot be read.
pub fn webhook_examples() -> Result<Vec<(String, serde_json::Value)>, Error> {
    #[derive(serde::Deserialize)]
    struct Event {
        name: String,
        examples: Vec<serde_json::Value>,
    }
    let folder = node_modules()?.join("node_modules/@octokit/webhooks-examples");
    let mut examples = Vec::new();
    for product in ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"] {
        let path = folder.join(product).join("index.json");
        let io = |source| Error::Io {
            doing: "read",
            path: path.clone(),
            source,
        };
        let text = fs::read(&path).map_err(io)?;
        let events: Vec<Event> = serde_json::from_slice(&text).map_err(|error| io(error.into()))?;
        for event in events {
            examples.extend(event.examples.into_iter().map(|body| (event.name.clone(), body)));
        }
    }
    Ok(examples)
}

/// Whether a program can be started, for the sake of a tool.
pub(super) fn present(tool: &'static str, program: &str) -> Result<(), Error> {
    word_of(Command::new(program).arg("--version"))
        .map(drop)
        .ok_or_else(|| Error::Unavailable {
            tool,
            needs: format!("{program} (Node 18 or later with npm)"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_node_is_told_what_it_needs() {
        let fault = present(TOOL, "no-such-node").unwrap_err();
        assert!(
            fault
                .to_string()
                .contains("it needs no-such-node (Node 18 or later with npm)"),
            "{fault}"
        );
    }

    #[test]
    fn the_lock_file_pins_by_hash_and_names_no_host() {
        assert!(LOCK.contains("\"integrity\""));
        assert!(!LOCK.contains("\"resolved\""));
    }
}
