//! What an execution begins with: its input, its names, its clock and its seed.

use serde_json::{Value, json};

use crate::Time;

/// How an execution begins. The names only show in the context object.
///
/// ```
/// use serde_json::json;
/// use stepfunctions_runner::Start;
///
/// let start = Start::new(json!({"number": 17})).execution("delivery-1").seed(7);
/// assert_eq!(start.execution_arn(), "arn:aws:states:us-east-1:123456789012:execution:machine:delivery-1");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    pub(crate) input: Value,
    pub(crate) at: Time,
    pub(crate) seed: u64,
    region: String,
    account: String,
    machine: String,
    execution: String,
    role: String,
    workflow: Workflow,
    redrivable: bool,
}

/// The types of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Workflow {
    /// Up to a year, up to 25,000 events, each transition billed.
    #[default]
    Standard,
    /// Up to five minutes.
    Express,
}

impl Start {
    /// An execution with this input, at the beginning of 2026 unless told otherwise, with the seed 0.
    #[must_use]
    pub fn new(input: Value) -> Self {
        Self {
            input,
            at: Time::from_unix_millis(1_767_225_600_000),
            seed: 0,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            machine: "machine".to_owned(),
            execution: "execution".to_owned(),
            role: "arn:aws:iam::123456789012:role/machine".to_owned(),
            workflow: Workflow::Standard,
            redrivable: true,
        }
    }

    /// When it begins.
    #[must_use]
    pub fn at(mut self, time: Time) -> Self {
        self.at = time;
        self
    }

    /// What jitter, `$random()` and `$uuid()` depend on.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The region and the account that its ARNs name.
    #[must_use]
    pub fn place(mut self, region: impl Into<String>, account: impl Into<String>) -> Self {
        self.region = region.into();
        self.account = account.into();
        self
    }

    /// The name of the state machine.
    #[must_use]
    pub fn machine(mut self, name: impl Into<String>) -> Self {
        self.machine = name.into();
        self
    }

    /// The name of the execution.
    #[must_use]
    pub fn execution(mut self, name: impl Into<String>) -> Self {
        self.execution = name.into();
        self
    }

    /// The ARN of the machine's role.
    #[must_use]
    pub fn role(mut self, arn: impl Into<String>) -> Self {
        self.role = arn.into();
        self
    }

    /// The type of the workflow, which bounds the execution and shows in its ARN.
    #[must_use]
    pub fn workflow(mut self, workflow: Workflow) -> Self {
        self.workflow = workflow;
        self.redrivable = workflow == Workflow::Standard;
        self
    }

    /// The context object as it was before executions could be redriven, for old recordings.
    pub(crate) fn before_redrive(mut self) -> Self {
        self.redrivable = false;
        self
    }

    pub(crate) const fn is_express(&self) -> bool {
        matches!(self.workflow, Workflow::Express)
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:states:{}:{}:{kind}:{name}", self.region, self.account)
    }

    /// The execution's ARN.
    #[must_use]
    pub fn execution_arn(&self) -> String {
        match self.workflow {
            Workflow::Standard => self.arn("execution", &format!("{}:{}", self.machine, self.execution)),
            Workflow::Express => self.arn("express", &format!("{0}:{1}:{1}", self.machine, self.execution)),
        }
    }

    /// `Execution` of the context object.
    pub(crate) fn execution_context(&self) -> Value {
        let mut context = json!({
            "Id": self.execution_arn(),
            "Input": self.input,
            "StartTime": self.at.to_string(),
            "Name": self.execution,
            "RoleArn": self.role,
        });
        if self.redrivable {
            context["RedriveCount"] = json!(0);
        }
        context
    }

    /// `StateMachine` of the context object.
    pub(crate) fn machine_context(&self) -> Value {
        json!({ "Id": self.arn("stateMachine", &self.machine), "Name": self.machine })
    }
}
