//! Everything that happens, as values. Who shows them is told nothing else.

use serde::Serialize;

use crate::plan::StackPlan;

/// Something that happened, or was found out.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A check went well.
    Checked {
        /// What was checked.
        what: &'static str,
        /// What was found.
        found: String,
    },
    /// The functions' binary is being built.
    Building {
        /// The command.
        command: String,
    },
    /// A file is where it belongs.
    Asset {
        /// What it is.
        name: String,
        /// Where it is, `s3://bucket/key`.
        place: String,
        /// Its size.
        bytes: usize,
        /// Whether it was uploaded now; it was there already if not.
        uploaded: bool,
    },
    /// What a change of a stack would do.
    Plan(StackPlan),
    /// A stack is as it should be.
    Unchanged {
        /// The stack.
        stack: String,
    },
    /// A stack is at work, or is being waited for.
    Working {
        /// The stack.
        stack: String,
        /// CloudFormation's status of it.
        status: String,
        /// How many of its resources are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// A resource changed its status.
    Resource {
        /// The stack.
        stack: String,
        /// The resource.
        logical_id: String,
        /// Its type.
        #[serde(rename = "type")]
        type_name: String,
        /// CloudFormation's status of it.
        status: String,
        /// CloudFormation's words, where it has any.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A stack that can be nothing else any more is deleted.
    Discarding {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
    },
    /// A stack is complete.
    Complete {
        /// The stack.
        stack: String,
        /// CloudFormation's status of it.
        status: String,
    },
    /// What a stack gives to people and programs.
    Output {
        /// The stack.
        stack: String,
        /// The output's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// GitHub's credentials are where the functions read them.
    CredentialsStored {
        /// The secret.
        secret: String,
    },
    /// The webhook is as it should be.
    Webhook {
        /// Its id on GitHub.
        id: u64,
        /// Where it posts to.
        url: String,
        /// What was done for it.
        change: WebhookChange,
    },
    /// GitHub has posted a ping, and this is how it was answered.
    Pinged {
        /// The HTTP status of the answer; 0 if there was none.
        status: u16,
        /// GitHub's word for it.
        outcome: String,
    },
    /// What `status` has found.
    Status(crate::status::Status),
    /// What `doctor` has found.
    Diagnosis(crate::doctor::Diagnosis),
    /// What the reconciler has found and done.
    Reconciled {
        /// How many pull requests and environments it has compared.
        compared: u32,
        /// Whether it was only to say what it would do.
        dry_run: bool,
        /// The executions that it has started, or would: a line each.
        repairs: Vec<String>,
        /// Whether there was more than one run may start.
        more: bool,
    },
    /// What `down` has removed and kept.
    Receipt(crate::down::Receipt),
    /// A delivery that had failed is made again.
    Redelivered {
        /// The delivery.
        id: u64,
        /// What it is about.
        about: String,
    },
    /// Something that does not stop the run, and that somebody should know.
    Warning {
        /// What.
        message: String,
    },
}

/// What was done for the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookChange {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It was right.
    Unchanged,
}

/// Whoever watches a run, and is asked.
pub trait Frontend: Send + Sync {
    /// Told of everything, in order.
    fn event(&self, event: &Event);

    /// Whether a plan is to be carried out.
    ///
    /// # Errors
    /// Where there is nobody to ask.
    fn confirm(&self, plan: &StackPlan) -> Result<bool, crate::Error>;

    /// GitHub's credentials, without showing them.
    ///
    /// # Errors
    /// Where there is nobody to ask.
    fn credentials(&self, why: &str) -> Result<crate::secrets::SecretText, crate::Error>;
}
