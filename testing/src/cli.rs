//! The flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use testing::rehearsal::fault::{FAULTS, Fault};

/// A promise was broken, or a case was wrong.
pub(crate) const BROKEN: u8 = 1;
/// It could not be carried out.
pub(crate) const FAILED: u8 = 2;
/// It was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// Rehearses the pipeline on this machine, without an account of AWS or GitHub.
#[derive(Debug, Parser)]
#[command(
    name = "testing",
    after_help = "Exit codes: 0 all went well · 1 a promise was broken or a case is wrong · 2 it could not be carried out · 130 interrupted"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Carry a pull request from its webhook to its teardown
    ///
    /// A local AWS and a local GitHub are started, the emitted templates deployed, and a pull request is opened, pushed to, pushed to
    /// again while it is tested, and merged. The emitted state machine, the functions as they are deployed, and the buildspecs' own
    /// commands run. What is needed beyond Rust and Python 3 is installed into the target folder, pinned.
    #[command(after_help = faults())]
    Rehearse(Rehearse),
    /// Print what is claimed about AWS and GitHub: by whose word each claim is taken, and what only an account can show
    ///
    /// The first table is the README's, the second the checklist of the runbook. Both are Markdown.
    Claims {
        /// Write both into README.md and RUNBOOK.md of the source that this program was built from, instead of printing them
        #[arg(long)]
        write: bool,
    },
    /// Print what the system costs, as the runbook shows it
    ///
    /// Counted on what is emitted and executed, priced by testing/src/costs/prices.json.
    Costs,
    /// Run recorded executions of state machines, a line a case
    ///
    /// The last line counts them: exact (as recorded), cause-only (only the words of the cause differ), refused (the runner says that it
    /// does not execute the definition) and wrong.
    Conformance {
        /// A JSON file with cases: a definition, an input, recorded task results, and what AWS answered
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// The pull request's number
    #[arg(long, value_name = "NUMBER", default_value_t = 17, value_parser = clap::value_parser!(u32).range(1..=999_999))]
    pub(crate) pr: u32,
    /// A git repository; what it has checked out is the base branch. This project's own if left out
    #[arg(long, value_name = "PATH")]
    pub(crate) repository: Option<PathBuf>,
    /// The project's configuration within the repository, such as project.yaml
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<String>,
    /// How many commits are pushed after the first
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub(crate) pushes: u32,
    /// Close the pull request instead of merging it
    #[arg(long)]
    pub(crate) close: bool,
    /// What goes wrong on the way; may be given several times, see below
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<Fault>,
    /// How much faster than the clock the waits of the state machine pass while nothing is being built
    #[arg(long, value_name = "TIMES", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) speed: u32,
    /// Keep the local AWS running at the end, until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
    /// Write JSON to standard output: a line an event, and the summary as the last line
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a report to this HTML file: the state machine with the path that each execution took
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Show what builds print
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

fn faults() -> String {
    let lines = FAULTS.map(|(_, name, about)| format!("  {name:<20} {about}\n"));
    format!("Faults:\n{}", lines.concat())
}
