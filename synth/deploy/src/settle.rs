//! One stack brought to what is wanted, from whatever state CloudFormation has left it in.

use aws_sdk_cloudformation::types::{ChangeSetType, Stack};
use clients::cloudformation::Condition;
use serde_json::Value;

use crate::change_set::{self, Prepared};
use crate::error::{Error, aws};
use crate::event::{Event, Frontend};
use crate::follow::{self, Settled, condition, follow, status};
use crate::plan::StackPlan;
use crate::up::Run;
use crate::wanted::Wanted;
use crate::{assets, diff, names};

/// How often a stack is looked at again before somebody must see why it never comes to rest.
const ROUNDS: usize = 8;

impl Run<'_> {
    /// Brings a stack to what is wanted, from wherever it is.
    pub(crate) async fn settle(
        &self,
        wanted: &Wanted,
        found: Option<Stack>,
        template: Option<&Value>,
    ) -> Result<Stack, Error> {
        let mut found = found;
        // What is looked at before a run cannot know what a stack leaves that goes in the middle of it.
        let leaves = !matches!(condition(found.as_ref()), Condition::Gone | Condition::Empty);
        for _ in 0..ROUNDS {
            match (condition(found.as_ref()), &found) {
                (Condition::Gone | Condition::Empty, _) => {
                    if leaves {
                        names::free(self.account, wanted).await?;
                    }
                    if let Some(stack) = self.change(wanted, None, None).await? {
                        return Ok(stack);
                    }
                }
                (Condition::Settled, Some(stack)) => {
                    if self.is_known(wanted, stack).await {
                        self.unchanged(wanted);
                        return Ok(stack.clone());
                    }
                    if let Some(stack) = self.change(wanted, Some(stack), template).await? {
                        return Ok(stack);
                    }
                }
                (Condition::Unusable, Some(stack)) => self.discard(wanted, stack).await?,
                (Condition::Torn, Some(stack)) => self.go_back(wanted, stack).await?,
                (_, Some(stack)) => self.wait(wanted, stack).await?,
                (_, None) => {}
            }
            found = follow::stack(self.account, &wanted.name).await?;
        }
        Err(Error::Failed {
            stack: wanted.name.clone(),
            status: found.as_ref().map_or_else(|| "gone".to_owned(), status),
            cause: "it never comes to rest; something else keeps changing it".to_owned(),
        })
    }

    /// Changes the stack, or creates it; none if it must be looked at again.
    async fn change(
        &self,
        wanted: &Wanted,
        present: Option<&Stack>,
        template: Option<&Value>,
    ) -> Result<Option<Stack>, Error> {
        let old = match (present, template) {
            (Some(_), None) => Some(diff::template(self.account, &wanted.name).await?),
            (Some(_), Some(template)) => Some(template.clone()),
            (None, _) => None,
        };
        let template = if wanted.is_large() {
            Some(assets::template(self.account, &self.bucket, wanted, &**self.frontend).await?)
        } else {
            None
        };
        let kind = if present.is_some() {
            ChangeSetType::Update
        } else {
            ChangeSetType::Create
        };
        let changes = match change_set::prepare(self.account, wanted, &kind, template.as_deref()).await? {
            Prepared::Ready(changes) => changes,
            Prepared::Nothing => {
                self.unchanged(wanted);
                return Ok(present.cloned());
            }
            Prepared::Busy => return Ok(None),
        };
        let plan = StackPlan::of(&wanted.name, old.as_ref(), &wanted.tree, &changes);
        self.frontend.event(&Event::Plan(plan.clone()));
        let losses = plan.losses(&self.request.allow_loss);
        if !losses.is_empty() {
            change_set::discard(self.account, wanted).await?;
            return Err(Error::Loss(losses));
        }
        let resources = plan.resources.len();
        if !self.ask(move |frontend| frontend.confirm(&plan)).await? {
            change_set::discard(self.account, wanted).await?;
            return Err(Error::Unconfirmed {
                stack: wanted.name.clone(),
            });
        }
        let before = present.map(follow::mark);
        if !change_set::execute(self.account, wanted).await? {
            return Ok(None);
        }
        let id = present.and_then(Stack::stack_id).unwrap_or(&wanted.name);
        let settled = follow(
            self.account,
            &wanted.name,
            id,
            before.as_deref(),
            resources,
            &**self.frontend,
        )
        .await?;
        complete(wanted, settled, &**self.frontend).map(Some)
    }

    /// Waits for what the stack is at work on, whoever asked for it.
    async fn wait(&self, wanted: &Wanted, stack: &Stack) -> Result<(), Error> {
        let id = stack.stack_id().unwrap_or(&wanted.name);
        let of = wanted.resources();
        follow(self.account, &wanted.name, id, None, of, &**self.frontend).await?;
        Ok(())
    }

    /// Deletes a stack that was never complete and can be nothing else.
    async fn discard(&self, wanted: &Wanted, stack: &Stack) -> Result<(), Error> {
        self.frontend.event(&Event::Discarding {
            stack: wanted.name.clone(),
            status: status(stack),
        });
        let id = stack.stack_id().unwrap_or(&wanted.name);
        self.account
            .stacks
            .delete_stack()
            .stack_name(id)
            .set_role_arn(self.account.service_role.clone())
            .send()
            .await
            .map_err(|error| aws(format!("cannot delete the stack {}", wanted.name), &error))?;
        let before = follow::mark(stack);
        let of = wanted.resources();
        let settled = follow(self.account, &wanted.name, id, Some(&before), of, &**self.frontend).await?;
        match settled.stack {
            Some(stack) if condition(Some(&stack)) != Condition::Gone => Err(failed(wanted, &stack, settled.cause)),
            _ => Ok(()),
        }
    }

    /// Has CloudFormation go on with a rollback that has failed.
    async fn go_back(&self, wanted: &Wanted, stack: &Stack) -> Result<(), Error> {
        let id = stack.stack_id().unwrap_or(&wanted.name);
        let asked = self
            .account
            .stacks
            .continue_update_rollback()
            .stack_name(id)
            .send()
            .await;
        asked.map_err(|error| aws(format!("cannot have {} go on rolling back", wanted.name), &error))?;
        let before = follow::mark(stack);
        let of = wanted.resources();
        let settled = follow(self.account, &wanted.name, id, Some(&before), of, &**self.frontend).await?;
        match settled.stack {
            Some(stack) if condition(Some(&stack)) == Condition::Torn => Err(failed(wanted, &stack, settled.cause)),
            _ => Ok(()),
        }
    }
}

/// The stack, if it is what was wanted.
fn complete(wanted: &Wanted, settled: Settled, frontend: &dyn Frontend) -> Result<Stack, Error> {
    let Some(stack) = settled.stack else {
        return Err(Error::Failed {
            stack: wanted.name.clone(),
            status: "gone".to_owned(),
            cause: settled.cause.unwrap_or_else(|| "somebody has deleted it".to_owned()),
        });
    };
    let status = status(&stack);
    if !["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"].contains(&status.as_str()) {
        return Err(failed(wanted, &stack, settled.cause));
    }
    frontend.event(&Event::Complete {
        stack: wanted.name.clone(),
        status,
    });
    Ok(stack)
}

fn failed(wanted: &Wanted, stack: &Stack, cause: Option<String>) -> Error {
    let words = || stack.stack_status_reason().map(str::to_owned);
    Error::Failed {
        stack: wanted.name.clone(),
        status: status(stack),
        cause: cause
            .or_else(words)
            .unwrap_or_else(|| "CloudFormation says no more".to_owned()),
    }
}
