//! The phases of a build as they are entered and left.

use std::time::SystemTime;

use super::{BuildStatus, Phase, PhaseKind};

/// The phases so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) phases: Vec<Phase>,
}

impl Ledger {
    pub(crate) fn enter(&mut self, kind: PhaseKind, now: SystemTime) {
        self.phases.push(Phase {
            kind,
            status: BuildStatus::InProgress,
            start: now,
            end: None,
            contexts: Vec::new(),
        });
    }

    /// Ends the phase that was entered last.
    pub(crate) fn leave(&mut self, status: BuildStatus, contexts: Vec<(String, String)>, now: SystemTime) {
        if let Some(phase) = self.phases.last_mut() {
            phase.status = status;
            phase.end = Some(now);
            phase.contexts = contexts;
        }
    }

    /// Phases that succeed without taking time.
    pub(crate) fn pass(&mut self, kinds: &[PhaseKind], now: SystemTime) {
        for kind in kinds {
            self.enter(*kind, now);
            self.leave(BuildStatus::Succeeded, Vec::new(), now);
        }
    }
}
