//! The webhook at the API's address: created once, and changed where it is not as it should be.
//!
//! It is found by the id that an earlier run has stored, or by its exact address; or, where the API is another one now and nothing
//! is stored, by the exact path on an API of the same region, if only one hook has it. Never by a part of anything.

use std::time::Duration;

use crate::error::Error;
use crate::event::{Event, Frontend, WebhookChange};
use crate::github::{Delivery, GitHub, Hook};
use crate::memory::KnownWebhook;
use crate::secrets::Stored;

/// How often it is looked whether a ping was delivered.
const LOOKS: u32 = 40;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Makes the webhook what it should be.
///
/// # Errors
/// Where GitHub refuses.
pub async fn settle(
    github: &GitHub,
    url: &str,
    secret: &Stored,
    known: Option<&KnownWebhook>,
    frontend: &dyn Frontend,
) -> Result<KnownWebhook, Error> {
    let known = known.filter(|known| known.repository == github.repository);
    let stored = match known {
        Some(known) => github.hook(known.id).await?,
        None => None,
    };
    let found = match stored {
        Some(hook) => Some(hook),
        None => find(&github.hooks().await?, url),
    };
    let signs = known.is_some_and(|known| known.secret_version == secret.version);
    let (hook, change) = match found {
        Some(hook) if signs && is_right(&hook, url) => (hook, WebhookChange::Unchanged),
        Some(hook) => {
            let hook = github.update_hook(hook.id, url, &secret.value).await?;
            (hook, WebhookChange::Updated)
        }
        None => (create(github, url, secret).await?, WebhookChange::Created),
    };
    frontend.event(&Event::Webhook {
        id: hook.id,
        url: url.to_owned(),
        change,
    });
    Ok(KnownWebhook {
        id: hook.id,
        repository: github.repository.clone(),
        secret_version: secret.version.clone(),
        answered: change == WebhookChange::Unchanged && known.is_some_and(|known| known.answered),
    })
}

/// Has GitHub ping the hook, and waits for the answer that it gets.
///
/// # Errors
/// Where GitHub does not deliver, or is not answered with success.
pub async fn ping(github: &GitHub, id: u64, url: &str, frontend: &dyn Frontend) -> Result<(), Error> {
    let latest = github.deliveries(id).await?.iter().map(|delivery| delivery.id).max();
    github.ping(id).await?;
    let mut wait = FIRST_WAIT;
    for _ in 0..LOOKS {
        let deliveries = github.deliveries(id).await?;
        let new = |id: u64| latest.is_none_or(|latest| id > latest);
        let ping = deliveries
            .iter()
            .find(|delivery| delivery.event == "ping" && new(delivery.id));
        if let Some(ping) = ping {
            frontend.event(&Event::Pinged {
                status: ping.status_code,
                outcome: ping.status.clone(),
            });
            return if (200..300).contains(&ping.status_code) {
                Ok(())
            } else {
                Err(unanswered(url, ping.status_code, &ping.status))
            };
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 3 / 2).min(LONGEST_WAIT);
    }
    Err(unanswered(url, 0, "GitHub has not delivered it"))
}

async fn create(github: &GitHub, url: &str, secret: &Stored) -> Result<Hook, Error> {
    match github.create_hook(url, &secret.value).await {
        Ok(hook) => Ok(hook),
        // It may have been made all the same.
        Err(error) => match find(&github.hooks().await?, url) {
            Some(hook) => github.update_hook(hook.id, url, &secret.value).await,
            None => Err(error),
        },
    }
}

fn unanswered(url: &str, status: u16, outcome: &str) -> Error {
    Error::Unanswered {
        url: url.to_owned(),
        status,
        outcome: outcome.to_owned(),
    }
}

/// The hook that posts to an address, or did before the API was another one.
fn find(hooks: &[Hook], url: &str) -> Option<Hook> {
    if let Some(hook) = hooks.iter().find(|hook| hook.config.url == url) {
        return Some(hook.clone());
    }
    let (host, path) = split(url)?;
    // `<api>.execute-api.<region>.amazonaws.com`: what follows the API's id.
    let service = host.split_once('.').map_or(host, |(_, service)| service);
    let of_the_same_kind = |hook: &&Hook| {
        split(&hook.config.url).is_some_and(|(other, other_path)| {
            let other = other.split_once('.').map_or(other, |(_, service)| service);
            other == service && other_path == path && service.starts_with("execute-api.")
        })
    };
    let mut candidates = hooks.iter().filter(of_the_same_kind);
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// The host and the path of an address.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    let slash = rest.find('/')?;
    Some(rest.split_at(slash))
}

/// The deliveries that were not answered with success and whose repetitions were not either, the oldest first.
pub fn failed(deliveries: &[Delivery]) -> Vec<&Delivery> {
    let is_good = |delivery: &Delivery| (200..300).contains(&delivery.status_code);
    let mut failed: Vec<&Delivery> = Vec::new();
    for delivery in deliveries {
        let arrived = deliveries
            .iter()
            .any(|other| other.guid == delivery.guid && is_good(other));
        if !arrived && delivery.event != "ping" && failed.iter().all(|known| known.guid != delivery.guid) {
            failed.push(delivery);
        }
    }
    failed.reverse();
    failed
}

/// Whether a hook is as it should be, apart from its secret, which GitHub does not show.
pub fn is_right(hook: &Hook, url: &str) -> bool {
    let config = &hook.config;
    hook.active
        && hook.events == ["pull_request"]
        && config.url == url
        && config.content_type == "json"
        && config.insecure_ssl == "0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::HookConfig;

    fn hook(id: u64, url: &str) -> Hook {
        Hook {
            id,
            active: true,
            events: vec!["pull_request".to_owned()],
            config: HookConfig {
                url: url.to_owned(),
                content_type: "json".to_owned(),
                insecure_ssl: "0".to_owned(),
            },
        }
    }

    const URL: &str = "https://new.execute-api.eu-west-1.amazonaws.com/github/webhook";

    #[test]
    fn a_hook_is_found_by_its_whole_address_first() {
        let hooks = [
            hook(1, "https://old.execute-api.eu-west-1.amazonaws.com/github/webhook"),
            hook(2, URL),
        ];
        assert_eq!(find(&hooks, URL).map(|hook| hook.id), Some(2));
    }

    #[test]
    fn a_hook_of_an_api_that_is_no_more_is_found_by_its_exact_path_if_it_is_the_only_one() {
        let old = hook(1, "https://old.execute-api.eu-west-1.amazonaws.com/github/webhook");
        assert_eq!(find(std::slice::from_ref(&old), URL).map(|hook| hook.id), Some(1));
        assert_eq!(
            find(&[old.clone(), hook(2, &old.config.url)], URL),
            None,
            "whose is it?"
        );
    }

    #[test]
    fn a_hook_is_never_found_by_a_part_of_anything() {
        let others = [
            "https://old.execute-api.eu-west-1.amazonaws.com/github/webhook2",
            "https://old.execute-api.eu-west-1.amazonaws.com/other/github/webhook",
            "https://old.execute-api.eu-west-1.amazonaws.com/github/webhook?to=b",
            "https://old.execute-api.us-east-1.amazonaws.com/github/webhook",
            "https://example.com/github/webhook",
            "https://ci.example.com/github/webhook",
            "http://new.execute-api.eu-west-1.amazonaws.com/github/webhook",
            "",
        ];
        for url in others {
            assert_eq!(find(&[hook(1, url)], URL), None, "{url}");
        }
    }
}
