//! `deploy`: puts the shared stacks on AWS and points GitHub's webhook at them.
//!
//! Flags, files and terminal; what is done is decided by the library.

mod cli;
mod config;
mod frontend;
mod render;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use deploy::account::Account;
use deploy::secrets::Source;
use deploy::{Error, Frontend, error, up};

use cli::{Cli, Command, Output, UpFlags};
use frontend::Terminal;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                error::UNUSABLE
            } else {
                error::DONE
            };
            // Whoever cannot read it learns from the exit code.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            render::error(&Error::Unusable(format!("the runtime does not start: {error}")), false);
            return ExitCode::from(error::UNUSABLE);
        }
    };
    let Command::Up(flags) = &cli.command;
    let outcome = runtime.block_on(go_up(flags));
    // A question that nobody has answered may still wait on its thread.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::from(error::DONE),
        Err(error) => {
            render::error(&error, flags.output.json);
            ExitCode::from(error.code())
        }
    }
}

async fn go_up(flags: &UpFlags) -> Result<(), Error> {
    let (project, root) = config::load(flags.output.config.as_deref())?;
    let frontend = frontend(&flags.output, flags.yes);
    let account = Account::connect(project.region.name()).await?;
    let request = up::Request {
        project,
        root,
        bootstrap: flags.bootstrap.clone(),
        credentials: flags.credentials.as_deref().map(Source::of),
        allow_loss: flags.allow_loss.clone(),
        take_over: flags.take_over,
    };
    up::run(&request, &account, &frontend).await
}

fn frontend(output: &Output, yes: bool) -> Arc<dyn Frontend> {
    Arc::new(Terminal::new(output.json, yes))
}
