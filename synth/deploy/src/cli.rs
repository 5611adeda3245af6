//! The flags: what they are called, what they mean, and what `--help` teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0    done, or nothing to do
  1    `diff` found a difference, or `status` or `doctor` something that is not as it should be
  2    the flags, the configuration, the stacks or a named file are unusable
  3    AWS or GitHub cannot be reached, or does not let us
  4    somebody must decide: data would be lost, or the plan was not confirmed
  5    another run is at work
  6    CloudFormation could not do what the plan says
  7    all is deployed, but GitHub's ping was not answered with success
  130  interrupted

Whatever ended a run, running the same command again goes on from there.";

/// Puts the shared stacks on AWS and points GitHub's webhook at them.
///
/// Credentials, profile and endpoint are AWS's own: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on. The region and the
/// repository are the configuration's.
#[derive(Debug, Parser)]
#[command(name = "deploy", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring all shared stacks and the webhook to what the code says.
    #[command(after_help = "\
Examples:
  deploy up                                      ask before each stack is changed
  deploy up --yes --credentials - < token        as a machine does it
  deploy up --bootstrap target/lambda/bootstrap  take a binary that was built elsewhere
  deploy up --yes --json | jq 'select(.event == \"plan\")'")]
    Up(UpFlags),
    /// Look at what `up` needs, and say what is missing and how to get it; changes nothing.
    #[command(after_help = "\
Examples:
  deploy doctor --service-role ARN         before the first `up`
  deploy doctor --credentials new-token    whether a token may do what it must, without storing it")]
    Doctor(DoctorFlags),
    /// Say what `up` would change; the exit code is 1 if that is anything.
    Diff(Output),
    /// Say what there is and what of it is not as it should be; the exit code is 1 if that is anything.
    Status(Output),
    /// Remove an environment, or everything, and say what was kept.
    #[command(after_help = "\
Examples:
  deploy down --pr 17                       the stacks of an environment that the pipeline cannot remove
  deploy down --everything                  the webhook and all shared stacks; data stays
  deploy down --everything --allow-loss PullRequests --allow-loss Artifacts")]
    Down(DownFlags),
    /// Run the reconciler now: it starts what lost webhooks and crashes have left undone.
    Reconcile(ReconcileFlags),
    /// Have GitHub repeat the deliveries that were not answered with success.
    Redeliver(Output),
}

impl Command {
    pub(crate) const fn output(&self) -> &Output {
        match self {
            Self::Up(flags) => &flags.output,
            Self::Down(flags) => &flags.output,
            Self::Doctor(flags) => &flags.output,
            Self::Reconcile(flags) => &flags.output,
            Self::Diff(output) | Self::Status(output) | Self::Redeliver(output) => output,
        }
    }
}

/// The flags of every subcommand.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// The configuration [default: stacks/project.yaml here or in a folder above, up to the repository's root].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print what happens as JSON, one object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// The ARN of the role that CloudFormation makes the shared stacks' resources with [default: your own rights].
    #[arg(long, value_name = "ARN")]
    pub(crate) service_role: Option<String>,
}

/// The flags of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpFlags {
    #[command(flatten)]
    pub(crate) output: Output,
    /// Carry plans out without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The functions' binary [default: built here, for the configuration's processor].
    #[arg(long, value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
    /// Set GitHub's credentials to the content of a file, a token or a GitHub App as JSON; `-` is standard input [default: asked for where they are missing].
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// A resource with data that may be replaced or removed, by its logical id; may be given several times.
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) allow_loss: Vec<String>,
    /// Take the lock of a run on another machine that is dead.
    #[arg(long)]
    pub(crate) take_over: bool,
}

/// The flags of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorFlags {
    #[command(flatten)]
    pub(crate) output: Output,
    /// The functions' binary that `up` is to take [default: whether it could be built here].
    #[arg(long, value_name = "FILE")]
    pub(crate) bootstrap: Option<PathBuf>,
    /// GitHub's credentials to be tried; `-` is standard input [default: those that the functions have].
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
}

/// The flags of `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileFlags {
    #[command(flatten)]
    pub(crate) output: Output,
    /// Only say what it would start.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The flags of `down`.
#[derive(Debug, Args)]
pub(crate) struct DownFlags {
    #[command(flatten)]
    pub(crate) output: Output,
    /// Carry plans out without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The environment of a pull request, by its number.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["environment", "everything"], required_unless_present_any = ["environment", "everything"])]
    pub(crate) pr: Option<String>,
    /// An environment by its name: `stage` or `pr-17`.
    #[arg(long, value_name = "NAME", conflicts_with = "everything")]
    pub(crate) environment: Option<String>,
    /// The webhook and all shared stacks, once no environment is left.
    #[arg(long)]
    pub(crate) everything: bool,
    /// A resource with data that goes too, by its logical id; may be given several times.
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) allow_loss: Vec<String>,
    /// Take the lock of a run on another machine that is dead.
    #[arg(long)]
    pub(crate) take_over: bool,
}
