//! The states that cannot fail over: Pass, Wait, Succeed and Fail.

use std::marker::PhantomData;
use std::panic::Location;

use synth_aws::Duration;

use super::errors::Caught;
use super::expr::ast::{Root, Token};
use super::expr::{Expr, Expression, IntoExpr};
use super::flow::{Flow, IntoFlow, composes};
use super::shape::Shape;
use super::state::{Assignment, Kind, State, Template, Until};
use super::variable::Var;
use crate::handler::ErrorName;

/// A state that passes data on: a Pass or a Wait.
#[must_use]
pub struct Passing<In: Shape, Out: Shape> {
    state: State,
    kind: PhantomData<fn(In) -> Out>,
}

/// A Pass state: leaves with what the closure makes of its input.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-pass.html>.
#[track_caller]
pub fn pass<In: Shape, E: Expression>(
    name: impl Into<String>,
    output: impl FnOnce(Expr<In>) -> E,
) -> Passing<In, E::Of> {
    let (token, at) = (Token::fresh(), Location::caller());
    let output = output(Expr::root(Root::Input(token))).expression();
    let mut state = State::new(name, Kind::Pass, token, at);
    state.output = Some(Template { ast: output.ast(), at });
    Passing {
        state,
        kind: PhantomData,
    }
}

/// A Wait state: goes on with its input after a fixed time, 0 to 99,999,999 seconds.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html>.
#[track_caller]
pub fn wait<T: Shape>(name: impl Into<String>, time: Duration) -> Passing<T, T> {
    waiting(State::new(
        name,
        Kind::Wait(Until::Passed(time)),
        Token::fresh(),
        Location::caller(),
    ))
}

/// A Wait state: goes on with its input after as many seconds as the closure computes, 0 to 99,999,999.
#[track_caller]
pub fn wait_seconds<T: Shape>(name: impl Into<String>, seconds: impl FnOnce(Expr<T>) -> Expr<u64>) -> Passing<T, T> {
    let (token, at) = (Token::fresh(), Location::caller());
    let ast = seconds(Expr::root(Root::Input(token))).ast();
    waiting(State::new(
        name,
        Kind::Wait(Until::Seconds(Template { ast, at })),
        token,
        at,
    ))
}

/// A Wait state: goes on with its input at a time, an ISO 8601 timestamp such as `2024-08-18T17:33:00Z`.
#[track_caller]
pub fn wait_until<T: Shape>(name: impl Into<String>, time: impl FnOnce(Expr<T>) -> Expr<String>) -> Passing<T, T> {
    let (token, at) = (Token::fresh(), Location::caller());
    let ast = time(Expr::root(Root::Input(token))).ast();
    waiting(State::new(
        name,
        Kind::Wait(Until::Timestamp(Template { ast, at })),
        token,
        at,
    ))
}

const fn waiting<T: Shape>(state: State) -> Passing<T, T> {
    Passing {
        state,
        kind: PhantomData,
    }
}

impl<In: Shape, Out: Shape> Passing<In, Out> {
    /// What a reader of the definition should know of the state.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.state.comment = Some(comment.into());
        self
    }

    /// Keeps what the closure makes of the state's input in a variable.
    #[track_caller]
    pub fn assign<V: Shape, E: IntoExpr<V>>(mut self, variable: &Var<V>, value: impl FnOnce(Expr<In>) -> E) -> Self {
        let value: Expr<V> = value(Expr::root(Root::Input(self.state.token))).into_expr();
        let value = Template {
            ast: value.ast(),
            at: Location::caller(),
        };
        self.state.assigns.push(Assignment {
            variable: variable.variable(),
            value,
        });
        self
    }

    pub(crate) const fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    pub(crate) fn with_output<Next: Shape>(mut self, output: &Expr<Next>) -> Passing<In, Next> {
        self.state.output = Some(Template {
            ast: output.ast(),
            at: self.state.at,
        });
        Passing {
            state: self.state,
            kind: PhantomData,
        }
    }
}

impl<In: Shape, Out: Shape> IntoFlow for Passing<In, Out> {
    type In = In;
    type Out = Out;

    fn into_flow(self) -> Flow<In, Out> {
        Flow::state(self.state)
    }
}

composes!([In: Shape, Out: Shape] Passing<In, Out>);

/// A Succeed state: ends the execution with its input as output.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html>.
#[track_caller]
pub fn succeed<In: Shape, Any: Shape>(name: impl Into<String>) -> Flow<In, Any> {
    Flow::state(State::new(name, Kind::Succeed, Token::fresh(), Location::caller()))
}

/// A Fail state: ends the execution, or fails the branch that it stands in, with an error of this name.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html>.
#[track_caller]
pub fn fail<In: Shape, Any: Shape>(name: impl Into<String>, error: ErrorName) -> Failing<In, Any> {
    let at = Location::caller();
    let error = Template {
        ast: Expr::<String>::from(error.0).ast(),
        at,
    };
    let state = State::new(name, Kind::Fail { error, cause: None }, Token::fresh(), at);
    Failing {
        state,
        kind: PhantomData,
    }
}

/// A Fail state that fails with the error that was caught.
#[track_caller]
pub fn rethrow<Any: Shape>(name: impl Into<String>) -> Flow<Caught, Any> {
    let (token, at) = (Token::fresh(), Location::caller());
    let caught = Expr::<Caught>::root(Root::Input(token));
    let error = Template {
        ast: caught.error.ast(),
        at,
    };
    let cause = Template {
        ast: caught.cause.unwrap_or("").ast(),
        at,
    };
    Flow::state(State::new(
        name,
        Kind::Fail {
            error,
            cause: Some(cause),
        },
        token,
        at,
    ))
}

/// A [`fail`] state.
#[must_use]
pub struct Failing<In: Shape, Any: Shape> {
    state: State,
    kind: PhantomData<fn(In) -> Any>,
}

impl<In: Shape, Any: Shape> Failing<In, Any> {
    /// Why, in words for people: text, or text made of the state's input.
    #[track_caller]
    pub fn because<E: IntoExpr<String>>(mut self, reason: impl FnOnce(Expr<In>) -> E) -> Self {
        let reason: Expr<String> = reason(Expr::root(Root::Input(self.state.token))).into_expr();
        if let Kind::Fail { cause, .. } = &mut self.state.kind {
            *cause = Some(Template {
                ast: reason.ast(),
                at: Location::caller(),
            });
        }
        self
    }

    /// The flow of this state alone.
    pub fn into_flow(self) -> Flow<In, Any> {
        Flow::state(self.state)
    }
}

impl<In: Shape, Any: Shape> IntoFlow for Failing<In, Any> {
    type In = In;
    type Out = Any;

    fn into_flow(self) -> Flow<In, Any> {
        Flow::state(self.state)
    }
}

/// No state at all: goes on with the input as it is. Something must follow it.
pub fn proceed<T: Shape>() -> Flow<T, T> {
    Flow::of(super::state::Chain::default())
}
