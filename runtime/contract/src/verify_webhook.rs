//! `verify_webhook`: the first state. A raw delivery becomes a decision, or nothing happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

use crate::{Change, Decision};

/// What starts an execution: a webhook, or the reconciler.
///
/// API Gateway's mapping template can only write `webhook`, so a delivery cannot pose as a repair. Exactly one is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Trigger {
    /// A delivery as API Gateway passed it on.
    #[serde(default)]
    pub webhook: Option<Delivery>,
    /// What the reconciler found to be wrong.
    #[serde(default)]
    pub repair: Option<Repair>,
}

/// A webhook's parts, each base64 of the bytes that GitHub sent: nothing untrusted ever stands in the execution's JSON as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Delivery {
    /// The raw body, which the signature is of.
    pub body: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// `X-GitHub-Delivery`.
    pub delivery: String,
    /// `X-Hub-Signature-256`.
    pub signature: String,
}

/// A difference between GitHub, the records and the environments.
///
/// The reconciler has applied the project's filters already, with what a webhook does not know: approvals, and the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Repair {
    /// What would mend it.
    pub decision: Decision,
    /// What the reconciler saw.
    pub reason: String,
    /// The pull request as GitHub's API describes it.
    pub change: Change,
}

/// A verified and filtered trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Verified {
    /// What is to be done.
    pub decision: Decision,
    /// Why, in a sentence for people.
    pub reason: String,
    /// The pull request; absent only where the decision is to ignore an event that has none.
    pub change: Option<Change>,
}

/// Verifies the signature, parses the event and applies the project's filters.
pub struct VerifyWebhook;

/// What `verify_webhook` fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum VerifyWebhookError {
    /// The signature is missing, malformed or not of this body.
    SignatureRejected,
    /// The signed body is not what its event promises.
    PayloadRejected,
    /// The secret could not be read in time, or GitHub did not say which files the pull request changes.
    Unavailable,
}

impl VerifyWebhook {
    /// The ARN of the secret that GitHub signs with; two versions are accepted during a rotation.
    pub const WEBHOOK_SECRET: EnvironmentVariable = EnvironmentVariable::named("WEBHOOK_SECRET");
    /// The project's configuration as JSON.
    pub const PROJECT: EnvironmentVariable = EnvironmentVariable::named("PROJECT");
    /// The ARN of the secret with GitHub's credentials, which is read only where the project counts changes by their paths.
    pub const GITHUB_CREDENTIALS: EnvironmentVariable = EnvironmentVariable::named("GITHUB_CREDENTIALS");
}

impl Handler for VerifyWebhook {
    type Input = Trigger;
    type Output = Verified;
    type Error = VerifyWebhookError;
    const NAME: &'static str = "verify_webhook";
    const ENVIRONMENT: &'static [EnvironmentVariable] =
        &[Self::WEBHOOK_SECRET, Self::PROJECT, Self::GITHUB_CREDENTIALS];
}
