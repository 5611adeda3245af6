//! What can go wrong, in words that name the value, what is allowed and the edit that mends it; and the exit codes.

use std::io;
use std::path::PathBuf;

use crate::output;

/// Everything that was asked for is done.
pub(crate) const OK: u8 = 0;
/// `--check` or `diff` found a difference.
pub(crate) const DIFFERS: u8 = 1;
/// Flags, configuration, stacks or named files are unusable.
pub(crate) const UNUSABLE: u8 = 2;
/// The result cannot be written.
pub(crate) const UNWRITABLE: u8 = 3;

/// What ends a run early.
#[derive(Debug)]
pub(crate) enum Error {
    /// The input is unusable: every reason at once.
    Unusable(Vec<Problem>),
    /// The result cannot be written.
    Unwritable(WriteError),
}

/// One thing in the input that must be mended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A flag that does not exist, lacks its value or has a wrong one.
    #[error("{message}\n  help: {help}")]
    Flag {
        /// What is wrong.
        message: String,
        /// The edit.
        help: String,
    },
    /// The number of a pull request is none.
    #[error(
        "--pr: {0}\n  help: write the number that GitHub shows next to the pull request's title, such as `--pr 17`"
    )]
    PullRequest(stacks::EnvironmentError),
    /// The name of an environment is none.
    #[error("--environment: {0}\n  help: write `--environment stage` or `--environment pr-17`")]
    Environment(stacks::EnvironmentError),
    /// Two environments at once.
    #[error("--pr {pr} and --environment {environment} are two environments\n  help: leave one of the two out")]
    TwoEnvironments {
        /// The number.
        pr: String,
        /// The name.
        environment: String,
    },
    /// There is no configuration where one was looked for.
    #[error(
        "no {file} in {folder} or in a folder above it up to the root of the repository\n  help: start in the repository, or name the file: `--config path/to/project.yaml`"
    )]
    NoConfiguration {
        /// What was looked for.
        file: &'static str,
        /// Where the search began.
        folder: PathBuf,
    },
    /// Something is wrong with the configuration.
    #[error("{}: {fault}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        fault: stacks::ConfigFault,
    },
    /// The stacks cannot be synthesized.
    #[error("{0}")]
    Synthesis(Box<synth::Fault>),
    /// A template or document cannot be rendered.
    #[error("{what}: {source}\n  help: the value named above has no text form; change where it is set")]
    Render {
        /// The stack or document.
        what: String,
        /// Why.
        source: synth::RenderError,
    },
    /// A document whose name is not that of a file.
    #[error(
        "{stack}: {name:?} is no file name for a document, allowed are letters, digits and `.-_`, a letter or digit first\n  help: rename the document where the stack adds it"
    )]
    DocumentName {
        /// The stack that has it.
        stack: String,
        /// The name.
        name: String,
    },
    /// Two files of one name.
    #[error("{first} and {second} both write {path}\n  help: rename one of the two where its stack adds it")]
    Twice {
        /// The file.
        path: String,
        /// A stack.
        first: String,
        /// Another stack, or the same.
        second: String,
    },
    /// No stack of the name that `--stdout` asks for.
    #[error("no stack is named {name:?}\n  help: {environment} has: {}", stacks.join(", "))]
    UnknownStack {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        environment: String,
        /// What there is.
        stacks: Vec<String>,
    },
    /// No state machine where one is to be drawn.
    #[error(
        "no stack of {environment} has a state machine\n  help: leave out --pr and --environment for the pipeline's, or draw the stacks with `--of stacks`"
    )]
    NoStateMachine {
        /// Where it was looked for.
        environment: String,
    },
    /// A state machine that cannot be drawn.
    #[error(
        "cannot draw {name}: {source}\n  help: name a Step Functions definition, such as a file `*.asl.json` of an emission"
    )]
    Undrawable {
        /// The document.
        name: String,
        /// Why.
        source: synth_graph::asl::AslError,
    },
    /// Templates that cannot be compared.
    #[error(transparent)]
    Templates(crate::diff::LoadError),
    /// A file that was named cannot be read.
    #[error("cannot read {}: {source}\n  help: {help}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// The edit.
        help: &'static str,
    },
}

/// Why the result cannot be written. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The target is not a folder that this program wrote.
    #[error(
        "{} was not written by synth ({why}), so it is not replaced\n  help: move it away, or write elsewhere with `--out FOLDER`", path.display()
    )]
    Foreign {
        /// The target.
        path: PathBuf,
        /// How that is known.
        why: String,
    },
    /// The file system refuses.
    #[error("cannot {action} {}: {source}\n  help: {help}", path.display())]
    Refused {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// The way out.
        help: &'static str,
    },
    /// Standard output is closed or full.
    #[error("cannot write to standard output: {0}\n  help: check where it is redirected to")]
    Output(io::Error),
}

impl Error {
    /// Prints every reason to standard error and returns the exit code.
    pub(crate) fn report(&self) -> u8 {
        match self {
            Self::Unusable(problems) => {
                for problem in problems {
                    output::error(&problem.to_string());
                }
                if problems.len() > 1 {
                    output::note(&format!("{} errors, nothing was written", problems.len()));
                }
                UNUSABLE
            }
            Self::Unwritable(error) => {
                output::error(&error.to_string());
                UNWRITABLE
            }
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Unusable(vec![problem])
    }
}

impl From<Vec<Problem>> for Error {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Unusable(problems)
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::Unwritable(error)
    }
}
