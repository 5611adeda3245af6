//! The tree of a JSONata expression, before it is text. Types are a matter of [`Expr`](super::Expr); this tree keeps what is
//! needed to check it again at synthesis: whose input is read, which variables, which fields of which types.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value as Json;

/// Which state's data an expression reads. Each state has its own, so that one's input cannot be taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

impl Token {
    /// A token that no state has yet. It never reaches a template, so the counter leaves the output deterministic.
    pub(crate) fn fresh() -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A Rust type, as far as faults and the schema check need it.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    pub(crate) name: fn() -> Cow<'static, str>,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Type {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        Self {
            name: T::schema_name,
            schema: T::json_schema,
        }
    }
}

impl std::fmt::Debug for Type {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&(self.name)())
    }
}

/// Where an expression starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$states.input`.
    Input(Token),
    /// `$states.result`.
    Result(Token),
    /// `$states.result.Payload`: the optimised Lambda integration wraps what the function returned.
    Payload(Token),
    /// `$states.errorOutput`.
    ErrorOutput(Token),
    /// A path under `$states.context`.
    Context(&'static str),
}

/// A variable, as far as expressions know it.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Type,
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Add,
    Subtract,
    Concatenate,
    Multiply,
}

/// An expression.
#[derive(Debug, Clone)]
pub(crate) enum Ast {
    Literal(Json),
    /// A literal that serde could not serialize.
    Invalid(String),
    Root(Root),
    Variable(Variable),
    /// A field of an object, of the type `kind`.
    Field {
        base: Arc<Self>,
        name: &'static str,
        owner: Type,
        kind: Type,
        optional: bool,
    },
    /// An element of a list or tuple.
    Index {
        base: Arc<Self>,
        index: usize,
        optional: bool,
    },
    Call {
        function: &'static str,
        arguments: Vec<Arc<Self>>,
        optional: bool,
    },
    Binary {
        operator: Operator,
        left: Arc<Self>,
        right: Arc<Self>,
    },
    Conditional {
        test: Arc<Self>,
        then: Arc<Self>,
        otherwise: Arc<Self>,
    },
    Object {
        owner: Type,
        entries: Vec<(&'static str, Arc<Self>)>,
    },
    /// A list; an item that is a list itself is kept from being flattened.
    List {
        items: Vec<Arc<Self>>,
        of_lists: bool,
    },
}

impl Ast {
    /// Whether JSONata may find nothing there, which would fail the state where a value is due.
    pub(crate) const fn may_be_absent(&self) -> bool {
        matches!(
            self,
            Self::Field { optional: true, .. } | Self::Index { optional: true, .. } | Self::Call { optional: true, .. }
        )
    }

    /// Calls `visit` on this expression and on those in it, outermost first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Literal(_) | Self::Invalid(_) | Self::Root(_) | Self::Variable(_) => {}
            Self::Field { base, .. } | Self::Index { base, .. } => base.walk(visit),
            Self::Call { arguments: parts, .. } | Self::List { items: parts, .. } => {
                parts.iter().for_each(|part| part.walk(visit));
            }
            Self::Binary { left, right, .. } => [left, right].into_iter().for_each(|part| part.walk(visit)),
            Self::Conditional { test, then, otherwise } => {
                [test, then, otherwise].into_iter().for_each(|part| part.walk(visit));
            }
            Self::Object { entries, .. } => entries.iter().for_each(|(_, part)| part.walk(visit)),
        }
    }
}
