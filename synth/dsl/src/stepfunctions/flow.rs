//! [`Flow`]: states that take an `In` and give an `Out`.
//!
//! Flows compose only where types meet. They hold no Next and no names of others' states: lowering decides those when a
//! definition is made of the whole.

use std::marker::PhantomData;
use std::panic::Location;

use super::errors::{Caught, Predefined, States};
use super::retry::{Retrier, Retry};
use super::shape::{Never, Shape};
use super::state::{At, Catcher, Chain, Kind, Link, State};
use crate::handler::ErrorName;

/// A part of a state machine that is entered with an `In` and left with an `Out`.
///
/// A flow that always fails or ends has any output, so it may stand in a choice or a catcher of whatever type. A flow may be
/// cloned and used in several places: equal states of one name are one state.
#[must_use]
pub struct Flow<In: Shape, Out: Shape> {
    pub(crate) chain: Chain,
    kind: PhantomData<fn(In) -> Out>,
}

/// What may be put into a flow: a [`Flow`] or the builder of a state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no part of a state machine",
    note = "a part is a flow, a task, a wait, a finished choice and so on; `.otherwise(…)` or `.exhaustive()` finishes a choice"
)]
pub trait IntoFlow {
    /// What it is entered with.
    type In: Shape;
    /// What it is left with.
    type Out: Shape;

    /// The flow.
    fn into_flow(self) -> Flow<Self::In, Self::Out>;
}

impl<In: Shape, Out: Shape> Flow<In, Out> {
    pub(crate) const fn of(chain: Chain) -> Self {
        Self {
            chain,
            kind: PhantomData,
        }
    }

    pub(crate) fn state(state: State) -> Self {
        Self::of(Chain::of(state))
    }

    /// Goes on with `next`, which takes what this flow gives.
    pub fn then<N: IntoFlow<In = Out>>(self, next: N) -> Flow<In, N::Out> {
        Flow::of(self.chain.followed_by(next.into_flow().chain))
    }

    /// Ends the execution successfully after this flow, with its output; so it may stand where any other flow goes on.
    #[track_caller]
    pub fn end<Any: Shape>(mut self) -> Flow<In, Any> {
        self.chain.links.push(Link::End(Location::caller()));
        Flow::of(self.chain)
    }

    /// Retries every task in this flow, those in branches and in what is caught too, on the errors that it does not retry yet.
    #[track_caller]
    pub fn retry_each(self, errors: impl Predefined, retry: Retry) -> Self {
        let (at, errors) = (Location::caller(), errors.names());
        Self::of(self.chain.map_states(true, &|state| {
            if matches!(state.kind, Kind::Task(_)) {
                add_default_retry(state, &errors, retry, at);
            }
        }))
    }

    /// Goes to `flow` from every task, and from each Parallel and Map state as a whole, on the errors that it does not catch yet.
    ///
    /// The states of `flow` itself are left alone, wherever they stand.
    #[track_caller]
    pub fn catch_each<F: IntoFlow<In = Caught, Out = Never>>(self, errors: impl Predefined, flow: F) -> Self {
        let (at, errors, handler) = (Location::caller(), errors.names(), flow.into_flow().chain);
        let own = names_in(&handler);
        Self::of(self.chain.map_states(false, &|state| {
            let fails = matches!(state.kind, Kind::Task(_) | Kind::Parallel { .. } | Kind::Map { .. });
            if fails && !own.contains(&state.name) {
                add_default_catch(state, &errors, &handler, at);
            }
        }))
    }

    /// The names of the flow's states, those within others too, in order and without repetition.
    pub fn states(&self) -> Vec<String> {
        names_in(&self.chain)
    }
}

fn names_in(chain: &Chain) -> Vec<String> {
    fn collect(chain: &Chain, names: &mut Vec<String>) {
        for link in &chain.links {
            if let Link::State(state) = link {
                if !names.contains(&state.name) {
                    names.push(state.name.clone());
                }
                state.chains().for_each(|inner| collect(inner, names));
            }
        }
    }
    let mut names = Vec::new();
    collect(chain, &mut names);
    names
}

/// Those of `errors` that `handled` does not name; none once `States.ALL` is handled.
fn unhandled<'a>(errors: &[ErrorName], handled: impl Iterator<Item = &'a Vec<ErrorName>>) -> Vec<ErrorName> {
    let handled: Vec<_> = handled.flatten().copied().collect();
    errors
        .iter()
        .copied()
        .filter(|error| !handled.contains(error))
        .collect()
}

/// The place for a default: at the end, but before what matches all errors.
fn before_the_wildcard<T>(list: &[T], errors: impl Fn(&T) -> &Vec<ErrorName>) -> usize {
    let all = States::All.name();
    list.iter()
        .position(|entry| errors(entry).contains(&all))
        .unwrap_or(list.len())
}

fn add_default_retry(state: &mut State, errors: &[ErrorName], retry: Retry, at: At) {
    let errors = unhandled(errors, state.retries.iter().map(|retrier| &retrier.errors));
    if !errors.is_empty() {
        let place = before_the_wildcard(&state.retries, |retrier| &retrier.errors);
        state.retries.insert(place, Retrier { errors, retry, at });
    }
}

fn add_default_catch(state: &mut State, errors: &[ErrorName], handler: &Chain, at: At) {
    let errors = unhandled(errors, state.catchers.iter().map(|catcher| &catcher.errors));
    if !errors.is_empty() {
        let place = before_the_wildcard(&state.catchers, |catcher| &catcher.errors);
        let catcher = Catcher {
            errors,
            assigns: Vec::new(),
            output: None,
            chain: handler.clone(),
            at,
        };
        state.catchers.insert(place, catcher);
    }
}

impl<In: Shape, Out: Shape> IntoFlow for Flow<In, Out> {
    type In = In;
    type Out = Out;

    fn into_flow(self) -> Self {
        self
    }
}

impl<In: Shape, Out: Shape> Clone for Flow<In, Out> {
    fn clone(&self) -> Self {
        Self::of(self.chain.clone())
    }
}

impl<In: Shape, Out: Shape> std::fmt::Debug for Flow<In, Out> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Flow").field(&self.states()).finish()
    }
}

/// Gives a state's builder the methods of a flow, so that nobody has to turn one into the other by hand.
macro_rules! composes {
    ([$($generics:tt)*] $builder:ty) => {
        impl<$($generics)*> $builder
        where
            Self: $crate::stepfunctions::IntoFlow,
        {
            /// The flow of this state alone.
            pub fn into_flow(
                self,
            ) -> $crate::stepfunctions::Flow<
                <Self as $crate::stepfunctions::IntoFlow>::In,
                <Self as $crate::stepfunctions::IntoFlow>::Out,
            > {
                $crate::stepfunctions::IntoFlow::into_flow(self)
            }

            /// Goes on with `next`, which takes what this state gives.
            pub fn then<N>(
                self,
                next: N,
            ) -> $crate::stepfunctions::Flow<<Self as $crate::stepfunctions::IntoFlow>::In, N::Out>
            where
                N: $crate::stepfunctions::IntoFlow<In = <Self as $crate::stepfunctions::IntoFlow>::Out>,
            {
                $crate::stepfunctions::IntoFlow::into_flow(self).then(next)
            }

            /// Ends the execution successfully after this state, with its output.
            #[track_caller]
            pub fn end<Any: $crate::stepfunctions::Shape>(
                self,
            ) -> $crate::stepfunctions::Flow<<Self as $crate::stepfunctions::IntoFlow>::In, Any> {
                $crate::stepfunctions::IntoFlow::into_flow(self).end()
            }
        }
    };
}

pub(super) use composes;
