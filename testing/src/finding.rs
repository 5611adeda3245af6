//! One fault that a validator reports, in the shape that all validators share.
//!
//! Never decides what a test tolerates: an informational finding is a finding, told apart by its [`Level`].

use std::{fmt, path::PathBuf};

use serde::Deserialize;

/// How grave a finding is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Level {
    /// Advice: the input works as it is.
    #[serde(rename = "Informational")]
    Info,
    /// The input works, and probably does not do what is meant.
    Warning,
    /// AWS refuses the input, or it fails when it runs.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One fault in one file. Its `Display` is one line that a test can print.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The validator's own name of the rule, such as `E3002` or `MISSING_TRANSITION_TARGET`.
    pub rule: String,
    /// How grave it is.
    pub level: Level,
    /// The file, as the caller named it. Empty when the fault is in no file.
    pub file: PathBuf,
    /// Where in the document: a JSON pointer, such as `/Resources/Sources/Properties`. Empty for the whole document, or when the
    /// validator does not say.
    pub path: String,
    /// The validator's words.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {} {}{}: {}",
            self.level,
            self.rule,
            self.file.display(),
            if self.path.is_empty() {
                String::new()
            } else {
                format!(" at {}", self.path)
            },
            self.message
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_by_gravity() {
        assert!(Level::Info < Level::Warning && Level::Warning < Level::Error);
    }

    #[test]
    fn a_finding_prints_as_one_line() {
        let finding = Finding {
            rule: "E3002".into(),
            level: Level::Error,
            file: "a.json".into(),
            path: "/Resources/A".into(),
            message: "unknown property".into(),
        };
        assert_eq!(
            finding.to_string(),
            "error E3002 a.json at /Resources/A: unknown property"
        );
    }
}
