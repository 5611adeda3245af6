//! How the work for a record's generation stands, as far as its reports tell.

use contract::{Decision, Outcome, Step};

use super::{Record, STAGE, row_key};

/// How the work for a generation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An execution is at it, or may be.
    AtWork,
    /// Nothing was heard of it for longer than an execution may take: it has died.
    Dead,
    /// It ended, and the pipeline itself was at fault: doing it again may help.
    Failed,
    /// It ended with what the pull request's own code deserves.
    Done,
}

impl Record {
    /// How the current generation stands at a time, where no execution takes longer than the bound; both in seconds.
    pub fn standing(&self, now: u64, bound: u64) -> Standing {
        match self.ended() {
            Some(true) => Standing::Done,
            Some(false) => Standing::Failed,
            None if now.saturating_sub(self.heard_at()) > bound => Standing::Dead,
            None => Standing::AtWork,
        }
    }

    /// When something was last heard of the current generation, in seconds since 1970.
    pub fn heard_at(&self) -> u64 {
        self.claimed_at.max(self.reported_at)
    }

    /// Whether the commit may be deployed: it may have an environment, and there is one for it.
    pub const fn deployable(&self) -> bool {
        self.wanted && self.environment
    }

    /// The commit whose unit tests ended last, the current generation's included.
    pub fn tested(&self) -> Option<&str> {
        match self.reported("pr", Step::UnitTest) {
            Some(Outcome::Success | Outcome::Failure) => Some(&self.sha),
            _ => self.tested.as_deref(),
        }
    }

    /// Whether GitHub still shows a step of the pull request as pending.
    pub(super) fn is_pending(&self) -> bool {
        let rows = self.memory.rows.iter();
        let mut own = rows.filter(|(key, _)| key.as_str() != row_key(STAGE, Step::Deploy));
        own.any(|(_, row)| row.outcome == Outcome::Pending)
    }

    /// Whether the current generation has begun to tear down.
    pub(super) fn tears_down(&self) -> bool {
        self.reported("pr", Step::Teardown).is_some()
    }

    /// Whether the generation came to its end, and if so, whether to a good one.
    ///
    /// What GitHub has not been told is no end: somebody waits for it there.
    fn ended(&self) -> Option<bool> {
        let ended = self.carried_out()?;
        if ended && self.memory.unfinished {
            return None;
        }
        Some(ended)
    }

    /// The same without a thought of what GitHub knows of it.
    fn carried_out(&self) -> Option<bool> {
        match self.decision {
            Decision::Ignore => Some(true),
            Decision::Deploy => match self.reported("pr", Step::UnitTest)? {
                Outcome::Pending => None,
                Outcome::Error => Some(false),
                Outcome::Failure | Outcome::Skipped => Some(true),
                Outcome::Success => match self.reported("pr", Step::Deploy)? {
                    Outcome::Pending => None,
                    Outcome::Error => Some(false),
                    Outcome::Success | Outcome::Failure | Outcome::Skipped => Some(true),
                },
            },
            Decision::Promote | Decision::TearDown => match self.reported("pr", Step::Teardown) {
                Some(Outcome::Error) => Some(false),
                // Where there was nothing to tear down, nothing was reported.
                Some(Outcome::Pending) => None,
                _ if self.finished == Some(self.generation) => Some(true),
                _ => None,
            },
        }
    }

    /// What the current generation has reported of a step.
    fn reported(&self, environment: &str, step: Step) -> Option<Outcome> {
        let row = self.memory.rows.get(row_key(environment, step))?;
        (row.generation == self.generation).then_some(row.outcome)
    }
}
