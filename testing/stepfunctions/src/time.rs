//! Instants as the States Language writes them. Never asks a clock what time it is.

use std::{
    fmt,
    ops::Add,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant, in milliseconds since 1970 (UTC): what Step Functions gives an event.
///
/// Displayed as the context object writes it.
///
/// ```
/// use std::time::Duration;
/// use stepfunctions_runner::Time;
///
/// let start: Time = "2016-03-14T01:59:00+01:00".parse()?;
/// assert_eq!((start + Duration::from_millis(1500)).to_string(), "2016-03-14T00:59:01.500Z");
/// # Ok::<(), stepfunctions_runner::NotATime>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A text is not a timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no timestamp; allowed is RFC 3339 with an upper-case T and an offset, such as 2016-03-14T01:59:00Z")]
pub struct NotATime(String);

impl Time {
    /// The instant that many milliseconds after 1970 began.
    #[must_use]
    pub const fn from_unix_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` it is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(0) + since
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) => formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(formatter, "{} ms", self.0),
        }
    }
}

impl std::str::FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let fault = || NotATime(text.to_owned());
        // chrono also reads a space or a small letter where the States Language demands an upper-case T and Z.
        let strict = text.as_bytes().get(10) == Some(&b'T') && !text.contains(['t', 'z', ' ']);
        if !strict {
            return Err(fault());
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| fault())?;
        Ok(Self(time.timestamp_millis()))
    }
}
