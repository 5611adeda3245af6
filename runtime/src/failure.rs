//! What a handler fails with: an error name that a state machine matches, and words for people.

use std::fmt;

use synth::HandlerError;

/// A handler's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure<E> {
    /// What `Retry` and `Catch` match.
    pub error: E,
    /// What failed, with which value, what is allowed and how to mend it. Never a secret: it is logged and kept in the
    /// execution's history.
    pub message: String,
}

impl<E> Failure<E> {
    /// An error with its words.
    pub fn new(error: E, message: impl fmt::Display) -> Self {
        Self {
            error,
            message: message.to_string(),
        }
    }
}

impl<E: HandlerError> fmt::Display for Failure<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.error.name().0, self.message)
    }
}

impl<E: HandlerError + fmt::Debug> std::error::Error for Failure<E> {}
