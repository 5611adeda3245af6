//! An account's limit of builds: so many run, five times as many wait, and CodeBuild refuses the rest.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html>: the limit is one of the platform and compute type, and
//! it is not said in which order builds leave the queue. Here all builds are of one type, and the oldest leaves it first.

use super::state::State;
use super::{Engine, Place, lock};
use crate::action::Failure;

/// How many builds wait for each that may run.
const QUEUED_FOR_EACH: u64 = 5;

/// Why CodeBuild starts no build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many builds wait as the account may have.
    AccountLimit,
    /// The pipeline's role may not start it.
    Denied,
}

/// What an account may build.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many builds may run; any number if nothing is said.
    quota: Option<u64>,
    /// How many starts are still refused, and why.
    refusals: Option<(u64, Refusal)>,
}

impl Queue {
    pub(super) const fn unlimited() -> Self {
        Self {
            quota: None,
            refusals: None,
        }
    }
}

impl Engine {
    /// Lets so many builds run at a time from now on, and five times as many wait; with none, any number runs.
    pub fn limit_builds(&self, quota: Option<u64>) {
        lock(&self.inner.state).queue.quota = quota;
    }

    /// Refuses the next builds.
    pub fn refuse_builds(&self, count: u64, why: Refusal) {
        lock(&self.inner.state).queue.refusals = Some((count, why));
    }
}

impl State {
    /// CodePipeline's failure for a build that CodeBuild does not take.
    pub(super) fn refused(&mut self, project: &str, role: &str, place: &Place) -> Option<Failure> {
        let quota = self.queue.quota;
        let full = quota.is_some_and(|quota| self.builds_at_work() >= quota * (1 + QUEUED_FOR_EACH));
        let due = self
            .queue
            .refusals
            .as_mut()
            .filter(|(left, _)| *left > 0)
            .map(|(left, why)| {
                *left -= 1;
                *why
            });
        let why = due.or(full.then_some(Refusal::AccountLimit))?;
        // The words of <https://github.com/aws/aws-cdk/issues/27335>; the code is not shown there, and nobody may rely on it.
        let (status, code, words) = match why {
            Refusal::AccountLimit => (
                400,
                "AccountLimitExceededException",
                format!(
                    "Cannot have more than {} builds in queue for the account",
                    quota.unwrap_or(1)
                ),
            ),
            Refusal::Denied => (
                400,
                "AccessDeniedException",
                format!(
                    "User: {role} is not authorized to perform: codebuild:StartBuild on resource: {} because no identity-based \
                     policy allows the codebuild:StartBuild action",
                    place.arn("codebuild", &format!("project/{project}"))
                ),
            ),
        };
        let request = self.ids.uuid();
        Some(Failure::job(format!(
            "Error calling startBuild: {words} (Service: AWSCodeBuild; Status Code: {status}; Error Code: {code}; Request ID: \
             {request}; Proxy: null)"
        )))
    }

    /// How many builds run or wait.
    fn builds_at_work(&self) -> u64 {
        let records = self.builds.values().map(|record| lock(record));
        records.filter(|record| !record.is_over()).count() as u64
    }

    /// Lets builds that wait begin, as far as the limit goes.
    pub(super) fn admit(&self) {
        let mut waiting: Vec<_> = self.builds.values().filter(|record| lock(record).waits()).collect();
        if waiting.is_empty() {
            return;
        }
        let running = self.builds_at_work() - waiting.len() as u64;
        let free = self.queue.quota.map_or(u64::MAX, |quota| quota.saturating_sub(running));
        waiting.sort_by_key(|record| lock(record).submitted());
        for record in waiting.into_iter().take(usize::try_from(free).unwrap_or(usize::MAX)) {
            lock(record).admit();
        }
    }
}
