//! The states that do work and may fail: Task, Parallel and Map share results, assignments, retriers and catchers.

use std::marker::PhantomData;
use std::panic::Location;

use synth_aws::{Arn, Duration, Value, lambda};

use super::errors::{Caught, Errors, RaisedBy};
use super::expr::ast::{Root, Token};
use super::expr::{Expr, Expression, IntoExpr};
use super::flow::{Flow, IntoFlow, composes};
use super::retry::{Retrier, Retry};
use super::shape::Shape;
use super::state::{Assignment, At, Catcher, Chain, Invocation, Kind, State, Template};
use super::variable::Var;
use crate::handler::Handler;

/// A function that a task invokes: what a stack gives for a Lambda function whose handler is known.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function that a task can invoke",
    note = "a task takes the handle of a function that was added to a stack"
)]
pub trait Invocable {
    /// The handler that the function runs.
    type Handler: Handler;

    /// The function's ARN.
    fn arn(&self) -> Value<Arn<lambda::Function>>;
}

/// The work of a [`task`]: invoking the handler `H` for an input of `In`.
pub struct Invoke<H, In>(PhantomData<fn(H, In)>);

/// The work of a [`parallel`](super::parallel) or [`map`](super::map) state: flows within flows.
pub struct Nested<In>(PhantomData<fn(In)>);

/// The mark of a [`Work`] whose output may still be changed.
pub struct Open(());

/// The mark of a [`Work`] that has a catcher, whose flow goes on with the same output.
pub struct Guarded(());

/// A state that does work, gives a `Result`, and is left with an `Out`.
///
/// `Status` is [`Open`] until the first catcher, whose flow must go on with the output as it is then.
#[must_use]
pub struct Work<Kind, Result: Shape, Out: Shape = Result, Status = Open> {
    state: State,
    result: Root,
    kind: PhantomData<Kinds<Kind, Result, Out, Status>>,
}

/// What a [`Work`] is of, all of which is a matter of types alone.
type Kinds<Kind, Result, Out, Status> = fn(Kind) -> (Result, Out, Status);

/// A task that invokes the handler `H` for an input of `In`.
pub type Task<H, In = <H as Handler>::Input, Out = <H as Handler>::Output, Status = Open> =
    Work<Invoke<H, In>, <H as Handler>::Output, Out, Status>;

/// A task that invokes a Lambda function and gives what its handler returns.
///
/// It is named after the handler (`fetch_source` is `Fetch source`) unless [`named`](Work::named) says otherwise, and takes the
/// handler's input unless [`arguments`](Work::arguments) makes that of something else.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>.
#[track_caller]
pub fn task<F: Invocable>(function: F) -> Task<F::Handler> {
    let (token, at) = (Token::fresh(), Location::caller());
    let input = Expr::<<F::Handler as Handler>::Input>::root(Root::Input(token));
    let kind = Kind::Task(Invocation {
        function: function.arn(),
        errors: F::Handler::ERRORS,
        payload: Template { ast: input.ast(), at },
        timeout: None,
    });
    let mut state = State::new(sentence(F::Handler::NAME), kind, token, at);
    let output = Expr::<<F::Handler as Handler>::Output>::root(Root::Payload(token));
    state.output = Some(Template { ast: output.ast(), at });
    Work {
        state,
        result: Root::Payload(token),
        kind: PhantomData,
    }
}

/// `fetch_source` as `Fetch source`.
fn sentence(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

impl<K, R: Shape, Out: Shape, S> Work<K, R, Out, S> {
    pub(crate) fn nested(name: String, at: At, token: Token, kind: Kind) -> Self {
        let state = State::new(name, kind, token, at);
        Self {
            state,
            result: Root::Result(token),
            kind: PhantomData,
        }
    }

    pub(crate) fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn becomes<K2, Out2: Shape, S2>(self) -> Work<K2, R, Out2, S2> {
        Work {
            state: self.state,
            result: self.result,
            kind: PhantomData,
        }
    }

    fn set_output<Next: Shape>(mut self, output: &Expr<Next>, at: At) -> Work<K, R, Next, S> {
        self.state.output = Some(Template { ast: output.ast(), at });
        self.becomes()
    }

    fn add_retry(mut self, errors: &impl Errors, retry: Retry, at: At) -> Self {
        self.state.retries.push(Retrier {
            errors: errors.names(),
            retry,
            at,
        });
        self
    }

    fn add_catch<X: Shape>(
        mut self,
        errors: &impl Errors,
        caught: Catching<X>,
        chain: Chain,
        at: At,
    ) -> Work<K, R, Out, Guarded> {
        let Catching { assigns, output, .. } = caught;
        self.state.catchers.push(Catcher {
            errors: errors.names(),
            assigns,
            output,
            chain,
            at,
        });
        self.becomes()
    }

    /// The state's name: up to 80 characters, unique in the state machine.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.state.name = name.into();
        self
    }

    /// What a reader of the definition should know of the state.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.state.comment = Some(comment.into());
        self
    }

    /// Keeps what the closure makes of the result in a variable.
    #[track_caller]
    pub fn assign<V: Shape, E: IntoExpr<V>>(mut self, variable: &Var<V>, value: impl FnOnce(Expr<R>) -> E) -> Self {
        let value: Expr<V> = value(Expr::root(self.result)).into_expr();
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
}

impl<K, R: Shape, Out: Shape> Work<K, R, Out, Open> {
    /// Leaves the state with what the closure makes of the result. It sees variables as they were before the state.
    #[track_caller]
    pub fn output<E: Expression>(self, output: impl FnOnce(Expr<R>) -> E) -> Work<K, R, E::Of, Open> {
        let output = output(Expr::root(self.result)).expression();
        self.set_output(&output, Location::caller())
    }
}

impl<H: Handler, In: Shape, Out: Shape, S> Task<H, In, Out, S> {
    /// Invokes the handler with what the closure makes of the state's input.
    #[track_caller]
    pub fn arguments<X: Shape, E: IntoExpr<H::Input>>(
        mut self,
        arguments: impl FnOnce(Expr<X>) -> E,
    ) -> Task<H, X, Out, S> {
        let payload: Expr<H::Input> = arguments(Expr::root(Root::Input(self.state.token))).into_expr();
        if let Kind::Task(invocation) = &mut self.state.kind {
            invocation.payload = Template {
                ast: payload.ast(),
                at: Location::caller(),
            };
        }
        self.becomes()
    }

    /// The longest that the invocation may take (`TimeoutSeconds`), 1 to 99,999,999 seconds; then it fails with
    /// [`States::Timeout`](super::States::Timeout). Left out, the function's own time-out ends it.
    #[track_caller]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Kind::Task(invocation) = &mut self.state.kind {
            invocation.timeout = Some((timeout, Location::caller()));
        }
        self
    }

    /// Tries again on errors that the handler may fail with, or predefined ones.
    #[track_caller]
    pub fn retry<E: RaisedBy<H>>(self, errors: E, retry: Retry) -> Self {
        self.add_retry(&errors, retry, Location::caller())
    }

    /// Goes to `flow` on errors that the handler may fail with, or predefined ones. The flow goes on as this state does, unless it ends.
    #[track_caller]
    pub fn catch<E: RaisedBy<H>, F: IntoFlow<In = Caught, Out = Out>>(
        self,
        errors: E,
        flow: F,
    ) -> Task<H, In, Out, Guarded> {
        self.add_catch(&errors, Catching::start(), flow.into_flow().chain, Location::caller())
    }

    /// As [`catch`](Self::catch), with assignments or an output made of what was caught.
    #[track_caller]
    pub fn catch_with<E: RaisedBy<H>, X: Shape, F: IntoFlow<In = X, Out = Out>>(
        self,
        errors: E,
        catching: impl FnOnce(Catching<Caught>) -> Catching<X>,
        flow: F,
    ) -> Task<H, In, Out, Guarded> {
        let caught = catching(Catching::of(self.state.token));
        self.add_catch(&errors, caught, flow.into_flow().chain, Location::caller())
    }
}

impl<In: Shape, R: Shape, Out: Shape, S> Work<Nested<In>, R, Out, S> {
    /// Runs all of it again on errors that come out of it.
    #[track_caller]
    pub fn retry(self, errors: impl Errors, retry: Retry) -> Self {
        self.add_retry(&errors, retry, Location::caller())
    }

    /// Goes to `flow` on errors that come out of it: predefined ones, or those of a handler within.
    #[track_caller]
    pub fn catch<F: IntoFlow<In = Caught, Out = Out>>(
        self,
        errors: impl Errors,
        flow: F,
    ) -> Work<Nested<In>, R, Out, Guarded> {
        self.add_catch(&errors, Catching::start(), flow.into_flow().chain, Location::caller())
    }

    /// As [`catch`](Self::catch), with assignments or an output made of what was caught.
    #[track_caller]
    pub fn catch_with<X: Shape, F: IntoFlow<In = X, Out = Out>>(
        self,
        errors: impl Errors,
        catching: impl FnOnce(Catching<Caught>) -> Catching<X>,
        flow: F,
    ) -> Work<Nested<In>, R, Out, Guarded> {
        let caught = catching(Catching::of(self.state.token));
        self.add_catch(&errors, caught, flow.into_flow().chain, Location::caller())
    }
}

/// What a catcher does before its flow: its assignments and its output.
#[must_use]
pub struct Catching<Out: Shape> {
    token: Token,
    assigns: Vec<Assignment>,
    output: Option<Template>,
    kind: PhantomData<fn() -> Out>,
}

impl Catching<Caught> {
    fn start() -> Self {
        Self::of(Token::fresh())
    }

    const fn of(token: Token) -> Self {
        Self {
            token,
            assigns: Vec::new(),
            output: None,
            kind: PhantomData,
        }
    }
}

impl<Out: Shape> Catching<Out> {
    /// Keeps what the closure makes of the error in a variable.
    #[track_caller]
    pub fn assign<V: Shape, E: IntoExpr<V>>(
        mut self,
        variable: &Var<V>,
        value: impl FnOnce(Expr<Caught>) -> E,
    ) -> Self {
        let value: Expr<V> = value(Expr::root(Root::ErrorOutput(self.token))).into_expr();
        let value = Template {
            ast: value.ast(),
            at: Location::caller(),
        };
        self.assigns.push(Assignment {
            variable: variable.variable(),
            value,
        });
        self
    }

    /// Enters the flow with what the closure makes of the error.
    #[track_caller]
    pub fn output<E: Expression>(self, output: impl FnOnce(Expr<Caught>) -> E) -> Catching<E::Of> {
        let output = output(Expr::root(Root::ErrorOutput(self.token))).expression();
        let output = Some(Template {
            ast: output.ast(),
            at: Location::caller(),
        });
        Catching {
            token: self.token,
            assigns: self.assigns,
            output,
            kind: PhantomData,
        }
    }
}

impl<H: Handler, In: Shape, R: Shape, Out: Shape, S> IntoFlow for Work<Invoke<H, In>, R, Out, S> {
    type In = In;
    type Out = Out;

    fn into_flow(self) -> Flow<In, Out> {
        Flow::state(self.state)
    }
}

impl<In: Shape, R: Shape, Out: Shape, S> IntoFlow for Work<Nested<In>, R, Out, S> {
    type In = In;
    type Out = Out;

    fn into_flow(self) -> Flow<In, Out> {
        Flow::state(self.state)
    }
}

composes!([K, R: Shape, Out: Shape, S] Work<K, R, Out, S>);
