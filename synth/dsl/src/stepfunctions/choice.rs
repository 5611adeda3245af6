//! [`choice`]: which way to go on.

use std::marker::PhantomData;
use std::panic::Location;

use super::expr::Expr;
use super::expr::ast::{Ast, Root, Token, Type};
use super::flow::{Flow, IntoFlow};
use super::shape::Shape;
use super::state::{At, Kind, Otherwise, Rule, State, Template};

/// A Choice state: goes the way of the first rule that holds, with its input unchanged.
///
/// It is finished by [`otherwise`](Choice::otherwise); all ways lead to one output.
///
/// ```
/// # use synth::Shape;
/// # use synth::stepfunctions::{Expr, Flow, choice, fail, proceed};
/// # use synth::ErrorName;
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// struct Build { passed: bool, minutes: u64 }
///
/// let good_enough: Flow<Build, Build> = choice("Good enough?")
///     .when(|build: Expr<Build>| build.passed.and(build.minutes.less_than(10)), proceed())
///     .otherwise(fail("Not good enough", ErrorName("NotGoodEnough")));
/// ```
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html>.
#[track_caller]
pub fn choice<In: Shape, Out: Shape>(name: impl Into<String>) -> Choice<In, Out> {
    Choice {
        name: name.into(),
        comment: None,
        token: Token::fresh(),
        rules: Vec::new(),
        at: Location::caller(),
        kind: PhantomData,
    }
}

/// A Choice state that compares one expression, of the type `V`, with values.
///
/// It is finished by [`otherwise`](Cases::otherwise), or by [`exhaustive`](Cases::exhaustive) where there is a case for every
/// value of an enum.
#[track_caller]
pub fn choice_on<In: Shape, V: Shape, Out: Shape>(
    name: impl Into<String>,
    subject: impl FnOnce(Expr<In>) -> Expr<V>,
) -> Cases<In, V, Out> {
    let choice = choice(name);
    let subject = subject(Expr::root(Root::Input(choice.token)));
    Cases {
        choice,
        subject,
        covered: Vec::new(),
    }
}

/// A [`choice`] that lacks its end.
#[must_use = "a choice is no flow until `.otherwise(…)` says what happens if no rule holds"]
pub struct Choice<In: Shape, Out: Shape> {
    name: String,
    comment: Option<String>,
    token: Token,
    rules: Vec<Rule>,
    at: At,
    kind: PhantomData<fn(In) -> Out>,
}

impl<In: Shape, Out: Shape> Choice<In, Out> {
    /// What a reader of the definition should know of the state.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// The way to go if the condition holds and none before it did.
    #[track_caller]
    pub fn when<F: IntoFlow<In = In, Out = Out>>(
        mut self,
        condition: impl FnOnce(Expr<In>) -> Expr<bool>,
        flow: F,
    ) -> Self {
        let condition = condition(Expr::root(Root::Input(self.token)));
        self.push(condition.ast(), flow, Location::caller());
        self
    }

    /// The way to go if no condition holds.
    pub fn otherwise<F: IntoFlow<In = In, Out = Out>>(self, flow: F) -> Flow<In, Out> {
        self.finish(Otherwise::To(flow.into_flow().chain))
    }

    fn push<F: IntoFlow<In = In, Out = Out>>(&mut self, ast: std::sync::Arc<Ast>, flow: F, at: At) {
        self.rules.push(Rule {
            condition: Template { ast, at },
            chain: flow.into_flow().chain,
        });
    }

    fn finish(self, otherwise: Otherwise) -> Flow<In, Out> {
        let kind = Kind::Choice {
            rules: self.rules,
            otherwise,
        };
        let mut state = State::new(self.name, kind, self.token, self.at);
        state.comment = self.comment;
        Flow::state(state)
    }
}

/// A [`choice_on`] that lacks its end.
#[must_use = "a choice is no flow until `.otherwise(…)` or `.exhaustive()` ends it"]
pub struct Cases<In: Shape, V: Shape, Out: Shape> {
    choice: Choice<In, Out>,
    subject: Expr<V>,
    covered: Vec<serde_json::Value>,
}

impl<In: Shape, V: Shape, Out: Shape> Cases<In, V, Out> {
    /// What a reader of the definition should know of the state.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.choice = self.choice.comment(comment);
        self
    }

    /// The way to go for a value.
    #[track_caller]
    pub fn case<F: IntoFlow<In = In, Out = Out>>(mut self, value: V, flow: F) -> Self {
        let value = Expr::literal(value);
        if let Ast::Literal(json) = &*value.ast() {
            self.covered.push(json.clone());
        }
        self.choice
            .push(self.subject.equals(value).ast(), flow, Location::caller());
        self
    }

    /// The way to go for all other values.
    pub fn otherwise<F: IntoFlow<In = In, Out = Out>>(self, flow: F) -> Flow<In, Out> {
        self.choice.otherwise(flow)
    }

    /// There are no other values; synthesis checks that every value of the enum has its case.
    #[track_caller]
    pub fn exhaustive(self) -> Flow<In, Out> {
        let otherwise = Otherwise::Exhausted {
            covered: self.covered,
            of: Type::of::<V>(),
            at: Location::caller(),
        };
        self.choice.finish(otherwise)
    }
}
