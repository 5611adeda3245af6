//! The role that CloudFormation applies an environment's application with.
//!
//! It can make and remove what carries the environment's name, and roles only with the environment's permissions boundary. What that
//! takes is computed from the types of resources that an application may have.

use synth::actions::{Apigateway, Cloudformation, CognitoIdp, Iam, Lambda};
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{self, Grant, Operator, RoleResource};
use synth::{Handle, Resource, Stack, Value, apigateway, cognito, dynamodb, lambda, logs, sub};

use super::boundary;
use crate::artifacts;
use crate::names::{self, EnvironmentNames};

const NAMED: &str = "the environment's own resources, which its template names with the environment's prefix";
const UNNAMED: &str = "the service makes up the ids of these resources; the environment's own are told by their tag";
const PASSED_TO: &str = "iam:PassedToService";

/// Adds the role.
pub(super) fn add(
    stack: &mut Stack,
    names: &EnvironmentNames<'_>,
    limit: Handle<iam::ManagedPolicy>,
    artifacts: &artifacts::Exports,
) -> Handle<RoleResource> {
    let own = format!("{}*", names.prefix());
    let functions = || Grant::named::<lambda::Function>([&own], NAMED);
    let roles = || Grant::named::<RoleResource>([&own], NAMED);
    let logs = Grant::named::<logs::LogGroup>([format!("/aws/lambda/{own}")], NAMED);
    let packages = Grant::reaching(
        sub![artifacts.bucket_arn.clone(), "/", names.packages(), "*"],
        "the environment's packaged code, whose keys are made of its content",
    );
    let bounded = [
        Iam::AttachRolePolicy,
        Iam::CreateRole,
        Iam::PutRolePermissionsBoundary,
        Iam::PutRolePolicy,
        Iam::UpdateAssumeRolePolicy,
    ];
    let limit = limit.reference::<String>();
    let mut role = ServiceRole::new()
        .name(names.own("cloudformation"))
        .applies(
            Applied::of::<RoleResource>(roles())
                .setting("PermissionsBoundary")
                .only(bounded, Operator::StringEquals, "iam:PermissionsBoundary", limit),
        )
        .applies(
            Applied::of::<lambda::Function>(functions())
                .using("Code", packages)
                .using("Role", roles())
                .only(
                    [Iam::PassRole],
                    Operator::StringEquals,
                    PASSED_TO,
                    "lambda.amazonaws.com",
                ),
        )
        .applies(Applied::of::<lambda::Permission>(functions()))
        .allow(Grant::on_matching(
            [Lambda::InvokeFunction],
            boundary::own(names, "lambda", "function:"),
            "the functions behind the application's custom resources are its own",
        ))
        .applies(Applied::of::<dynamodb::Table>(Grant::named::<dynamodb::Table>(
            [&own],
            NAMED,
        )))
        .applies(Applied::of::<logs::LogGroup>(logs));
    for applied in rest_api(names, &roles()).into_iter().chain(user_pool(names)) {
        role = role.applies(applied);
    }
    stack.add("CloudFormationRole", role)
}

/// REST APIs and their parts, whose ids API Gateway makes up.
fn rest_api(names: &EnvironmentNames<'_>, roles: &Grant) -> Vec<Applied> {
    fn part<R: Resource>(names: &EnvironmentNames<'_>) -> Applied {
        Applied::of::<R>(names.only_tagged(Grant::named::<R>(["*"], UNNAMED)))
    }
    let tags = || {
        names.only_tagging(Grant::reaching(
            names::api_gateway_arn("/tags/*"),
            "tagging names the REST API within the path, whose id API Gateway makes up",
        ))
    };
    let collection = names.only_tagging(Grant::reaching(
        names::api_gateway_arn("/restapis"),
        "a REST API that is not there yet is a request to all of them",
    ));
    let passing = |applied: Applied, property: &'static str| {
        applied.using(property, roles.clone()).only(
            [Iam::PassRole],
            Operator::StringEquals,
            PASSED_TO,
            "apigateway.amazonaws.com",
        )
    };
    vec![
        part::<apigateway::RestApi>(names)
            .creating([Apigateway::POST], collection)
            .creating([Apigateway::PUT], tags()),
        passing(part::<apigateway::Authorizer>(names), "AuthorizerCredentials"),
        part::<apigateway::Deployment>(names),
        part::<apigateway::GatewayResponse>(names),
        passing(part::<apigateway::Method>(names), "Integration.Credentials"),
        part::<apigateway::Model>(names),
        part::<apigateway::RequestValidator>(names),
        part::<apigateway::Resource>(names),
        part::<apigateway::Stage>(names).creating([Apigateway::PUT], tags()),
    ]
}

/// User pools and their clients, whose ids Cognito makes up.
fn user_pool(names: &EnvironmentNames<'_>) -> Vec<Applied> {
    let pools = || names.only_tagged(Grant::named::<cognito::UserPool>(["*"], UNNAMED));
    let new = names.only_tagging(Grant::reaching("*", "a user pool that is not there yet has no name"));
    vec![
        Applied::of::<cognito::UserPool>(pools()).creating([CognitoIdp::CreateUserPool], new),
        Applied::of::<cognito::UserPoolClient>(pools()),
    ]
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
