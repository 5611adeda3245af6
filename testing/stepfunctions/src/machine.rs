//! A machine that can be executed.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    Execution, Start,
    definition::{Definition, Kind, StateType, States},
    load,
    refusal::Refusals,
};

/// A definition that was read and found executable. Copies share it.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(crate) definition: Arc<Definition>,
}

impl Machine {
    /// Reads a definition of the Amazon States Language.
    ///
    /// ```
    /// use serde_json::json;
    /// use stepfunctions_runner::Machine;
    ///
    /// let refused = Machine::load(&json!({
    ///     "QueryLanguage": "JSONata",
    ///     "StartAt": "Greet",
    ///     "States": { "Greet": { "Type": "Pass", "Output": "{% $a ?? 1 %}", "Next": "Gone" } }
    /// }));
    /// assert_eq!(
    ///     refused.unwrap_err().to_string(),
    ///     "state \"Greet\": Output: \"$a ?? 1\": `??` is newer than JSONata 2.0.6, which Step Functions evaluates\n\
    ///      state \"Greet\": Next: there is no state \"Gone\" beside it\n\
    ///      States: no state ends it: one with `End`, a Succeed or a Fail is due (MISSING_END_STATE)"
    /// );
    /// ```
    ///
    /// # Errors
    /// All its faults, and all that it has and this runner does not execute as Step Functions does.
    pub fn load(definition: &Value) -> Result<Self, Refusals> {
        load::definition(definition).map(|definition| Self {
            definition: Arc::new(definition),
        })
    }

    /// Begins an execution. Nothing runs until time is told: see [`Execution`], or [`Machine::run`] for a virtual clock.
    #[must_use]
    pub fn start(&self, start: Start) -> Execution {
        Execution::new(self.clone(), start)
    }

    /// The names and types of all states, those of branches and iterations included, in the order of their names.
    #[must_use]
    pub fn states(&self) -> Vec<(&str, StateType)> {
        let mut found = Vec::new();
        collect(&self.definition.states, &mut found);
        found
    }
}

fn collect<'s>(states: &'s States, found: &mut Vec<(&'s str, StateType)>) {
    for (name, state) in &states.by_name {
        found.push((name, state.kind.state_type()));
        match &state.kind {
            Kind::Parallel(parallel) => parallel.branches.iter().for_each(|branch| collect(branch, found)),
            Kind::Map(map) => collect(&map.processor, found),
            _ => {}
        }
    }
}
