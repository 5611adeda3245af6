//! Parameters: what whoever deploys a stack decides.
//!
//! There is no `NoEcho`: a secret has no business in a parameter, see Secrets Manager.

use std::fmt;
use std::marker::PhantomData;

use synth_aws::{AnyArn, Arn, Element, Handle, Id, Name, Node, Object, Value};

/// A template parameter whose value is a `T`, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.
#[derive(Debug, Clone)]
#[must_use]
pub struct Parameter<T> {
    object: Object,
    kind: PhantomData<fn() -> T>,
}

/// Types that a parameter's value can have.
pub trait ParameterType {
    /// The `Type` that the template declares.
    const TYPE: &'static str;
}

impl ParameterType for String {
    const TYPE: &'static str = "String";
}

impl ParameterType for i64 {
    const TYPE: &'static str = "Number";
}

impl<R> ParameterType for Arn<R> {
    const TYPE: &'static str = "String";
}

impl ParameterType for AnyArn {
    const TYPE: &'static str = "String";
}

impl<R> ParameterType for Name<R> {
    const TYPE: &'static str = "String";
}

impl<R> ParameterType for Id<R> {
    const TYPE: &'static str = "String";
}

impl<T: ParameterType> Parameter<T> {
    /// A parameter without a default: the deployment fails where no value is given.
    #[track_caller]
    pub fn new(description: impl Into<String>) -> Self {
        let object = Object::new()
            .with("Type", T::TYPE)
            .with("Description", description.into());
        Self {
            object,
            kind: PhantomData,
        }
    }

    /// The value where none is given.
    #[track_caller]
    pub fn default_value(mut self, value: impl Into<Value<T>>) -> Self {
        self.object.set("Default", value.into().into_node());
        self
    }

    /// A regular expression that the whole value must match.
    #[track_caller]
    pub fn allowed_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.object.set("AllowedPattern", Node::from(pattern.into()));
        self
    }

    /// The values that are allowed.
    #[track_caller]
    pub fn allowed_values(mut self, values: impl IntoIterator<Item = impl Into<Value<T>>>) -> Self {
        let values = values.into_iter().map(|value| value.into().into_node()).collect();
        self.object.set("AllowedValues", Node::List(values));
        self
    }

    pub(crate) fn into_object(self) -> Object {
        self.object
    }
}

/// A parameter after it was added to a stack: `Copy`, and the way to its value.
pub struct ParameterHandle<T> {
    handle: Handle<T>,
}

impl<T> ParameterHandle<T> {
    pub(crate) const fn of(element: Element) -> Self {
        Self {
            handle: Handle::of(element),
        }
    }

    /// The value that the parameter has when the stack is deployed.
    pub fn value(self) -> Value<T> {
        self.handle.reference()
    }
}

impl<T> Clone for ParameterHandle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ParameterHandle<T> {}

impl<T> fmt::Debug for ParameterHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(formatter)
    }
}
