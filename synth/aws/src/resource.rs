//! Resources and the handles that a stack gives for them.

use std::fmt;
use std::marker::PhantomData;

use crate::facts::ResourceFacts;
use crate::node::{Element, Intrinsic, Object, Target};
use crate::value::Value;

/// A resource type of CloudFormation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to a stack",
    label = "neither a resource nor a construct",
    note = "a handle is what a stack gives back for a resource that was added already"
)]
pub trait Resource {
    /// What the registry says of the type.
    const FACTS: &'static ResourceFacts;

    /// The properties that were set.
    fn into_properties(self) -> Object;
}

/// A resource, parameter or other element of a stack, after it was added: `Copy`, and the way to refer to it.
///
/// What the handle offers depends on `R`: a `Handle<s3::Bucket>` has `name()` (its `Ref`) and `arn()` (a `Fn::GetAtt`).
pub struct Handle<R> {
    element: Element,
    kind: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    /// The handle of an element; for stacks.
    pub const fn of(element: Element) -> Self {
        Self {
            element,
            kind: PhantomData,
        }
    }

    /// Which element of which stack this is.
    pub const fn element(self) -> Element {
        self.element
    }

    /// `Ref`, typed by the caller; generated methods call it with the type that the registry gives.
    pub fn reference<T>(self) -> Value<T> {
        Value::from_node(Intrinsic::Ref(Target::Element(self.element)).into())
    }

    /// `Fn::GetAtt`, typed by the caller; generated methods call it with the type that the registry gives.
    pub fn attribute<T>(self, name: &'static str) -> Value<T> {
        Value::from_node(Intrinsic::GetAtt(Target::Element(self.element), name.into()).into())
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Handle<R> {}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.element.fmt(formatter)
    }
}
