//! Virtual time: it stands until the matrix moves it, and everybody is shown the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stepfunctions_runner::Time;

/// When every case begins: 2026-03-02T08:00:00Z.
const BEGIN: i64 = 1_772_438_400_000;

/// The clock of one case. Clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock(Arc<AtomicI64>);

impl VirtualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGIN)))
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    /// Moves it on; it never goes back.
    pub(crate) fn set(&self, time: Time) {
        self.0.fetch_max(time.unix_millis(), Ordering::SeqCst);
    }

    /// As handlers are given it.
    pub(crate) fn of_handlers(&self) -> runtime::clock::Clock {
        let clock = self.clone();
        runtime::clock::Clock::new(move || codepipeline_local::Clock::now(&clock))
    }
}

impl codepipeline_local::Clock for VirtualClock {
    fn now(&self) -> SystemTime {
        let milliseconds = u64::try_from(self.0.load(Ordering::SeqCst)).unwrap_or_default();
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }
}

/// As GitHub writes times: in UTC, with seconds.
pub(crate) fn written(time: Time) -> String {
    let text = time.to_string();
    format!("{}Z", &text[..19])
}
