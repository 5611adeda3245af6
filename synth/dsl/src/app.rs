//! [`App`]: the stacks of an application.

use std::panic::Location;

use crate::assembly::Assembly;
use crate::fault::Faults;
use crate::stack::Stack;
use crate::synthesis;

/// An application: stacks that are synthesized together.
#[derive(Debug, Default)]
pub struct App {
    stacks: Vec<Stack>,
    /// Stacks that are deployed already, for their exports.
    existing: Vec<Stack>,
}

impl App {
    /// An application without stacks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stack under its physical name; returns what `build` returns, which is what other stacks may use.
    #[track_caller]
    pub fn stack<E>(
        &mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        build: impl FnOnce(&mut Stack) -> E,
    ) -> E {
        let number = u32::try_from(self.stacks.len()).unwrap_or(u32::MAX);
        let mut stack = Stack::new(number, name.into(), description.into(), Location::caller());
        let exports = build(&mut stack);
        self.stacks.push(stack);
        exports
    }

    /// A stack that is deployed already: it is built for what it returns, and its exports may be imported, but it is not part of
    /// the assembly.
    #[track_caller]
    pub fn existing_stack<E>(&mut self, name: impl Into<String>, build: impl FnOnce(&mut Stack) -> E) -> E {
        // Counted from the other end, so that no handle of it is taken for one of a stack that is synthesized.
        let number = u32::MAX - u32::try_from(self.existing.len()).unwrap_or_default();
        let mut stack = Stack::new(number, name.into(), String::new(), Location::caller());
        let exports = build(&mut stack);
        self.existing.push(stack);
        exports
    }

    /// Names, checks and orders everything.
    ///
    /// # Errors
    /// *All* faults of all stacks at once, stack by stack in the order in which they were added.
    pub fn synthesize(self) -> Result<Assembly, Faults> {
        synthesis::synthesize(self.stacks, &self.existing)
    }
}
