//! Carries a push through the emitted state machine on a virtual clock, to count what it is billed for.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stepfunctions_runner::{Effect, Execution, Machine, Outcome, Start, TaskCall, Time};

use super::Push;
use crate::emission::Emission;

const SHA: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// What came of it.
#[derive(Debug)]
pub(super) struct Carried {
    /// How many transitions are billed.
    pub(super) transitions: u64,
    /// The handler of each call of a function.
    pub(super) invocations: Vec<String>,
}

/// What stands behind the machine: functions that answer at once, and pipelines that take their time.
struct Behind {
    push: Push,
    /// When each pipeline's execution was started.
    started: BTreeMap<String, Time>,
}

pub(super) fn carry(emissions: &[Emission], push: Push) -> Result<Carried, String> {
    let document = emissions
        .iter()
        .flat_map(Emission::texts)
        .find(|document| document.name.ends_with(".asl.json"))
        .ok_or("none is emitted")?;
    let text = document.text.replace("${AWS::Partition}", "aws");
    let definition: Value = serde_json::from_str(&text).map_err(|fault| fault.to_string())?;
    let machine = Machine::load(&definition).map_err(|refusals| refusals.to_string())?;
    let delivery = json!({ "body": "", "event": "", "delivery": "", "signature": "" });
    let mut execution = machine.start(Start::new(json!({ "webhook": delivery })));
    let mut behind = Behind {
        push,
        started: BTreeMap::new(),
    };
    let mut invocations = Vec::new();
    while execution.outcome().is_none() {
        match execution.next_effect() {
            Some(Effect::Task(call)) => {
                let answer = behind.answer(&call)?;
                invocations.push(handler(&call)?);
                let answer = json!({ "Payload": answer, "StatusCode": 200 });
                execution
                    .complete(call.id, Ok(answer), call.at)
                    .map_err(|fault| fault.to_string())?;
            }
            Some(Effect::Cancel(_)) => {}
            None => wait(&mut execution)?,
        }
    }
    match execution.outcome() {
        Some(Outcome::Succeeded(_)) => Ok(Carried {
            transitions: execution.transitions(),
            invocations,
        }),
        other => Err(format!("{other:?}")),
    }
}

fn wait(execution: &mut Execution) -> Result<(), String> {
    let next = execution.next_deadline().ok_or("nothing happens any more")?;
    execution.advance(next);
    Ok(())
}

/// The handler that a task calls: `${FetchSource.Arn}` → `fetch_source`.
fn handler(call: &TaskCall) -> Result<String, String> {
    let function = call.arguments["FunctionName"].as_str();
    let function = function.ok_or_else(|| format!("{} calls no function", call.state))?;
    let id = function.trim_start_matches("${").trim_end_matches(".Arn}");
    let mut name = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    Ok(name)
}

impl Behind {
    /// What the handler answers for a push to a pull request whose environment is there.
    fn answer(&mut self, call: &TaskCall) -> Result<Value, String> {
        let payload = &call.arguments["Payload"];
        let target = |environment: &str| {
            json!({
                "repository": "octo-org/places", "number": 17, "sha": SHA, "environment": environment, "generation": 1,
            })
        };
        Ok(match handler(call)?.as_str() {
            "verify_webhook" => {
                let change = json!({
                    "repository": "octo-org/places", "number": 17, "sha": SHA, "head_repository": "octo-org/places", "open": true,
                    "trusted": true, "labelled": true, "updated_at": "2026-11-30T12:00:00Z", "merged_at": null, "before": null,
                    "reopened": false, "compared": null, "delivery": "",
                });
                json!({ "decision": "deploy", "reason": "", "change": change })
            }
            "claim" => json!({
                "decision": "deploy", "reason": "", "target": target("pr-17"), "stage": target("stage"), "deployable": true,
                "superseded": [],
            }),
            "fetch_source" => json!({ "key": "source/17.zip", "version_id": "1", "size": 1, "sha256": "" }),
            "start_pipeline" => {
                let kind = payload["kind"].as_str().unwrap_or_default().to_owned();
                self.started.insert(kind.clone(), call.at);
                json!({ "pipeline": kind, "execution_id": "1" })
            }
            "check_pipeline" => {
                let kind = payload["run"]["pipeline"].as_str().unwrap_or_default();
                let passed = self.started.get(kind).map(|started| call.at.since(*started));
                let ended = passed.is_some_and(|passed| passed.as_secs() >= 60 * u64::from(self.minutes(kind)));
                let state = if ended { "succeeded" } else { "running" };
                json!({ "state": state, "summary": "", "url": "" })
            }
            "apply_stack" => json!({ "stack_id": "1", "changing": false }),
            "report" => json!({ "comment_url": "" }),
            other => return Err(format!("a push was not expected to call {other}")),
        })
    }

    /// How long a pipeline's execution takes: its source, its build, and for a deployment the change set and its execution.
    fn minutes(&self, kind: &str) -> u32 {
        let Push {
            test_minutes,
            package_minutes,
            action_minutes,
        } = self.push;
        match kind {
            "unit_test" => action_minutes + test_minutes,
            _ => 3 * action_minutes + package_minutes,
        }
    }
}
