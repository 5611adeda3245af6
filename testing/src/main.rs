//! `cargo run -p testing -- rehearse --pr 17`: a pull request from its webhook to its teardown, on this machine.
//!
//! The only place of this package that reads flags, prints, and writes files where it is told to.

mod cli;
mod rehearse;

use std::{io::Write, process::ExitCode};

use clap::Parser;

use cli::{Cli, Command};
use testing::claims;
use testing::costs::{self, Costs};
use testing::emission;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Rehearse(flags) => rehearse::run(&flags),
        Command::Claims { write } => claims(write),
        Command::Costs => costs(),
        Command::Conformance { file } => conformance(&file),
    };
    outcome.unwrap_or_else(|fault| {
        // Nobody is left to be told where this fails.
        let _ = writeln!(anstream::stderr(), "error: {fault}");
        let mut source = fault.source();
        while let Some(cause) = source {
            let _ = writeln!(anstream::stderr(), "  {cause}");
            source = cause.source();
        }
        ExitCode::from(cli::FAILED)
    })
}

fn claims(write: bool) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if write {
        for page in claims::pages() {
            page.write()?;
        }
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}\n{}", claims::table(), claims::checklist())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn costs() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let costs = Costs::of(&emission::project(), costs::USUAL)?;
    write!(anstream::stdout(), "{costs}")?;
    Ok(ExitCode::SUCCESS)
}

fn conformance(file: &std::path::Path) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let summary = stepfunctions_runner::conformance::report(file, &mut std::io::stdout().lock())?;
    Ok(ExitCode::from(if summary.wrong == 0 { 0 } else { cli::BROKEN }))
}
