//! What ends a run early, in words that name the value, what is allowed and the edit or command that mends it; and the exit codes.

use std::path::PathBuf;

use serde::Serialize;
use stacks::first_deployment::{self, Claim};

use crate::names::Clash;
use crate::plan::Loss;

/// Everything that was asked for is done.
pub const DONE: u8 = 0;
/// `diff` found a difference, or `status` something that is not as it should be.
pub const DIFFERS: u8 = 1;
/// Flags, configuration, stacks or named files are unusable.
pub const UNUSABLE: u8 = 2;
/// AWS or GitHub cannot be reached, or does not let us.
pub const DENIED: u8 = 3;
/// A person must decide: data would be lost, or a plan was not confirmed.
pub const UNDECIDED: u8 = 4;
/// Another run is at work.
pub const BUSY: u8 = 5;
/// CloudFormation could not do what the plan says.
pub const FAILED: u8 = 6;
/// All is deployed, but GitHub's ping was not answered as it should be.
pub const UNANSWERED: u8 = 7;
/// Ctrl-C, as shells count it.
pub const INTERRUPTED: u8 = 130;

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something that a person has written is unusable.
    #[error("{0}")]
    Unusable(String),
    /// A file cannot be read.
    #[error("cannot read {}: {why}\n  help: {help}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
        /// The edit.
        help: &'static str,
    },
    /// The functions' binary cannot be built here.
    #[error("{0}")]
    Unbuildable(String),
    /// The binary is for another processor, or none at all.
    #[error(
        "{} is {found}, and the functions run on {wanted}\n  help: name a binary for {wanted} with `--bootstrap`, or change `build.processor` in the configuration", path.display()
    )]
    WrongBinary {
        /// Which file.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// AWS refuses or does not answer.
    #[error("{doing}: {words}\n  help: {help}")]
    Aws {
        /// What was tried.
        doing: String,
        /// AWS's words.
        words: String,
        /// The way out.
        help: &'static str,
    },
    /// Names that the project needs are taken.
    #[error("names that the project needs are taken:{}", listed(.0))]
    Taken(Vec<Clash>),
    /// AWS leaves no room for the shared stacks.
    #[error("nothing was changed, since the account has no room:{}", listed(.0))]
    NoRoom(Vec<String>),
    /// GitHub refuses or does not answer.
    #[error("{doing}: {words}\n  help: {help}")]
    GitHub {
        /// What was tried.
        doing: String,
        /// GitHub's words.
        words: String,
        /// The way out.
        help: String,
    },
    /// GitHub's credentials are missing, and there is nobody to ask.
    #[error(
        "{0}\n  help: name a file that holds a GitHub token with `--credentials FILE`, or pipe it in with `--credentials -`"
    )]
    NoCredentials(String),
    /// Data would be lost.
    #[error("{}", losses(.0))]
    Loss(Vec<Loss>),
    /// The plan was not confirmed.
    #[error(
        "{stack}: the change was not confirmed, so nothing of it was done\n  help: run the same command again, with `--yes` where nobody can be asked"
    )]
    Unconfirmed {
        /// The stack.
        stack: String,
    },
    /// Another run holds the lock.
    #[error(
        "another run is at work on {project}: {owner}, since {since}; its lock ends at {until} unless it is still at work then\n  help: wait for it; if it is dead, run the same command with `--take-over`"
    )]
    Locked {
        /// The project.
        project: String,
        /// Who.
        owner: String,
        /// When it began.
        since: String,
        /// When the lock ends.
        until: String,
    },
    /// Another run has taken the lock from this one.
    #[error(
        "another run has taken over, so this one stops\n  help: see what it does; `deploy up` can be run again when it is done"
    )]
    TakenOver,
    /// CloudFormation refuses a change.
    #[error(
        "{stack}: CloudFormation refuses the change: {words}\n  help: mend what it names, then run the same command again"
    )]
    Rejected {
        /// The stack.
        stack: String,
        /// CloudFormation's words.
        words: String,
    },
    /// A stack ended in a status that is not the wanted one.
    #[error("{stack} is {status}: {cause}\n  help: mend that, then run the same command again: it goes on from here")]
    Failed {
        /// The stack.
        stack: String,
        /// CloudFormation's status of it.
        status: String,
        /// The first thing that failed, in words.
        cause: String,
    },
    /// The webhook's ping was not answered as it should be.
    #[error(
        "GitHub's ping to {url} was answered with {status} ({outcome})\n  help: look at the webhook API's access log, then run `deploy up` again: it pings once more"
    )]
    Unanswered {
        /// The hook's address.
        url: String,
        /// The HTTP status; 0 if there was none.
        status: u16,
        /// GitHub's word for it.
        outcome: String,
    },
    /// Ctrl-C.
    #[error(
        "interrupted; what CloudFormation has begun goes on by itself\n  help: run the same command again: it goes on where this run ended"
    )]
    Interrupted,
}

impl Error {
    /// The exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Unusable(_)
            | Self::Unreadable { .. }
            | Self::Unbuildable(_)
            | Self::WrongBinary { .. }
            | Self::Taken(_) => UNUSABLE,
            Self::Aws { .. } | Self::GitHub { .. } | Self::NoCredentials(_) | Self::NoRoom(_) => DENIED,
            Self::Loss(_) | Self::Unconfirmed { .. } => UNDECIDED,
            Self::Locked { .. } | Self::TakenOver => BUSY,
            Self::Rejected { .. } | Self::Failed { .. } => FAILED,
            Self::Unanswered { .. } => UNANSWERED,
            Self::Interrupted => INTERRUPTED,
        }
    }

    /// Credentials without these repository permissions.
    pub(crate) fn unentitled(repository: &str, missing: &[&str]) -> Self {
        Self::GitHub {
            doing: format!("GitHub's credentials lack permissions that the functions need on {repository}"),
            words: missing.join(", "),
            help: "give the token or the GitHub App these repository permissions, read and write, and accept them in the App's installation, or give a classic token the scope `repo`; then run the same command again".to_owned(),
        }
    }

    /// The claim about AWS that only an account can show, and that this failure contradicts; none if it is of another kind.
    pub fn claim(&self) -> Option<&'static Claim> {
        match self {
            Self::Rejected { words, .. } | Self::Failed { cause: words, .. } => first_deployment::named_by(words),
            Self::Unanswered { .. } => first_deployment::named_by(&self.to_string()),
            _ => None,
        }
    }

    /// The error as machines read it.
    pub fn report(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Report {
            event: &'static str,
            code: u8,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            claim: Option<&'static str>,
        }
        Report {
            event: "error",
            code: self.code(),
            message: self.to_string(),
            claim: self.claim().map(|claim| claim.name),
        }
    }
}

fn listed(items: &[impl std::fmt::Display]) -> String {
    items.iter().map(|item| format!("\n{item}")).collect()
}

fn losses(losses: &[Loss]) -> String {
    let lines = losses.iter().map(|loss| format!("\n  {loss}"));
    let flags: Vec<String> = losses
        .iter()
        .map(|loss| format!("--allow-loss {}", loss.logical_id))
        .collect();
    format!(
        "the plan takes these away from the system, so nothing was changed:{}\n  help: copy their data if it matters, then run the same command with `{}`",
        lines.collect::<String>(),
        flags.join(" ")
    )
}

/// What an error of the AWS SDK means for whoever runs the deployer.
pub(crate) fn aws<E, R>(doing: impl Into<String>, error: &aws_sdk_cloudformation::error::SdkError<E, R>) -> Error
where
    E: aws_sdk_cloudformation::error::ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    told(doing, &clients::words::words(error))
}

/// As [`aws`], of words that the SDK's error was made of.
pub(crate) fn told(doing: impl Into<String>, words: &str) -> Error {
    Error::Aws {
        doing: doing.into(),
        help: help(words),
        words: words.to_owned(),
    }
}

fn help(words: &str) -> &'static str {
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["Expired"]) {
        "the credentials are no longer valid: sign in again, then run the same command: it goes on where this run ended"
    } else if says(&["AccessDenied", "not authorized", "Forbidden"]) {
        "`synth policy` prints what whoever deploys must be allowed"
    } else if says(&["credentials", "UnrecognizedClient", "InvalidClientTokenId", "Token has"]) {
        "sign in, for example with `aws sso login`, or name a profile with the variable AWS_PROFILE"
    } else if says(&["Throttl", "Rate exceeded", "SlowDown", "TooManyRequests"]) {
        "AWS asks for patience: run the same command again in a minute"
    } else if says(&["dispatch failure", "timeout", "connect"]) {
        "check the network, the region and the variable AWS_ENDPOINT_URL, then run the same command again"
    } else {
        "mend what it names, then run the same command again: it goes on where this run ended"
    }
}
