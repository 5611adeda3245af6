//! CloudFormation, as far as MiniStack's lets pass what AWS would refuse, or has not what AWS has.
//!
//! MiniStack runs the stacks: order, events, outputs, change sets, rollback. Before each step of a resource it asks the front
//! ([`Step`], sent by `testing/tools/local_cloudformation.py`), which refuses it as the resource's own handler would, or if the role in
//! whose name the stack is changed may not do what that handler does, makes the
//! resource itself (a pipeline), or changes what the resource is made with (a function's variables). No template is touched: what a
//! stack shows is what was sent.

mod acting;
mod facts;
mod functions;
mod loader;
mod needs;
mod places;
mod requests;
mod resources;
mod template;
mod weather;

pub(super) use acting::{Acted, denied};
pub(super) use functions::Variables;
pub(super) use requests::{ACCOUNT_LIMITS, in_path_form, refusal};
pub use resources::Kind;
pub(super) use resources::{Making, judge};
pub(super) use weather::Weather;
