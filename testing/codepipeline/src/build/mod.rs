//! Builds: what starts one, how it goes, and what it ends with. [`ShellBuilder`](crate::ShellBuilder) runs them for real,
//! [`ScriptedBuilder`](crate::ScriptedBuilder) lets the caller decide.

mod ledger;
mod scripted;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use ledger::Ledger;
pub use scripted::{Script, ScriptedBuilder};

use crate::project::Project;

/// Runs builds.
pub trait Builder: Send + Sync {
    /// Starts a build and returns at once. What cannot be started is a build that has failed.
    fn start(&self, request: BuildRequest) -> Box<dyn RunningBuild>;

    /// Where people see the build. Leaving it out shows the address of CodeBuild's console.
    fn url(&self, request: &BuildRequest) -> Option<String> {
        let _ = request;
        None
    }
}

/// A build that was started. Dropping it ends it.
pub trait RunningBuild: Send {
    /// How it stands at this time; with a result it has ended and is not asked again.
    fn poll(&mut self, now: SystemTime) -> BuildProgress;

    /// Asks it to stop; a later [`poll`](Self::poll) then shows it as stopped, unless it ended by itself before.
    fn stop(&mut self);
}

/// A build that is to be started.
#[derive(Clone)]
pub struct BuildRequest {
    /// Its id, `project:uuid`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The how many-th build of its project it is.
    pub number: u64,
    /// Its project.
    pub project: Arc<Project>,
    /// `codepipeline/` and the pipeline's name.
    pub initiator: String,
    /// The region that it believes to run in.
    pub region: String,
    /// The execution of the pipeline that wants it.
    pub execution: String,
    /// The action of the pipeline that wants it.
    pub action: String,
    /// The variables of its action: they replace those of the project, which replace those of the buildspec.
    pub variables: Vec<(String, String)>,
    /// What it is made from; the first is the primary source.
    pub inputs: Vec<BuildInput>,
    /// The artifacts that its action makes. A single one is the buildspec's primary artifact, of several each is a secondary one.
    pub outputs: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// Takes the lines of its log.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for BuildRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildRequest")
            .field("id", &self.id)
            .field("variables", &self.variables)
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// An artifact that a build is made from.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildInput {
    /// The artifact's name.
    pub name: String,
    /// The archive.
    pub archive: Arc<Vec<u8>>,
    /// Where it is stored, `bucket/key`.
    pub location: String,
    /// The revision of the source, where there is one.
    pub revision: Option<String>,
}

impl fmt::Debug for BuildInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes at {}", self.name, self.archive.len(), self.location)
    }
}

/// How a build stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildProgress {
    /// The phases that have begun.
    pub phases: Vec<Phase>,
    /// What it ended with, once it has.
    pub result: Option<BuildResult>,
}

/// What a build ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildResult {
    /// Never `InProgress`.
    pub status: BuildStatus,
    /// The archives by artifact's name.
    pub artifacts: BTreeMap<String, Vec<u8>>,
    /// The exported variables.
    pub exported: Vec<(String, String)>,
    /// The test reports.
    pub reports: Vec<Report>,
    /// The file with the log, if there is one.
    pub log: Option<PathBuf>,
}

/// One phase of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Which.
    pub kind: PhaseKind,
    /// How it stands.
    pub status: BuildStatus,
    /// When it began.
    pub start: SystemTime,
    /// When it ended.
    pub end: Option<SystemTime>,
    /// What is to be said of it: a code such as `COMMAND_EXECUTION_ERROR` and words.
    pub contexts: Vec<(String, String)>,
}

/// The status of a build or of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum BuildStatus {
    Succeeded,
    Failed,
    Fault,
    TimedOut,
    InProgress,
    Stopped,
}

impl BuildStatus {
    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Fault => "FAULT",
            Self::TimedOut => "TIMED_OUT",
            Self::InProgress => "IN_PROGRESS",
            Self::Stopped => "STOPPED",
        }
    }
}

/// The phases of a build, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum PhaseKind {
    Submitted,
    Queued,
    Provisioning,
    DownloadSource,
    Install,
    PreBuild,
    Build,
    PostBuild,
    UploadArtifacts,
    Finalizing,
    Completed,
}

impl PhaseKind {
    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Queued => "QUEUED",
            Self::Provisioning => "PROVISIONING",
            Self::DownloadSource => "DOWNLOAD_SOURCE",
            Self::Install => "INSTALL",
            Self::PreBuild => "PRE_BUILD",
            Self::Build => "BUILD",
            Self::PostBuild => "POST_BUILD",
            Self::UploadArtifacts => "UPLOAD_ARTIFACTS",
            Self::Finalizing => "FINALIZING",
            Self::Completed => "COMPLETED",
        }
    }
}

/// A test report, as the counts of its test cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Its name in the buildspec.
    pub name: String,
    /// Test cases that succeeded.
    pub succeeded: usize,
    /// Test cases that failed.
    pub failed: usize,
    /// Test cases that ended by an error.
    pub errors: usize,
    /// Test cases that were skipped.
    pub skipped: usize,
    /// How long they took together.
    pub duration: Duration,
}

impl Report {
    /// All test cases.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.succeeded + self.failed + self.errors + self.skipped
    }
}
