//! A text that is never shown.

use std::fmt;

use serde::Deserialize;

/// A secret's text, which no log, no error and no `Debug` output shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The secret with this text, all of it: what white space around it means is up to who reads it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one use that it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nowhere() {
        let secret = SecretText::new("github_pat_1");
        assert_eq!(secret.reveal(), "github_pat_1");
        assert_eq!(format!("{secret:?}"), "SecretText(…)");
    }
}
