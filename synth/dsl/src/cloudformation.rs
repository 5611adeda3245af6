//! `AWS::CloudFormation`: the generated types, custom resources, and the role that CloudFormation applies templates with.

mod service_role;

use synth_aws::{Arn, Element, Handle, Node, Object, Value};

pub use service_role::{Applied, ServiceRole};
pub use synth_aws::cloudformation::*;

use crate::fault::Fault;
use crate::stack::Construct;

/// CloudFormation's quotas of one template, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
pub mod quotas {
    /// Bytes of a template that is sent within a request.
    pub const REQUEST_BYTES: usize = 51_200;
    /// Bytes of a template that is sent as an object of S3.
    pub const TEMPLATE_BYTES: usize = 1_000_000;
    /// Bytes of a template's description.
    pub const DESCRIPTION_BYTES: usize = 1_024;
    /// Bytes of an output's description.
    pub const OUTPUT_DESCRIPTION_BYTES: usize = 1_024;
    /// Resources that a template declares.
    pub const RESOURCES: usize = 500;
    /// Parameters that a template declares.
    pub const PARAMETERS: usize = 200;
    /// Outputs that a template declares.
    pub const OUTPUTS: usize = 200;
    /// Characters of the logical id of a resource, a parameter or an output.
    pub const LOGICAL_ID_CHARACTERS: usize = 255;
    /// Characters of a stack's name.
    pub const STACK_NAME_CHARACTERS: usize = 128;
}

/// A resource that a Lambda function creates, updates and deletes, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html>.
#[derive(Debug, Clone)]
#[must_use]
pub struct CustomResource {
    type_name: String,
    properties: Object,
    fingerprint: Option<(&'static str, Vec<Element>)>,
}

impl CustomResource {
    /// A custom resource of the type `Custom::<name>`; `function` answers for it, within the timeout.
    #[track_caller]
    pub fn new(
        name: &str,
        function: impl Into<Value<Arn<synth_aws::lambda::Function>>>,
        service_timeout: impl Into<Value<synth_aws::Seconds>>,
    ) -> Self {
        let properties = Object::new()
            .with("ServiceToken", function.into().into_node())
            .with("ServiceTimeout", service_timeout.into().into_node());
        Self {
            type_name: format!("Custom::{name}"),
            properties,
            fingerprint: None,
        }
    }

    /// A property that the function is given. CloudFormation passes numbers and booleans on as text.
    #[track_caller]
    pub fn property<T>(mut self, name: &'static str, value: Value<T>) -> Self {
        self.properties.set(name, value.into_node());
        self
    }

    /// A property whose value changes whenever one of these resources changes in the template.
    ///
    /// It is the SHA-256 of their types and properties: CloudFormation calls the function for a change of it.
    #[track_caller]
    pub fn fingerprint(mut self, name: &'static str, of: impl IntoIterator<Item = Element>) -> Self {
        self.properties.set(name, Node::from(""));
        self.fingerprint = Some((name, of.into_iter().collect()));
        self
    }
}

impl Construct for CustomResource {
    type Handle = Handle<Self>;

    #[track_caller]
    fn add_to(self, stack: &mut crate::stack::Stack, logical_id: &str) -> Handle<Self> {
        let name = self.type_name.trim_start_matches("Custom::");
        let allowed = (1..=60).contains(&name.len())
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "_@-".contains(character));
        if !allowed {
            let message = format!(
                "{:?} is no type of a custom resource, allowed are 1 to 60 of A-Z a-z 0-9 _ @ -",
                self.type_name
            );
            stack.fault(logical_id, Fault::new(message));
        }
        let element = stack.push_resource(logical_id, self.type_name, None, self.properties);
        if let Some((property, of)) = self.fingerprint {
            stack.fingerprint(element, property, of);
        }
        Handle::of(element)
    }
}
