//! What may be done with an expression of which type.

use std::collections::BTreeMap;
use std::ops::{Add, Mul, Not, Sub};
use std::sync::Arc;

use serde_json::Value as Json;

use super::ast::{Ast, Operator};
use super::{Expr, Expression, IntoExpr, Shape};

/// The number types.
pub trait Number: Shape {}

macro_rules! numbers {
    ($($number:ty),*) => { $(impl Number for $number {})* };
}

numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

fn binary<T: Shape>(operator: Operator, left: Arc<Ast>, right: Arc<Ast>) -> Expr<T> {
    Expr::of(Ast::Binary { operator, left, right })
}

impl<T: Shape> Expr<T> {
    /// Whether both are the same JSON. A value that is absent equals nothing.
    pub fn equals(&self, other: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::Equal, self.ast(), other.into_expr().ast())
    }

    /// Whether the list has this value in it.
    pub fn is_one_of(&self, values: impl IntoExpr<Vec<T>>) -> Expr<bool> {
        binary(Operator::In, self.ast(), values.into_expr().ast())
    }
}

impl Expr<bool> {
    /// Whether both hold.
    pub fn and(&self, other: impl IntoExpr<bool>) -> Self {
        binary(Operator::And, self.ast(), other.into_expr().ast())
    }

    /// Whether one of them holds, or both.
    pub fn or(&self, other: impl IntoExpr<bool>) -> Self {
        binary(Operator::Or, self.ast(), other.into_expr().ast())
    }

    /// `then` where this holds, else `otherwise`.
    pub fn choose<E: Expression>(&self, then: E, otherwise: impl IntoExpr<E::Of>) -> Expr<E::Of> {
        Expr::of(Ast::Conditional {
            test: self.ast(),
            then: then.expression().ast(),
            otherwise: otherwise.into_expr().ast(),
        })
    }
}

impl Not for Expr<bool> {
    type Output = Self;

    fn not(self) -> Self {
        match &*self.ast() {
            // Anything compared with what is absent is false in JSONata, `!=` too.
            Ast::Binary {
                operator: Operator::Equal,
                left,
                right,
            } if !left.may_be_absent() && !right.may_be_absent() => {
                binary(Operator::NotEqual, Arc::clone(left), Arc::clone(right))
            }
            _ => Self::call("$not", [self.ast()]),
        }
    }
}

impl Not for &Expr<bool> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        !self.clone()
    }
}

impl<T: Number> Expr<T> {
    /// `<`.
    pub fn less_than(&self, other: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::Less, self.ast(), other.into_expr().ast())
    }

    /// `<=`.
    pub fn at_most(&self, other: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::AtMost, self.ast(), other.into_expr().ast())
    }

    /// `>`.
    pub fn more_than(&self, other: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::More, self.ast(), other.into_expr().ast())
    }

    /// `>=`.
    pub fn at_least(&self, other: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::AtLeast, self.ast(), other.into_expr().ast())
    }

    /// The smaller of the two.
    pub fn min(&self, other: impl IntoExpr<T>) -> Self {
        Self::call("$min", [pair(self.ast(), other.into_expr().ast())])
    }

    /// The larger of the two.
    pub fn max(&self, other: impl IntoExpr<T>) -> Self {
        Self::call("$max", [pair(self.ast(), other.into_expr().ast())])
    }

    /// The number times a factor, rounded up to a whole number.
    pub fn scaled_up(&self, factor: f64) -> Self {
        let factor = Expr::<f64>::literal(factor).ast();
        let product = binary::<f64>(Operator::Multiply, self.ast(), factor);
        Self::call("$ceil", [product.ast()])
    }
}

fn pair(left: Arc<Ast>, right: Arc<Ast>) -> Arc<Ast> {
    Arc::new(Ast::List {
        items: vec![left, right],
        of_lists: false,
    })
}

macro_rules! arithmetic {
    ($($operation:ident::$method:ident => $operator:ident),*) => {$(
        impl<T: Number, R: IntoExpr<T>> $operation<R> for Expr<T> {
            type Output = Self;

            fn $method(self, other: R) -> Self {
                binary(Operator::$operator, self.ast(), other.into_expr().ast())
            }
        }
    )*};
}

arithmetic!(Add::add => Add, Sub::sub => Subtract, Mul::mul => Multiply);

impl<T: Shape> Expr<Option<T>> {
    /// Nothing: null.
    pub fn none() -> Self {
        Self::of(Ast::Literal(Json::Null))
    }

    /// Whether there is a value: the field is there and is not null.
    pub fn is_some(&self) -> Expr<bool> {
        let not_null = binary(Operator::NotEqual, self.ast(), Arc::new(Ast::Literal(Json::Null)));
        if self.ast().may_be_absent() {
            Expr::<bool>::call("$exists", [self.ast()]).and(not_null)
        } else {
            not_null
        }
    }

    /// Whether there is no value.
    pub fn is_none(&self) -> Expr<bool> {
        Expr::call("$not", [self.is_some().ast()])
    }

    /// The value, or `otherwise` where there is none.
    pub fn unwrap_or(&self, otherwise: impl IntoExpr<T>) -> Expr<T> {
        Expr::of(Ast::Conditional {
            test: self.is_some().ast(),
            then: self.assume_some().ast(),
            otherwise: otherwise.into_expr().ast(),
        })
    }

    /// The value, where a choice has made sure that there is one; without it the state fails with `States.QueryEvaluationError`.
    pub fn assume_some(&self) -> Expr<T> {
        let mut ast = (*self.ast()).clone();
        if let Ast::Field { optional, .. } | Ast::Index { optional, .. } | Ast::Call { optional, .. } = &mut ast {
            *optional = false;
        }
        Expr::of(ast)
    }
}

impl<T: Shape> Expr<Vec<T>> {
    /// The number of items.
    pub fn len(&self) -> Expr<u64> {
        Expr::call("$count", [self.ast()])
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> Expr<bool> {
        self.len().equals(0)
    }

    /// Whether an item equals `item`.
    pub fn contains(&self, item: impl IntoExpr<T>) -> Expr<bool> {
        binary(Operator::In, item.into_expr().ast(), self.ast())
    }

    /// The item at an index, counted from 0.
    pub fn get(&self, index: usize) -> Expr<Option<T>> {
        self.element(index)
    }
}

impl<T: Shape> Expr<BTreeMap<String, T>> {
    /// The value under a key.
    pub fn get(&self, key: impl IntoExpr<String>) -> Expr<Option<T>> {
        Expr::call("$lookup", [self.ast(), key.into_expr().ast()])
    }
}

impl Expr<String> {
    /// The text followed by another.
    pub fn followed_by(&self, other: impl IntoExpr<String>) -> Self {
        binary(Operator::Concatenate, self.ast(), other.into_expr().ast())
    }

    /// Whether the text has another in it.
    pub fn contains(&self, part: impl IntoExpr<String>) -> Expr<bool> {
        Expr::call("$contains", [self.ast(), part.into_expr().ast()])
    }

    /// At most the first `length` characters.
    pub fn truncated(&self, length: u32) -> Self {
        Self::call(
            "$substring",
            [
                self.ast(),
                Expr::<u32>::literal(0).ast(),
                Expr::<u32>::literal(length).ast(),
            ],
        )
    }

    /// The milliseconds since 1970 of an ISO 8601 timestamp.
    pub fn to_millis(&self) -> Expr<i64> {
        Expr::call("$toMillis", [self.ast()])
    }
}

impl Expr<i64> {
    /// The ISO 8601 timestamp of milliseconds since 1970, such as `2024-08-18T17:33:00.000Z`.
    pub fn to_timestamp(&self) -> Expr<String> {
        Expr::call("$fromMillis", [self.ast()])
    }
}

/// How many parts are put together by `&`, each of which is a level of the expression; more are joined as a list.
const MOST_OPERANDS: usize = 40;

/// Text put together from parts, each text or a text expression. The [`text!`](crate::text) macro reads better.
pub fn concatenation(parts: impl IntoIterator<Item = Expr<String>>) -> Expr<String> {
    let parts: Vec<Expr<String>> = parts.into_iter().collect();
    if parts.len() > MOST_OPERANDS {
        let items = parts.into_iter().map(|part| part.ast()).collect();
        let list = Ast::List { items, of_lists: false };
        return Expr::call("$join", [Arc::new(list)]);
    }
    parts
        .into_iter()
        .reduce(|text, part| text.followed_by(part))
        .unwrap_or_else(|| "".into())
}

/// Text put together from its arguments, each text or an `Expr<String>`.
///
/// ```
/// use synth::stepfunctions::context;
/// use synth::text;
///
/// let link = text!["https://example.org/executions/", context::execution_name()];
/// assert_eq!(link.to_jsonata(), "'https://example.org/executions/' & $states.context.Execution.Name");
/// ```
#[macro_export]
macro_rules! text {
    ($($part:expr),+ $(,)?) => {
        $crate::stepfunctions::concatenation([
            $($crate::stepfunctions::Expr::<::std::string::String>::from($part)),+
        ])
    };
}
