//! The role that CloudFormation applies an environment's application with.
//!
//! It can make and remove what carries the environment's name, and roles only with the environment's permissions boundary.

use synth::actions::{Apigateway, Cloudformation, CognitoIdp, Dynamodb, Iam, Lambda, Logs};
use synth::iam::{self, Grant, Operator, Role, RoleResource};
use synth::prelude::*;
use synth::{AnyArn, Handle, Stack, Value};

use super::boundary;
use crate::artifacts;
use crate::names::{self, EnvironmentNames};

const NAMED: &str = "the environment's own resources, which its template names with the environment's prefix";
const UNNAMED: &str = "the service makes up the ids of these resources; the environment's own are told by their tag";

/// Adds the role.
pub(super) fn add(
    stack: &mut Stack,
    names: &EnvironmentNames<'_>,
    limit: Handle<iam::ManagedPolicy>,
    artifacts: &artifacts::Exports,
) -> Handle<RoleResource> {
    let own = |service: &str, rest: &str| boundary::own(names, service, rest);
    let roles = names::iam_arn(format!("role/{}*", names.prefix()));
    let bounded = |grant: Grant| {
        grant.when(
            Operator::StringEquals,
            "iam:PermissionsBoundary",
            limit.reference::<String>(),
        )
    };
    let role = Role::assumed_by("cloudformation.amazonaws.com")
        .name(names.own("cloudformation"))
        .allow((&artifacts.bucket_arn).get_objects(&format!("{}*", names.packages())))
        .allow(bounded(Grant::on_matching(
            [Iam::CreateRole, Iam::PutRolePermissionsBoundary, Iam::PutRolePolicy],
            roles.clone(),
            NAMED,
        )))
        .allow(Grant::on_matching(
            [
                Iam::DeleteRole,
                Iam::DeleteRolePolicy,
                Iam::GetRole,
                Iam::GetRolePolicy,
                Iam::ListRoleTags,
                Iam::TagRole,
                Iam::UntagRole,
                Iam::UpdateRole,
            ],
            roles.clone(),
            NAMED,
        ))
        .allow(Grant::on_matching([Iam::PassRole], roles, NAMED).when_any(
            Operator::StringEquals,
            "iam:PassedToService",
            ["lambda.amazonaws.com", "apigateway.amazonaws.com"],
        ))
        .allow(Grant::on_matching(
            [
                Lambda::AddPermission,
                Lambda::CreateFunction,
                Lambda::DeleteFunction,
                Lambda::GetFunction,
                Lambda::GetFunctionCodeSigningConfig,
                Lambda::GetFunctionConfiguration,
                Lambda::GetPolicy,
                Lambda::InvokeFunction,
                Lambda::ListTags,
                Lambda::RemovePermission,
                Lambda::TagResource,
                Lambda::UntagResource,
                Lambda::UpdateFunctionCode,
                Lambda::UpdateFunctionConfiguration,
            ],
            own("lambda", "function:"),
            NAMED,
        ))
        .allow(Grant::on_matching(
            [
                Dynamodb::CreateTable,
                Dynamodb::DeleteTable,
                Dynamodb::DescribeContinuousBackups,
                Dynamodb::DescribeTable,
                Dynamodb::DescribeTimeToLive,
                Dynamodb::ListTagsOfResource,
                Dynamodb::TagResource,
                Dynamodb::UntagResource,
                Dynamodb::UpdateContinuousBackups,
                Dynamodb::UpdateTable,
            ],
            own("dynamodb", "table/"),
            NAMED,
        ))
        .allow(log_groups(names))
        .allow(Grant::on_any_resource(
            [Logs::DescribeLogGroups],
            "listing log groups names no resource",
        ))
        .allow(names.only_tagged(Grant::on_matching(
            [
                Apigateway::DELETE,
                Apigateway::GET,
                Apigateway::PATCH,
                Apigateway::POST,
                Apigateway::PUT,
            ],
            names::api_gateway_arn("/restapis/*"),
            UNNAMED,
        )))
        .allow(names.only_tagging(Grant::on(
            [Apigateway::POST],
            names::api_gateway_arn("/restapis").trusted::<AnyArn>(),
        )))
        .allow(names.only_tagging(Grant::on_matching(
            [Apigateway::PUT],
            names::api_gateway_arn("/tags/*"),
            "tagging names the REST API within the path, whose id API Gateway makes up",
        )))
        .allow(names.only_tagging(Grant::on_any_resource(
            [CognitoIdp::CreateUserPool],
            "a user pool that is not there yet has no name",
        )))
        .allow(names.only_tagged(user_pools()));
    stack.add("CloudFormationRole", role)
}

/// Making and removing the log groups of the environment's functions.
fn log_groups(names: &EnvironmentNames<'_>) -> Grant {
    let actions = [
        Logs::CreateLogGroup,
        Logs::DeleteLogGroup,
        Logs::DeleteRetentionPolicy,
        Logs::ListTagsForResource,
        Logs::PutRetentionPolicy,
        Logs::TagResource,
        Logs::UntagResource,
    ];
    Grant::on_matching(actions, boundary::own(names, "logs", "log-group:/aws/lambda/"), NAMED)
}

/// Changing and removing user pools, whose ids Cognito makes up.
fn user_pools() -> Grant {
    let actions = [
        CognitoIdp::CreateUserPoolClient,
        CognitoIdp::DeleteUserPool,
        CognitoIdp::DeleteUserPoolClient,
        CognitoIdp::DescribeUserPool,
        CognitoIdp::DescribeUserPoolClient,
        CognitoIdp::GetUserPoolMfaConfig,
        CognitoIdp::ListTagsForResource,
        CognitoIdp::SetUserPoolMfaConfig,
        CognitoIdp::TagResource,
        CognitoIdp::UntagResource,
        CognitoIdp::UpdateUserPool,
        CognitoIdp::UpdateUserPoolClient,
    ];
    Grant::on_matching(actions, names::arn("cognito-idp", "userpool/*"), UNNAMED)
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
