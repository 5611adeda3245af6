//! [`Stack`]: resources, parameters, conditions and outputs under their logical ids.
//!
//! A stack only collects. What is wrong with it is found, all at once, by [`App::synthesize`](crate::App::synthesize).

use std::panic::Location;

use synth_aws::{Element, Handle, Intrinsic, Node, Object, Resource, ResourceFacts, Target, Value};

use crate::assembly::{Asset, Document, Escape};
use crate::cloudformation::quotas::LOGICAL_ID_CHARACTERS;
use crate::fault::Fault;
use crate::iam::Grant;
use crate::parameter::{Parameter, ParameterHandle, ParameterType};

/// One CloudFormation stack in the making.
///
/// ```
/// use synth::{App, days, s3};
/// use synth::prelude::*;
///
/// let mut app = App::new();
/// let bucket = app.stack("artifacts", "What the pipelines read and write.", |stack| {
///     let sources = stack.add("Sources", s3::Bucket::new());
///     stack.export("SourcesName", sources.name())
/// });
/// let assembly = app.synthesize()?;
/// assert!(assembly.stacks[0].template.to_yaml()?.contains("Type: AWS::S3::Bucket"));
/// # let _ = bucket;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Stack {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) elements: Vec<StackElement>,
    pub(crate) conditions: Vec<StackCondition>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) grants: Vec<(Element, Grant)>,
    /// The boundary of every role, and the source line that set it.
    pub(crate) permissions_boundary: Option<(Node, &'static Location<'static>)>,
    pub(crate) documents: Vec<Document>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) escapes: Vec<Escape>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) faults: Vec<Fault>,
    /// Takes what is set on a handle of another stack, which is a fault.
    pub(crate) foreign_options: ResourceOptions,
    /// The source line that added the stack to its application.
    pub(crate) declared_at: &'static Location<'static>,
}

/// A resource or a parameter with its logical id.
#[derive(Debug)]
pub(crate) struct StackElement {
    pub(crate) logical_id: String,
    pub(crate) body: Body,
    pub(crate) added_at: &'static Location<'static>,
}

#[derive(Debug)]
pub(crate) enum Body {
    Resource(Box<ResourceBody>),
    Parameter(Object),
}

#[derive(Debug)]
pub(crate) struct ResourceBody {
    pub(crate) type_name: String,
    /// None for custom resources, whose properties only their Lambda knows.
    pub(crate) facts: Option<&'static ResourceFacts>,
    pub(crate) properties: Object,
    pub(crate) options: ResourceOptions,
}

/// What a resource carries besides its properties, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-product-attribute-reference.html>.
#[derive(Debug, Default)]
pub struct ResourceOptions {
    pub(crate) depends_on: Vec<Element>,
    pub(crate) deletion_policy: Option<DeletionPolicy>,
    pub(crate) condition: Option<String>,
    pub(crate) metadata: Object,
}

/// What becomes of the physical resource when it leaves the template or is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted; what leaving the policy out does for most types.
    Delete,
    /// It stays, out of CloudFormation's hands.
    Retain,
    /// It stays only if the stack's creation succeeded.
    RetainExceptOnCreate,
    /// A snapshot is taken where the type can.
    Snapshot,
}

/// A condition under its name.
#[derive(Debug)]
pub(crate) struct StackCondition {
    pub(crate) name: String,
    pub(crate) node: Node,
    pub(crate) added_at: &'static Location<'static>,
}

/// A property of `owner` that holds the hash of other elements.
#[derive(Debug)]
pub(crate) struct Fingerprint {
    pub(crate) owner: Element,
    pub(crate) property: &'static str,
    pub(crate) of: Vec<Element>,
}

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) logical_id: String,
    pub(crate) description: Option<String>,
    pub(crate) value: Node,
    /// The export's name, for outputs that other stacks take.
    pub(crate) export: Option<String>,
    pub(crate) added_at: &'static Location<'static>,
}

/// What can be added to a stack: a resource, or a construct that adds several.
pub trait Construct {
    /// What the stack gives back for it.
    type Handle;

    /// Adds everything to the stack under `logical_id` and ids that begin with it.
    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> Self::Handle;
}

impl<R: Resource> Construct for R {
    type Handle = Handle<R>;

    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> Handle<R> {
        Handle::of(stack.push_resource(
            logical_id,
            R::FACTS.type_name.to_owned(),
            Some(R::FACTS),
            self.into_properties(),
        ))
    }
}

impl Stack {
    pub(crate) fn new(number: u32, name: String, description: String, declared_at: &'static Location<'static>) -> Self {
        Self {
            number,
            name,
            description,
            elements: Vec::new(),
            conditions: Vec::new(),
            outputs: Vec::new(),
            tags: Vec::new(),
            grants: Vec::new(),
            permissions_boundary: None,
            documents: Vec::new(),
            assets: Vec::new(),
            escapes: Vec::new(),
            fingerprints: Vec::new(),
            faults: Vec::new(),
            foreign_options: ResourceOptions::default(),
            declared_at,
        }
    }

    /// The stack's physical name, which prefixes its exports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a resource or construct under its logical id: 1 to 255 letters and digits, unique in the stack.
    #[track_caller]
    pub fn add<C: Construct>(&mut self, logical_id: impl AsRef<str>, construct: C) -> C::Handle {
        construct.add_to(self, logical_id.as_ref())
    }

    /// The deletion policy, dependencies, condition and metadata of a resource that was added.
    #[track_caller]
    pub fn configure<R>(&mut self, resource: Handle<R>) -> &mut ResourceOptions {
        let element = resource.element();
        if element.stack != self.number {
            let fault = Fault::new("a resource of another stack cannot be configured here");
            self.fault("", fault.help("do it in the stack that adds the resource"));
            return &mut self.foreign_options;
        }
        match self.elements.get_mut(element.index as usize) {
            Some(StackElement {
                body: Body::Resource(body),
                ..
            }) => &mut body.options,
            _ => &mut self.foreign_options,
        }
    }

    /// Adds a parameter, which whoever deploys the stack gives a value.
    #[track_caller]
    pub fn parameter<T: ParameterType>(
        &mut self,
        logical_id: impl AsRef<str>,
        parameter: Parameter<T>,
    ) -> ParameterHandle<T> {
        ParameterHandle::of(self.push(logical_id.as_ref(), Body::Parameter(parameter.into_object())))
    }

    /// Adds a condition for [`Value::when`] and [`ResourceOptions::condition`]; returns its name.
    #[track_caller]
    pub fn condition(&mut self, name: impl Into<String>, condition: Condition) -> String {
        let name = name.into();
        self.conditions.push(StackCondition {
            name: name.clone(),
            node: condition.0,
            added_at: Location::caller(),
        });
        name
    }

    /// Shows a value to whoever reads the stack's outputs.
    #[track_caller]
    pub fn output<T>(&mut self, logical_id: impl Into<String>, description: impl Into<String>, value: Value<T>) {
        let (logical_id, value) = (logical_id.into(), value.into_node());
        self.outputs.push(Output {
            logical_id,
            description: Some(description.into()),
            value,
            export: None,
            added_at: Location::caller(),
        });
    }

    /// Exports a value and returns it as other stacks see it: an `Fn::ImportValue`, of the same type.
    ///
    /// Using the returned value in a stack makes that stack depend on this one. CloudFormation refuses to change or delete
    /// an export while a stack imports it.
    #[track_caller]
    pub fn export<T>(&mut self, logical_id: impl Into<String>, value: Value<T>) -> Value<T> {
        let (logical_id, value) = (logical_id.into(), value.into_node());
        let export = format!("{}:{logical_id}", self.name);
        let imported = Value::from_node(Intrinsic::ImportValue(export.clone().into()).into());
        self.outputs.push(Output {
            logical_id,
            description: None,
            value,
            export: Some(export),
            added_at: Location::caller(),
        });
        imported
    }

    /// A tag of the stack, and of every resource in it whose type takes tags: it is written in the property that the type has for
    /// them, unless the resource has a tag of this key already.
    pub fn tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.tags.push((key.into(), value.into()));
    }

    /// The permissions boundary of every role that the stack declares, see
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.
    #[track_caller]
    pub fn permissions_boundary(&mut self, policy: impl Into<Value<synth_aws::AnyArn>>) {
        self.permissions_boundary = Some((policy.into().into_node(), Location::caller()));
    }

    /// Lets a role do what the grant says. A role may do the union of its grants and nothing else.
    pub fn grant(&mut self, role: Handle<synth_aws::iam::Role>, grant: Grant) {
        self.grants.push((role.element(), grant));
    }

    /// Sets a raw property past the types, such as one that AWS added after the facts were taken.
    ///
    /// `path` is the property's path with dots, items of lists by number (`Rules.0.Filter`); `reason` says why no typed setter does; the CLI lists both.
    #[track_caller]
    pub fn escape_hatch<R>(&mut self, resource: Handle<R>, path: &str, value: serde_json::Value, reason: &str) {
        let escape = Escape {
            logical_id: String::new(),
            path: path.to_owned(),
            reason: reason.to_owned(),
            element: resource.element(),
            value: Node::from(value),
            at: Location::caller(),
        };
        self.escapes.push(escape);
    }

    /// Adds a document that validators and reviewers read on its own: a state machine, a buildspec, a mapping template.
    pub fn document(&mut self, document: Document) {
        self.documents.push(document);
    }

    /// Declares a file that must be uploaded before the stack is deployed; see [`Asset`].
    pub fn asset(&mut self, asset: Asset) {
        self.assets.push(asset);
    }

    /// Sets a property of `owner` to the hash of what these elements are in the template.
    pub(crate) fn fingerprint(&mut self, owner: Element, property: &'static str, of: Vec<Element>) {
        self.fingerprints.push(Fingerprint { owner, property, of });
    }

    /// Reports a fault that a construct found.
    pub fn fault(&mut self, logical_id: &str, fault: Fault) {
        let fault = fault.within(&self.name, logical_id);
        self.faults.push(fault);
    }

    /// Adds a resource of a type that the registry does not know: custom resources.
    #[track_caller]
    pub(crate) fn push_resource(
        &mut self,
        logical_id: &str,
        type_name: String,
        facts: Option<&'static ResourceFacts>,
        mut properties: Object,
    ) -> Element {
        blame_callers(&mut properties, Location::caller());
        let body = ResourceBody {
            type_name,
            facts,
            properties,
            options: ResourceOptions::default(),
        };
        self.push(logical_id, Body::Resource(Box::new(body)))
    }

    #[track_caller]
    fn push(&mut self, logical_id: &str, body: Body) -> Element {
        let added_at = Location::caller();
        if let Some(first) = self.elements.iter().find(|element| element.logical_id == logical_id) {
            let first = first.added_at;
            let message = format!("the logical id is taken, first at {}:{}", first.file(), first.line());
            self.fault(
                logical_id,
                Fault::new(message)
                    .at(added_at)
                    .help("give one of the two another logical id"),
            );
        }
        if let Some(message) = logical_id_fault(logical_id) {
            self.fault(logical_id, Fault::new(message).at(added_at));
        }
        let index = u32::try_from(self.elements.len()).unwrap_or(u32::MAX);
        self.elements.push(StackElement {
            logical_id: logical_id.to_owned(),
            body,
            added_at,
        });
        Element {
            stack: self.number,
            index,
        }
    }

    pub(crate) fn resource_mut(&mut self, element: Element) -> Option<&mut ResourceBody> {
        if element.stack != self.number {
            return None;
        }
        match &mut self.elements.get_mut(element.index as usize)?.body {
            Body::Resource(body) => Some(body),
            Body::Parameter(_) => None,
        }
    }

    /// The properties of a resource that was added, for constructs that complete it later.
    pub fn properties_mut<R>(&mut self, resource: Handle<R>) -> Option<&mut Object> {
        self.resource_mut(resource.element()).map(|body| &mut body.properties)
    }

    /// The logical id of an element of this stack.
    pub(crate) fn logical_id(&self, element: Element) -> Option<&str> {
        let known = element.stack == self.number;
        self.elements
            .get(element.index as usize)
            .filter(|_| known)
            .map(|element| element.logical_id.as_str())
    }
}

impl ResourceOptions {
    /// Creates the resource after `other` and deletes it before, where no property refers to it.
    pub fn depends_on<R>(&mut self, other: Handle<R>) -> &mut Self {
        self.depends_on.push(other.element());
        self
    }

    /// What becomes of the physical resource when it leaves the template, and when it is replaced.
    pub fn deletion_policy(&mut self, policy: DeletionPolicy) -> &mut Self {
        self.deletion_policy = Some(policy);
        self
    }

    /// Creates the resource only where the condition of that name holds.
    pub fn condition(&mut self, name: impl Into<String>) -> &mut Self {
        self.condition = Some(name.into());
        self
    }

    /// Metadata under `key`, which CloudFormation keeps and does not read.
    #[track_caller]
    pub fn metadata(&mut self, key: impl Into<String>, value: serde_json::Value) -> &mut Self {
        self.metadata.set(key.into(), Node::from(value));
        self
    }
}

/// A condition of a template.
#[derive(Debug, Clone)]
pub struct Condition(Node);

impl Condition {
    /// `Fn::Equals`, such as of a parameter's value and text.
    pub fn equals<T>(left: Value<T>, right: impl Into<Value<T>>) -> Self {
        Self(Intrinsic::Equals(left.into_node(), right.into().into_node()).into())
    }

    /// `Fn::Not`.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(Intrinsic::Not(self.0).into())
    }

    /// `Fn::And` of two to ten conditions.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Intrinsic::And(conditions.into_iter().map(|condition| condition.0).collect()).into())
    }

    /// `Fn::Or` of two to ten conditions.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Intrinsic::Or(conditions.into_iter().map(|condition| condition.0).collect()).into())
    }

    /// Another condition of the stack, by name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Intrinsic::Condition(name.into()).into())
    }
}

/// Replaces lines of the DSL itself, which say nothing to its user, by the line that set the property around them or by the one
/// that added the resource.
fn blame_callers(properties: &mut Object, added_at: &'static Location<'static>) {
    let sources = file!().trim_end_matches("stack.rs");
    for entry in properties.entries_mut() {
        if entry.set_at.file().starts_with(sources) {
            entry.set_at = added_at;
        }
        let outer = entry.set_at;
        entry.value.walk_mut(&mut |node| {
            if let Node::Object(object) = node {
                let inner = object.entries_mut().iter_mut();
                inner
                    .filter(|entry| entry.set_at.file().starts_with(sources))
                    .for_each(|entry| entry.set_at = outer);
            }
        });
    }
}

/// What is wrong with a logical id, if anything.
pub(crate) fn logical_id_fault(logical_id: &str) -> Option<String> {
    let allowed = (1..=LOGICAL_ID_CHARACTERS).contains(&logical_id.len())
        && logical_id.chars().all(|character| character.is_ascii_alphanumeric());
    (!allowed).then(|| {
        format!("{logical_id:?} is no logical id, allowed are 1 to {LOGICAL_ID_CHARACTERS} letters and digits")
    })
}

/// The element that a `Ref` or `Fn::GetAtt` names, if it is an element of a stack.
pub(crate) const fn referenced(node: &Node) -> Option<Element> {
    let Node::Intrinsic(intrinsic) = node else { return None };
    match &**intrinsic {
        Intrinsic::Ref(Target::Element(element)) | Intrinsic::GetAtt(Target::Element(element), _) => Some(*element),
        _ => None,
    }
}
