//! [`Value`]: what a property may be set to.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::node::{Intrinsic, Node, Part, Target};

/// A value of type `T` that CloudFormation knows when it deploys: a literal, a `Ref`, a `Fn::GetAtt`, a `Fn::Sub`, an import.
///
/// `T` says what the value *is*, so that a bucket's name does not compile where a role's ARN is due:
///
/// ```compile_fail,E0277
/// # use synth_aws::{Arn, Name, Value};
/// # struct Bucket; struct Role;
/// fn assume(role: impl Into<Value<Arn<Role>>>) {}
/// fn misuse(bucket: Value<Name<Bucket>>) { assume(bucket) }
/// ```
pub struct Value<T: ?Sized> {
    node: Node,
    kind: PhantomData<fn() -> Box<T>>,
}

/// The type of a value that is the ARN of an `R`.
pub struct Arn<R>(PhantomData<R>);

/// The type of a value that is the ARN of some resource, where the registry does not say of which.
pub struct AnyArn(());

/// The type of a value that is the physical name of an `R`.
pub struct Name<R>(PhantomData<R>);

/// The type of a value that is the physical id of an `R`.
pub struct Id<R>(PhantomData<R>);

/// The type of a value that is any JSON.
pub struct Json(());

/// The type of a value that the registry lets be text, a number or a boolean.
pub struct Scalar(());

/// The type of a map from text to `T`.
pub struct Map<T>(PhantomData<T>);

impl<T: ?Sized> Value<T> {
    /// The value of a node that is known to be a `T`; for generated code and for builders of the DSL.
    pub const fn from_node(node: Node) -> Self {
        Self {
            node,
            kind: PhantomData,
        }
    }

    /// The tree under the value.
    pub fn into_node(self) -> Node {
        self.node
    }

    /// The tree under the value.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// A value that cannot be made; synthesis reports `fault` for the property that holds it.
    pub fn invalid(fault: impl Into<String>) -> Self {
        Self::from_node(Node::Invalid(fault.into()))
    }

    /// `AWS::NoValue`: as if the property had not been set. Only of use in a branch of [`Value::when`].
    pub fn no_value() -> Self {
        Self::from_node(Intrinsic::NoValue.into())
    }

    /// `Fn::If`: this value where the condition named `condition` holds, else `otherwise`.
    #[must_use]
    pub fn when(self, condition: impl Into<String>, otherwise: impl Into<Self>) -> Self {
        Self::from_node(Intrinsic::If(condition.into(), self.node, otherwise.into().node).into())
    }

    /// The same value as plain JSON, for properties that the registry leaves open.
    pub fn into_json(self) -> Value<Json> {
        Value::from_node(self.node)
    }
}

impl Value<String> {
    /// Takes text for the ARN, name or id that the property asks for. The type cannot know better: you say so.
    ///
    /// ```
    /// # use synth_aws::{Arn, Value};
    /// # struct Role;
    /// let role: Value<Arn<Role>> = Value::from("arn:aws:iam::123456789012:role/deploy").trusted();
    /// ```
    pub fn trusted<T: Reference>(self) -> Value<T> {
        Value::from_node(self.node)
    }

    /// `Fn::Sub` of literal text and values, which the `sub!` macro collects.
    pub fn concatenation(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut merged: Vec<Part> = Vec::new();
        let mut add = |part: Part| match (part, merged.last_mut()) {
            (Part::Literal(text), Some(Part::Literal(before))) => before.to_mut().push_str(&text),
            (part, _) => merged.push(part),
        };
        for part in parts {
            match part.node {
                Node::Text(text) => add(Part::Literal(text)),
                Node::Intrinsic(intrinsic) => match *intrinsic {
                    Intrinsic::Sub(inner) => inner.into_iter().for_each(&mut add),
                    other => add(Part::Value(other.into())),
                },
                node => add(Part::Value(node)),
            }
        }
        match merged.as_slice() {
            [] => Self::from(""),
            [Part::Literal(text)] => Self::from_node(Node::Text(text.clone())),
            [Part::Value(node)] => Self::from_node(node.clone()),
            _ => Self::from_node(Intrinsic::Sub(merged).into()),
        }
    }
}

/// Types of values that are references in text: ARNs, names and ids.
pub trait Reference {}

impl<R> Reference for Arn<R> {}
impl Reference for AnyArn {}
impl<R> Reference for Name<R> {}
impl<R> Reference for Id<R> {}

/// The pseudo parameters, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>.
pub mod pseudo {
    use super::{Cow, Intrinsic, Target, Value};

    fn reference(name: &'static str) -> Value<String> {
        Value::from_node(Intrinsic::Ref(Target::Named(Cow::Borrowed(name))).into())
    }

    /// `AWS::AccountId`: the twelve digits of the account.
    pub fn account_id() -> Value<String> {
        reference("AWS::AccountId")
    }

    /// `AWS::Partition`: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition() -> Value<String> {
        reference("AWS::Partition")
    }

    /// `AWS::Region`: such as `eu-west-1`.
    pub fn region() -> Value<String> {
        reference("AWS::Region")
    }

    /// `AWS::StackName`: the name given when the stack was created.
    pub fn stack_name() -> Value<String> {
        reference("AWS::StackName")
    }

    /// `AWS::StackId`: the stack's ARN.
    pub fn stack_id() -> Value<String> {
        reference("AWS::StackId")
    }

    /// `AWS::URLSuffix`: the domain's suffix, `amazonaws.com` in most regions.
    pub fn url_suffix() -> Value<String> {
        reference("AWS::URLSuffix")
    }
}

/// `Fn::Sub` of its arguments, each text or a value: `sub!["arn:", pseudo::partition(), ":s3:::", bucket.name()]`.
///
/// Literal text is taken as it is: `${…}` in it is escaped, never substituted.
#[macro_export]
macro_rules! sub {
    ($($part:expr),* $(,)?) => {
        $crate::Value::concatenation([$($crate::Value::<::std::string::String>::from($part)),*])
    };
}

impl<T: ?Sized> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self::from_node(self.node.clone())
    }
}

impl<T: ?Sized> fmt::Debug for Value<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(formatter)
    }
}

impl<T: ?Sized> PartialEq for Value<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl From<&str> for Value<String> {
    fn from(text: &str) -> Self {
        Self::from_node(Node::Text(Cow::Owned(text.to_owned())))
    }
}

impl From<String> for Value<String> {
    fn from(text: String) -> Self {
        Self::from_node(Node::Text(Cow::Owned(text)))
    }
}

impl From<&String> for Value<String> {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Self> for Value<String> {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

impl From<bool> for Value<bool> {
    fn from(value: bool) -> Self {
        Self::from_node(Node::Bool(value))
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Value<i64> {
            fn from(value: $number) -> Self {
                Self::from_node(Node::Integer(i64::from(value)))
            }
        }

        impl From<$number> for Value<Scalar> {
            fn from(value: $number) -> Self {
                Self::from_node(Node::Integer(i64::from(value)))
            }
        }
    )*};
}

whole_numbers!(i64, i32, u32, u16, u8);

impl From<f64> for Value<f64> {
    fn from(value: f64) -> Self {
        Self::from_node(if value.fract() == 0.0 && value.abs() < 9e15 {
            Node::Integer(value as i64)
        } else {
            Node::Number(value)
        })
    }
}

impl From<serde_json::Value> for Value<Json> {
    #[track_caller]
    fn from(value: serde_json::Value) -> Self {
        Self::from_node(value.into())
    }
}

impl From<crate::node::Object> for Value<Json> {
    fn from(object: crate::node::Object) -> Self {
        Self::from_node(object.into())
    }
}

impl From<&str> for Value<Scalar> {
    fn from(text: &str) -> Self {
        Value::<String>::from(text).node.into_scalar()
    }
}

impl From<bool> for Value<Scalar> {
    fn from(value: bool) -> Self {
        Node::Bool(value).into_scalar()
    }
}

impl From<Value<String>> for Value<Scalar> {
    fn from(value: Value<String>) -> Self {
        value.node.into_scalar()
    }
}

impl Node {
    const fn into_scalar(self) -> Value<Scalar> {
        Value::from_node(self)
    }
}

// A typed reference may stand wherever the registry asks for no more than text; never the other way round.
macro_rules! widens {
    ($([$($generic:ident)?] $from:ty => $to:ty),* $(,)?) => {$(
        impl$(<$generic>)? From<Value<$from>> for Value<$to> {
            fn from(value: Value<$from>) -> Self {
                Self::from_node(value.node)
            }
        }
    )*};
}

widens!([R] Arn<R> => String, [R] Name<R> => String, [R] Id<R> => String, [] AnyArn => String, [R] Arn<R> => AnyArn);

// A physical name is often decided by hand, so text may stand for it; an ARN or an id never is.
impl<R> From<&str> for Value<Name<R>> {
    fn from(text: &str) -> Self {
        Self::from_node(Node::Text(Cow::Owned(text.to_owned())))
    }
}

impl<R> From<String> for Value<Name<R>> {
    fn from(text: String) -> Self {
        Self::from_node(Node::Text(Cow::Owned(text)))
    }
}

impl<T, V: Into<Value<T>>, const N: usize> From<[V; N]> for Value<Vec<T>> {
    fn from(items: [V; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T, V: Into<Value<T>>> From<Vec<V>> for Value<Vec<T>> {
    fn from(items: Vec<V>) -> Self {
        items.into_iter().collect()
    }
}

impl<T, V: Into<Value<T>>> FromIterator<V> for Value<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        Self::from_node(Node::List(items.into_iter().map(|item| item.into().node).collect()))
    }
}

impl<T, K: Into<String>, V: Into<Value<T>>, const N: usize> From<[(K, V); N]> for Value<Map<T>> {
    #[track_caller]
    fn from(items: [(K, V); N]) -> Self {
        let mut object = crate::node::Object::new();
        for (key, value) in items {
            object.set(key.into(), value.into().node);
        }
        Self::from_node(object.into())
    }
}

impl<T, K: Into<String>, V: Into<Value<T>>> From<Vec<(K, V)>> for Value<Map<T>> {
    #[track_caller]
    fn from(items: Vec<(K, V)>) -> Self {
        let mut object = crate::node::Object::new();
        for (key, value) in items {
            object.set(key.into(), value.into().node);
        }
        Self::from_node(object.into())
    }
}
