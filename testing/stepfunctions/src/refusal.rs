//! Why a definition is not loaded. All of its faults are collected; none is thrown alone.

use std::fmt;

/// One reason why a machine is not executed: a fault, or something that this runner does not support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The state it is about, with the names of those that it is within before it; empty for the machine itself.
    pub state: Vec<String>,
    /// The field within the state, such as `Retry[0]/ErrorEquals`; empty for the state itself.
    pub field: String,
    /// What is wrong, and what is allowed.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.state.is_empty() {
            write!(formatter, "state {:?}: ", self.state.join(" / "))?;
        }
        if !self.field.is_empty() {
            write!(formatter, "{}: ", self.field)?;
        }
        formatter.write_str(&self.reason)
    }
}

/// All the reasons why a machine is not executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            refusal.fmt(formatter)?;
        }
        Ok(())
    }
}

/// Where the reader of a definition is, and what it has found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Refusal>,
    within: Vec<String>,
}

impl Faults {
    pub(crate) fn enter(&mut self, state: &str) {
        self.within.push(state.to_owned());
    }

    pub(crate) fn leave(&mut self) {
        self.within.pop();
    }

    pub(crate) fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.found.push(Refusal {
            state: self.within.clone(),
            field: field.into(),
            reason: reason.into(),
        });
    }

    pub(crate) fn into_result<T>(self, value: Option<T>) -> Result<T, Refusals> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(Refusals(self.found)),
        }
    }
}
