//! What time it is, for what is decided or told by it: for how long nothing was heard of an execution, when something was reported.
//!
//! Deadlines, GitHub's limits and tokens are no matter of it: they are the machine's and GitHub's own.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock. Leaving it out is the system's.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that shows what the closure returns.
    pub fn new(shows: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(shows))
    }

    /// The time, in seconds since 1970.
    pub fn now(&self) -> u64 {
        (self.0)()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |passed| passed.as_secs())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_shows_what_it_is_told_to() {
        let clock = Clock::new(|| UNIX_EPOCH + Duration::from_millis(1_500));
        assert_eq!(clock.clone().now(), 1);
        assert!(Clock::default().now() > 1_700_000_000);
    }
}
