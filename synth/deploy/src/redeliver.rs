//! `redeliver`: the webhook's posts that were not answered with success are made again, the oldest first.

use stacks::Project;

use crate::account::Account;
use crate::error::Error;
use crate::event::{Event, Frontend};
use crate::memory::Memory;
use crate::{status, webhook};

/// Runs it.
///
/// # Errors
/// Where there is no webhook, or GitHub refuses.
pub async fn run(account: &Account, project: &Project, frontend: &dyn Frontend) -> Result<(), Error> {
    let facts = Memory::peek(account, &project.project).await?;
    let github = status::github(account, project).await?;
    let (Some(github), Some(hook)) = (github, facts.webhook) else {
        return Err(Error::Unusable(
            "no run has made the webhook yet\n  help: run `deploy up` first".to_owned(),
        ));
    };
    for delivery in webhook::failed(&github.deliveries(hook.id).await?) {
        github.redeliver(hook.id, delivery.id).await?;
        frontend.event(&Event::Redelivered {
            id: delivery.id,
            about: delivery.event.clone(),
        });
    }
    Ok(())
}
