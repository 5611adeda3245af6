//! State machines as typed data flow, emitted in the States Language with JSONata.

mod assignment;
mod basic;
mod check;
mod choice;
pub mod context;
mod definition;
mod emit;
mod errors;
mod expr;
mod flow;
mod graph;
mod lower;
mod machine;
mod nested;
mod retry;
mod schema;
mod shape;
mod state;
mod variable;
mod work;

pub use basic::{Failing, Passing, fail, pass, proceed, rethrow, succeed, wait, wait_seconds, wait_until};
pub use choice::{Cases, Choice, choice, choice_on};
pub use definition::{Definition, definition};
pub use errors::{Caught, Errors, LambdaService, Predefined, RaisedBy, States, TRANSIENT};
pub use expr::{Expr, Number, Untyped, concatenation};
pub use flow::{Flow, IntoFlow};
pub use graph::{Edge, EdgeKind, Graph, GraphNode};
pub use machine::{StateMachine, StateMachineHandle, arn_of};
pub use nested::{Branches, map, parallel};
pub use retry::{Retry, attempts};
pub use shape::{Never, Shape};
pub use synth_aws::stepfunctions::*;
pub use variable::{Var, var};
pub use work::{Catching, Guarded, Invocable, Invoke, Nested, Open, Work, task};
