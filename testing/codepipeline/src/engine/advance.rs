//! Moves executions on as far as they come without asking anybody: into stages, from one run order to the next, to their end.

use std::{collections::BTreeSet, time::SystemTime};

use super::Place;
use super::event::{ActionStatus, Event, EventKind, ExecutionStatus};
use super::state::{Execution, Line, Position, State};
use crate::action::{Finished, Progress, Task};
use crate::pipeline::ExecutionMode;

/// A task that is away from its action to be asked how it stands.
pub(super) struct Away {
    pub(super) pipeline: String,
    pub(super) execution: String,
    /// The action's run.
    pub(super) run: String,
    pub(super) task: Task,
}

impl State {
    /// Returns whether anything moved.
    pub(super) fn advance(&mut self, place: &Place, now: SystemTime) -> bool {
        let mut moved = false;
        // One execution's end lets another in, and that within the same moment.
        while self.step(place, now) {
            moved = true;
        }
        moved
    }

    fn step(&mut self, place: &Place, now: SystemTime) -> bool {
        let mut moved = false;
        let names: Vec<String> = self.lines.keys().cloned().collect();
        for name in names {
            let Some(mut line) = self.lines.remove(&name) else {
                continue;
            };
            moved |= supersede(&mut line, &mut self.events, now);
            for index in 0..line.executions.len() {
                let admitted = admitted(&line, index);
                moved |= self.step_execution(&mut line.executions[index], admitted, place, now);
            }
            self.lines.insert(name, line);
        }
        moved
    }

    fn step_execution(&mut self, execution: &mut Execution, admitted: bool, place: &Place, now: SystemTime) -> bool {
        match execution.position {
            Position::Over => false,
            Position::Waiting { .. } if execution.stop.is_some() => {
                execution.end(ExecutionStatus::Stopped, &mut self.events, now);
                true
            }
            Position::Waiting { .. } if !admitted => false,
            Position::Waiting { stage, .. } => {
                execution.position = Position::Inside { stage, order: 0 };
                execution.updated = now;
                let stage = execution.pipeline.stages[stage].name.clone();
                execution.tell(&mut self.events, now, EventKind::StageStarted { stage });
                true
            }
            Position::Inside { stage, order } => self.step_inside(execution, stage, order, place, now),
        }
    }

    fn step_inside(
        &mut self,
        execution: &mut Execution,
        stage: usize,
        order: u32,
        place: &Place,
        now: SystemTime,
    ) -> bool {
        let of_stage = execution.runs.iter().filter(|run| run.stage == stage);
        let statuses: Vec<ActionStatus> = of_stage.map(|run| run.status).collect();
        if statuses.contains(&ActionStatus::InProgress) {
            return false;
        }
        if execution.stop.is_some() {
            execution.end(ExecutionStatus::Stopped, &mut self.events, now);
            return true;
        }
        if statuses.contains(&ActionStatus::Failed) {
            execution.end(ExecutionStatus::Failed, &mut self.events, now);
            return true;
        }
        let actions = execution.pipeline.stages[stage].actions.iter();
        let orders: BTreeSet<u32> = actions.map(|action| action.run_order).collect();
        if let Some(next) = orders.into_iter().find(|next| *next > order) {
            execution.position = Position::Inside { stage, order: next };
            let pipeline = std::sync::Arc::clone(&execution.pipeline);
            let due = pipeline.stages[stage].actions.iter();
            for action in due.filter(|action| action.run_order == next) {
                self.begin(execution, stage, action, place, now);
            }
        } else if stage + 1 == execution.pipeline.stages.len() {
            execution.end(ExecutionStatus::Succeeded, &mut self.events, now);
        } else {
            let name = execution.pipeline.stages[stage].name.clone();
            let ended = EventKind::StageEnded {
                stage: name,
                succeeded: true,
            };
            execution.tell(&mut self.events, now, ended);
            execution.updated = now;
            execution.position = Position::Waiting {
                stage: stage + 1,
                since: self.count(),
            };
        }
        true
    }

    /// Takes the tasks of all actions in progress, to be asked how they stand while nothing is locked.
    pub(super) fn away(&mut self) -> (Vec<Away>, Vec<Task>) {
        let mut away = Vec::new();
        for (name, line) in &mut self.lines {
            for execution in &mut line.executions {
                for run in &mut execution.runs {
                    away.extend(run.task.take().map(|task| Away {
                        pipeline: name.clone(),
                        execution: execution.id.clone(),
                        run: run.id.clone(),
                        task,
                    }));
                }
            }
        }
        (away, std::mem::take(&mut self.orphans))
    }

    /// Takes a task back with what it said. Returns whether its action ended.
    pub(super) fn settle(&mut self, away: Away, progress: Progress, now: SystemTime) -> bool {
        let Away {
            pipeline,
            execution,
            run,
            mut task,
        } = away;
        let line = self.lines.get_mut(&pipeline);
        let found = line.and_then(|line| line.executions.iter_mut().find(|found| found.id == execution));
        let place = found.and_then(|execution| {
            let place = execution.runs.iter().position(|found| found.id == run)?;
            (execution.runs[place].status == ActionStatus::InProgress).then_some((execution, place))
        });
        let Some((execution, place)) = place else {
            // Abandoned meanwhile, or its pipeline is gone.
            if progress.result.is_none() && task.outlives_its_action() {
                self.orphans.push(task);
            }
            return false;
        };
        execution.runs[place].external = progress.external;
        let run = &mut execution.runs[place];
        let timeout = run.action.timeout_minutes.map(|minutes| 60 * u64::from(minutes));
        let passed = now.duration_since(run.start).unwrap_or_default().as_secs();
        let result = match (progress.result, timeout) {
            (None, Some(timeout)) if passed >= timeout => {
                task.cancel();
                let minutes = timeout / 60;
                if task.outlives_its_action() {
                    self.orphans.push(task);
                }
                Err(crate::action::Failure::job(format!(
                    "The action has timed out after {minutes} minutes."
                )))
            }
            (None, _) => {
                run.task = Some(task);
                return false;
            }
            (Some(result), _) => result,
        };
        execution.close(place, result, &mut self.events, now);
        true
    }
}

impl Execution {
    /// Ends an action.
    pub(super) fn close(
        &mut self,
        place: usize,
        result: Result<Finished, crate::action::Failure>,
        events: &mut Vec<Event>,
        now: SystemTime,
    ) {
        let run = &mut self.runs[place];
        run.updated = now;
        self.updated = now;
        match result {
            Ok(Finished { outputs, variables }) => {
                run.status = ActionStatus::Succeeded;
                run.outputs.clone_from(&outputs);
                run.variables.clone_from(&variables);
                if let Some(namespace) = run.action.namespace.clone() {
                    self.namespaces.insert(namespace, variables.into_iter().collect());
                }
                for output in outputs {
                    self.artifacts.insert(output.name.clone(), output);
                }
            }
            Err(failure) => {
                run.status = ActionStatus::Failed;
                run.failure = Some(failure);
            }
        }
        let run = &self.runs[place];
        let ended = EventKind::ActionEnded {
            stage: self.pipeline.stages[run.stage].name.clone(),
            action: run.action.name.clone(),
            status: run.status,
            message: run.failure.as_ref().map(|failure| failure.message.clone()),
        };
        self.tell(events, now, ended);
    }
}

/// Of those that wait for the same stage only the one that came last goes on.
fn supersede(line: &mut Line, events: &mut Vec<Event>, now: SystemTime) -> bool {
    if line.pipeline.mode != ExecutionMode::Superseded {
        return false;
    }
    let waiting = waiting(line);
    let mut moved = false;
    for (index, stage, since) in &waiting {
        if waiting.iter().any(|(_, other, later)| other == stage && later > since) {
            line.executions[*index].end(ExecutionStatus::Superseded, events, now);
            moved = true;
        }
    }
    moved
}

/// The executions that wait: their index, the stage, and since when.
fn waiting(line: &Line) -> Vec<(usize, usize, u64)> {
    let executions = line.executions.iter().enumerate();
    executions
        .filter_map(|(index, execution)| match execution.position {
            Position::Waiting { stage, since } if execution.stop.is_none() => Some((index, stage, since)),
            _ => None,
        })
        .collect()
}

/// Whether an execution may enter the stage that it waits for. A stage that holds an execution is locked, but in the parallel mode.
fn admitted(line: &Line, index: usize) -> bool {
    let Position::Waiting { stage, .. } = line.executions[index].position else {
        return false;
    };
    if line.pipeline.mode == ExecutionMode::Parallel {
        return true;
    }
    let inside =
        |execution: &Execution| matches!(execution.position, Position::Inside { stage: held, .. } if held == stage);
    if line.executions.iter().any(inside) {
        return false;
    }
    let first = waiting(line).into_iter().filter(|(_, other, _)| *other == stage);
    first
        .min_by_key(|(.., since)| *since)
        .is_some_and(|(first, ..)| first == index)
}
