//! The untyped tree under every typed value: what a template's properties are made of.
//!
//! Nobody builds nodes by hand: [`Value`](crate::Value) and the generated setters do, and so decide what may stand where.
//! A node knows nothing of YAML or JSON; the DSL renders it.

use std::borrow::Cow;
use std::panic::Location;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// JSON's null, which CloudFormation takes nowhere in a template: synthesis reports it.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number from 2^63 on, which free-form documents may hold.
    Unsigned(u64),
    /// A number with a fraction.
    Number(f64),
    /// Text.
    Text(Cow<'static, str>),
    /// A list.
    List(Vec<Node>),
    /// A map whose order is the order of insertion.
    Object(Object),
    /// An intrinsic function of CloudFormation.
    Intrinsic(Box<Intrinsic>),
    /// A value that could not be made; synthesis reports the text as a fault of the property that holds it.
    Invalid(String),
}

/// A map from property names to nodes that keeps insertion order and remembers who set what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object {
    entries: Vec<Entry>,
}

/// One property of an [`Object`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The property's name as CloudFormation spells it.
    pub key: Cow<'static, str>,
    /// Its value.
    pub value: Node,
    /// The source line that set it, for faults.
    pub set_at: &'static Location<'static>,
}

impl PartialEq for Entry {
    /// Two entries are equal if they say the same, whoever said it.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

/// The intrinsic functions, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.
#[derive(Debug, Clone, PartialEq)]
pub enum Intrinsic {
    /// `Ref`.
    Ref(Target),
    /// `Fn::GetAtt`: a resource and the attribute's name.
    GetAtt(Target, Cow<'static, str>),
    /// `Fn::Sub`: text with values in it.
    Sub(Vec<Part>),
    /// `Fn::Join`: a delimiter and a list.
    Join(String, Node),
    /// `Fn::Select`: an index and a list.
    Select(u32, Node),
    /// `Fn::Split`: a delimiter and text.
    Split(String, Node),
    /// `Fn::If`: a condition's name and the two values.
    If(String, Node, Node),
    /// `Fn::ImportValue`: the export's name.
    ImportValue(Node),
    /// `Fn::Base64`.
    Base64(Node),
    /// `Fn::GetAZs`: a region, empty for the stack's own.
    GetAzs(Node),
    /// `Fn::FindInMap`: map, top-level key, second-level key.
    FindInMap(String, Node, Node),
    /// `Fn::Equals`, only in conditions.
    Equals(Node, Node),
    /// `Fn::And`, only in conditions.
    And(Vec<Node>),
    /// `Fn::Or`, only in conditions.
    Or(Vec<Node>),
    /// `Fn::Not`, only in conditions.
    Not(Node),
    /// `Condition`: another condition by name.
    Condition(String),
    /// `AWS::NoValue`: as if the property were not set.
    NoValue,
}

/// What a `Ref` or `Fn::GetAtt` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A resource or parameter of a stack, named when the stack is synthesized.
    Element(Element),
    /// A name that is known already: a pseudo parameter or an element after synthesis.
    Named(Cow<'static, str>),
}

/// The place of a resource or parameter: which stack, and the how-manieth element of it.
///
/// It names no text, so that handles are `Copy`; a stack turns its own elements into logical ids and rejects others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element {
    /// The stack's number within its application.
    pub stack: u32,
    /// The element's number within its stack.
    pub index: u32,
}

/// A part of an `Fn::Sub`.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text to be taken as it is, `${` included.
    Literal(Cow<'static, str>),
    /// A value to be put in.
    Value(Node),
}

impl Object {
    /// An empty object.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Sets a property; one that is set already is replaced in its place.
    #[track_caller]
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: Node) {
        self.set_from(key, value, Location::caller());
    }

    /// As [`set`](Self::set), on behalf of another source line.
    pub fn set_from(&mut self, key: impl Into<Cow<'static, str>>, value: Node, set_at: &'static Location<'static>) {
        let key = key.into();
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => *entry = Entry { key, value, set_at },
            None => self.entries.push(Entry { key, value, set_at }),
        }
    }

    /// The same object with a property set, for building in one expression.
    #[track_caller]
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Node>) -> Self {
        self.set(key, value.into());
        self
    }

    /// The value of a property.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a property, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries
            .iter_mut()
            .find(|entry| entry.key == key)
            .map(|entry| &mut entry.value)
    }

    /// A property with the line that set it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The properties in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The properties in order, to be changed.
    pub fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// Takes a property out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index).value)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Node {
    /// The text of a literal.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Calls `visit` on this node and on every node under it, outermost first.
    pub fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Self::Object(object) => object.entries.iter().for_each(|entry| entry.value.walk(visit)),
            Self::Intrinsic(intrinsic) => intrinsic.operands().into_iter().for_each(|operand| operand.walk(visit)),
            _ => {}
        }
    }

    /// As [`walk`](Self::walk), with the right to change.
    pub fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        match self {
            Self::List(items) => items.iter_mut().for_each(|item| item.walk_mut(visit)),
            Self::Object(object) => object.entries.iter_mut().for_each(|entry| entry.value.walk_mut(visit)),
            Self::Intrinsic(intrinsic) => intrinsic
                .operands_mut()
                .into_iter()
                .for_each(|operand| operand.walk_mut(visit)),
            _ => {}
        }
    }
}

impl Intrinsic {
    /// The nodes that the function is applied to.
    pub fn operands(&self) -> Vec<&Node> {
        match self {
            Self::Ref(_) | Self::GetAtt(..) | Self::Condition(_) | Self::NoValue => Vec::new(),
            Self::Sub(parts) => parts.iter().filter_map(Part::value).collect(),
            Self::Join(_, node)
            | Self::Select(_, node)
            | Self::Split(_, node)
            | Self::ImportValue(node)
            | Self::Base64(node)
            | Self::GetAzs(node)
            | Self::Not(node) => vec![node],
            Self::If(_, left, right) | Self::FindInMap(_, left, right) | Self::Equals(left, right) => vec![left, right],
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().collect(),
        }
    }

    fn operands_mut(&mut self) -> Vec<&mut Node> {
        match self {
            Self::Ref(_) | Self::GetAtt(..) | Self::Condition(_) | Self::NoValue => Vec::new(),
            Self::Sub(parts) => parts.iter_mut().filter_map(Part::value_mut).collect(),
            Self::Join(_, node)
            | Self::Select(_, node)
            | Self::Split(_, node)
            | Self::ImportValue(node)
            | Self::Base64(node)
            | Self::GetAzs(node)
            | Self::Not(node) => vec![node],
            Self::If(_, left, right) | Self::FindInMap(_, left, right) | Self::Equals(left, right) => vec![left, right],
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().collect(),
        }
    }
}

impl Part {
    fn value(&self) -> Option<&Node> {
        match self {
            Self::Value(node) => Some(node),
            Self::Literal(_) => None,
        }
    }

    fn value_mut(&mut self) -> Option<&mut Node> {
        match self {
            Self::Value(node) => Some(node),
            Self::Literal(_) => None,
        }
    }
}

impl From<Object> for Node {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Intrinsic> for Node {
    fn from(intrinsic: Intrinsic) -> Self {
        Self::Intrinsic(Box::new(intrinsic))
    }
}

impl From<&'static str> for Node {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Node {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Self {
        Self::List(items)
    }
}

impl From<serde_json::Value> for Node {
    #[track_caller]
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(large)) => Self::Unsigned(large),
                (None, None) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::from(text),
            Json::Array(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for item in items {
                    nodes.push(Self::from(item));
                }
                Self::List(nodes)
            }
            Json::Object(map) => {
                let mut object = Object::new();
                for (key, value) in map {
                    object.set(key, Self::from(value));
                }
                Self::Object(object)
            }
        }
    }
}
