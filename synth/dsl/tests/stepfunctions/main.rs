//! What state machines are emitted as, and which faults synthesis finds in them.

mod expressions;
mod faults;
mod sharing;
mod states;
mod support;
mod waiting;
