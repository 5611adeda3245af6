//! Roles and what they may do.
//!
//! A [`Grant`] is a value: which actions on which resources. Handles make the usual ones (`bucket.put_objects("source/*")`).
//! A role may do the union of its grants; there is no other way to write a policy of a role here.

mod document;
mod grant;
mod service_role;

pub use document::{Effect, PolicyDocument, Principal, Statement};
pub use grant::{Grant, Operator};
pub use service_role::Role;
pub use synth_aws::iam::*;

/// The generated `AWS::IAM::Role`, which [`Role`] adds.
pub use synth_aws::iam::Role as RoleResource;
