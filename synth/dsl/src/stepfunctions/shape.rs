//! [`Shape`]: the data that flows through a state machine.
//!
//! The trait ties a Rust type to the expressions that may be built of it. It never validates data: serde and the handlers do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
pub use synth_derive::Shape;

use super::expr::Expr;

/// Data that a state machine may pass on: the input or output of a handler, of a state, or a part of it.
///
/// Derive it next to `serde::Serialize` and `schemars::JsonSchema`. Names on the wire come from serde; each name that an expression
/// uses is checked at synthesis against the type's own JSON Schema.
///
/// ```
/// use synth::Shape;
/// use synth::stepfunctions::Expr;
///
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// #[serde(rename_all = "camelCase")]
/// struct Commit { head_sha: String, number: u64 }
///
/// let commit: Expr<Commit> = CommitExpr { head_sha: "6dcb09b".into(), number: 17.into() }.into();
/// assert_eq!(commit.to_jsonata(), "{'headSha': '6dcb09b', 'number': 17}");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data of a state machine",
    note = "derive `Shape` for it, next to `serde::Serialize` and `schemars::JsonSchema`"
)]
pub trait Shape: Serialize + JsonSchema + 'static {
    /// What an expression of this type offers to read: a struct of one expression per field, or nothing.
    type Fields: Send + Sync + 'static;

    /// The expressions of the fields.
    fn fields(expression: &Expr<Self>) -> Self::Fields
    where
        Self: Sized;

    /// Whether the value may be absent or null.
    const OPTIONAL: bool = false;

    /// Whether the JSON is an array.
    const LIST: bool = false;
}

/// The output of a flow that never goes on: it fails, or ends the execution.
///
/// No value has this type, so such a flow cannot be followed by anything.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub enum Never {}

macro_rules! opaque {
    ($($kind:ty),* $(,)?) => {$(
        impl Shape for $kind {
            type Fields = ();

            fn fields(_: &Expr<Self>) {}
        }
    )*};
}

opaque!(
    (),
    bool,
    String,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64,
    serde_json::Value,
    Never
);

impl<T: Shape> Shape for Option<T> {
    type Fields = ();

    fn fields(_: &Expr<Self>) {}

    const OPTIONAL: bool = true;
    const LIST: bool = T::LIST;
}

impl<T: Shape> Shape for Vec<T> {
    type Fields = ();

    fn fields(_: &Expr<Self>) {}

    const LIST: bool = true;
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    type Fields = ();

    fn fields(_: &Expr<Self>) {}
}

macro_rules! tuples {
    ($([$($item:ident $index:tt),*]),* $(,)?) => {$(
        impl<$($item: Shape),*> Shape for ($($item,)*) {
            type Fields = ($(Expr<$item>,)*);

            fn fields(expression: &Expr<Self>) -> Self::Fields {
                ($(expression.element::<$item>($index),)*)
            }

            const LIST: bool = true;
        }
    )*};
}

tuples!(
    [A 0, B 1],
    [A 0, B 1, C 2],
    [A 0, B 1, C 2, D 3],
    [A 0, B 1, C 2, D 3, E 4],
    [A 0, B 1, C 2, D 3, E 4, F 5],
);
