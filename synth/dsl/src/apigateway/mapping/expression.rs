//! Values of a request, as a template refers to them, and what may be asked of them.

use std::ops::Not;
use std::panic::Location;

/// A reference in Velocity's sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `$input.body`
    Body,
    /// `$input.params('…')`
    Parameter(String),
    /// The variable that the header's value is in; see [`Header::variable`].
    Header(Header),
    /// `$input.json('…')`
    Json(String),
    /// `$input.path('…')`
    Path(String),
    /// `$context.…`
    Context(String),
    /// `$util.base64Encode(…)`
    Base64(Box<Self>),
    /// `$util.escapeJavaScript(…)` without the apostrophes' backslashes, which JSON does not know.
    Escaped(Box<Self>),
    /// A variable that is set to the expression before everything else.
    Named(String, Box<Self>, &'static Location<'static>),
}

impl Expression {
    /// Without the `$`.
    pub(super) fn velocity(&self) -> String {
        match self {
            Self::Body => "input.body".to_owned(),
            Self::Parameter(name) => format!("input.params('{name}')"),
            Self::Header(header) => header.variable(),
            Self::Json(path) => format!("input.json('{path}')"),
            Self::Path(path) => format!("input.path('{path}')"),
            Self::Context(path) => format!("context.{path}"),
            Self::Base64(inner) => format!("util.base64Encode(${})", inner.velocity()),
            Self::Escaped(inner) => format!(
                "util.escapeJavaScript(${}).replaceAll(\"\\\\'\", \"'\")",
                inner.velocity()
            ),
            Self::Named(name, ..) => name.clone(),
        }
    }

    /// Whether a request may come without it.
    pub(super) fn may_be_missing(&self) -> bool {
        match self {
            Self::Base64(_) | Self::Escaped(_) | Self::Header(_) => false,
            Self::Named(_, inner, _) => inner.may_be_missing(),
            Self::Body | Self::Parameter(_) | Self::Json(_) | Self::Path(_) | Self::Context(_) => true,
        }
    }

    /// What is wrong with the text that was put into it, if anything is.
    pub(super) fn fault(&self) -> Option<String> {
        match self {
            Self::Parameter(text) | Self::Json(text) | Self::Path(text) if text.contains(['\'', '\n']) => Some(
                format!("{text:?} holds a quote or a line break, which the template cannot hold"),
            ),
            Self::Json(path) | Self::Path(path) if !path.starts_with('$') => {
                Some(format!("{path:?} is no JSON path, it begins with `$`"))
            }
            Self::Context(path) if !matches!(path.matches('\'').count(), 0 | 2) => {
                Some(format!("{path:?} holds a quote, which the template cannot hold"))
            }
            Self::Named(name, ..) => fault_of_variable(name),
            _ => None,
        }
    }

    /// The expression that this one is made of.
    pub(super) fn inner(&self) -> Option<&Self> {
        match self {
            Self::Base64(inner) | Self::Escaped(inner) | Self::Named(_, inner, _) => Some(inner),
            _ => None,
        }
    }
}

fn fault_of_variable(name: &str) -> Option<String> {
    const TAKEN: [&str; 6] = ["context", "input", "integration", "method", "stageVariables", "util"];
    if TAKEN.contains(&name) {
        return Some(format!("the variable {name} is API Gateway's own"));
    }
    if name.starts_with(Header::VARIABLE) {
        return Some(format!(
            "the variable {name} begins with `{}`, as those do that hold headers",
            Header::VARIABLE
        ));
    }
    let sound = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    (!sound).then(|| format!("{name:?} is no name of a variable, allowed are letters, digits and `_`, a letter first"))
}

/// Text that a caller decides: the body, a header, a claim. It must be encoded to stand in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Untrusted(pub(super) Expression);

/// Text that API Gateway decides and whose letters need no encoding, such as an id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Trusted(pub(super) Expression);

/// Text that is encoded so that it cannot leave a JSON string.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Encoded(pub(super) Expression);

impl Untrusted {
    /// The text in Base64: every byte arrives as it was sent, which a signature over it needs.
    pub fn base64(self) -> Encoded {
        Encoded(Expression::Base64(Box::new(self.0)))
    }

    /// The text with what JSON strings do not take escaped.
    pub fn json_escaped(self) -> Encoded {
        Encoded(Expression::Escaped(Box::new(self.0)))
    }
}

macro_rules! expressions {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Computes the value once, as a variable of that name, however often it is used.
            #[track_caller]
            pub fn named(self, name: impl Into<String>) -> Self {
                Self(Expression::Named(name.into(), Box::new(self.0), Location::caller()))
            }

            /// Whether it has more than so many characters.
            pub fn longer_than(&self, characters: usize) -> Condition {
                Condition(Question::LongerThan(self.0.clone(), characters))
            }

            /// Whether it contains that text; nothing contains anything.
            pub fn contains(&self, text: impl Into<String>) -> Condition {
                Condition(Question::Contains(self.0.clone(), text.into()))
            }

            /// Whether it is that text.
            pub fn is(&self, text: impl Into<String>) -> Condition {
                Condition(Question::Is(self.0.clone(), text.into()))
            }

            /// Whether it is missing or has no characters.
            pub fn is_empty(&self) -> Condition {
                Condition(Question::Is(self.0.clone(), String::new()))
            }
        }
    )*};
}

expressions!(Untrusted, Trusted, Encoded);

/// Something that a template asks before it decides between documents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Condition(pub(super) Question);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    LongerThan(Expression, usize),
    Contains(Expression, String),
    Is(Expression, String),
    Not(Box<Self>),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
}

impl Condition {
    /// Whether both hold.
    pub fn and(self, other: Self) -> Self {
        Self(Question::Both(Box::new(self.0), Box::new(other.0)))
    }

    /// Whether one of them holds.
    pub fn or(self, other: Self) -> Self {
        Self(Question::Either(Box::new(self.0), Box::new(other.0)))
    }
}

impl Not for Condition {
    type Output = Self;

    /// Whether it does not hold.
    fn not(self) -> Self {
        Self(Question::Not(Box::new(self.0)))
    }
}

/// A request header that API Gateway hands to templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header(&'static str);

impl Header {
    /// What the variables that hold headers begin with.
    pub(super) const VARIABLE: &str = "header_";

    /// The header of that name, in whatever letters' case callers send it.
    ///
    /// # Panics
    ///
    /// If the name is none of HTTP's: letters, digits and `-`. As a constant it does not compile then.
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty(), "a header has a name");
        let mut index = 0;
        while index < bytes.len() {
            assert!(
                bytes[index].is_ascii_alphanumeric() || bytes[index] == b'-',
                "a header's name is letters, digits and `-`"
            );
            index += 1;
        }
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The name as HTTP/2 has it.
    pub(super) fn lower_case(self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The variable of its value. A name has no `_`, so no two headers share one.
    pub(super) fn variable(self) -> String {
        format!("{}{}", Self::VARIABLE, self.lower_case().replace('-', "_"))
    }
}

/// `$input`: what the caller, or in a response template the integration, has sent.
pub mod input {
    use super::{Expression, Header, Untrusted};

    /// The whole body as text.
    pub fn body() -> Untrusted {
        Untrusted(Expression::Body)
    }

    /// A header, however its name is spelled; empty where the caller sent none, or several that differ in spelling.
    ///
    /// API Gateway hands names on as they come (see [`mapping`](super::super)), so a template that asked for one spelling would
    /// find nothing when the next caller, or HTTP/2, spells it otherwise.
    pub fn header(header: Header) -> Untrusted {
        Untrusted(Expression::Header(header))
    }

    /// A path or query parameter, spelled exactly so; empty where the caller sent none.
    pub fn parameter(name: impl Into<String>) -> Untrusted {
        Untrusted(Expression::Parameter(name.into()))
    }

    /// The text at a JSON path of the body; nothing where the body has no such thing.
    pub fn path(path: impl Into<String>) -> Untrusted {
        Untrusted(Expression::Path(path.into()))
    }

    /// The JSON at a JSON path of the body, as a text of JSON; see [`Json::of_input`](super::super::Json::of_input) for a
    /// part of a document.
    pub fn json(path: impl Into<String>) -> Untrusted {
        Untrusted(Expression::Json(path.into()))
    }
}

/// `$context`: what API Gateway knows of the request.
pub mod context {
    use super::{Expression, Trusted, Untrusted};

    macro_rules! trusted {
        ($($(#[$doc:meta])* $name:ident = $path:literal),* $(,)?) => {$(
            $(#[$doc])*
            pub fn $name() -> Trusted {
                Trusted(Expression::Context($path.to_owned()))
            }
        )*};
    }

    trusted! {
        /// The account that the API belongs to.
        account_id = "accountId",
        /// The API's id.
        api_id = "apiId",
        /// The method, such as `POST`.
        http_method = "httpMethod",
        /// The id that API Gateway gave the request.
        request_id = "requestId",
        /// When the request came in, in milliseconds since 1970.
        request_time_epoch = "requestTimeEpoch",
        /// The path as the API defines it, such as `/webhook`.
        resource_path = "resourcePath",
        /// The stage that was called.
        stage = "stage",
        /// The address that the request came from.
        source_ip = "identity.sourceIp",
    }

    /// What the caller says it is.
    pub fn user_agent() -> Untrusted {
        Untrusted(Expression::Context("identity.userAgent".to_owned()))
    }

    /// The path that was called.
    pub fn path() -> Untrusted {
        Untrusted(Expression::Context("path".to_owned()))
    }

    /// A claim of the caller's token, as a Cognito authorizer has checked it.
    pub fn claim(name: &str) -> Untrusted {
        let plain = name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
        Untrusted(Expression::Context(match plain {
            true => format!("authorizer.claims.{name}"),
            false => format!("authorizer.claims['{name}']"),
        }))
    }
}
