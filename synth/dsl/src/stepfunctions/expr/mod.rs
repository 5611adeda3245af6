//! [`Expr`]: a JSONata expression that knows the type of its value.
//!
//! An expression is built from what a closure is given (a state's input, a task's result, a caught error), from variables, from
//! literals and from the [`context`](super::context). It is text only when the definition is emitted. Nothing here evaluates anything.

pub(crate) mod ast;
pub(crate) mod depth;
mod operations;
mod text;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

pub use operations::{Number, concatenation};

use self::ast::{Ast, Root, Type};
use super::shape::Shape;

/// A JSONata expression whose value is a `T`.
///
/// The fields of a struct are read as fields, since an expression dereferences to the struct of its field expressions;
/// [`fields`](Self::fields) gives that struct to take apart.
///
/// ```
/// # use synth::Shape;
/// # use synth::stepfunctions::Expr;
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// struct Build { state: String, minutes: u64 }
///
/// fn slow(build: &Expr<Build>) -> Expr<bool> {
///     build.state.equals("running").and(build.minutes.at_least(10))
/// }
/// # let build = BuildExpr { state: "running".into(), minutes: 12.into() };
/// # let _ = slow(&build.into());
/// ```
pub struct Expr<T: Shape> {
    ast: Arc<Ast>,
    fields: OnceLock<Box<T::Fields>>,
    kind: PhantomData<fn() -> T>,
}

/// An expression whose type was checked already; what the derived code builds objects of.
#[derive(Debug, Clone)]
pub struct Untyped(Arc<Ast>);

/// What may stand where an expression of a `T` is due: the expression, a literal value, or the fields of a struct.
///
/// In a struct of field expressions, where the compiler knows no more than the type, write `.into()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no expression of a `{T}`",
    label = "expected an expression or a value of `{T}`",
    note = "an expression is read from an input, a result or a variable; a value of the type itself is a literal"
)]
pub trait IntoExpr<T: Shape> {
    /// The expression.
    fn into_expr(self) -> Expr<T>;
}

/// An expression that says itself what it is of: an [`Expr`], or the field expressions of a struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no expression",
    label = "expected an `Expr`, or the field expressions of a struct",
    note = "`Expr::literal(…)` makes an expression of a value"
)]
pub trait Expression {
    /// The type of the value.
    type Of: Shape;

    /// The expression.
    fn expression(self) -> Expr<Self::Of>;
}

impl<T: Shape> Expression for Expr<T> {
    type Of = T;

    fn expression(self) -> Self {
        self
    }
}

impl<T: Shape> Expr<T> {
    pub(crate) fn of(ast: Ast) -> Self {
        Self::sharing(Arc::new(ast))
    }

    pub(crate) const fn sharing(ast: Arc<Ast>) -> Self {
        Self {
            ast,
            fields: OnceLock::new(),
            kind: PhantomData,
        }
    }

    pub(crate) fn root(root: Root) -> Self {
        Self::of(Ast::Root(root))
    }

    pub(crate) fn ast(&self) -> Arc<Ast> {
        Arc::clone(&self.ast)
    }

    /// The value itself, as serde writes it. `"text".into()`, `5.into()` and so on are short for it.
    pub fn literal(value: T) -> Self {
        Self::of(match serde_json::to_value(&value) {
            Ok(json) => Ast::Literal(json),
            Err(error) => Ast::Invalid(format!("a literal `{}` has no JSON: {error}", T::schema_name())),
        })
    }

    /// The expressions of the fields, to be taken apart.
    pub fn fields(&self) -> T::Fields {
        T::fields(self)
    }

    /// The JSONata text, without the `{% %}` that a state puts around it.
    pub fn to_jsonata(&self) -> String {
        self.ast.jsonata()
    }

    /// The expression as one that may be absent.
    pub fn some(self) -> Expr<Option<T>> {
        Expr::sharing(self.ast)
    }

    /// The text of the value: a string as it is, anything else as its JSON.
    pub fn to_text(&self) -> Expr<String> {
        Expr::call("$string", [self.ast()])
    }

    pub(crate) fn call<const N: usize>(function: &'static str, arguments: [Arc<Ast>; N]) -> Self {
        Self::of(Ast::Call {
            function,
            arguments: arguments.into(),
            optional: T::OPTIONAL,
        })
    }

    pub(crate) fn element<I: Shape>(&self, index: usize) -> Expr<I> {
        Expr::of(Ast::Index {
            base: self.ast(),
            index,
            optional: I::OPTIONAL,
        })
    }

    /// A field by its name on the wire; for derived code.
    #[doc(hidden)]
    pub fn field_of<F: Shape>(&self, name: &'static str) -> Expr<F> {
        Expr::of(Ast::Field {
            base: self.ast(),
            name,
            owner: Type::of::<T>(),
            kind: Type::of::<F>(),
            optional: F::OPTIONAL,
        })
    }

    /// An object of named expressions; for derived code.
    #[doc(hidden)]
    pub fn object_of(entries: Vec<(&'static str, Untyped)>) -> Self {
        let entries = entries.into_iter().map(|(name, value)| (name, value.0)).collect();
        Self::of(Ast::Object {
            owner: Type::of::<T>(),
            entries,
        })
    }

    /// The expression without its type; for derived code.
    #[doc(hidden)]
    pub fn erase(self) -> Untyped {
        Untyped(self.ast)
    }
}

impl<T: Shape> Deref for Expr<T> {
    type Target = T::Fields;

    fn deref(&self) -> &T::Fields {
        self.fields.get_or_init(|| Box::new(T::fields(self)))
    }
}

impl<T: Shape> Clone for Expr<T> {
    fn clone(&self) -> Self {
        Self::sharing(self.ast())
    }
}

impl<T: Shape> fmt::Debug for Expr<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{% {} %}}", self.to_jsonata())
    }
}

impl<T: Shape> IntoExpr<T> for Expr<T> {
    fn into_expr(self) -> Self {
        self
    }
}

impl<T: Shape> IntoExpr<T> for &Expr<T> {
    fn into_expr(self) -> Expr<T> {
        self.clone()
    }
}

impl<T: Shape> IntoExpr<Option<T>> for Expr<T> {
    fn into_expr(self) -> Expr<Option<T>> {
        self.some()
    }
}

impl<T: Shape> IntoExpr<T> for T {
    fn into_expr(self) -> Expr<T> {
        Expr::literal(self)
    }
}

impl IntoExpr<String> for &str {
    fn into_expr(self) -> Expr<String> {
        Expr::literal(self.to_owned())
    }
}

impl<T: Shape, I: IntoExpr<T>, const N: usize> IntoExpr<Vec<T>> for [I; N] {
    fn into_expr(self) -> Expr<Vec<T>> {
        let items = self.into_iter().map(|item| item.into_expr().ast).collect();
        Expr::of(Ast::List {
            items,
            of_lists: T::LIST,
        })
    }
}

/// What a method takes as [`IntoExpr`] is `.into()` in a struct of field expressions.
macro_rules! converts {
    ($([$($generics:tt)*] $from:ty => $to:ty),* $(,)?) => {$(
        impl<$($generics)*> From<$from> for Expr<$to> {
            fn from(value: $from) -> Self {
                value.into_expr()
            }
        }
    )*};
}

converts!(
    [T: Shape] T => T,
    [T: Shape] &Expr<T> => T,
    [T: Shape] Expr<T> => Option<T>,
    [] &str => String,
    [T: Shape, I: IntoExpr<T>, const N: usize] [I; N] => Vec<T>,
);
