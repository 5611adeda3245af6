//! The clock of a rehearsal's executions: waits pass quickly, and what this machine really does takes the time that it takes.
//!
//! Were a build's time multiplied as waits are, a build of two minutes would meet the bound of an hour, and a slow machine would break a
//! promise that AWS keeps. So nothing is faster while something is being built.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use codepipeline_local::{BuildProgress, BuildRequest, Builder, RunningBuild};

/// A clock that runs faster than the machine's while nothing is being built.
#[derive(Debug)]
pub struct Clock {
    speed: u32,
    passed: Mutex<Passed>,
}

/// How much has passed up to a moment, and what is being built since.
#[derive(Debug)]
struct Passed {
    until: Instant,
    time: Duration,
    builds: usize,
}

impl Clock {
    /// Waits pass so many times as fast as they are; 1 is as they are.
    #[must_use]
    pub fn new(speed: u32) -> Arc<Self> {
        let passed = Passed {
            until: Instant::now(),
            time: Duration::ZERO,
            builds: 0,
        };
        Arc::new(Self {
            speed: speed.max(1),
            passed: Mutex::new(passed),
        })
    }

    /// How much has passed since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.settled().time
    }

    /// How long it really takes until so much has passed, if nothing begins or ends to be built.
    #[must_use]
    pub fn until(&self, elapsed: Duration) -> Duration {
        let passed = self.settled();
        elapsed.saturating_sub(passed.time) / self.pace(&passed)
    }

    /// Something is being built until what is returned is dropped.
    #[must_use]
    pub fn building(self: &Arc<Self>) -> Building {
        self.settled().builds += 1;
        Building(Arc::clone(self))
    }

    fn pace(&self, passed: &Passed) -> u32 {
        if passed.builds == 0 { self.speed } else { 1 }
    }

    /// What has passed up to now, so that the pace may change from here on.
    fn settled(&self) -> MutexGuard<'_, Passed> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let since = now.saturating_duration_since(passed.until) * self.pace(&passed);
        passed.time += since;
        passed.until = now;
        passed
    }
}

/// Something that is being built; see [`Clock::building`].
#[derive(Debug)]
pub struct Building(Arc<Clock>);

impl Drop for Building {
    fn drop(&mut self) {
        let mut passed = self.0.settled();
        passed.builds = passed.builds.saturating_sub(1);
    }
}

/// Builds as another builder does, in time that is not multiplied.
pub(super) struct InRealTime<B> {
    pub(super) builder: B,
    pub(super) clock: Arc<Clock>,
}

impl<B: Builder> Builder for InRealTime<B> {
    fn start(&self, request: BuildRequest) -> Box<dyn RunningBuild> {
        Box::new(Timed {
            building: Some(self.clock.building()),
            build: self.builder.start(request),
        })
    }

    fn url(&self, request: &BuildRequest) -> Option<String> {
        self.builder.url(request)
    }
}

struct Timed {
    build: Box<dyn RunningBuild>,
    building: Option<Building>,
}

impl RunningBuild for Timed {
    fn poll(&mut self, now: SystemTime) -> BuildProgress {
        let progress = self.build.poll(now);
        if progress.result.is_some() {
            self.building = None;
        }
        progress
    }

    fn stop(&mut self) {
        self.build.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_build_takes_no_longer_than_it_takes_however_fast_waits_pass() {
        let clock = Clock::new(1_000_000);
        let building = [clock.building(), clock.building()];
        let (before, began) = (clock.elapsed(), Instant::now());
        thread::sleep(Duration::from_millis(20));
        let passed = clock.elapsed() - before;
        assert!(passed <= began.elapsed(), "{passed:?}");
        let [first, second] = building;
        drop(first);
        assert!(
            clock.until(clock.elapsed() + HOUR) > HOUR / 2,
            "another one is being built"
        );
        drop(second);
        assert!(
            clock.until(clock.elapsed() + HOUR) < HOUR / 1_000,
            "nothing is being built any more"
        );
    }
}
