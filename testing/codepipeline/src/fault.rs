//! What is wrong with a declaration: all of it at once, each fault with its place.

use std::fmt;

/// One thing that is wrong with a pipeline, a project or a buildspec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}\nhelp: {help}")]
pub struct Fault {
    /// Where, such as `Stages[1].Actions[0].Configuration.ProjectName`.
    pub path: String,
    /// What failed, the value, and what is allowed.
    pub message: String,
    /// The edit that mends it.
    pub help: String,
}

/// Everything that is wrong with one declaration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// What was read, such as `the pipeline`.
    pub document: String,
    /// The faults, in the order of the document.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is refused", self.document)?;
        for fault in &self.faults {
            write!(f, "\n{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
