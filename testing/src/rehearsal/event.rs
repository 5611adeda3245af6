//! What happens in a rehearsal, as it is shown, written as JSON and drawn in the report.

use std::time::Duration;

use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Seconds since the rehearsal began.
    pub at: f64,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// A part of the rehearsal begins.
    Chapter {
        /// What is about to happen, in words.
        title: String,
    },
    /// Something was made ready.
    Ready {
        /// What.
        what: String,
        /// Where it can be opened, if anywhere.
        url: Option<String>,
    },
    /// GitHub posted a webhook.
    Webhook {
        /// `opened`, `synchronize`, `closed` …
        action: String,
        /// The head commit.
        sha: String,
        /// The HTTP status that it was answered with; none if it was lost on the way.
        status: Option<u16>,
    },
    /// An execution of the state machine began.
    ExecutionStarted {
        /// Its name.
        execution: String,
    },
    /// An execution entered a state.
    StateEntered {
        /// The execution's name.
        execution: String,
        /// The state.
        state: String,
        /// Its type, such as `Task`.
        state_type: String,
    },
    /// A task that asks how something stands was told so.
    Progress {
        /// The execution's name.
        execution: String,
        /// The state.
        state: String,
        /// In words.
        summary: String,
    },
    /// A task failed; it is tried again, caught, or ends the execution.
    TaskFailed {
        /// The execution's name.
        execution: String,
        /// The state.
        state: String,
        /// The error's name.
        error: String,
    },
    /// An execution ended.
    ExecutionEnded {
        /// Its name.
        execution: String,
        /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
        status: String,
        /// The error's name, if it failed.
        error: Option<String>,
    },
    /// A stage or an action of a pipeline began or ended.
    Pipeline {
        /// The pipeline's name.
        pipeline: String,
        /// The action.
        action: String,
        /// Its status, as CodePipeline names it.
        status: String,
    },
    /// A build printed a line.
    Build {
        /// The CodeBuild project.
        project: String,
        /// The line.
        line: String,
    },
    /// A commit has a new status.
    CommitStatus {
        /// The commit.
        sha: String,
        /// What sets the status apart.
        context: String,
        /// `pending`, `success`, `failure` or `error`.
        state: String,
        /// One line.
        description: String,
    },
    /// A deployment of GitHub's has a new state.
    Deployment {
        /// The environment.
        environment: String,
        /// `in_progress`, `success`, `failure`, `inactive` …
        state: String,
        /// Where it can be opened.
        url: Option<String>,
    },
    /// The environment's own API answered.
    Answered {
        /// The method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// Something was asked for to go wrong.
    Fault {
        /// What.
        what: String,
    },
    /// A promise of the system was checked.
    Checked {
        /// What was promised.
        promise: String,
        /// How many things were looked at; of none, nothing was shown.
        looked_at: usize,
        /// What is wrong; empty if it was kept, or not applicable.
        faults: Vec<String>,
    },
}

impl Event {
    /// At this time after the beginning.
    #[must_use]
    pub fn new(at: Duration, happening: Happening) -> Self {
        // Milliseconds are as much as anybody reads.
        let at = (at.as_secs_f64() * 1e3).round() / 1e3;
        Self { at, happening }
    }
}
