//! Flows within flows: [`parallel`] branches and the iterations of a [`map`].
//!
//! A variable that is assigned within is seen within alone; what comes out is the output.

use std::panic::Location;

use super::expr::Expr;
use super::expr::ast::{Root, Token};
use super::flow::IntoFlow;
use super::shape::Shape;
use super::state::{Chain, Kind, Template};
use super::work::{Nested, Work};

/// A Parallel state: runs two to six flows side by side, each with the state's input, and gives the tuple of their outputs.
///
/// It fails as soon as one of them does.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html>.
#[track_caller]
pub fn parallel<B: Branches>(name: impl Into<String>, branches: B) -> Work<Nested<B::In>, B::Out> {
    let kind = Kind::Parallel {
        branches: branches.chains().0,
    };
    Work::nested(name.into(), Location::caller(), Token::fresh(), kind)
}

/// A tuple of flows that take the same input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no branches of a Parallel state",
    note = "branches are a tuple of two to six flows of the same input"
)]
pub trait Branches {
    /// What each branch is entered with.
    type In: Shape;
    /// The tuple of what they are left with.
    type Out: Shape;

    #[doc(hidden)]
    fn chains(self) -> Chains;
}

/// The flows of a Parallel state without their types.
#[doc(hidden)]
pub struct Chains(Vec<Chain>);

macro_rules! branches {
    ($([$first:ident $first_index:tt $(, $branch:ident $index:tt)*]),* $(,)?) => {$(
        impl<$first: IntoFlow $(, $branch: IntoFlow<In = $first::In>)*> Branches for ($first, $($branch),*) {
            type In = $first::In;
            type Out = ($first::Out, $($branch::Out),*);

            fn chains(self) -> Chains {
                Chains(vec![self.$first_index.into_flow().chain $(, self.$index.into_flow().chain)*])
            }
        }
    )*};
}

branches!(
    [A 0, B 1],
    [A 0, B 1, C 2],
    [A 0, B 1, C 2, D 3],
    [A 0, B 1, C 2, D 3, E 4],
    [A 0, B 1, C 2, D 3, E 4, F 5],
);

/// A Map state in inline mode: runs a flow for each item of a list, up to 40 at a time, and gives the list of outputs.
///
/// It fails as soon as one iteration does. Inline mode tolerates no failure: where one item's failure is to leave the others
/// alone, the flow catches it. The iterations' events count to the execution's 25,000.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html>.
#[track_caller]
pub fn map<In: Shape, F: IntoFlow>(
    name: impl Into<String>,
    items: impl FnOnce(Expr<In>) -> Expr<Vec<F::In>>,
    each: F,
) -> Work<Nested<In>, Vec<F::Out>> {
    let (token, at) = (Token::fresh(), Location::caller());
    let items = Template {
        ast: items(Expr::root(Root::Input(token))).ast(),
        at,
    };
    let kind = Kind::Map {
        items,
        concurrency: None,
        each: each.into_flow().chain,
    };
    Work::nested(name.into(), at, token, kind)
}

impl<In: Shape, R: Shape, Out: Shape, S> Work<Nested<In>, Vec<R>, Out, S> {
    /// How many iterations of a Map state run at once (`MaxConcurrency`), 1 to 40; as many as it can if left out.
    #[track_caller]
    pub fn concurrency(mut self, limit: u32) -> Self {
        let at = Location::caller();
        if let Kind::Map { concurrency, .. } = &mut self.state_mut().kind {
            *concurrency = Some((limit, at));
        }
        self
    }
}
