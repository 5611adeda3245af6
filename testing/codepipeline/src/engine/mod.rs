//! The engine: pipelines, their executions, and the APIs that show them.
//!
//! It is driven from outside, by [`Engine::tick`], or by a thread of its own, by [`Engine::run_in_background`]. Whoever drives it
//! makes all calls to the surroundings; [`Engine::answer`] makes none and never waits for one.

mod advance;
mod answers;
mod background;
mod begin;
mod builds;
mod event;
mod queue;
mod standing;
mod start;
mod state;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

pub use background::Background;
pub use builds::BuildRecord;
pub use event::{ActionStatus, Event, EventKind, ExecutionStatus};
pub use queue::Refusal;

use crate::action::{Outside, Task};
use crate::build::Builder;
use crate::fault::Faults;
use crate::pipeline::{ExecutionMode, Pipeline};
use crate::project::Project;
use crate::surroundings::{Clock, Objects, Stacks};
use state::{Line, Registered, State};

/// Who is told what happens, on whatever thread it happens. It may ask the engine, and must not drive it.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Where the engine believes to be, and how it behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// All ids follow from it.
    pub seed: u64,
    /// Whether a new pipeline begins an execution by itself, as it does in AWS.
    pub start_on_create: bool,
    /// How long to wait between two looks at a stack that changes.
    pub stack_interval: Duration,
}

impl Default for Settings {
    /// The account 000000000000 in us-east-1, the seed 0, pipelines that start when they are created, a second between two looks.
    fn default() -> Self {
        Self {
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            seed: 0,
            start_on_create: true,
            stack_interval: Duration::from_secs(1),
        }
    }
}

/// What the engine works with.
#[derive(Clone)]
pub struct Surroundings {
    /// S3.
    pub objects: Arc<dyn Objects>,
    /// CloudFormation.
    pub stacks: Arc<dyn Stacks>,
    /// What runs builds.
    pub builder: Arc<dyn Builder>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub listener: Listener,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// An error of the API, as the JSON protocol writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct ApiError {
    /// The error's name, such as `PipelineNotFoundException`.
    pub code: &'static str,
    /// Its words.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status: 400,
        }
    }
}

/// A local CodePipeline with its CodeBuild. Clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

struct Inner {
    place: Place,
    outside: Outside,
    state: Mutex<State>,
    /// Held by whoever drives: two at once would ask the same task twice.
    driving: Mutex<()>,
}

/// Where the engine is, and what it needs to know while its state is locked.
struct Place {
    account: String,
    region: String,
    start_on_create: bool,
    clock: Arc<dyn Clock>,
    listener: Listener,
}

impl Place {
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// Passes a build's log on.
    fn build_log(&self, pipeline: &str, execution: &str, build: &str) -> Arc<dyn Fn(&str) + Send + Sync> {
        let (clock, listener) = (Arc::clone(&self.clock), Arc::clone(&self.listener));
        let (pipeline, execution, build) = (pipeline.to_owned(), execution.to_owned(), build.to_owned());
        Arc::new(move |line| {
            listener(&Event {
                time: clock.now(),
                pipeline: pipeline.clone(),
                execution: execution.clone(),
                kind: EventKind::BuildLine {
                    build: build.clone(),
                    line: line.to_owned(),
                },
            });
        })
    }
}

impl Engine {
    /// An engine without pipelines.
    #[must_use]
    pub fn new(settings: Settings, surroundings: Surroundings) -> Self {
        let Surroundings {
            objects,
            stacks,
            builder,
            clock,
            listener,
        } = surroundings;
        let inner = Inner {
            place: Place {
                account: settings.account,
                region: settings.region,
                start_on_create: settings.start_on_create,
                clock,
                listener,
            },
            outside: Outside {
                objects,
                stacks,
                builder,
                stack_interval: settings.stack_interval,
            },
            state: Mutex::new(State::seeded(settings.seed)),
            driving: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Creates or updates a pipeline from the properties of an `AWS::CodePipeline::Pipeline` resource whose intrinsic functions are
    /// resolved. Returns its name, which is what `Ref` gives.
    ///
    /// A new pipeline begins an execution. A changed one cancels the executions in progress, but in the parallel mode, where they
    /// go on as they began.
    ///
    /// # Errors
    /// All that CodePipeline would refuse, and all that is not supported here.
    pub fn put_pipeline(&self, properties: &Value) -> Result<String, Faults> {
        let pipeline = Pipeline::from_resource(properties)?;
        let name = pipeline.name.clone();
        self.with(|state, place, now| state.put_pipeline(place, Arc::new(pipeline), now));
        Ok(name)
    }

    /// Deletes a pipeline with its executions. One that is not there is no matter.
    pub fn delete_pipeline(&self, name: &str) {
        self.with(|state, _, now| state.delete_pipeline(name, now));
    }

    /// Whether there is such a pipeline.
    #[must_use]
    pub fn has_pipeline(&self, name: &str) -> bool {
        lock(&self.inner.state).lines.contains_key(name)
    }

    /// Creates or updates a build project from the properties of an `AWS::CodeBuild::Project` resource whose intrinsic functions are
    /// resolved. Returns its name, which is what `Ref` gives.
    ///
    /// # Errors
    /// All that CodeBuild would refuse, and all that is not supported here.
    pub fn put_project(&self, properties: &Value) -> Result<String, Faults> {
        let project = Arc::new(Project::from_resource(properties)?);
        let name = project.name.clone();
        let mut state = lock(&self.inner.state);
        let builds = state.projects.get(&name).map_or(0, |registered| registered.builds);
        state.projects.insert(name.clone(), Registered { project, builds });
        Ok(name)
    }

    /// Deletes a build project. Builds that run go on.
    pub fn delete_project(&self, name: &str) {
        lock(&self.inner.state).projects.remove(name);
    }

    /// CodePipeline's answer to a call whose parameters keep the rules of its model.
    ///
    /// # Errors
    /// As CodePipeline's API has them.
    pub fn answer(&self, operation: &str, parameters: &Value) -> Result<Value, ApiError> {
        self.with(|state, place, now| state.codepipeline(place, operation, parameters, now))
    }

    /// CodeBuild's answer to a call whose parameters keep the rules of its model.
    ///
    /// # Errors
    /// As CodeBuild's API has them.
    pub fn answer_codebuild(&self, operation: &str, parameters: &Value) -> Result<Value, ApiError> {
        self.with(|state, _, _| state.codebuild(operation, parameters))
    }

    /// The builds so far, in no order that is relied upon.
    #[must_use]
    pub fn builds(&self) -> Vec<BuildRecord> {
        let state = lock(&self.inner.state);
        state.builds.values().map(|record| lock(record).clone()).collect()
    }

    /// Whether an execution or a build is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let state = lock(&self.inner.state);
        let mut executions = state.lines.values().flat_map(|line| &line.executions);
        executions.any(|execution| !execution.status.is_final()) || !state.orphans.is_empty()
    }

    /// Asks everything in progress how it stands, once, and moves executions on. Returns whether anything moved.
    ///
    /// All calls to the surroundings are made here, while nothing is locked that [`answer`](Self::answer) needs.
    pub fn tick(&self) -> bool {
        let _driving = lock(&self.inner.driving);
        let Inner { place, outside, .. } = &*self.inner;
        let (mut moved, away, orphans) = self.with(|state, place, now| {
            let moved = state.advance(place, now);
            state.admit();
            let (away, orphans) = state.away();
            (moved, away, orphans)
        });
        for mut away in away {
            let progress = away.task.poll(outside, place.clock.now());
            moved |= self.with(|state, _, now| state.settle(away, progress, now));
        }
        for mut orphan in orphans {
            let ended = orphan.poll(outside, place.clock.now()).result.is_some();
            moved |= ended;
            if !ended {
                lock(&self.inner.state).orphans.push(orphan);
            }
        }
        // What ended just now may let others begin.
        moved | self.with(|state, place, now| state.advance(place, now))
    }

    /// Ticks until nothing moves: everything has ended, or waits for the clock, a build, a stack or a person.
    pub fn run_until_idle(&self) {
        while self.tick() {}
    }

    /// Drives the engine from a thread of its own, at this interval, until what is returned is dropped.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn run_in_background(&self, interval: Duration) -> std::io::Result<Background> {
        Background::start(self.clone(), interval)
    }

    /// Ends all builds and forgets all executions in progress; their actions are abandoned.
    pub fn shut_down(&self) {
        let _driving = lock(&self.inner.driving);
        let orphans: Vec<Task> = self.with(|state, _, now| {
            let State {
                lines, events, orphans, ..
            } = state;
            for execution in lines.values_mut().flat_map(|line| &mut line.executions) {
                if !execution.status.is_final() {
                    orphans.extend(execution.abandon(events, now));
                    execution.end(ExecutionStatus::Stopped, events, now);
                }
            }
            std::mem::take(orphans)
        });
        // Dropping a build ends it, which may take a moment: not while the state is locked.
        drop(orphans);
    }

    /// Changes the state, and then tells what happened, while nothing is locked.
    fn with<T>(&self, change: impl FnOnce(&mut State, &Place, SystemTime) -> T) -> T {
        let place = &self.inner.place;
        let now = place.clock.now();
        let mut state = lock(&self.inner.state);
        let result = change(&mut state, place, now);
        let events = std::mem::take(&mut state.events);
        drop(state);
        for event in &events {
            (place.listener)(event);
        }
        result
    }
}

impl State {
    /// Returns the pipeline's version.
    fn put_pipeline(&mut self, place: &Place, pipeline: Arc<Pipeline>, now: SystemTime) -> u32 {
        let name = pipeline.name.clone();
        let Some(line) = self.lines.get_mut(&name) else {
            let line = Line {
                pipeline,
                version: 1,
                created: now,
                updated: now,
                executions: Vec::new(),
            };
            self.lines.insert(name.clone(), line);
            if place.start_on_create {
                self.launch(&name, "CreatePipeline", now, |_| {});
                self.advance(place, now);
            }
            return 1;
        };
        if line.pipeline == pipeline {
            return line.version;
        }
        let parallel = line.pipeline.mode == ExecutionMode::Parallel;
        line.pipeline = pipeline;
        line.version += 1;
        line.updated = now;
        for execution in line
            .executions
            .iter_mut()
            .filter(|execution| !execution.status.is_final())
        {
            if !parallel {
                self.orphans.extend(execution.abandon(&mut self.events, now));
                execution.end(ExecutionStatus::Cancelled, &mut self.events, now);
            }
        }
        line.version
    }

    fn delete_pipeline(&mut self, name: &str, now: SystemTime) {
        let Some(mut line) = self.lines.remove(name) else {
            return;
        };
        for execution in line
            .executions
            .iter_mut()
            .filter(|execution| !execution.status.is_final())
        {
            self.orphans.extend(execution.abandon(&mut self.events, now));
            execution.end(ExecutionStatus::Stopped, &mut self.events, now);
        }
    }
}

/// A mutex guards nothing that a panic would leave half done for long: tests go on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A time as the JSON protocol writes it: seconds since 1970, with milliseconds.
fn seconds(time: SystemTime) -> Value {
    let passed = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 need 41 of the 53 bits"
    )]
    let seconds = milliseconds as f64 / 1_000.0;
    json!(seconds)
}

/// One page of a list, and the token of the next.
fn page(name: &str, all: Vec<Value>, parameters: &Value, most: usize) -> Result<Value, ApiError> {
    let first = match parameters["nextToken"].as_str() {
        Some(token) => token
            .strip_prefix("from-")
            .and_then(|from| from.parse().ok())
            .ok_or_else(|| {
                ApiError::new(
                    "InvalidNextTokenException",
                    "The next token was specified in an invalid format",
                )
            })?,
        None => 0_usize,
    };
    let size = parameters["maxResults"]
        .as_u64()
        .and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(most).clamp(1, most);
    let next = first.saturating_add(size);
    let more = next < all.len();
    let items: Vec<Value> = all.into_iter().skip(first).take(size).collect();
    let mut answer = json!({ name: items });
    if more {
        answer["nextToken"] = json!(format!("from-{next}"));
    }
    Ok(answer)
}
