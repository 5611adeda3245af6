//! What can go wrong between a test and an external tool. That a tool finds faults in its input is no error: those are findings.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A tool could not be had, could not be run, or its answer could not be read.
#[derive(Debug, Error)]
pub enum Error {
    /// This machine lacks what the tool is made of. [`or_skip`](crate::or_skip) turns it into a recorded skip.
    #[error("{tool} is not available on this machine: it needs {needs}\nhelp: install that and run the test again")]
    Unavailable {
        /// The tool.
        tool: &'static str,
        /// What is missing.
        needs: String,
    },
    /// A step of the tool's installation failed.
    #[error(
        "installing {tool} failed at `{step}`:\n{output}\nhelp: the package registries must be reachable; \
         nothing was left behind, the next run tries again"
    )]
    Install {
        /// The tool.
        tool: &'static str,
        /// The command.
        step: String,
        /// What it printed.
        output: String,
    },
    /// A downloaded file is not the one that is pinned.
    #[error(
        "{file} has SHA-256 {found}, expected {expected}\nhelp: if the package was replaced on purpose, \
         change its version and hash in testing/src/tools/debian.rs"
    )]
    Hash {
        /// The file's name.
        file: String,
        /// Its hash.
        found: String,
        /// The pinned hash.
        expected: &'static str,
    },
    /// The file system refused something.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The tool could not be started.
    #[error("cannot start {tool}")]
    Start {
        /// The tool.
        tool: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The tool ended without a readable answer.
    #[error("{tool} ended with {status} and no readable answer:\n{output}")]
    Answer {
        /// The tool.
        tool: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
    },
    /// The tool read its input and refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A tool read its input and refused it: a template that does not parse, a document that is no YAML.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{tool} refused its input: {message}")]
pub struct Refusal {
    /// The tool.
    pub tool: &'static str,
    /// Its words.
    pub message: String,
}
