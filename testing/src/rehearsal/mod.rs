//! A pull request from its webhook to its teardown, on this machine, without AWS or GitHub.
//!
//! What is emitted is deployed by a CloudFormation engine; a signed webhook is posted over HTTP; the emitted state machine is executed, its
//! functions are the binary that is deployed, its pipelines run the emitted buildspecs; statuses and the comment are posted to a local
//! GitHub; the environment answers requests; and nothing is left after the close. [`run`] plays one such story and judges it.
//!
//! What is real: the templates, the state machine, the functions, the buildspecs' commands, git. What stands in: MiniStack for AWS, with
//! a front that refuses what AWS would; this crate's own Step Functions, CodePipeline and CodeBuild; a GitHub on loopback. Time in the state
//! machine passes faster than the clock while nothing is being built.

mod builds;
pub mod clock;
mod environment;
pub mod event;
mod evidence;
pub mod executions;
pub mod fault;
mod invocations;
mod journey;
mod promises;
mod recorder;
pub mod report;
mod retained;
mod source;
mod stacks;
pub mod summary;
pub mod terminal;
mod watch;
pub mod webhook;
mod world;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use crate::{Error, aws::Failure};
use event::Event;
pub use fault::Fault;
pub use recorder::{Recorder, Show};
use summary::Summary;
use world::World;

/// What is rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The pull request's number.
    pub pull_request: u32,
    /// A git repository; what it has checked out is the base branch.
    pub repository: PathBuf,
    /// The project's configuration within the repository; the first of [`CONFIGURATIONS`] that is there if left out.
    pub configuration: Option<String>,
    /// How the pull request ends.
    pub end: End,
    /// What goes wrong on the way.
    pub faults: Vec<Fault>,
    /// How much faster than the clock the waits of the state machine pass while nothing is being built.
    pub speed: u32,
    /// How many commits are pushed after the first. The last one is pushed while the one before is still tested.
    pub pushes: u32,
    /// Whether the shared stacks stay at the end, so that they can be looked at.
    pub keep: bool,
}

/// Where a project's configuration is looked for in its repository, the first one first.
pub const CONFIGURATIONS: [&str; 3] = ["testing/rehearsal/project.yaml", "project.yaml", "stacks/project.yaml"];

/// How a pull request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is merged: `stage` is deployed first.
    Merge,
    /// It is closed without being merged.
    Close,
}

/// What came of it.
#[derive(Debug)]
pub struct Rehearsed {
    /// Counted and judged.
    pub summary: Summary,
    /// All that happened, in order.
    pub events: Vec<Event>,
    /// The state machine's definition, for drawings.
    pub definition: String,
    /// What keeps running, if it is to be kept.
    pub kept: Option<Kept>,
}

/// The local AWS and GitHub with the shared stacks, until it is dropped.
#[derive(Debug)]
pub struct Kept {
    world: Box<World>,
}

impl Kept {
    /// Where the local AWS is, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.world.endpoint()
    }
}

/// Why a rehearsal cannot go on. That the system breaks a promise is no error: the summary says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// A tool is missing or fails.
    #[error(transparent)]
    Tool(#[from] Error),
    /// The local AWS refuses something.
    #[error(transparent)]
    Aws(#[from] Failure),
    /// The repository has no configuration.
    #[error(
        "the repository {repository} has no {looked_for}\n  help: commit a project.yaml, or name one with --config; \
         `cargo run -p synth -- schema` prints what it may hold", repository = repository.display()
    )]
    NoConfiguration {
        /// The repository.
        repository: PathBuf,
        /// Where it was looked for.
        looked_for: String,
    },
    /// The configuration has faults.
    #[error("{path} has faults:\n{faults}")]
    Configuration {
        /// The file.
        path: String,
        /// All of them, a line or more each.
        faults: String,
    },
    /// The stacks cannot be synthesized, or their assets not be packed.
    #[error("{0}")]
    Synthesis(String),
    /// A stack is not as it must be.
    #[error("the stack {stack} is {status}: {reason}")]
    Stack {
        /// Its name.
        stack: String,
        /// Its status.
        status: String,
        /// The first event that failed.
        reason: String,
    },
    /// An answer cannot be read.
    #[error("an answer of the local AWS cannot be read: {0}")]
    Unreadable(String),
    /// The state machine is one that the runner does not execute.
    #[error("the state machine cannot be executed here:\n{0}")]
    Machine(#[from] stepfunctions_runner::Refusals),
    /// The local AWS refuses what is to serve it.
    #[error("the local AWS cannot be completed: {0}")]
    Incomplete(String),
    /// Nobody answers a request.
    #[error("{url} does not answer")]
    NoAnswer {
        /// The address.
        url: String,
        /// Why.
        source: std::io::Error,
    },
    /// It was interrupted.
    #[error("interrupted")]
    Interrupted,
}

/// Plays a pull request's story to its end, and judges it. Each thing that happens is shown at once.
///
/// # Errors
/// Where the story cannot go on: a tool is missing, the configuration has faults, the shared stacks cannot be deployed. Nothing is left
/// running then.
pub fn run(plan: &Plan, show: Arc<Show>, interrupted: Arc<AtomicBool>) -> Result<Rehearsed, RehearsalError> {
    let recorder = Recorder::new(show, interrupted);
    let mut world = World::build(plan, &recorder)?;
    let story = journey::play(&mut world, plan)?;
    let promises = promises::judge(&mut world, plan, &story)?;
    let summary = world.summary(plan, promises);
    let definition = world.definition().to_owned();
    let kept = plan.keep.then(|| Kept { world: Box::new(world) });
    Ok(Rehearsed {
        summary,
        events: recorder.events(),
        definition,
        kept,
    })
}
