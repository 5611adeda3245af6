//! Environments: `stage`, and one a pull request.

use std::fmt;
use std::str::FromStr;

/// Where an application is deployed: the shared `stage`, or one pull request's own place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// What the stage branch holds.
    Stage,
    /// What one pull request holds.
    PullRequest(PullRequest),
}

/// The number of a pull request: 1 to 999,999, so that every physical name has room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullRequest(u32);

/// A text that names no pull request or no environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The number is none or out of range.
    #[error("{0:?} is no pull request, allowed are the numbers 1 to {max}", max = PullRequest::GREATEST)]
    PullRequest(String),
    /// The name is neither `stage` nor `pr-…`.
    #[error("{0:?} is no environment, allowed are `stage` and `pr-` with a pull request's number, such as `pr-17`")]
    Environment(String),
}

impl PullRequest {
    /// The greatest number that physical names have room for.
    pub const GREATEST: u32 = 999_999;

    /// A pull request by its number.
    ///
    /// # Errors
    /// Where the number is 0 or greater than [`GREATEST`](Self::GREATEST).
    pub fn new(number: u64) -> Result<Self, EnvironmentError> {
        match u32::try_from(number) {
            Ok(small @ 1..=Self::GREATEST) => Ok(Self(small)),
            _ => Err(EnvironmentError::PullRequest(number.to_string())),
        }
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for PullRequest {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let number = if digits.chars().all(|digit| digit.is_ascii_digit()) {
            digits.parse().ok()
        } else {
            None
        };
        number
            .and_then(|number| Self::new(number).ok())
            .ok_or_else(|| EnvironmentError::PullRequest(text.to_owned()))
    }
}

impl FromStr for Environment {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("pr-") {
            _ if text == "stage" => Ok(Self::Stage),
            Some(number) => number.parse().map(Self::PullRequest),
            None => Err(EnvironmentError::Environment(text.to_owned())),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage => formatter.write_str("stage"),
            Self::PullRequest(PullRequest(number)) => write!(formatter, "pr-{number}"),
        }
    }
}
