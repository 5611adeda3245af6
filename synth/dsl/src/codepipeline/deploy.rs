//! The CloudFormation action: one type, a mode each.

use std::marker::PhantomData;
use std::panic::Location;

use synth_aws::codepipeline::pipeline::{ActionCategory, ActionProvider};
use synth_aws::{Arn, Value, iam};

use self::mode::{
    ChangeSetExecute, ChangeSetReplace, CreateUpdate, DeleteOnly, ReplaceOnFailure, TakesTemplate, UpdatesStack,
};
use super::action::{Action, Emits, Namespace, common_settings};
use super::artifact::{Artifact, ArtifactAttribute, ArtifactFile};
use super::text;
use crate::Fault;

/// What a CloudFormation action does with its stack.
pub mod mode {
    /// `CHANGE_SET_REPLACE`: makes a change set, in place of one of that name.
    #[derive(Debug, Clone)]
    pub enum ChangeSetReplace {}
    /// `CHANGE_SET_EXECUTE`: executes a change set.
    #[derive(Debug, Clone)]
    pub enum ChangeSetExecute {}
    /// `CREATE_UPDATE`: creates the stack or updates it.
    #[derive(Debug, Clone)]
    pub enum CreateUpdate {}
    /// `REPLACE_ON_FAILURE`: as `CREATE_UPDATE`, but deletes a failed stack first.
    #[derive(Debug, Clone)]
    pub enum ReplaceOnFailure {}
    /// `DELETE_ONLY`: deletes the stack, if there is one.
    #[derive(Debug, Clone)]
    pub enum DeleteOnly {}

    mod sealed {
        pub trait Sealed {}
        impl Sealed for super::ChangeSetReplace {}
        impl Sealed for super::ChangeSetExecute {}
        impl Sealed for super::CreateUpdate {}
        impl Sealed for super::ReplaceOnFailure {}
    }

    /// The modes that take a template, and so its configuration, parameters and capabilities.
    pub trait TakesTemplate: sealed::Sealed {}
    impl TakesTemplate for ChangeSetReplace {}
    impl TakesTemplate for CreateUpdate {}
    impl TakesTemplate for ReplaceOnFailure {}

    /// The modes after which the stack has outputs.
    pub trait UpdatesStack: sealed::Sealed {}
    impl UpdatesStack for ChangeSetExecute {}
    impl UpdatesStack for CreateUpdate {}
    impl UpdatesStack for ReplaceOnFailure {}
}

/// Deploys or deletes a stack. The constructor decides the mode, the mode decides what can be set.
///
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct CloudFormation<Mode> {
    action: Action,
    capabilities: Vec<Capability>,
    parameters: Vec<Parameter>,
    mode: PhantomData<Mode>,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: String,
    value: ParameterValue,
    at: &'static Location<'static>,
}

/// What a template may do only if the action says that it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// `CAPABILITY_IAM`: IAM resources.
    Iam,
    /// `CAPABILITY_NAMED_IAM`: IAM resources with names of their own.
    NamedIam,
    /// `CAPABILITY_AUTO_EXPAND`: macros, such as the Serverless transform.
    AutoExpand,
}

impl Capability {
    const fn tag(self) -> &'static str {
        match self {
            Self::Iam => "CAPABILITY_IAM",
            Self::NamedIam => "CAPABILITY_NAMED_IAM",
            Self::AutoExpand => "CAPABILITY_AUTO_EXPAND",
        }
    }
}

/// The value of a stack's parameter.
#[derive(Debug, Clone)]
pub enum ParameterValue {
    /// Text, which may refer to variables of earlier actions.
    Text(Value<String>),
    /// Something of an artifact.
    Artifact(ArtifactAttribute),
}

impl<T: Into<Value<String>>> From<T> for ParameterValue {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<ArtifactAttribute> for ParameterValue {
    fn from(attribute: ArtifactAttribute) -> Self {
        Self::Artifact(attribute)
    }
}

impl CloudFormation<ChangeSetReplace> {
    /// Makes a change set of the template, for a stack that exists or one to be created. CloudFormation works as `role`.
    #[track_caller]
    pub fn change_set_replace(
        name: impl Into<String>,
        stack: impl Into<Value<String>>,
        change_set: impl Into<Value<String>>,
        template: ArtifactFile,
        role: impl Into<Value<Arn<iam::Role>>>,
    ) -> Self {
        let at = Location::caller();
        let mut this = Self::of("CHANGE_SET_REPLACE", name.into(), stack.into(), at);
        this.action.set("ChangeSetName", change_set.into(), at);
        this.template(&template, role.into(), at)
    }
}

impl CloudFormation<ChangeSetExecute> {
    /// Executes the change set of that name, with the role that it was made with.
    #[track_caller]
    pub fn change_set_execute(
        name: impl Into<String>,
        stack: impl Into<Value<String>>,
        change_set: impl Into<Value<String>>,
    ) -> Self {
        let at = Location::caller();
        let mut this = Self::of("CHANGE_SET_EXECUTE", name.into(), stack.into(), at);
        this.action.set("ChangeSetName", change_set.into(), at);
        this
    }
}

impl CloudFormation<CreateUpdate> {
    /// Creates the stack or updates it. CloudFormation works as `role`.
    #[track_caller]
    pub fn create_update(
        name: impl Into<String>,
        stack: impl Into<Value<String>>,
        template: ArtifactFile,
        role: impl Into<Value<Arn<iam::Role>>>,
    ) -> Self {
        let at = Location::caller();
        Self::of("CREATE_UPDATE", name.into(), stack.into(), at).template(&template, role.into(), at)
    }
}

impl CloudFormation<ReplaceOnFailure> {
    /// Creates the stack or updates it; one that has failed is deleted first, with what it holds. For tests only.
    #[track_caller]
    pub fn replace_on_failure(
        name: impl Into<String>,
        stack: impl Into<Value<String>>,
        template: ArtifactFile,
        role: impl Into<Value<Arn<iam::Role>>>,
    ) -> Self {
        let at = Location::caller();
        Self::of("REPLACE_ON_FAILURE", name.into(), stack.into(), at).template(&template, role.into(), at)
    }
}

impl CloudFormation<DeleteOnly> {
    /// Deletes the stack; one that does not exist is deleted already. CloudFormation works as `role`.
    #[track_caller]
    pub fn delete_only(
        name: impl Into<String>,
        stack: impl Into<Value<String>>,
        role: impl Into<Value<Arn<iam::Role>>>,
    ) -> Self {
        let at = Location::caller();
        let mut this = Self::of("DELETE_ONLY", name.into(), stack.into(), at);
        this.action.set("RoleArn", role.into().into(), at);
        this
    }
}

impl<Mode: TakesTemplate> CloudFormation<Mode> {
    fn template(
        mut self,
        template: &ArtifactFile,
        role: Value<Arn<iam::Role>>,
        at: &'static Location<'static>,
    ) -> Self {
        self.action.set("RoleArn", role.into(), at);
        self.file("TemplatePath", template)
    }

    fn file(mut self, key: &'static str, file: &ArtifactFile) -> Self {
        if file.path.is_empty() {
            self.action
                .faults
                .push(Fault::new(format!("{key} names no file of the artifact")).at(file.at));
        }
        self.action.take(&file.artifact, file.at);
        self.action.set(key, file.location().into(), file.at);
        self
    }

    /// The file with the stack's parameters, tags and stack policy.
    pub fn template_configuration(self, file: &ArtifactFile) -> Self {
        self.file("TemplateConfiguration", file)
    }

    /// Says that the template may do this.
    pub fn capability(mut self, capability: Capability) -> Self {
        self.capabilities.push(capability);
        self
    }

    /// A parameter of the stack; it wins over the configuration file's.
    #[track_caller]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<ParameterValue>) -> Self {
        let (name, value, at) = (name.into(), value.into(), Location::caller());
        if let ParameterValue::Artifact(attribute) = &value {
            self.action.take(&attribute.artifact, at);
        }
        self.parameters.push(Parameter { name, value, at });
        self
    }

    /// One more input, up to ten in all.
    #[track_caller]
    pub fn input(mut self, artifact: &Artifact) -> Self {
        self.action.take(artifact, Location::caller());
        self
    }
}

impl<Mode: UpdatesStack> CloudFormation<Mode> {
    /// Hands on the stack's outputs as a JSON file of that name, in an artifact.
    #[track_caller]
    pub fn output(&mut self, file: impl Into<String>, artifact: impl Into<String>) -> Artifact {
        let artifact = Artifact::new(artifact);
        self.action
            .set("OutputFileName", file.into().into(), Location::caller());
        self.action.outputs.push(artifact.clone());
        artifact
    }

    /// Gives the stack's outputs a namespace, by which later actions refer to them.
    #[track_caller]
    pub fn namespace(&mut self, name: impl Into<String>) -> StackOutputs {
        let name = name.into();
        self.action.namespace = Some(Namespace {
            name: name.clone(),
            emits: Emits::Unknown,
            at: Location::caller(),
        });
        StackOutputs(name)
    }
}

impl<Mode> CloudFormation<Mode> {
    fn of(mode: &'static str, name: String, stack: Value<String>, at: &'static Location<'static>) -> Self {
        let mut action = Action::new(name, ActionCategory::Deploy, ActionProvider::CloudFormation, 10, at);
        if let Some(message) = stack.node().as_text().and_then(fault_of_stack_name) {
            action.faults.push(Fault::new(message).at(at));
        }
        action.set("ActionMode", mode.into(), at);
        action.set("StackName", stack, at);
        Self {
            action,
            capabilities: Vec::new(),
            parameters: Vec::new(),
            mode: PhantomData,
        }
    }

    common_settings!();
}

impl<Mode> From<CloudFormation<Mode>> for Action {
    fn from(deploy: CloudFormation<Mode>) -> Self {
        let CloudFormation {
            mut action,
            mut capabilities,
            parameters,
            ..
        } = deploy;
        if !capabilities.is_empty() {
            capabilities.sort_unstable();
            capabilities.dedup();
            let tags: Vec<&str> = capabilities.into_iter().map(Capability::tag).collect();
            action.set("Capabilities", tags.join(",").into(), action.at);
        }
        for (index, parameter) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|earlier| earlier.name == parameter.name) {
                action
                    .faults
                    .push(Fault::new(format!("the parameter {} is set twice", parameter.name)).at(parameter.at));
            }
        }
        if let Some(last) = parameters.last() {
            action.set("ParameterOverrides", parameters_text(&parameters), last.at);
        }
        action
    }
}

/// `{"Name":"value","Other":{"Fn::GetArtifactAtt":[…]}}`, the form that the action takes.
fn parameters_text(parameters: &[Parameter]) -> Value<String> {
    let mut parts = vec![Value::from("{")];
    for (index, parameter) in parameters.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        parts.push(format!("{comma}\"{}\":", text::escaped(&parameter.name)).into());
        match &parameter.value {
            ParameterValue::Text(value) => parts.extend(text::string(value)),
            ParameterValue::Artifact(attribute) => parts.push(attribute.json().into()),
        }
    }
    parts.push("}".into());
    Value::concatenation(parts)
}

/// What is wrong with a stack's name, unless it has variables in it.
fn fault_of_stack_name(name: &str) -> Option<String> {
    let sound = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 128
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-');
    (!sound && !name.contains("#{")).then(|| {
        format!("{name:?} is no name of a stack, allowed are 1 to 128 letters, digits and `-`, a letter first")
    })
}

/// The outputs of a stack.
#[derive(Debug, Clone)]
pub struct StackOutputs(String);

impl StackOutputs {
    /// The value of an output, by its logical name.
    pub fn output(&self, name: &str) -> Value<String> {
        format!("#{{{}.{name}}}", self.0).into()
    }
}
