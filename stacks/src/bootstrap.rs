//! What must be there before the shared stacks: the role that CloudFormation makes them with.
//!
//! An administrator applies this stack once, in the console or with `aws cloudformation deploy`; whoever deploys afterwards may hand the
//! role to CloudFormation and needs no right to make roles ([`deployer`](crate::deployer)). What the role may do is computed from the
//! types of resources that the shared stacks have.

use synth::actions::{Apigateway, Iam, Lambda, S3};
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{Grant, Operator, RoleResource};
use synth::{
    Handle, Resource, Stack, Value, apigateway, cloudwatch, codebuild, codepipeline, dynamodb, lambda, logs, s3,
    scheduler, secretsmanager, sns, stepfunctions, sub,
};

use crate::artifacts::{CODE, TEMPLATES};
use crate::names::{self, Names};
use crate::pipeline_manager::WEBHOOK_STAGE;
use crate::{PROJECT_TAG, Project, deployer};

const NAMED: &str = "the project's own resources, which the shared stacks name with the project's prefix";
const UNNAMED: &str = "API Gateway makes up the ids of REST APIs; the project's own are told by their tag";

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project) {
    let own = Names::of(project).shared("*");
    let mut role = ServiceRole::new()
        .name(deployer::service_role(project))
        .description("Makes what the shared stacks hold.")
        .allow(Grant::on_matching(
            [S3::GetObject, S3::GetObjectVersion],
            sub![artifacts(project), "/", TEMPLATES, "*"],
            "the templates that are too large to be sent inline",
        ))
        .allow(Grant::on_matching(
            [Lambda::InvokeFunction],
            names::arn("lambda", format!("function:{own}")),
            "the functions behind custom resources are the project's own",
        ))
        .applies(Applied::of::<RoleResource>(named::<RoleResource>(&own)));
    for applied in storage(&own)
        .into_iter()
        .chain(functions(project, &own))
        .chain(pipelines(&own))
        .chain(rest_api(project, &own))
    {
        role = role.applies(applied);
    }
    let role: Handle<RoleResource> = stack.add("CloudFormationRole", role);
    stack.output("ServiceRole", "What `deploy up --service-role` takes.", role.arn());
}

/// The artifacts bucket, which is not there yet.
fn artifacts(project: &Project) -> Value<String> {
    sub![
        "arn:",
        synth::pseudo::partition(),
        ":s3:::",
        Names::of(project).artifacts_bucket()
    ]
}

fn named<R: Resource>(own: &str) -> Grant {
    Grant::named::<R>([own], NAMED)
}

/// A type that passes a role of the project to a service.
fn passing<R: Resource>(reach: Grant, property: &'static str, service: &str, own: &str) -> Applied {
    Applied::of::<R>(reach)
        .using(property, named::<RoleResource>(own))
        .only([Iam::PassRole], Operator::StringEquals, "iam:PassedToService", service)
}

/// Buckets, tables, secrets, topics and alarms.
fn storage(own: &str) -> Vec<Applied> {
    vec![
        Applied::of::<s3::Bucket>(named::<s3::Bucket>(own)),
        Applied::of::<s3::BucketPolicy>(named::<s3::BucketPolicy>(own)),
        Applied::of::<dynamodb::Table>(named::<dynamodb::Table>(own)),
        Applied::of::<secretsmanager::Secret>(named::<secretsmanager::Secret>(own)),
        Applied::of::<sns::Topic>(named::<sns::Topic>(own)),
        Applied::of::<cloudwatch::Alarm>(named::<cloudwatch::Alarm>(own)),
    ]
}

/// Functions with their logs, the state machine and its schedule.
fn functions(project: &Project, own: &str) -> Vec<Applied> {
    let groups =
        ["lambda", "codebuild", "apigateway", "vendedlogs/states"].map(|service| format!("/aws/{service}/{own}"));
    let code = Grant::reaching(
        sub![artifacts(project), "/", CODE, "*"],
        "the pipeline's own code, whose keys are made of its content",
    );
    vec![
        passing::<lambda::Function>(named::<lambda::Function>(own), "Role", "lambda.amazonaws.com", own)
            .using("Code", code),
        Applied::of::<logs::LogGroup>(Grant::named::<logs::LogGroup>(groups, NAMED)),
        Applied::of::<logs::LogGroup>(Grant::named::<logs::LogGroup>(
            [format!("API-Gateway-Execution-Logs_*/{WEBHOOK_STAGE}")],
            "API Gateway names the group of its execution log by the REST API's id, which it makes up",
        )),
        passing::<stepfunctions::StateMachineResource>(
            named::<stepfunctions::StateMachineResource>(own),
            "RoleArn",
            "states.amazonaws.com",
            own,
        ),
        passing::<scheduler::Schedule>(
            named::<scheduler::Schedule>(&format!("default/{own}")),
            "Target",
            "scheduler.amazonaws.com",
            own,
        ),
    ]
}

/// The unit-test pipeline and its build.
fn pipelines(own: &str) -> Vec<Applied> {
    vec![
        passing::<codebuild::Project>(
            named::<codebuild::Project>(own),
            "ServiceRole",
            "codebuild.amazonaws.com",
            own,
        ),
        passing::<codepipeline::Pipeline>(
            named::<codepipeline::Pipeline>(own),
            "RoleArn",
            "codepipeline.amazonaws.com",
            own,
        ),
    ]
}

/// The webhook's REST API with its parts, and where the account's APIs log.
fn rest_api(project: &Project, own: &str) -> Vec<Applied> {
    let tag = |key: &str| format!("aws:{key}/{PROJECT_TAG}");
    let tagged = |grant: Grant| grant.when(Operator::StringEquals, tag("ResourceTag"), project.project.clone());
    let tagging = |grant: Grant| grant.when(Operator::StringEquals, tag("RequestTag"), project.project.clone());
    let apis = || tagged(Grant::named::<apigateway::RestApi>(["*"], UNNAMED));
    let tags = || {
        tagging(Grant::reaching(
            names::api_gateway_arn("/tags/*"),
            "tagging names the REST API within the path, whose id API Gateway makes up",
        ))
    };
    let collection = tagging(Grant::reaching(
        names::api_gateway_arn("/restapis"),
        "a REST API that is not there yet is a request to all of them",
    ));
    let account = Grant::reaching(
        names::api_gateway_arn("/account"),
        "the account's one setting of where its REST APIs log",
    );
    vec![
        Applied::of::<apigateway::RestApi>(apis())
            .creating([Apigateway::POST], collection)
            .creating([Apigateway::PUT], tags()),
        Applied::of::<apigateway::Deployment>(apis()),
        passing::<apigateway::Method>(apis(), "Integration.Credentials", "apigateway.amazonaws.com", own),
        Applied::of::<apigateway::Resource>(apis()),
        Applied::of::<apigateway::Stage>(apis()).creating([Apigateway::PUT], tags()),
        passing::<apigateway::Account>(account, "CloudWatchRoleArn", "apigateway.amazonaws.com", own),
    ]
}
