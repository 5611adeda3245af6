//! Stacks and change sets: the modes `CHANGE_SET_REPLACE`, `CHANGE_SET_EXECUTE`, `CREATE_UPDATE` and `DELETE_ONLY`.
//!
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html>. A change set that holds no change is
//! no failure: CodePipeline goes on, and executing it changes nothing.

mod request;

use std::time::SystemTime;

use super::{External, Failure, Finished, Order, Outside, Progress};
use crate::archive;
use crate::surroundings::{ChangeSet, ChangeSetKind, ChangeSetRequest, Stack, StackEvent};

pub(crate) struct StackTask {
    order: Order,
    step: Step,
    external: External,
    /// When to look again.
    next: Option<SystemTime>,
}

/// What was begun.
#[derive(Clone, Copy)]
enum Step {
    Nothing,
    ChangeSet,
    Change,
    Deletion,
}

/// The statuses from which a stack can be updated.
const UPDATABLE: [&str; 5] = [
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
];

/// What an advance has led to: an end, or more to wait for.
type Advance = Result<Option<Finished>, Failure>;

impl StackTask {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            step: Step::Nothing,
            external: External::default(),
            next: None,
        }
    }

    pub(crate) fn poll(&mut self, outside: &Outside, now: SystemTime) -> Progress {
        let early = self.next.is_some_and(|next| now < next);
        let result = if early { None } else { self.advance(outside).transpose() };
        if !early {
            self.next = Some(now + outside.stack_interval);
        }
        Progress {
            external: self.external.clone(),
            result,
        }
    }

    fn advance(&mut self, outside: &Outside) -> Advance {
        if matches!(self.step, Step::Nothing) {
            let mode = self.order.needed("ActionMode")?.to_owned();
            let done = match mode.as_str() {
                "CHANGE_SET_REPLACE" => self.replace(outside)?,
                "CHANGE_SET_EXECUTE" => self.execute(outside)?,
                "CREATE_UPDATE" => self.create_or_update(outside)?,
                "DELETE_ONLY" => self.delete(outside)?,
                other => {
                    return Err(Failure::configuration(format!(
                        "the action mode {other} is not supported"
                    )));
                }
            };
            if done.is_some() {
                return Ok(done);
            }
        }
        match self.step {
            Step::Nothing => Ok(None),
            Step::ChangeSet => self.change_set_made(outside),
            Step::Change => self.changed(outside),
            Step::Deletion => self.deleted(outside),
        }
    }

    fn stack(&self, outside: &Outside) -> Result<Option<Stack>, Failure> {
        let stack = outside
            .stacks
            .describe(&self.order.role, self.order.needed("StackName")?)?;
        Ok(stack.filter(|stack| stack.status != "DELETE_COMPLETE"))
    }

    /// Shows where the stack is to be seen.
    fn show(&mut self, id: &str) {
        let region = &self.order.region;
        let escaped: String = id.replace('/', "%2F").replace(':', "%3A");
        self.external.id = Some(id.to_owned());
        self.external.url = Some(format!(
            "https://console.aws.amazon.com/cloudformation/home?region={region}#/stacks/stackinfo?stackId={escaped}"
        ));
    }

    fn replace(&mut self, outside: &Outside) -> Advance {
        let (role, name) = (self.order.role.clone(), self.order.needed("ChangeSetName")?.to_owned());
        let kind = kind(self.stack(outside)?.as_ref())?;
        let request = request::of(&self.order, outside)?;
        if outside
            .stacks
            .describe_change_set(&role, &request.stack, &name)?
            .is_some()
        {
            outside.stacks.delete_change_set(&role, &request.stack, &name)?;
        }
        let request = ChangeSetRequest { name, kind, request };
        outside.stacks.create_change_set(&role, &request)?;
        self.step = Step::ChangeSet;
        Ok(None)
    }

    fn change_set(&self, outside: &Outside) -> Result<ChangeSet, Failure> {
        let (stack, name) = (self.order.needed("StackName")?, self.order.needed("ChangeSetName")?);
        let found = outside.stacks.describe_change_set(&self.order.role, stack, name)?;
        found.ok_or_else(|| Failure::job(format!("ChangeSet [{name}] does not exist (ChangeSetNotFound)")))
    }

    fn change_set_made(&mut self, outside: &Outside) -> Advance {
        let change_set = self.change_set(outside)?;
        if let Some(stack) = self.stack(outside)? {
            self.show(&stack.id);
        }
        let name = self.order.needed("ChangeSetName")?.to_owned();
        match change_set.status.as_str() {
            "CREATE_COMPLETE" => self.external.summary = Some(format!("Change set {name} was created.")),
            "FAILED" if holds_no_change(&change_set) => {
                self.external.summary = Some(format!("Change set {name} was created without changes."));
            }
            "FAILED" => {
                let reason = change_set.reason.unwrap_or_else(|| "no reason is given".to_owned());
                return Err(Failure::job(format!("Change set {name} failed: {reason}")));
            }
            _ => return Ok(None),
        }
        Ok(Some(Finished::default()))
    }

    fn execute(&mut self, outside: &Outside) -> Advance {
        let change_set = self.change_set(outside)?;
        let (stack, name) = (self.order.needed("StackName")?, self.order.needed("ChangeSetName")?);
        if holds_no_change(&change_set) {
            return self.finish(outside, "No change was to be made.").map(Some);
        }
        outside.stacks.execute_change_set(&self.order.role, stack, name)?;
        self.step = Step::Change;
        Ok(None)
    }

    fn create_or_update(&mut self, outside: &Outside) -> Advance {
        let stack = self.stack(outside)?;
        let request = request::of(&self.order, outside)?;
        match kind(stack.as_ref())? {
            ChangeSetKind::Create => outside.stacks.create(&self.order.role, &request)?,
            ChangeSetKind::Update => match outside.stacks.update(&self.order.role, &request) {
                Err(error) if error.message.contains("No updates are to be performed") => {
                    return self.finish(outside, "No change was to be made.").map(Some);
                }
                begun => begun?,
            },
        }
        self.step = Step::Change;
        Ok(None)
    }

    /// Whether the stack has come to rest, and how.
    fn changed(&mut self, outside: &Outside) -> Advance {
        let name = self.order.needed("StackName")?.to_owned();
        let Some(stack) = self.stack(outside)? else {
            return Err(Failure::job(format!("Stack {name} was deleted while it changed.")));
        };
        self.show(&stack.id);
        match stack.status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" => {
                let done = if stack.status.starts_with("CREATE") {
                    "created"
                } else {
                    "updated"
                };
                self.finish(outside, &format!("Stack {name} was {done}.")).map(Some)
            }
            status if status.ends_with("_IN_PROGRESS") => Ok(None),
            _ => Err(self.failed(outside, &stack)),
        }
    }

    fn delete(&mut self, outside: &Outside) -> Advance {
        let Some(stack) = self.stack(outside)? else {
            self.external.summary = Some("There is no stack.".to_owned());
            return Ok(Some(Finished::default()));
        };
        self.show(&stack.id);
        let name = self.order.needed("StackName")?;
        outside
            .stacks
            .delete(&self.order.role, name, self.order.setting("RoleArn"))?;
        self.step = Step::Deletion;
        Ok(None)
    }

    fn deleted(&mut self, outside: &Outside) -> Advance {
        match self.stack(outside)? {
            None => {
                self.external.summary = Some("The stack was deleted.".to_owned());
                Ok(Some(Finished::default()))
            }
            Some(stack) if stack.status.ends_with("_IN_PROGRESS") => Ok(None),
            Some(stack) => Err(self.failed(outside, &stack)),
        }
    }

    /// What failed first since the change began.
    fn failed(&self, outside: &Outside, stack: &Stack) -> Failure {
        let name = self.order.setting("StackName").unwrap_or_default();
        let events = outside.stacks.events(&self.order.role, name).unwrap_or_default();
        let cause = cause(name, &events).or_else(|| stack.reason.clone());
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        Failure::job(format!("Stack {name} is in {}{cause}", stack.status))
    }

    fn finish(&mut self, outside: &Outside, summary: &str) -> Result<Finished, Failure> {
        let stack = self.stack(outside)?.unwrap_or_default();
        self.show(&stack.id);
        self.external.summary = Some(summary.to_owned());
        let mut outputs = Vec::new();
        if let (Some(file), Some((name, _))) = (self.order.setting("OutputFileName"), self.order.outputs.first()) {
            let values = stack
                .outputs
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().into()));
            let text = serde_json::Value::Object(values.collect()).to_string();
            let archive = archive::of_files([(file, text.as_bytes())])?;
            outputs.push(self.order.store(outside, &self.order.role, name, &archive)?);
        }
        Ok(Finished {
            outputs,
            variables: stack.outputs,
        })
    }
}

/// Whether the stack is to be created or updated; CloudFormation's refusal where neither is possible.
fn kind(stack: Option<&Stack>) -> Result<ChangeSetKind, Failure> {
    match stack {
        None => Ok(ChangeSetKind::Create),
        Some(stack) if stack.status == "REVIEW_IN_PROGRESS" => Ok(ChangeSetKind::Create),
        Some(stack) if UPDATABLE.contains(&stack.status.as_str()) => Ok(ChangeSetKind::Update),
        Some(stack) => Err(Failure::job(format!(
            "Stack:{} is in {} state and can not be updated. (ValidationError)",
            stack.id, stack.status
        ))),
    }
}

/// CloudFormation fails a change set that would change nothing, in one of two wordings.
fn holds_no_change(change_set: &ChangeSet) -> bool {
    let reason = change_set.reason.as_deref().unwrap_or_default();
    change_set.status == "FAILED"
        && (reason.contains("didn't contain changes") || reason.contains("No updates are to be performed"))
}

/// The first failure since the stack itself began to change; `events` are newest first.
fn cause(stack: &str, events: &[StackEvent]) -> Option<String> {
    let begun = |event: &&StackEvent| {
        event.resource == stack
            && event.status.ends_with("_IN_PROGRESS")
            && !event.status.contains("ROLLBACK")
            && !event.status.contains("CLEANUP")
    };
    let change = events.iter().take_while(|event| !begun(event));
    let failed = change.filter(|event| event.status.ends_with("_FAILED") && event.resource != stack);
    let first = failed.last()?;
    let reason = first.reason.as_deref().unwrap_or("no reason is given");
    Some(format!("{} {}: {reason}", first.resource, first.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            resource: resource.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
        }
    }

    #[test]
    fn the_cause_is_the_first_failure_of_this_change_and_no_older_one() {
        let events = [
            event("app", "ROLLBACK_COMPLETE", ""),
            event(
                "app",
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Table].",
            ),
            event("Role", "CREATE_FAILED", "Resource creation cancelled"),
            event("Table", "CREATE_FAILED", "Access denied"),
            event("app", "CREATE_IN_PROGRESS", "User Initiated"),
            event("Bucket", "DELETE_FAILED", "of the life before"),
            event("app", "DELETE_IN_PROGRESS", "User Initiated"),
        ];
        assert_eq!(
            cause("app", &events).as_deref(),
            Some("Table CREATE_FAILED: Access denied")
        );
        assert_eq!(cause("app", &[]), None);
    }
}
