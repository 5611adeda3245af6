//! [`Var`]: a variable of a state machine.

use std::marker::PhantomData;

use super::expr::Expr;
use super::expr::ast::{Ast, Type, Variable};
use super::shape::Shape;

/// A variable that states assign and later states read, typed by what it holds; see [`var`].
#[derive(Debug)]
pub struct Var<T: Shape> {
    variable: Variable,
    kind: PhantomData<fn() -> T>,
}

/// A variable of this name: up to 80 letters, digits and `_`, a letter first, and no function's name.
///
/// A state that is reached on some path without an assignment may not read it, which synthesis checks. A variable that is assigned
/// within a Parallel or Map state is seen there alone. All assignments of one state are made at once, after its output is
/// computed: each expression of the state sees the values from before it.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.
pub fn var<T: Shape>(name: impl AsRef<str>) -> Var<T> {
    Var {
        variable: Variable {
            name: name.as_ref().into(),
            kind: Type::of::<T>(),
        },
        kind: PhantomData,
    }
}

impl<T: Shape> Var<T> {
    /// The variable's value.
    pub fn get(&self) -> Expr<T> {
        Expr::of(Ast::Variable(self.variable.clone()))
    }

    pub(crate) fn variable(&self) -> Variable {
        self.variable.clone()
    }
}

impl<T: Shape> Clone for Var<T> {
    fn clone(&self) -> Self {
        Self {
            variable: self.variable.clone(),
            kind: PhantomData,
        }
    }
}
