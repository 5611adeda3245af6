//! JSON documents with values in them.

use synth_aws::{AnyArn, Arn, Id, Name, Node, Value};

use super::expression::{Encoded, Expression, Trusted};

/// A JSON value of a template.
#[derive(Debug, Clone)]
#[must_use]
pub struct Json(pub(super) Tree);

#[derive(Debug, Clone)]
pub(super) enum Tree {
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Text(Vec<Piece>),
    /// A number, a boolean or null, as JSON writes it.
    Plain(String),
    /// A document as the text of a string.
    Stringified(Box<Tree>),
    /// What API Gateway writes as JSON itself.
    Input(Expression),
}

/// A part of a string.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    Expression(Expression),
    Value(Node),
}

impl Json {
    /// A list.
    pub fn array<J: IntoJson>(items: impl IntoIterator<Item = J>) -> Self {
        Self(Tree::Array(items.into_iter().map(|item| item.into_json().0).collect()))
    }

    /// JSON's null.
    pub fn null() -> Self {
        Self(Tree::Plain("null".to_owned()))
    }

    /// The JSON at a JSON path of the body, as a part of this document: API Gateway writes it, so it stays in its place.
    pub fn of_input(path: impl Into<String>) -> Self {
        Self(Tree::Input(Expression::Json(path.into())))
    }

    /// The document as the text of a string, as APIs take it that carry JSON within JSON.
    pub fn stringified(self) -> Self {
        Self(Tree::Stringified(Box::new(self.0)))
    }
}

/// A JSON object, in the order in which its keys are set.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Object(Vec<(String, Tree)>);

impl Object {
    /// An object without keys.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets a key; one that is set already is replaced in its place.
    pub fn with(mut self, key: impl Into<String>, value: impl IntoJson) -> Self {
        let (key, value) = (key.into(), value.into_json().0);
        match self.0.iter_mut().find(|(existing, _)| *existing == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key, value)),
        }
        self
    }

    /// The object as the text of a string; see [`Json::stringified`].
    pub fn stringified(self) -> Json {
        self.into_json().stringified()
    }
}

/// Text that is put together of parts.
#[derive(Debug, Clone)]
#[must_use]
pub struct Text(Vec<Piece>);

impl Text {
    /// Text that begins with this.
    pub fn of(part: impl IntoText) -> Self {
        part.into_text()
    }

    /// The text with this after it.
    pub fn then(mut self, part: impl IntoText) -> Self {
        self.0.extend(part.into_text().0);
        self
    }
}

/// What can stand in a template's JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a template's JSON",
    label = "this could end the JSON string that it stands in",
    note = "encode what a caller has sent: `.base64()` keeps every byte, `.json_escaped()` keeps it readable"
)]
pub trait IntoJson {
    /// The value as JSON.
    fn into_json(self) -> Json;
}

/// What can stand in a string of a template's JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a string of a template's JSON",
    label = "this could end the JSON string that it stands in",
    note = "encode what a caller has sent: `.base64()` keeps every byte, `.json_escaped()` keeps it readable"
)]
pub trait IntoText {
    /// The value as text.
    fn into_text(self) -> Text;
}

impl IntoJson for Json {
    fn into_json(self) -> Json {
        self
    }
}

impl IntoJson for Object {
    fn into_json(self) -> Json {
        Json(Tree::Object(self.0))
    }
}

impl<T: IntoText> IntoJson for T {
    fn into_json(self) -> Json {
        Json(Tree::Text(self.into_text().0))
    }
}

macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl IntoJson for $kind {
            fn into_json(self) -> Json {
                Json(Tree::Plain(self.to_string()))
            }
        }
    )*};
}

plain!(bool, i32, i64, u32);

impl IntoText for Text {
    fn into_text(self) -> Text {
        self
    }
}

impl IntoText for &str {
    fn into_text(self) -> Text {
        Text(vec![Piece::Literal(self.to_owned())])
    }
}

impl IntoText for String {
    fn into_text(self) -> Text {
        Text(vec![Piece::Literal(self)])
    }
}

macro_rules! expressions {
    ($($kind:ty),*) => {$(
        impl IntoText for $kind {
            fn into_text(self) -> Text {
                Text(vec![Piece::Expression(self.0)])
            }
        }

        impl IntoText for &$kind {
            fn into_text(self) -> Text {
                self.clone().into_text()
            }
        }
    )*};
}

expressions!(Encoded, Trusted);

/// A value of CloudFormation: literal text is escaped, what CloudFormation puts in when it deploys is taken as it is.
fn pieces(node: Node) -> Vec<Piece> {
    match node {
        Node::Text(text) => vec![Piece::Literal(text.into_owned())],
        Node::Intrinsic(intrinsic) => match *intrinsic {
            synth_aws::Intrinsic::Sub(parts) => parts
                .into_iter()
                .map(|part| match part {
                    synth_aws::Part::Literal(text) => Piece::Literal(text.into_owned()),
                    synth_aws::Part::Value(node) => Piece::Value(node),
                })
                .collect(),
            other => vec![Piece::Value(other.into())],
        },
        node => vec![Piece::Value(node)],
    }
}

macro_rules! values {
    ($([$($generic:ident)?] $kind:ty),* $(,)?) => {$(
        impl$(<$generic>)? IntoText for Value<$kind> {
            fn into_text(self) -> Text {
                Text(pieces(self.into_node()))
            }
        }
    )*};
}

values!([R] Arn<R>, [R] Name<R>, [R] Id<R>, [] AnyArn, [] String);
