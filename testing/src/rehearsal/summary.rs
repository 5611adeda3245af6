//! What a rehearsal comes to: counted, priced in transitions, and judged.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// The whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// The repository, `owner/name`.
    pub repository: String,
    /// The pull request's number.
    pub pull_request: u32,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Each execution of the state machine, the first one first.
    pub executions: Vec<Execution>,
    /// How often functions were invoked.
    pub invocations: BTreeMap<String, u64>,
    /// How often each service of AWS was called, by the functions and by everything else.
    pub calls: BTreeMap<String, u64>,
    /// How often GitHub was called.
    pub github_calls: u64,
    /// The last status of each commit and context, as GitHub would show them.
    pub statuses: Vec<Status>,
    /// The comment on the pull request, with the receipt of its teardown.
    pub comment: Option<String>,
    /// What the system promises, and what is wrong with it.
    pub promises: Vec<Promise>,
}

/// One execution of the state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Execution {
    /// Its name.
    pub name: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// The error's name, if it failed.
    pub error: Option<String>,
    /// The states that it entered, in order.
    pub states: Vec<String>,
    /// The states in which a task failed.
    pub failed: Vec<String>,
    /// The state transitions that a Standard workflow is billed for.
    pub transitions: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A commit's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The commit.
    pub sha: String,
    /// What sets it apart.
    pub context: String,
    /// `pending`, `success`, `failure` or `error`.
    pub state: String,
    /// One line.
    pub description: String,
}

/// Something that the system promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// In words.
    pub promise: String,
    /// How many things its check has looked at; of none, nothing was shown.
    pub looked_at: usize,
    /// What is wrong; empty if it was kept, or not applicable.
    pub faults: Vec<String>,
}

impl Promise {
    /// Whether it was kept, and of how many things, or why not.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (self.faults.as_slice(), self.looked_at) {
            ([], 0) => "not applicable: there was nothing to look at".to_owned(),
            ([], number) => format!("yes, {number} looked at"),
            (faults, _) => faults.join("\n"),
        }
    }
}

impl Summary {
    /// Whether no promise was broken.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.promises.iter().all(|promise| promise.faults.is_empty())
    }

    /// As tables for a terminal, without colours.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut executions = table(["execution", "result", "states entered", "transitions billed", "seconds"]);
        for execution in &self.executions {
            let result = match &execution.error {
                Some(error) => format!("{} {error}", execution.status),
                None => execution.status.clone(),
            };
            executions.add_row([
                execution.name.clone(),
                result,
                execution.states.len().to_string(),
                execution.transitions.to_string(),
                format!("{:.1}", execution.seconds),
            ]);
        }
        for column in executions.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut statuses = table(["commit", "context", "state", "description"]);
        for status in &self.statuses {
            let sha = status.sha.get(..7).unwrap_or(&status.sha);
            statuses.add_row([sha, &status.context, &status.state, &status.description]);
        }
        let mut calls = table(["calls of", "number"]);
        let functions: u64 = self.invocations.values().sum();
        calls.add_row(["Lambda functions", &functions.to_string()]);
        for (service, number) in &self.calls {
            calls.add_row([service, &number.to_string()]);
        }
        calls.add_row(["GitHub", &self.github_calls.to_string()]);
        if let Some(column) = calls.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut promises = table(["promise", "kept"]);
        for promise in &self.promises {
            promises.add_row([promise.promise.clone(), promise.outcome()]);
        }
        format!("{executions}\n\n{statuses}\n\n{calls}\n\n{promises}\n")
    }
}

fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_promise_is_enough() {
        let promise = |faults: &[&str]| Promise {
            promise: "nothing is left".to_owned(),
            looked_at: 3,
            faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        };
        let mut summary = Summary {
            promises: vec![promise(&[])],
            ..Summary::default()
        };
        assert!(summary.is_good());
        summary.promises.push(promise(&["a stack is left"]));
        assert!(!summary.is_good());
        assert!(summary.tables().contains("a stack is left"));
    }

    #[test]
    fn a_check_that_looked_at_nothing_shows_nothing() {
        let promise = |looked_at| Promise {
            promise: "the environment answers".to_owned(),
            looked_at,
            faults: Vec::new(),
        };
        assert!(promise(0).outcome().starts_with("not applicable"));
        assert_eq!(promise(2).outcome(), "yes, 2 looked at");
    }
}
