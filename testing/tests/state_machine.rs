//! What the emitted state machine promises, whatever its states are called: retries, final statuses, bounded waits.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, with these words")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testing::emission;

/// The failures of the Lambda service that pass, see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html>.
const TRANSIENT: [&str; 4] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
];

/// The tasks before the claim: until then there is no commit that a status could be set on.
const BEFORE_THE_CLAIM: [&str; 2] = ["VerifyWebhook", "Claim"];

/// Ends that need no status: nothing was claimed, a newer execution has the pull request, or GitHub could not be told. The
/// reconciler finds the last.
fn needs_no_status(name: &str) -> bool {
    ["Nothing to do", "Claimed by another", "Superseded"].contains(&name) || name.ends_with("not reported")
}

struct Machine {
    states: BTreeMap<String, Value>,
}

impl Machine {
    fn emitted() -> Self {
        let text = emission::everything()
            .iter()
            .flat_map(emission::Emission::texts)
            .find(|document| document.name.ends_with(".asl.json"))
            .expect("a state machine is emitted")
            .text;
        let definition: Value = serde_json::from_str(&text).expect("the definition is JSON");
        assert_eq!(definition["QueryLanguage"], "JSONata");
        assert!(definition["TimeoutSeconds"].is_u64(), "the machine is bounded in time");
        let states = definition["States"].as_object().expect("states").clone();
        Self {
            states: states.into_iter().collect(),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.states.iter().filter(|(_, state)| state["Type"] == "Task")
    }

    /// The function that a task invokes: `${Report.Arn}` → `Report`.
    fn function(&self, name: &str) -> Option<&str> {
        let arn = self.states[name]["Arguments"]["FunctionName"].as_str()?;
        Some(arn.trim_start_matches("${").trim_end_matches(".Arn}"))
    }

    fn successors(&self, name: &str) -> BTreeSet<&str> {
        let state = &self.states[name];
        let choices = state["Choices"].as_array().into_iter().flatten();
        let catches = state["Catch"].as_array().into_iter().flatten();
        let targets = choices
            .chain(catches)
            .map(|branch| &branch["Next"])
            .chain([&state["Next"], &state["Default"]]);
        targets.filter_map(Value::as_str).collect()
    }

    fn predecessors(&self, name: &str) -> Vec<&String> {
        self.states
            .keys()
            .filter(|other| self.successors(other).contains(name))
            .collect()
    }

    fn ends(&self) -> impl Iterator<Item = &String> {
        self.states
            .iter()
            .filter(|(_, state)| matches!(state["Type"].as_str(), Some("Succeed" | "Fail")) || state["End"] == true)
            .map(|(name, _)| name)
    }
}

#[test]
fn every_task_retries_what_passes() {
    let machine = Machine::emitted();
    for (name, state) in machine.tasks() {
        let retried: BTreeSet<&str> = state["Retry"]
            .as_array()
            .unwrap_or_else(|| panic!("{name} retries nothing"))
            .iter()
            .flat_map(|retrier| retrier["ErrorEquals"].as_array().expect("errors"))
            .filter_map(Value::as_str)
            .collect();
        for error in TRANSIENT {
            assert!(retried.contains(error), "{name} does not retry {error}");
        }
    }
}

#[test]
fn every_task_after_the_claim_catches_everything() {
    let machine = Machine::emitted();
    let mut looked_at = 0;
    for (name, state) in machine.tasks() {
        if BEFORE_THE_CLAIM.contains(&machine.function(name).expect("a function")) {
            continue;
        }
        let last = state["Catch"]
            .as_array()
            .and_then(|catch| catch.last())
            .unwrap_or_else(|| panic!("{name} catches nothing"));
        assert_eq!(
            last["ErrorEquals"],
            serde_json::json!(["States.ALL"]),
            "{name} catches everything last"
        );
        looked_at += 1;
    }
    assert!(looked_at > 10, "only {looked_at} tasks");
}

#[test]
fn every_end_after_the_claim_comes_straight_after_a_report() {
    let machine = Machine::emitted();
    let mut checked = 0;
    for end in machine.ends().filter(|name| !needs_no_status(name)) {
        if machine.function(end) == Some("Report") {
            checked += 1;
            continue;
        }
        // Backwards over states that do no work, until a task: it must be a report.
        let mut open: Vec<&String> = machine.predecessors(end);
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            match machine.states[name]["Type"].as_str() {
                Some("Task") => {
                    assert_eq!(
                        machine.function(name),
                        Some("Report"),
                        "{end:?} is reached from {name:?} without a final status"
                    );
                    checked += 1;
                }
                _ => open.extend(machine.predecessors(name)),
            }
        }
    }
    assert!(checked >= 8, "only {checked} ends were checked");
}

#[test]
fn every_loop_waits_and_counts() {
    let machine = Machine::emitted();
    let waits: Vec<&String> = machine
        .states
        .iter()
        .filter(|(_, state)| state["Type"] == "Wait")
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        waits.len(),
        6,
        "tests, pipeline stack, deployment and teardown are waited for, and the first and the third begun again: {waits:?}"
    );
    // Without its wait states the machine has no circle left.
    let mut open: BTreeMap<&String, BTreeSet<&str>> = machine
        .states
        .keys()
        .map(|name| (name, machine.successors(name)))
        .collect();
    for wait in &waits {
        open.remove(wait);
    }
    while !open.is_empty() {
        let ended: Vec<&String> = open
            .iter()
            .filter(|(_, next)| !next.iter().any(|name| open.keys().any(|open| open == name)))
            .map(|(name, _)| *name)
            .collect();
        assert!(
            !ended.is_empty(),
            "these states go round without a wait: {:?}",
            open.keys()
        );
        for name in ended {
            open.remove(name);
        }
    }
    for wait in waits {
        let (poll, counter) = match wait.strip_suffix(": wait to begin again") {
            Some(poll) => (poll, "Restarts < "),
            None => (wait.trim_end_matches(": wait"), "Attempts >= "),
        };
        let choice = format!("{poll}: done?");
        let conditions = machine.states[&choice]["Choices"].to_string();
        assert!(conditions.contains(counter), "{choice:?} does not count: {conditions}");
    }
}
