//! The role that CloudFormation applies an environment's application with.
//!
//! It can make and remove what carries the environment's name, of the services that the project lists, and roles only with the
//! environment's permissions boundary. What that takes is computed from the types of resources that each service has.

use synth::actions::{Cloudformation, Iam};
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{self, Grant, Operator, RoleResource};
use synth::{Handle, Stack, Value};

use super::services;
use crate::artifacts;
use crate::names::EnvironmentNames;
use crate::project::Service;

/// Adds the role.
pub(super) fn add(
    stack: &mut Stack,
    names: &EnvironmentNames<'_>,
    allowed: &[Service],
    limit: Handle<iam::ManagedPolicy>,
    artifacts: &artifacts::Exports,
) -> Handle<RoleResource> {
    let bounded = [
        Iam::AttachRolePolicy,
        Iam::CreateRole,
        Iam::PutRolePermissionsBoundary,
        Iam::PutRolePolicy,
        Iam::UpdateAssumeRolePolicy,
    ];
    let limit = limit.reference::<String>();
    let role = ServiceRole::new().name(names.own("cloudformation")).applies(
        Applied::of::<RoleResource>(services::roles(names))
            .setting("PermissionsBoundary")
            .only(bounded, Operator::StringEquals, "iam:PermissionsBoundary", limit),
    );
    let role = allowed.iter().fold(role, |role, service| {
        services::applied(role, *service, names, artifacts)
    });
    stack.add("CloudFormationRole", role)
}

/// Making and executing change sets of one stack.
#[track_caller]
pub(super) fn change_stack(stack: Value<String>) -> Grant {
    let actions = [
        Cloudformation::CreateChangeSet,
        Cloudformation::DeleteChangeSet,
        Cloudformation::DescribeChangeSet,
        Cloudformation::DescribeStacks,
        Cloudformation::ExecuteChangeSet,
    ];
    Grant::on_matching(
        actions,
        stack,
        "the id that CloudFormation gives the one stack of this name when it is created",
    )
}

/// Handing the role to CloudFormation, and to no other service.
#[track_caller]
pub(super) fn pass(role: Handle<RoleResource>) -> Grant {
    Grant::on([Iam::PassRole], role.arn()).when(
        Operator::StringEquals,
        "iam:PassedToService",
        "cloudformation.amazonaws.com",
    )
}
