//! How often and how soon a state tries again.

use std::panic::Location;

use synth_aws::{Duration, Node, Object};

use crate::fault::Fault;
use crate::handler::ErrorName;

/// A retrier's schedule, see [`attempts`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Retry {
    attempts: u32,
    interval: Option<Duration>,
    rate: Option<f64>,
    ceiling: Option<Duration>,
    jitter: bool,
    at: &'static Location<'static>,
}

/// Up to `count` attempts more after the first has failed (`MaxAttempts`), at most 99,999,999; 0 retries nothing.
///
/// Without further setters the first waits one second and each wait is twice the one before.
///
/// ```
/// use synth::stepfunctions::attempts;
/// use synth::seconds;
///
/// let patient = attempts(6).backing_off_from(seconds(2)).up_to(seconds(60)).full_jitter();
/// # let _ = patient;
/// ```
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
#[track_caller]
pub fn attempts(count: u32) -> Retry {
    Retry {
        attempts: count,
        interval: None,
        rate: None,
        ceiling: None,
        jitter: false,
        at: Location::caller(),
    }
}

impl Retry {
    /// The wait before the first retry (`IntervalSeconds`), 1 to 99,999,999 seconds; one second if left out.
    pub const fn backing_off_from(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// The factor by which each wait is longer than the one before (`BackoffRate`), 1 or more; 2 if left out.
    pub const fn backoff_rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The longest wait (`MaxDelaySeconds`), less than 31,622,400 seconds and more than the first; waits grow without end if left out.
    pub const fn up_to(mut self, ceiling: Duration) -> Self {
        self.ceiling = Some(ceiling);
        self
    }

    /// Waits a random time between nothing and the computed wait (`JitterStrategy: FULL`), so that executions that failed together
    /// do not come back together.
    pub const fn full_jitter(mut self) -> Self {
        self.jitter = true;
        self
    }

    pub(crate) fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |message: String, help: &str| faults.push(Fault::new(message).at(self.at).help(help));
        let first = self.interval.map_or(1, Duration::as_seconds);
        if self.attempts > 99_999_999 {
            fault(
                format!("{} attempts are more than 99999999", self.attempts),
                "lower the number of attempts",
            );
        }
        if !(1..=99_999_999).contains(&first) {
            fault(
                format!("a first wait of {first} seconds is outside 1 to 99999999"),
                "set `.backing_off_from(seconds(2))`",
            );
        }
        if let Some(rate) = self.rate
            && (!rate.is_finite() || rate < 1.0)
        {
            fault(
                format!("a backoff rate of {rate} is less than 1"),
                "set `.backoff_rate(2.0)`",
            );
        }
        if let Some(ceiling) = self.ceiling.map(Duration::as_seconds)
            && (ceiling <= first || ceiling >= 31_622_400)
        {
            fault(
                format!("a longest wait of {ceiling} seconds is not between the first wait of {first} and 31622400"),
                "set `.up_to` to more than the first wait, or leave it out",
            );
        }
        faults
    }
}

/// A retrier: which errors, and how.
#[derive(Debug, Clone)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<ErrorName>,
    pub(crate) retry: Retry,
    pub(crate) at: &'static Location<'static>,
}

impl Retrier {
    pub(crate) fn to_node(&self) -> Node {
        let mut node = Object::new().with("ErrorEquals", error_equals(&self.errors));
        if let Some(interval) = self.retry.interval {
            node.set("IntervalSeconds", seconds_node(interval));
        }
        node.set("MaxAttempts", Node::Integer(self.retry.attempts.into()));
        if let Some(rate) = self.retry.rate {
            node.set("BackoffRate", Node::Number(rate));
        }
        if let Some(ceiling) = self.retry.ceiling {
            node.set("MaxDelaySeconds", seconds_node(ceiling));
        }
        if self.retry.jitter {
            node.set("JitterStrategy", "FULL".into());
        }
        node.into()
    }
}

pub(crate) fn error_equals(errors: &[ErrorName]) -> Node {
    Node::List(errors.iter().map(|error| Node::from(error.0)).collect())
}

pub(crate) fn seconds_node(duration: Duration) -> Node {
    i64::try_from(duration.as_seconds()).map_or_else(
        |_| Node::Invalid("the duration is longer than any time-out".to_owned()),
        Node::Integer,
    )
}
