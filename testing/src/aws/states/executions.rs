//! Executions in memory, as Step Functions' API shows them. Knows nothing of states: what an execution does is up to the one who
//! runs it, on a thread of its own.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{Outcome, StateMachine, StateMachines};
use crate::aws::lock;

/// The most that an execution may be given, in bytes: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
const LARGEST_INPUT: usize = 262_144;

/// How an execution ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// With this output.
    Succeeded(Value),
    /// With an error's name and its cause.
    Failed {
        /// The name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// Its time was up.
    TimedOut,
}

/// An execution as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionState {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The machine's ARN.
    pub machine: String,
    /// What it was given.
    pub input: Value,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: &'static str,
    /// Its output, if it has succeeded.
    pub output: Option<Value>,
    /// The error's name and cause, if it has failed or was aborted with one.
    pub error: Option<(String, String)>,
    /// Its history: events as the API shows them.
    pub events: Vec<Value>,
    started: f64,
    stopped: Option<f64>,
    /// Orders executions.
    place: u64,
}

type Run = dyn Fn(&StateMachine, &Execution) -> Ending + Send + Sync;

/// The executions of an account, in memory. Each runs on a thread of its own.
pub struct Executions {
    this: Weak<Self>,
    run: Arc<Run>,
    states: Mutex<BTreeMap<String, ExecutionState>>,
    begun: AtomicU64,
}

/// An execution, for the one who runs it.
#[derive(Debug)]
pub struct Execution {
    executions: Weak<Executions>,
    arn: String,
}

impl fmt::Debug for Executions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = lock(&self.states);
        formatter
            .debug_struct("Executions")
            .field("states", &*states)
            .finish_non_exhaustive()
    }
}

impl Execution {
    /// How it is now; none if nobody keeps it any more.
    pub fn state(&self) -> Option<ExecutionState> {
        let executions = self.executions.upgrade()?;
        lock(&executions.states).get(&self.arn).cloned()
    }

    /// Adds an event to its history: `{"type": "TaskStateEntered", "stateEnteredEventDetails": {…}}`. Its id, its time and the one
    /// before are added.
    pub fn tell(&self, event: Value) {
        if let Some(executions) = self.executions.upgrade()
            && let Some(state) = lock(&executions.states).get_mut(&self.arn)
            && state.status == "RUNNING"
        {
            state.tell(event);
        }
    }

    /// Whether it is to end: it was stopped, or nobody keeps it any more.
    pub fn is_over(&self) -> bool {
        self.state().is_none_or(|state| state.status != "RUNNING")
    }
}

impl ExecutionState {
    fn tell(&mut self, mut event: Value) {
        let before = self.events.len();
        event["id"] = json!(before + 1);
        event["previousEventId"] = json!(before);
        event["timestamp"] = json!(now());
        self.events.push(event);
    }

    fn end(&mut self, status: &'static str, event: Value) {
        self.tell(event);
        self.status = status;
        self.stopped = Some(now());
    }

    fn shown(&self) -> Value {
        let mut shown = json!({
            "executionArn": self.arn,
            "stateMachineArn": self.machine,
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
        });
        if let Some(stopped) = self.stopped {
            shown["stopDate"] = json!(stopped);
        }
        shown
    }
}

impl Executions {
    /// No executions yet; each that is started runs like this. What runs must end once [`Execution::is_over`].
    pub fn new(run: impl Fn(&StateMachine, &Execution) -> Ending + Send + Sync + 'static) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            run: Arc::new(run),
            states: Mutex::default(),
            begun: AtomicU64::new(0),
        })
    }

    /// All executions, oldest first.
    pub fn all(&self) -> Vec<ExecutionState> {
        let mut all: Vec<_> = lock(&self.states).values().cloned().collect();
        all.sort_by_key(|state| state.place);
        all
    }

    fn start(&self, parameters: &Value, machine: &StateMachine) -> Outcome {
        let text = parameters["input"].as_str().unwrap_or("{}");
        if text.len() > LARGEST_INPUT {
            let message = format!(
                "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than \
                 or equal to {LARGEST_INPUT}"
            );
            return refused("ValidationException", message);
        }
        let Ok(input) = serde_json::from_str::<Value>(text) else {
            return refused(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: '{text}'"),
            );
        };
        let place = self.begun.fetch_add(1, Ordering::Relaxed);
        let name = match parameters["name"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("{place:08x}-0000-4000-8000-000000000000"),
        };
        if !named(&name) {
            return refused("InvalidName", format!("Invalid Name: '{name}'"));
        }
        let arn = format!("{}:{name}", machine.arn.replace(":stateMachine:", ":execution:"));
        let mut states = lock(&self.states);
        if let Some(state) = states.get(&arn) {
            // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html: idempotent while it runs.
            if state.status == "RUNNING" && state.input == input {
                return Ok(json!({ "executionArn": arn, "startDate": state.started }));
            }
            return refused("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"));
        }
        let started = now();
        let mut state = ExecutionState {
            arn: arn.clone(),
            name,
            machine: machine.arn.clone(),
            input,
            status: "RUNNING",
            output: None,
            error: None,
            events: Vec::new(),
            started,
            stopped: None,
            place,
        };
        let details = json!({ "input": text, "roleArn": machine.role });
        state.tell(json!({ "type": "ExecutionStarted", "executionStartedEventDetails": details }));
        states.insert(arn.clone(), state);
        drop(states);
        self.begin(machine.clone(), &arn)?;
        Ok(json!({ "executionArn": arn, "startDate": started }))
    }

    fn begin(&self, machine: StateMachine, arn: &str) -> Result<(), (String, String)> {
        let execution = Execution {
            executions: Weak::clone(&self.this),
            arn: arn.to_owned(),
        };
        let run = Arc::clone(&self.run);
        // It keeps the executions only while it tells them something, so that they can go while it runs.
        let running = move || {
            let ending = run(&machine, &execution);
            if let Some(executions) = execution.executions.upgrade() {
                executions.end(&execution.arn, ending);
            }
        };
        let begun = thread::Builder::new().name("execution".to_owned()).spawn(running);
        begun
            .map(drop)
            .map_err(|fault| ("InternalFailure".to_owned(), fault.to_string()))
    }

    /// An execution that was stopped meanwhile stays so.
    fn end(&self, arn: &str, ending: Ending) {
        let mut states = lock(&self.states);
        let Some(state) = states.get_mut(arn).filter(|state| state.status == "RUNNING") else {
            return;
        };
        match ending {
            Ending::Succeeded(output) => {
                let details = json!({ "output": output.to_string() });
                state.output = Some(output);
                let event = json!({ "type": "ExecutionSucceeded", "executionSucceededEventDetails": details });
                state.end("SUCCEEDED", event);
            }
            Ending::Failed { error, cause } => {
                let details = json!({ "error": error, "cause": cause });
                state.error = Some((error, cause));
                state.end(
                    "FAILED",
                    json!({ "type": "ExecutionFailed", "executionFailedEventDetails": details }),
                );
            }
            Ending::TimedOut => {
                state.end(
                    "TIMED_OUT",
                    json!({ "type": "ExecutionTimedOut", "executionTimedOutEventDetails": {} }),
                );
            }
        }
    }

    fn describe(state: &ExecutionState) -> Value {
        let mut shown = state.shown();
        shown["input"] = json!(state.input.to_string());
        shown["inputDetails"] = json!({ "included": true });
        if let Some(output) = &state.output {
            shown["output"] = json!(output.to_string());
            shown["outputDetails"] = json!({ "included": true });
        }
        if let Some((error, cause)) = &state.error {
            shown["error"] = json!(error);
            shown["cause"] = json!(cause);
        }
        shown
    }

    fn stop(state: &mut ExecutionState, parameters: &Value) -> Value {
        if state.status == "RUNNING" {
            let text = |name: &str| parameters[name].as_str().unwrap_or_default().to_owned();
            let (error, cause) = (text("error"), text("cause"));
            let details = json!({ "error": error, "cause": cause });
            state.error = Some((error, cause));
            state.end(
                "ABORTED",
                json!({ "type": "ExecutionAborted", "executionAbortedEventDetails": details }),
            );
        }
        json!({ "stopDate": state.stopped })
    }

    fn list(&self, machine: &StateMachine, parameters: &Value) -> Outcome {
        let status = parameters["statusFilter"].as_str();
        let mut all = self.all();
        all.reverse();
        let chosen = all
            .iter()
            .filter(|state| state.machine == machine.arn && status.is_none_or(|status| status == state.status));
        page("executions", chosen.map(ExecutionState::shown).collect(), parameters)
    }

    fn history(state: &ExecutionState, parameters: &Value) -> Outcome {
        let mut events = state.events.clone();
        if parameters["reverseOrder"] == true {
            events.reverse();
        }
        page("events", events, parameters)
    }
}

impl StateMachines for Executions {
    fn answer(&self, operation: &str, parameters: &Value, machine: Option<&StateMachine>) -> Option<Outcome> {
        if let Some(machine) = machine {
            return match operation {
                "StartExecution" => Some(self.start(parameters, machine)),
                "ListExecutions" => Some(self.list(machine, parameters)),
                _ => None,
            };
        }
        let mut states = lock(&self.states);
        let state = states.get_mut(parameters["executionArn"].as_str()?)?;
        match operation {
            "DescribeExecution" => Some(Ok(Self::describe(state))),
            "StopExecution" => Some(Ok(Self::stop(state, parameters))),
            "GetExecutionHistory" => Some(Self::history(state, parameters)),
            _ => None,
        }
    }
}

/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html> lists what a name may not have.
fn named(name: &str) -> bool {
    let forbidden =
        |letter: char| letter.is_whitespace() || letter.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(letter);
    (1..=80).contains(&name.chars().count()) && !name.contains(forbidden)
}

/// A part of a list, with the token for the rest.
fn page(name: &str, all: Vec<Value>, parameters: &Value) -> Outcome {
    let first = match parameters["nextToken"].as_str() {
        Some(token) => match token.strip_prefix("from-").and_then(|from| from.parse().ok()) {
            Some(first) => first,
            None => return refused("InvalidToken", format!("Invalid Token: '{token}'")),
        },
        None => 0,
    };
    // Zero is the default, https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html.
    let size = parameters["maxResults"]
        .as_u64()
        .filter(|size| *size > 0)
        .unwrap_or(100);
    let size = usize::try_from(size).unwrap_or(100);
    let mut answer = json!({});
    if first + size < all.len() {
        answer["nextToken"] = json!(format!("from-{}", first + size));
    }
    answer[name] = all.into_iter().skip(first).take(size).collect();
    Ok(answer)
}

fn refused(code: &str, message: String) -> Outcome {
    Err((code.to_owned(), message))
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> StateMachine {
        StateMachine {
            arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m".to_owned(),
            name: "m".to_owned(),
            definition: json!({}),
            role: "arn:aws:iam::123456789012:role/r".to_owned(),
            kind: "STANDARD".to_owned(),
        }
    }

    fn ask(executions: &Executions, operation: &str, parameters: Value) -> Outcome {
        let machine = machine();
        let named = matches!(operation, "StartExecution" | "ListExecutions").then_some(&machine);
        executions.answer(operation, &parameters, named).unwrap()
    }

    /// Waits until the execution has ended, and returns it as `DescribeExecution` does.
    fn ended(executions: &Executions, arn: &Value) -> Value {
        loop {
            let shown = ask(executions, "DescribeExecution", json!({ "executionArn": arn })).unwrap();
            if shown["status"] != "RUNNING" {
                return shown;
            }
            thread::yield_now();
        }
    }

    fn until_over(_: &StateMachine, execution: &Execution) -> Ending {
        while !execution.is_over() {
            thread::yield_now();
        }
        Ending::TimedOut
    }

    #[test]
    fn an_execution_ends_as_its_runner_says() {
        let executions = Executions::new(|machine, execution| {
            execution.tell(json!({ "type": "PassStateEntered" }));
            Ending::Succeeded(json!({ "machine": machine.name, "given": execution.state().unwrap().input }))
        });
        let started = ask(
            &executions,
            "StartExecution",
            json!({ "input": "{\"a\": 1}", "name": "one" }),
        )
        .unwrap();
        let shown = ended(&executions, &started["executionArn"]);
        assert_eq!(shown["status"], "SUCCEEDED");
        assert_eq!(shown["output"], r#"{"machine":"m","given":{"a":1}}"#);
        let history = ask(
            &executions,
            "GetExecutionHistory",
            json!({ "executionArn": started["executionArn"], "reverseOrder": true, "maxResults": 2 }),
        );
        let history = history.unwrap();
        let types: Vec<&Value> = history["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| &event["type"])
            .collect();
        assert_eq!(types, ["ExecutionSucceeded", "PassStateEntered"]);
        assert_eq!(history["nextToken"], "from-2");
        let again = ask(
            &executions,
            "StartExecution",
            json!({ "input": "{\"a\": 1}", "name": "one" }),
        );
        assert_eq!(again.unwrap_err().0, "ExecutionAlreadyExists");
    }

    #[test]
    fn the_same_start_is_answered_the_same_while_it_runs_and_a_stop_ends_it() {
        let executions = Executions::new(until_over);
        let start = json!({ "input": "{}", "name": "one" });
        let first = ask(&executions, "StartExecution", start.clone()).unwrap();
        assert_eq!(ask(&executions, "StartExecution", start).unwrap(), first);
        let other = ask(&executions, "StartExecution", json!({ "input": "[]", "name": "one" }));
        assert_eq!(other.unwrap_err().0, "ExecutionAlreadyExists");
        let stop = json!({ "executionArn": first["executionArn"], "error": "E", "cause": "c" });
        ask(&executions, "StopExecution", stop).unwrap();
        let shown = ended(&executions, &first["executionArn"]);
        assert_eq!(
            (shown["status"].as_str(), shown["error"].as_str()),
            (Some("ABORTED"), Some("E"))
        );
        let aborted = ask(&executions, "ListExecutions", json!({ "statusFilter": "ABORTED" })).unwrap();
        assert_eq!(aborted["executions"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_step_functions_refuses_starts_nothing() {
        let executions = Executions::new(until_over);
        for (parameters, code) in [
            (json!({ "input": "{" }), "InvalidExecutionInput"),
            (json!({ "name": "the body is too large" }), "InvalidName"),
            (
                json!({ "input": format!("\"{}\"", "x".repeat(LARGEST_INPUT)) }),
                "ValidationException",
            ),
        ] {
            assert_eq!(ask(&executions, "StartExecution", parameters).unwrap_err().0, code);
        }
        assert_eq!(executions.all(), []);
    }
}
