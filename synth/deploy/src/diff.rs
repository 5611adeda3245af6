//! `diff`: what `up` would change, as far as templates tell. Nothing is asked of CloudFormation but what is deployed.

use serde_json::Value;

use crate::account::Account;
use crate::error::{Error, aws, told};
use crate::event::{Event, Frontend};
use crate::follow::{self, condition};
use crate::plan::StackPlan;
use crate::wanted::Wanted;
use clients::cloudformation::Condition;

/// Tells the difference of every stack; whether there is any.
///
/// # Errors
/// Where CloudFormation does not say what is deployed.
pub async fn run(account: &Account, wanted: &[Wanted], frontend: &dyn Frontend) -> Result<bool, Error> {
    let mut differs = false;
    for stack in wanted {
        let there = follow::stack(account, &stack.name).await?;
        let old = match condition(there.as_ref()) {
            Condition::Gone | Condition::Empty => None,
            _ => Some(template(account, &stack.name).await?),
        };
        let plan = StackPlan::of(&stack.name, old.as_ref(), &stack.tree, &[]);
        if plan.is_empty() {
            frontend.event(&Event::Unchanged {
                stack: stack.name.clone(),
            });
        } else {
            differs = true;
            frontend.event(&Event::Plan(plan));
        }
    }
    Ok(differs)
}

/// A deployed template.
///
/// # Errors
/// Where CloudFormation does not say, or somebody has deployed YAML.
pub async fn template(account: &Account, stack: &str) -> Result<Value, Error> {
    let doing = || format!("cannot read the template of {stack}");
    let answer = account.stacks.get_template().stack_name(stack).send().await;
    let answer = answer.map_err(|error| aws(doing(), &error))?;
    let body = answer.template_body().unwrap_or_default();
    serde_json::from_str(body).map_err(|error| told(doing(), &format!("it is not JSON: {error}")))
}
