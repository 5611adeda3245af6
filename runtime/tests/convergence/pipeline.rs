//! The pipeline as the state machine runs it, on a table and on stacks in memory. Every execution may die at every step.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Claimed, Decision, Outcome, Step, Target, Verified};
use runtime::record::{
    Attempt, Record, ReportRow, STAGE, Shared, StageClaim, Transition, answer, claim_stage, full_house, row_key,
    transition,
};

use crate::github::REPOSITORY;
use crate::random::Random;

/// How long an execution may take, in seconds.
pub(crate) const BOUND: u64 = 3_600;

/// The table, the stacks, and the executions at work.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    pub(crate) records: BTreeMap<u32, Record>,
    pub(crate) shared: Shared,
    /// Which commit runs in which pull request's environment.
    pub(crate) environments: BTreeMap<u32, String>,
    /// Which commit runs in `stage`.
    pub(crate) stage: Option<String>,
    executions: Vec<Execution>,
    started: u64,
    pub(crate) now: u64,
    pub(crate) places: u32,
    /// One step in so many is an execution's last; 0 for none.
    pub(crate) deaths: usize,
}

#[derive(Debug)]
struct Execution {
    id: String,
    at: At,
}

/// Where an execution is.
#[derive(Debug, Clone)]
enum At {
    Claim(Box<Verified>),
    Tests(Claimed),
    Tested(Claimed),
    Deploy(Claimed),
    Deployed(Claimed),
    Stage(Claimed),
    Teardown(Claimed),
    TornDown(Claimed),
}

impl Pipeline {
    pub(crate) fn start(&mut self, verified: Verified) {
        self.started += 1;
        self.executions.push(Execution {
            id: format!("execution-{}", self.started),
            at: At::Claim(Box::new(verified)),
        });
    }

    /// Takes one of the executions a step further.
    pub(crate) fn step(&mut self, random: &mut Random) {
        if self.executions.is_empty() {
            return;
        }
        let index = random.below(self.executions.len());
        let mut execution = self.executions.swap_remove(index);
        let dies = |random: &mut Random, deaths| deaths > 0 && random.one_in(deaths);
        if dies(random, self.deaths) {
            return;
        }
        let next = self.advance(&execution, random);
        // What a step has done may be done again: Lambda's answer is lost, and the state machine tries once more.
        let repeats = random.one_in(10);
        match next {
            Some(_) if repeats => self.executions.push(execution),
            Some(at) if !dies(random, self.deaths) => {
                execution.at = at;
                self.executions.push(execution);
            }
            _ => {}
        }
    }

    pub(crate) fn finish(&mut self, random: &mut Random) {
        while !self.executions.is_empty() {
            self.step(random);
        }
    }

    fn advance(&mut self, execution: &Execution, random: &mut Random) -> Option<At> {
        match execution.at.clone() {
            At::Claim(verified) => {
                let claimed = self.claim(&verified, &execution.id)?;
                match claimed.decision {
                    Decision::Deploy => Some(At::Tests(claimed)),
                    Decision::Promote => Some(At::Stage(claimed)),
                    Decision::TearDown => Some(At::Teardown(claimed)),
                    Decision::Ignore => None,
                }
            }
            At::Tests(claimed) => {
                self.report(&claimed.target, Step::UnitTest, Outcome::Pending)?;
                Some(At::Tested(claimed))
            }
            At::Tested(claimed) => {
                self.report(&claimed.target, Step::UnitTest, Outcome::Success)?;
                if claimed.deployable {
                    return Some(At::Deploy(claimed));
                }
                self.report(&claimed.target, Step::Deploy, Outcome::Skipped)?;
                None
            }
            At::Deploy(claimed) => {
                self.report(&claimed.target, Step::Deploy, Outcome::Pending)?;
                Some(At::Deployed(claimed))
            }
            At::Deployed(claimed) => {
                if self.deaths > 0 && random.one_in(10) {
                    self.report(&claimed.target, Step::Deploy, Outcome::Error)?;
                    return None;
                }
                self.require_current(&claimed.target)?;
                let target = &claimed.target;
                self.environments.insert(target.number, target.sha.clone());
                self.report(target, Step::Deploy, Outcome::Success)?;
                None
            }
            At::Stage(claimed) => {
                // As in the state machine, who is superseded on stage ends there.
                self.require_current(&claimed.stage)?;
                self.stage = Some(claimed.stage.sha.clone());
                if let Some(record) = self.records.get_mut(&claimed.target.number) {
                    record.promoted = Some(claimed.stage.sha.clone());
                }
                Some(At::Teardown(claimed))
            }
            At::Teardown(claimed) => {
                self.report(&claimed.target, Step::Teardown, Outcome::Pending)?;
                Some(At::TornDown(claimed))
            }
            At::TornDown(claimed) => {
                self.require_current(&claimed.target)?;
                self.environments.remove(&claimed.target.number);
                self.finish_teardown(&claimed.target)?;
                self.report(&claimed.target, Step::Teardown, Outcome::Success)?;
                None
            }
        }
    }

    /// What the function `claim` does, with nobody else at the table.
    fn claim(&mut self, verified: &Verified, execution: &str) -> Option<Claimed> {
        let number = verified.change.as_ref()?.number;
        let attempt = Attempt {
            execution,
            now: self.now,
            bound: BOUND,
        };
        let record = match transition(self.records.get(&number), verified, attempt) {
            Transition::Lose(_) => return None,
            Transition::Note(noted, _) => {
                self.records.insert(number, *noted);
                return None;
            }
            Transition::Again(record) => *record,
            Transition::Raise(mut record) => {
                if record.wanted && !record.environment {
                    record.environment = self.hold(number);
                    if !record.environment {
                        *record = full_house(*record, self.places);
                    }
                }
                self.records.insert(number, (*record).clone());
                *record
            }
        };
        let stage = match record.decision {
            Decision::Promote => match claim_stage(&self.shared.stage, &record) {
                StageClaim::Later => None,
                StageClaim::Again => Some(self.shared.stage.clone()),
                StageClaim::Raise(stage) => {
                    self.shared.stage = stage.clone();
                    Some(stage)
                }
            },
            _ => None,
        };
        Some(answer(&record, stage.as_ref()))
    }

    fn hold(&mut self, number: u32) -> bool {
        let held = &mut self.shared.environments;
        let environment = format!("pr-{number}");
        let holds = held.contains_key(&environment) || held.len() < self.places as usize;
        if holds {
            held.insert(environment, self.now);
        }
        holds
    }

    fn require_current(&self, target: &Target) -> Option<()> {
        let current = if target.environment == STAGE {
            self.shared.stage.generation
        } else {
            self.records.get(&target.number)?.generation
        };
        (current == target.generation).then_some(())
    }

    fn report(&mut self, target: &Target, step: Step, outcome: Outcome) -> Option<()> {
        self.require_current(target)?;
        let record = self.records.get_mut(&target.number)?;
        let row = ReportRow {
            outcome,
            summary: String::new(),
            url: None,
            sha: target.sha.clone(),
            generation: target.generation,
            updated: self.now,
        };
        record
            .memory
            .rows
            .insert(row_key(&target.environment, step).to_owned(), row);
        record.reported_at = self.now;
        record.revision += 1;
        Some(())
    }

    fn finish_teardown(&mut self, target: &Target) -> Option<()> {
        self.require_current(target)?;
        let record = self.records.get_mut(&target.number)?;
        record.environment = false;
        record.deployed = None;
        record.finished = Some(target.generation);
        record.revision += 1;
        self.shared.environments.remove(&target.environment);
        Some(())
    }

    /// The pull requests of which a stack exists.
    pub(crate) fn stacks(&self) -> BTreeSet<u32> {
        self.environments.keys().copied().collect()
    }

    pub(crate) fn empty(places: u32, deaths: usize) -> Self {
        Self {
            shared: Shared::of(REPOSITORY),
            places,
            deaths,
            ..Self::default()
        }
    }
}
