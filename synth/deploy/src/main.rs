//! `deploy`: puts the shared stacks on AWS and points GitHub's webhook at them.
//!
//! Flags, files and terminal; what is done is decided by the library.

mod cli;
mod config;
mod frontend;
mod render;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use deploy::account::Account;
use deploy::secrets::Source;
use deploy::{Error, Event, Frontend, diff, doctor, down, error, reconcile, redeliver, status, up, wanted};
use stacks::{Environment, Project};

use cli::{Cli, Command, DoctorFlags, DownFlags, UpFlags};
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
    let outcome = runtime.block_on(go(&cli.command));
    // A question that nobody has answered may still wait on its thread.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            render::error(&error, cli.command.output().json);
            ExitCode::from(error.code())
        }
    }
}

async fn go(command: &Command) -> Result<u8, Error> {
    let output = command.output();
    let (project, root) = config::load(output.config.as_deref())?;
    let yes = match command {
        Command::Up(flags) => flags.yes,
        Command::Down(flags) => flags.yes,
        _ => false,
    };
    let frontend: Arc<dyn Frontend> = Arc::new(Terminal::new(output.json, yes));
    let account = Account::connect(project.region.name(), output.service_role.clone()).await;
    match command {
        Command::Up(flags) => {
            let request = up_request(flags, project, root);
            up::run(&request, &account?, &frontend).await?;
        }
        Command::Diff(_) => {
            if diff::run(&account?, &wanted::shared(&project)?, &*frontend).await? {
                return Ok(error::DIFFERS);
            }
        }
        Command::Status(_) => {
            let found = status::run(&account?, &project, &wanted::shared(&project)?).await?;
            let is_well = found.is_well();
            frontend.event(&Event::Status(found));
            return Ok(if is_well { error::DONE } else { error::DIFFERS });
        }
        Command::Down(flags) => down::run(&down_request(flags, &project)?, &account?, &frontend).await?,
        Command::Reconcile(flags) => reconcile::run(&account?, &project, flags.dry_run, &*frontend).await?,
        Command::Redeliver(_) => redeliver::run(&account?, &project, &*frontend).await?,
        Command::Doctor(flags) => return examine(flags, project, &root, account, &*frontend).await,
    }
    Ok(error::DONE)
}

async fn examine(
    flags: &DoctorFlags,
    project: Project,
    root: &Path,
    account: Result<Account, Error>,
    frontend: &dyn Frontend,
) -> Result<u8, Error> {
    let credentials = flags.credentials.as_deref().map(Source::of);
    let request = doctor::Request {
        project,
        credentials: credentials.as_ref().map(Source::read),
        bootstrap: flags.bootstrap.clone(),
    };
    let diagnosis = doctor::run(&request, root, account).await;
    let is_well = diagnosis.is_well();
    frontend.event(&Event::Diagnosis(diagnosis));
    Ok(if is_well { error::DONE } else { error::DIFFERS })
}

fn up_request(flags: &UpFlags, project: Project, root: PathBuf) -> up::Request {
    up::Request {
        project,
        root,
        bootstrap: flags.bootstrap.clone(),
        credentials: flags.credentials.as_deref().map(Source::of),
        allow_loss: flags.allow_loss.clone(),
        take_over: flags.take_over,
    }
}

fn down_request(flags: &DownFlags, project: &Project) -> Result<down::Request, Error> {
    let unusable = |error: stacks::EnvironmentError| {
        Error::Unusable(format!("{error}\n  help: write `--pr 17` or `--environment stage`"))
    };
    let environment = match (&flags.pr, &flags.environment) {
        (Some(number), _) => Some(Environment::PullRequest(number.parse().map_err(unusable)?)),
        (_, Some(name)) => Some(name.parse().map_err(unusable)?),
        _ => None,
    };
    Ok(down::Request {
        project: project.clone(),
        environment,
        allow_loss: flags.allow_loss.clone(),
        take_over: flags.take_over,
    })
}
