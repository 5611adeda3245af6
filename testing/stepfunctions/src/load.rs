//! Reads a definition and refuses, with all reasons at once, what this runner would not execute as Step Functions does.

mod choice;
mod fields;
mod graph;
mod handling;
mod paths;
mod state;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::{
    definition::{Definition, State, States},
    refusal::{Faults, Refusals},
};

/// The query language of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    JsonPath,
    Jsonata,
}

/// # Errors
/// All the reasons why the definition is not executed.
pub(crate) fn definition(value: &Value) -> Result<Definition, Refusals> {
    let mut loader = Loader {
        faults: Faults::default(),
        machine_language: Language::JsonPath,
        names: BTreeSet::new(),
    };
    let definition = loader.machine(value);
    loader.faults.into_result(definition)
}

struct Loader {
    faults: Faults,
    machine_language: Language,
    /// The names of all states so far, those of branches and iterations included.
    names: BTreeSet<String>,
}

/// The names of variables that the enclosing states assign; an inner state may read but not assign them.
type Outer = Vec<String>;

impl Loader {
    fn machine(&mut self, value: &Value) -> Option<Definition> {
        let fields = self.object(value, "")?;
        self.only(
            fields,
            "",
            &[
                "Comment",
                "QueryLanguage",
                "StartAt",
                "States",
                "TimeoutSeconds",
                "Version",
            ],
        );
        self.machine_language = self.language(fields, Language::JsonPath);
        if fields.get("Version").is_some_and(|version| version != "1.0") {
            self.faults.add("Version", "allowed is \"1.0\"");
        }
        let timeout_seconds = fields
            .get("TimeoutSeconds")
            .and_then(|value| self.whole(value, "TimeoutSeconds", 1, 99_999_999));
        let states = self.states(fields, "", &Outer::new())?;
        Some(Definition {
            states: Arc::new(states),
            timeout_seconds,
        })
    }

    fn language(&mut self, fields: &Map<String, Value>, inherited: Language) -> Language {
        match fields.get("QueryLanguage").map(Value::as_str) {
            None => inherited,
            Some(Some("JSONata")) => Language::Jsonata,
            Some(Some("JSONPath")) => Language::JsonPath,
            Some(_) => {
                self.faults
                    .add("QueryLanguage", "allowed are \"JSONPath\" and \"JSONata\"");
                inherited
            }
        }
    }

    /// The states under `States` of a machine, a branch or a processor.
    fn states(&mut self, fields: &Map<String, Value>, at: &str, outer: &Outer) -> Option<States> {
        let Some(states) = fields.get("States").and_then(Value::as_object) else {
            self.faults.add(under(at, "States"), "an object of states is due");
            return None;
        };
        let mut by_name = BTreeMap::new();
        for (name, value) in states {
            self.faults.enter(name);
            if name.is_empty() || name.chars().count() > 80 {
                self.faults.add("", "a state's name has 1 to 80 characters");
            }
            if !self.names.insert(name.clone()) {
                self.faults
                    .add("", "another state of the machine has this name (DUPLICATE_STATE_NAME)");
            }
            // What the state assigns itself, it assigns after its branches have ended.
            let beside = states
                .iter()
                .filter(|(other, _)| *other != name)
                .map(|(_, state)| state);
            let inner: Outer = outer.iter().cloned().chain(template::assigned(beside)).collect();
            if let Some(state) = self.state(name, value, outer, &inner) {
                by_name.insert(name.clone(), Arc::new(state));
            }
            self.faults.leave();
        }
        let start = fields.get("StartAt").and_then(Value::as_str).map(str::to_owned);
        match &start {
            None => self.faults.add(under(at, "StartAt"), "the name of a state is due"),
            Some(start) if !states.contains_key(start) => {
                self.faults
                    .add(under(at, "StartAt"), format!("there is no state {start:?}"));
            }
            Some(_) => {}
        }
        self.targets(states, &by_name);
        if by_name.len() == states.len() {
            self.graph(at, start.as_deref(), &by_name);
        }
        Some(States { start: start?, by_name })
    }

    /// Every name that a state goes on to is one of its neighbours.
    fn targets(&mut self, states: &Map<String, Value>, by_name: &BTreeMap<String, Arc<State>>) {
        for (name, state) in by_name {
            self.faults.enter(name);
            for (field, target) in state.targets() {
                if !states.contains_key(target) {
                    self.faults
                        .add(field, format!("there is no state {target:?} beside it"));
                }
            }
            self.faults.leave();
        }
    }
}

/// The name of a field below another.
fn under(at: &str, field: &str) -> String {
    if at.is_empty() {
        field.to_owned()
    } else {
        format!("{at}/{field}")
    }
}
