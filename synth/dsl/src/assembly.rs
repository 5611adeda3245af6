//! What synthesis returns: templates and everything that is needed to deploy and review them.

use std::borrow::Cow;
use std::panic::Location;

use serde::Serialize;
use synth_aws::{Element, Node};

use crate::render::{self, RenderError};

/// A synthesized application: its stacks in an order in which they can be deployed.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// Every stack comes after the stacks whose exports it imports.
    pub stacks: Vec<SynthesizedStack>,
}

/// A stack with its elements named and checked.
#[derive(Debug, Clone)]
pub struct SynthesizedStack {
    /// The physical name.
    pub name: String,
    /// The template.
    pub template: Template,
    /// The names of the stacks that must be deployed before.
    pub depends_on: Vec<String>,
    /// The parameters that have no default, or that an asset provides.
    pub parameters: Vec<String>,
    /// The tags of the stack, which its resources have as well.
    pub tags: Vec<(String, String)>,
    /// What must be acknowledged to deploy it, such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: Vec<&'static str>,
    /// What must be uploaded before.
    pub assets: Vec<Asset>,
    /// Documents within the template that are read on their own.
    pub documents: Vec<Document>,
    /// Grants that name resources by a pattern, each with its reason.
    pub wildcards: Vec<Wildcard>,
    /// Uses of the escape hatch.
    pub escapes: Vec<Escape>,
}

/// A CloudFormation template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub(crate) Node);

impl Template {
    /// The template as YAML with the short forms of the intrinsic functions.
    ///
    /// # Errors
    /// Where the YAML library refuses to serialize, which no template made here should cause.
    pub fn to_yaml(&self) -> Result<String, RenderError> {
        render::yaml(&self.0)
    }

    /// The template as JSON with the long forms.
    ///
    /// # Errors
    /// As [`to_yaml`](Self::to_yaml).
    pub fn to_json(&self) -> Result<String, RenderError> {
        render::json(&self.0)
    }

    /// The tree.
    pub const fn node(&self) -> &Node {
        &self.0
    }
}

/// A file that is uploaded before its stack is deployed; the stack takes its place as parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asset {
    /// What is uploaded, such as `bootstrap`.
    pub name: String,
    /// The parameter that takes the bucket's name.
    pub bucket_parameter: String,
    /// The parameter that takes the object's key.
    pub key_parameter: String,
}

/// A document that is part of a template and also makes sense alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file's name, such as `pipeline-manager.asl.json`.
    pub name: String,
    /// What it is.
    pub kind: DocumentKind,
    /// The content. Intrinsic functions are shown as `${…}` where the document is text for AWS.
    pub content: Content,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// A Step Functions definition.
    StateMachine,
    /// A CodeBuild buildspec.
    Buildspec,
    /// An API Gateway mapping template.
    MappingTemplate,
    /// An API Gateway model.
    Model,
    /// An IAM policy.
    Policy,
}

/// A document's content.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A tree, rendered as JSON.
    Json(Node),
    /// A tree, rendered as YAML.
    Yaml(Node),
    /// Text, possibly with intrinsic functions in it.
    Text(Node),
}

impl Document {
    /// The document's text; intrinsic functions show as `${…}`.
    ///
    /// # Errors
    /// As [`Template::to_yaml`].
    pub fn text(&self) -> Result<String, RenderError> {
        match &self.content {
            Content::Json(node) => render::json(&render::flattened(node)),
            Content::Yaml(node) => render::yaml(&render::flattened(node)),
            Content::Text(node) => match render::flattened(node) {
                Node::Text(text) => Ok(text.into_owned()),
                other => render::json(&other),
            },
        }
    }

    pub(crate) const fn node_mut(&mut self) -> &mut Node {
        match &mut self.content {
            Content::Json(node) | Content::Yaml(node) | Content::Text(node) => node,
        }
    }
}

/// A grant whose resources are a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wildcard {
    /// The role, by logical id.
    pub role: String,
    /// What it may do.
    pub actions: Vec<Cow<'static, str>>,
    /// The resources, with `${…}` for what CloudFormation knows.
    pub resources: Vec<String>,
    /// Why no ARN can be named.
    pub reason: String,
}

/// A use of the escape hatch.
#[derive(Debug, Clone)]
pub struct Escape {
    /// The resource, by logical id.
    pub logical_id: String,
    /// The property's path, with dots.
    pub path: String,
    /// Why no typed setter does.
    pub reason: String,
    pub(crate) element: Element,
    pub(crate) value: Node,
    /// The source line that used it.
    pub at: &'static Location<'static>,
}
