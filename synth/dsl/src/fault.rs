//! Faults: everything that is wrong with an application, found before AWS sees it.

use std::fmt;
use std::panic::Location;

/// One thing that is wrong, where it is, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The stack's name; empty until a part is added to a stack.
    pub stack: String,
    /// The logical id of the resource, parameter or output; empty where the stack itself is at fault.
    pub logical_id: String,
    /// The path within it: a property, a state, a phase. May be empty.
    pub path: String,
    /// A lowercase clause: what is wrong with which value, and what is allowed.
    pub message: String,
    /// The edit that mends it.
    pub help: Option<String>,
    /// The source line that set what is wrong.
    pub at: Option<&'static Location<'static>>,
}

impl Fault {
    /// A fault with no more than a message and the line that it is reported from.
    #[track_caller]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            stack: String::new(),
            logical_id: String::new(),
            path: String::new(),
            message: message.into(),
            help: None,
            at: Some(Location::caller()),
        }
    }

    /// The source line to blame.
    #[must_use]
    pub const fn at(mut self, at: &'static Location<'static>) -> Self {
        self.at = Some(at);
        self
    }

    /// The path within the resource.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The edit that mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault as one of an element of a stack; what is known already stays.
    #[must_use]
    pub fn within(mut self, stack: &str, logical_id: &str) -> Self {
        if self.stack.is_empty() {
            stack.clone_into(&mut self.stack);
        }
        if self.logical_id.is_empty() {
            logical_id.clone_into(&mut self.logical_id);
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [&self.stack, &self.logical_id, &self.path] {
            if !place.is_empty() {
                write!(formatter, "{place}: ")?;
            }
        }
        formatter.write_str(&self.message)?;
        if let Some(at) = self.at {
            write!(formatter, "\n  --> {}:{}:{}", at.file(), at.line(), at.column())?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All the faults of an application, in the order of its stacks and resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
