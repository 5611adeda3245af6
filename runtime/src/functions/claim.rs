//! `claim`: one execution at a time works on a pull request. [`record`](crate::record) decides; here it is read and written.
//!
//! What is written has the condition that nobody wrote since it was read. Whoever loses reads again, and usually finds that there
//! is nothing left to claim.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use contract::{Change, ClaimError, ClaimRequest, Claimed, Decision, Target};
use stacks::Project;
use stacks::pipeline_manager::bound_minutes;

use super::{Environment, FailureOf, Function, Invocation, StartError};
use crate::Failure;
use crate::clock::Clock;
use crate::record::{
    Attempt, Record, STAGE, Stage, StageClaim, Transition, answer, claim_stage, full_house, transition,
};
use crate::records::{Records, RecordsError};

/// How much time is left for the last attempt.
const LAST: Duration = Duration::from_secs(2);
/// The longest wait before the next attempt.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Writes the pull request's record on condition that nothing newer is in it.
#[derive(Debug)]
pub struct Claim {
    records: Records,
    clock: Clock,
    project: Project,
}

impl Function for Claim {
    type Contract = contract::Claim;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(contract::Claim::TABLE)?)
                .by(environment.clock()),
            clock: environment.clock(),
            project: environment.project(contract::Claim::PROJECT)?,
        })
    }

    async fn call(&self, request: ClaimRequest, invocation: &Invocation) -> Result<Claimed, FailureOf<Self>> {
        let Some(change) = &request.verified.change else {
            return Err(Failure::new(
                ClaimError::Unavailable,
                "the trigger has no pull request\n  help: let the state machine end where there is nothing to do",
            ));
        };
        for attempt in 0_u32.. {
            if let Some(claimed) = self.attempt(&request, change).await? {
                tracing::info!(decision = ?claimed.decision, reason = claimed.reason, "claimed");
                return Ok(claimed);
            }
            let wait = wait(attempt);
            if invocation.remaining() < wait + LAST {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        Err(Failure::new(
            ClaimError::Unavailable,
            "others wrote the record each time between reading and writing",
        ))
    }
}

impl Claim {
    /// Reads, decides and writes; nothing if somebody else wrote in between.
    async fn attempt(&self, request: &ClaimRequest, change: &Change) -> Result<Option<Claimed>, RecordsError> {
        let attempt = Attempt {
            execution: &request.execution,
            now: self.clock.now(),
            bound: bound_minutes(&self.project.limits) * 60,
        };
        let read = self.records.read(&change.repository, change.number).await?;
        let revision = read.as_ref().map(|record| record.revision);
        match transition(read.as_ref(), &request.verified, attempt) {
            Transition::Lose(reason) => Ok(Some(ignored(change, reason))),
            Transition::Note(record, reason) => {
                let written = self.records.put(&record, revision).await?;
                Ok(written.then(|| ignored(change, reason)))
            }
            Transition::Again(record) => self.answer(&record).await.map(Some),
            Transition::Raise(record) => {
                let record = self.placed(*record).await?;
                if self.records.put(&record, revision).await? {
                    self.answer(&record).await.map(Some)
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// The record with an environment, if it wants one and there is one to be had.
    ///
    /// A place that is taken for a claim that then loses is given back by the reconciler, unless the winner holds it.
    async fn placed(&self, record: Record) -> Result<Record, RecordsError> {
        if !record.wanted || record.environment {
            return Ok(record);
        }
        let places = self.project.limits.environments;
        let environment = format!("pr-{}", record.number);
        if self.records.hold(&record.repository, &environment, places).await? {
            return Ok(Record {
                environment: true,
                ..record
            });
        }
        Ok(full_house(record, places))
    }

    async fn answer(&self, record: &Record) -> Result<Claimed, RecordsError> {
        let stage = match record.decision {
            Decision::Promote => self.stage(record).await?,
            _ => None,
        };
        Ok(answer(record, stage.as_ref()))
    }

    /// Claims `stage` for the record's merge; nothing if a later merge has it.
    async fn stage(&self, record: &Record) -> Result<Option<Stage>, RecordsError> {
        for attempt in 0..8 {
            let read = self.records.shared(&record.repository).await?.stage;
            match claim_stage(&read, record) {
                StageClaim::Later => return Ok(None),
                StageClaim::Again => return Ok(Some(read)),
                StageClaim::Raise(stage) => {
                    if self.records.put_stage(&record.repository, &stage, &read).await? {
                        return Ok(Some(stage));
                    }
                }
            }
            tokio::time::sleep(wait(attempt)).await;
        }
        // The execution has the record, so that the next attempt comes here again.
        Err(RecordsError::Unavailable(
            "others claimed stage each time between reading and writing".to_owned(),
        ))
    }
}

/// The answer to who claims nothing.
fn ignored(change: &Change, reason: String) -> Claimed {
    let target = |environment| Target {
        repository: change.repository.clone(),
        number: change.number,
        sha: change.sha.clone(),
        environment,
        generation: 0,
    };
    Claimed {
        decision: Decision::Ignore,
        reason,
        target: target(format!("pr-{}", change.number)),
        stage: target(STAGE.to_owned()),
        deployable: false,
        superseded: Vec::new(),
    }
}

/// How long to wait before another attempt: at random, so that who lost together does not try together.
fn wait(attempt: u32) -> Duration {
    let most = Duration::from_millis(20)
        .saturating_mul(1 << attempt.min(10))
        .min(LONGEST_WAIT);
    let random = RandomState::new().build_hasher().finish();
    most.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
}

impl From<RecordsError> for Failure<ClaimError> {
    fn from(error: RecordsError) -> Self {
        Self::new(ClaimError::Unavailable, error)
    }
}
