//! What GitHub answers with instead.

/// Why GitHub did not do what it was asked to.
///
/// No variant holds a credential, or an address that would open something by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not have that, or does not show it to this credential: to GitHub the two are one answer, 404.
    #[error(
        "GitHub does not have {what}, or does not show it to this credential\n  help: check that it exists and that the token or the app has access to the repository"
    )]
    Missing {
        /// What was asked for, in words.
        what: String,
    },
    /// It refuses, and would refuse again.
    #[error("GitHub refuses {what} with {status}: {message}")]
    Refused {
        /// What was asked for, in words.
        what: String,
        /// The HTTP status. A secret that holds no credential counts as 401, for that is what GitHub would say of it.
        status: u16,
        /// GitHub's words and how to mend it.
        message: String,
    },
    /// It did not answer within the function's time, or asks to wait for longer than that.
    #[error("GitHub is out of reach for {what}: {message}")]
    Unavailable {
        /// What was asked for, in words.
        what: String,
        /// What happened last, and how long there is to wait.
        message: String,
    },
}
