//! `synth`: writes every file that AWS receives, and shows what changes.
//!
//! This is the only place in which the project's flags are read, its files are written and its text is printed. What the files
//! say is decided by the `stacks` crate; nothing here talks to AWS or to any network.

mod check;
mod cli;
mod config;
mod diff;
mod drawing;
mod emit;
mod error;
mod manifest;
mod output;
mod parse;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::main(std::env::args_os())
}
