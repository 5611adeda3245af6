//! Phases: the commands of a buildspec, in CodeBuild's order.

use std::fmt;
use std::panic::Location;

use synth_aws::{Node, Object};

/// The phases that have commands, in the order in which CodeBuild runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseName {
    /// `install`: packages and runtimes.
    Install,
    /// `pre_build`: what the build needs, such as a login or dependencies.
    PreBuild,
    /// `build`: the build or the tests.
    Build,
    /// `post_build`: what follows, which runs even if `build` failed.
    PostBuild,
}

impl PhaseName {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::PreBuild => "pre_build",
            Self::Build => "build",
            Self::PostBuild => "post_build",
        }
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key())
    }
}

/// The commands of one phase. All commands of a buildspec run in one shell, one after the other.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.phases>
#[derive(Debug, Clone)]
#[must_use]
pub struct Phase {
    pub(super) commands: Vec<Command>,
    pub(super) finally: Vec<Command>,
    on_failure: Option<OnFailure>,
    pub(super) at: &'static Location<'static>,
}

/// A command and the line that gave it.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) text: String,
    pub(super) at: &'static Location<'static>,
}

impl Phase {
    /// A phase of these commands. A command of several lines is one script.
    #[track_caller]
    pub fn new<C: Into<String>>(commands: impl IntoIterator<Item = C>) -> Self {
        let at = Location::caller();
        let commands = commands
            .into_iter()
            .map(|text| Command { text: text.into(), at })
            .collect();
        Self {
            commands,
            finally: Vec::new(),
            on_failure: None,
            at,
        }
    }

    /// One more command; faults in it name this line.
    #[track_caller]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(Command {
            text: command.into(),
            at: Location::caller(),
        });
        self
    }

    /// A command to run after the others even if one of them failed (`finally`).
    #[track_caller]
    pub fn finally(mut self, command: impl Into<String>) -> Self {
        self.finally.push(Command {
            text: command.into(),
            at: Location::caller(),
        });
        self
    }

    /// What a failing command does; leaving it out lets CodeBuild's phase transitions decide: `build` goes on to
    /// `post_build`, every other phase ends the build.
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = Some(on_failure);
        self
    }

    /// The commands and those of `finally`, in the order in which they run.
    pub(super) fn all(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().chain(&self.finally)
    }

    pub(super) fn fill(&self, object: &mut Object) {
        let list =
            |commands: &[Command]| Node::List(commands.iter().map(|command| command.text.clone().into()).collect());
        if let Some(on_failure) = self.on_failure {
            object.set("on-failure", on_failure.to_string().into());
        }
        if !self.commands.is_empty() {
            object.set("commands", list(&self.commands));
        }
        if !self.finally.is_empty() {
            object.set("finally", list(&self.finally));
        }
    }
}

/// What CodeBuild does when a command of a phase fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Ends the build.
    Abort,
    /// Goes on with the next phase; the build fails nevertheless.
    Continue,
    /// Runs the build again, that many times at most.
    Retry(u8),
}

impl fmt::Display for OnFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abort => formatter.write_str("ABORT"),
            Self::Continue => formatter.write_str("CONTINUE"),
            Self::Retry(times) => write!(formatter, "RETRY-{times}"),
        }
    }
}

/// The language runtimes that CodeBuild's own images install, see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runtime {
    /// `android`
    Android,
    /// `dotnet`
    Dotnet,
    /// `golang`
    Golang,
    /// `java`
    Java,
    /// `nodejs`
    Nodejs,
    /// `php`
    Php,
    /// `python`
    Python,
    /// `ruby`
    Ruby,
}

impl Runtime {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Dotnet => "dotnet",
            Self::Golang => "golang",
            Self::Java => "java",
            Self::Nodejs => "nodejs",
            Self::Php => "php",
            Self::Python => "python",
            Self::Ruby => "ruby",
        }
    }
}
