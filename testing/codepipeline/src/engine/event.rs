//! What happens in the engine, for those who watch it live.

use std::time::SystemTime;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by the engine's clock.
    pub time: SystemTime,
    /// The pipeline's name.
    pub pipeline: String,
    /// The execution's id.
    pub execution: String,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The execution was started.
    ExecutionStarted,
    /// The execution ended.
    ExecutionEnded {
        /// As the API says it.
        status: ExecutionStatus,
    },
    /// The execution entered a stage.
    StageStarted {
        /// The stage's name.
        stage: String,
    },
    /// The execution left a stage.
    StageEnded {
        /// The stage's name.
        stage: String,
        /// Whether every action succeeded.
        succeeded: bool,
    },
    /// An action began.
    ActionStarted {
        /// The stage's name.
        stage: String,
        /// The action's name.
        action: String,
    },
    /// An action ended.
    ActionEnded {
        /// The stage's name.
        stage: String,
        /// The action's name.
        action: String,
        /// As the API says it.
        status: ActionStatus,
        /// The error's message, if it failed.
        message: Option<String>,
    },
    /// A line was written to a build's log.
    BuildLine {
        /// The build's id.
        build: String,
        /// The line.
        line: String,
    },
}

/// The status of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ExecutionStatus {
    Cancelled,
    InProgress,
    Stopped,
    Stopping,
    Succeeded,
    Superseded,
    Failed,
}

impl ExecutionStatus {
    /// Whether nothing will change it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::InProgress | Self::Stopping)
    }

    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "Cancelled",
            Self::InProgress => "InProgress",
            Self::Stopped => "Stopped",
            Self::Stopping => "Stopping",
            Self::Succeeded => "Succeeded",
            Self::Superseded => "Superseded",
            Self::Failed => "Failed",
        }
    }
}

/// The status of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ActionStatus {
    InProgress,
    Abandoned,
    Succeeded,
    Failed,
}

impl ActionStatus {
    /// The API's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Abandoned => "Abandoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}
