//! `verify_webhook`: nothing of a delivery is looked at before its signature is proven.
//!
//! A repair has no signature: only the reconciler's role and the webhook API's may start the state machine, and the API's mapping
//! template cannot write one. The reconciler has applied the filters; here only the form is checked.

use contract::{Decision, Delivery, Repair, Trigger, Verified, VerifyWebhookError};
use stacks::{Project, PullRequest};

use super::{Environment, FailureOf, Function, Invocation, StartError};
use crate::Failure;
use crate::github::Client;
use crate::secrets::{Secret, SecretError, SecretText};
use crate::webhook::{self, Event, Hint, PayloadError, RawDelivery, SignatureError};

/// Verifies the signature, parses the event and applies the project's filters.
#[derive(Debug)]
pub struct VerifyWebhook {
    secret: Secret,
    github: Client,
    project: Project,
}

impl Function for VerifyWebhook {
    type Contract = contract::VerifyWebhook;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        let variable = |variable| environment.variable(variable);
        let project = environment.project(contract::VerifyWebhook::PROJECT)?;
        let credentials = Secret::new(
            environment.aws(),
            variable(contract::VerifyWebhook::GITHUB_CREDENTIALS)?,
        );
        Ok(Self {
            secret: Secret::new(environment.aws(), variable(contract::VerifyWebhook::WEBHOOK_SECRET)?),
            github: Client::new(&project.github_api, credentials)?,
            project,
        })
    }

    async fn call(&self, trigger: Trigger, invocation: &Invocation) -> Result<Verified, FailureOf<Self>> {
        let verified = match (trigger.webhook, trigger.repair) {
            (Some(delivery), None) => self.delivered(&delivery, invocation).await,
            (None, Some(repair)) => self.repaired(repair),
            (Some(_), Some(_)) => Err(rejected(
                "the input has both `webhook` and `repair`, allowed is one of them",
            )),
            (None, None) => Err(rejected(
                "the input has neither `webhook` nor `repair`, one of them is needed",
            )),
        }?;
        if let Some(change) = &verified.change {
            // What the input holds only as base64 is known from here on.
            let span = tracing::Span::current();
            span.record("delivery", &change.delivery)
                .record("repository", &change.repository)
                .record("number", change.number)
                .record("sha", &change.sha);
        }
        tracing::info!(decision = ?verified.decision, reason = verified.reason, "verified");
        Ok(verified)
    }
}

impl VerifyWebhook {
    async fn delivered(&self, delivery: &Delivery, invocation: &Invocation) -> Result<Verified, FailureOf<Self>> {
        let raw = webhook::unpack(delivery)?;
        self.verify(&raw).await?;
        match webhook::parse(&raw.event, &raw.body, &self.project)? {
            Hint::Ignore(reason) => Ok(Verified {
                decision: Decision::Ignore,
                reason,
                change: None,
            }),
            Hint::PullRequest(event) => {
                let files = self.files(&event, invocation).await?;
                Ok(event.decide(&self.project, files.as_deref(), &raw.delivery)?)
            }
        }
    }

    /// Tries the secret as it is remembered, then what it was before the last rotation, then what it is now: a rotation may be
    /// newer than what is remembered.
    async fn verify(&self, raw: &RawDelivery) -> Result<(), FailureOf<Self>> {
        let signed = |secret: &SecretText| webhook::verify([secret.reveal().as_bytes()], &raw.body, &raw.signature);
        match signed(&self.secret.current().await?) {
            Err(SignatureError::Mismatch) => {}
            verified => return Ok(verified?),
        }
        if let Some(previous) = self.secret.previous().await?
            && signed(&previous).is_ok()
        {
            tracing::info!("signed with the secret before its last rotation");
            return Ok(());
        }
        self.secret.forget().await;
        Ok(signed(&self.secret.current().await?)?)
    }

    /// The changed files, where the decision depends on them; none if there are more than GitHub lists.
    async fn files(&self, event: &Event, invocation: &Invocation) -> Result<Option<Vec<String>>, FailureOf<Self>> {
        if !event.needs_files(&self.project) {
            return Ok(None);
        }
        let changed = self
            .github
            .changed_files(&self.project.repository, event.number()?, invocation)
            .await
            .map_err(|error| Failure::new(VerifyWebhookError::Unavailable, error))?;
        Ok(changed.complete.then_some(changed.paths))
    }

    fn repaired(&self, repair: Repair) -> Result<Verified, FailureOf<Self>> {
        let Repair {
            decision,
            reason,
            change,
        } = repair;
        if change.repository != self.project.repository {
            return Err(rejected(format!(
                "the repair is of another repository than {}",
                self.project.repository
            )));
        }
        PullRequest::new(change.number.into()).map_err(rejected)?;
        if !webhook::is_commit(&change.sha) {
            return Err(rejected(
                "the repair's `sha` is no commit, allowed are 40 lower-case hexadecimal digits",
            ));
        }
        if change.compared.is_none() {
            return Err(rejected(
                "the repair does not say which generation it was compared with",
            ));
        }
        Ok(Verified {
            decision,
            reason,
            change: Some(change),
        })
    }
}

fn rejected(message: impl std::fmt::Display) -> Failure<VerifyWebhookError> {
    Failure::new(VerifyWebhookError::PayloadRejected, message)
}

impl From<SignatureError> for Failure<VerifyWebhookError> {
    fn from(error: SignatureError) -> Self {
        Self::new(VerifyWebhookError::SignatureRejected, error)
    }
}

impl From<PayloadError> for Failure<VerifyWebhookError> {
    fn from(error: PayloadError) -> Self {
        rejected(error)
    }
}

impl From<SecretError> for Failure<VerifyWebhookError> {
    fn from(error: SecretError) -> Self {
        Self::new(VerifyWebhookError::Unavailable, error)
    }
}
