//! What the engine remembers. Nothing here calls anybody: it is changed under one lock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use super::builds::BuildRecord;
use super::event::{ActionStatus, Event, EventKind, ExecutionStatus};
use super::queue::Queue;
use crate::action::{External, Failure, Stored, Task};
use crate::ids::Ids;
use crate::pipeline::{Action, Pipeline};
use crate::project::Project;

pub(crate) struct State {
    pub(super) ids: Ids,
    pub(super) lines: BTreeMap<String, Line>,
    pub(super) projects: BTreeMap<String, Registered>,
    pub(super) builds: BTreeMap<String, Arc<Mutex<BuildRecord>>>,
    /// Events that nobody was told yet.
    pub(super) events: Vec<Event>,
    /// Builds whose action was abandoned: they run on, as they do in AWS.
    pub(super) orphans: Vec<Task>,
    /// Orders whatever must be in order.
    pub(super) counter: u64,
    pub(super) queue: Queue,
}

/// A CodeBuild project and how many builds it had.
pub(super) struct Registered {
    pub(super) project: Arc<Project>,
    pub(super) builds: u64,
}

/// A pipeline with its executions, oldest first.
pub(super) struct Line {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) version: u32,
    pub(super) created: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) executions: Vec<Execution>,
}

pub(super) struct Execution {
    pub(super) id: String,
    pub(super) token: Option<String>,
    /// The pipeline as it was when the execution began.
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) version: u32,
    pub(super) trigger: &'static str,
    pub(super) variables: BTreeMap<String, String>,
    /// What sources were overridden with, by action.
    pub(super) overrides: BTreeMap<String, Override>,
    pub(super) status: ExecutionStatus,
    pub(super) start: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) position: Position,
    pub(super) stop: Option<Stop>,
    pub(super) artifacts: BTreeMap<String, Stored>,
    pub(super) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) runs: Vec<ActionRun>,
}

/// Where an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Before a stage, since a moment of the counter.
    Waiting {
        stage: usize,
        since: u64,
    },
    /// In a stage, where the actions of this order and all before have begun.
    Inside {
        stage: usize,
        order: u32,
    },
    Over,
}

/// The revision of a source that an execution was started with.
#[derive(Debug, Clone, Default)]
pub(super) struct Override {
    pub(super) key: Option<String>,
    pub(super) version: Option<String>,
}

/// A request to stop.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) abandon: bool,
    pub(super) reason: Option<String>,
}

/// An action that has begun.
pub(super) struct ActionRun {
    pub(super) id: String,
    pub(super) stage: usize,
    pub(super) action: Action,
    pub(super) role: String,
    pub(super) resolved: BTreeMap<String, String>,
    pub(super) inputs: Vec<Stored>,
    pub(super) status: ActionStatus,
    pub(super) start: SystemTime,
    pub(super) updated: SystemTime,
    /// Orders the actions of a pipeline.
    pub(super) sequence: u64,
    pub(super) external: External,
    pub(super) failure: Option<Failure>,
    pub(super) outputs: Vec<Stored>,
    pub(super) variables: Vec<(String, String)>,
    /// The token by which an approval is given.
    pub(super) token: Option<String>,
    /// What does the work; away while it is asked how it stands.
    pub(super) task: Option<Task>,
}

impl State {
    pub(super) const fn seeded(seed: u64) -> Self {
        Self {
            ids: Ids::seeded(seed),
            lines: BTreeMap::new(),
            projects: BTreeMap::new(),
            builds: BTreeMap::new(),
            events: Vec::new(),
            orphans: Vec::new(),
            counter: 0,
            queue: Queue::unlimited(),
        }
    }

    pub(super) const fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

impl Execution {
    pub(super) fn tell(&self, events: &mut Vec<Event>, time: SystemTime, kind: EventKind) {
        events.push(Event {
            time,
            pipeline: self.pipeline.name.clone(),
            execution: self.id.clone(),
            kind,
        });
    }

    pub(super) fn end(&mut self, status: ExecutionStatus, events: &mut Vec<Event>, now: SystemTime) {
        if let Position::Inside { stage, .. } = self.position {
            let stage = self.pipeline.stages[stage].name.clone();
            let succeeded = status == ExecutionStatus::Succeeded;
            self.tell(events, now, EventKind::StageEnded { stage, succeeded });
        }
        self.status = status;
        self.position = Position::Over;
        self.updated = now;
        self.tell(events, now, EventKind::ExecutionEnded { status });
    }

    /// Gives up the actions in progress. Returns the builds among them, which run on.
    pub(super) fn abandon(&mut self, events: &mut Vec<Event>, now: SystemTime) -> Vec<Task> {
        let mut orphans = Vec::new();
        let mut told = Vec::new();
        for run in &mut self.runs {
            if run.status != ActionStatus::InProgress {
                continue;
            }
            run.status = ActionStatus::Abandoned;
            run.updated = now;
            orphans.extend(run.task.take().filter(Task::outlives_its_action));
            told.push(EventKind::ActionEnded {
                stage: self.pipeline.stages[run.stage].name.clone(),
                action: run.action.name.clone(),
                status: ActionStatus::Abandoned,
                message: None,
            });
        }
        for kind in told {
            self.tell(events, now, kind);
        }
        orphans
    }

    /// The last run of an action.
    pub(super) fn last_run(&self, stage: usize, action: &str) -> Option<&ActionRun> {
        let mut runs = self.runs.iter().rev();
        runs.find(|run| run.stage == stage && run.action.name == action)
    }
}
