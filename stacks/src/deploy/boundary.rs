//! The permissions boundary: the most that any role of an environment can ever do, whatever its template asks for.

use synth::actions::Xray;
use synth::iam::{self, Grant, PolicyDocument};
use synth::{AnyArn, Handle, Stack, Value};

use super::services;
use crate::names::{self, EnvironmentNames};
use crate::project::Service;

/// Adds the managed policy. Its name carries the environment, and teardown removes it with the stack.
pub(super) fn add(stack: &mut Stack, names: &EnvironmentNames<'_>, allowed: &[Service]) -> Handle<iam::ManagedPolicy> {
    let mut grants: Vec<Grant> = allowed
        .iter()
        .filter_map(|service| services::bounds(*service, names))
        .collect();
    grants.push(Grant::on_any_resource(
        [Xray::PutTelemetryRecords, Xray::PutTraceSegments],
        "X-Ray has no resources to name",
    ));
    let policy = iam::ManagedPolicy::new(PolicyDocument::from(grants))
        .managed_policy_name(names.own("boundary"))
        .description("The most that a role of this environment can do.");
    stack.add("Boundary", policy)
}

/// The ARN of an environment's boundary, for stacks that do not declare it.
pub fn arn_of(names: &EnvironmentNames<'_>) -> Value<AnyArn> {
    names::iam_arn(format!("policy/{}", names.own("boundary"))).trusted()
}
