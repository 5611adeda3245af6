//! [`Action`]: what actions of every provider have in common.

use std::panic::Location;

use synth_aws::codepipeline::pipeline::{
    ActionCategory, ActionDeclaration, ActionOwner, ActionProvider, ActionTypeId, InputArtifact, OutputArtifact,
};
use synth_aws::{Arn, Minutes, Node, Object, Value, iam};

use super::artifact::Artifact;
use crate::Fault;

/// An action of a stage; made from [`S3Source`](super::S3Source), [`CodeBuild`](super::CodeBuild) or
/// [`CloudFormation`](super::CloudFormation).
#[derive(Debug, Clone)]
#[must_use]
pub struct Action {
    pub(super) name: String,
    pub(super) at: &'static Location<'static>,
    pub(super) category: ActionCategory,
    provider: ActionProvider,
    pub(super) configuration: Vec<Setting>,
    pub(super) inputs: Vec<Input>,
    /// How many inputs the provider takes.
    pub(super) most_inputs: usize,
    pub(super) outputs: Vec<Artifact>,
    pub(super) namespace: Option<Namespace>,
    pub(super) run_order: u16,
    role: Option<Value<Arn<iam::Role>>>,
    timeout: Option<Value<Minutes>>,
    /// What its provider finds wrong.
    pub(super) faults: Vec<Fault>,
}

/// A configuration value and the line that set it.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) value: Value<String>,
    pub(super) at: &'static Location<'static>,
}

/// An artifact that is taken and the line that takes it.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) artifact: Artifact,
    pub(super) at: &'static Location<'static>,
}

/// The namespace of an action's variables.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) emits: Emits,
    pub(super) at: &'static Location<'static>,
}

/// Which variables an action emits.
#[derive(Debug, Clone)]
pub(super) enum Emits {
    /// These and no others.
    Only(Vec<String>),
    /// It depends on what the action runs or deploys.
    Unknown,
}

impl Action {
    pub(super) fn new(
        name: impl Into<String>,
        category: ActionCategory,
        provider: ActionProvider,
        most_inputs: usize,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            name: name.into(),
            at,
            category,
            provider,
            configuration: Vec::new(),
            inputs: Vec::new(),
            most_inputs,
            outputs: Vec::new(),
            namespace: None,
            run_order: 1,
            role: None,
            timeout: None,
            faults: Vec::new(),
        }
    }

    /// Sets a configuration value; one that is set already is replaced.
    pub(super) fn set(&mut self, key: &'static str, value: Value<String>, at: &'static Location<'static>) {
        self.configuration.retain(|setting| setting.key != key);
        self.configuration.push(Setting { key, value, at });
    }

    /// Takes an artifact; one that is taken already is not taken again.
    pub(super) fn take(&mut self, artifact: &Artifact, at: &'static Location<'static>) {
        if !self.inputs.iter().any(|input| input.artifact.name() == artifact.name()) {
            self.inputs.push(Input {
                artifact: artifact.clone(),
                at,
            });
        }
    }

    pub(super) const fn set_run_order(&mut self, order: u16) {
        self.run_order = order;
    }

    pub(super) fn set_role(&mut self, role: Value<Arn<iam::Role>>) {
        self.role = Some(role);
    }

    pub(super) fn set_timeout(&mut self, timeout: Value<Minutes>) {
        self.timeout = Some(timeout);
    }

    /// The action as a part of the resource.
    pub(super) fn declaration(&self) -> ActionDeclaration {
        let kind = ActionTypeId::new(self.category.clone(), ActionOwner::Aws, self.provider.clone(), "1");
        let mut configuration = Object::new();
        for setting in &self.configuration {
            configuration.set(setting.key, setting.value.node().clone());
        }
        let mut action = ActionDeclaration::new(kind, &*self.name)
            .configuration(Value::from_node(Node::Object(configuration)))
            .run_order(self.run_order);
        if !self.inputs.is_empty() {
            action = action.input_artifacts(
                self.inputs
                    .iter()
                    .map(|input| InputArtifact::new(input.artifact.name()))
                    .collect::<Value<_>>(),
            );
        }
        if !self.outputs.is_empty() {
            action = action.output_artifacts(
                self.outputs
                    .iter()
                    .map(|output| OutputArtifact::new(output.name()))
                    .collect::<Value<_>>(),
            );
        }
        if let Some(namespace) = &self.namespace {
            action = action.namespace(&*namespace.name);
        }
        if let Some(role) = &self.role {
            action = action.role_arn(role.clone());
        }
        if let Some(timeout) = &self.timeout {
            action = action.timeout_in_minutes(timeout.clone());
        }
        action
    }
}

/// The settings that actions of every provider have.
macro_rules! common_settings {
    () => {
        /// When the action runs within its stage, 1 to 999: after those of lower order, beside those of the same.
        /// Leaving it out means 1.
        pub const fn run_order(mut self, order: u16) -> Self {
            self.action.set_run_order(order);
            self
        }

        /// The role that the action itself runs as; leaving it out runs it as the pipeline's role.
        pub fn action_role_arn(
            mut self,
            role: impl Into<synth_aws::Value<synth_aws::Arn<synth_aws::iam::Role>>>,
        ) -> Self {
            self.action.set_role(role.into());
            self
        }

        /// How long the action may take, 5 to 86,400 minutes; leaving it out takes the provider's default.
        pub fn timeout(mut self, timeout: impl Into<synth_aws::Value<synth_aws::Minutes>>) -> Self {
            self.action.set_timeout(timeout.into());
            self
        }
    };
}
pub(super) use common_settings;
