//! What an application may be made of: by service, the types that CloudFormation may make, and the most that its roles may do with them.
//!
//! Both follow from `application.services`, so that no role of an environment can be given what its boundary takes away again.

use synth::actions::{Apigateway, CognitoIdp, Dynamodb, Iam, Lambda, Logs, S3, Sns, Sqs, States};
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{Grant, Operator, RoleResource};
use synth::{Resource, Value, apigateway, cognito, dynamodb, events, lambda, logs, s3, scheduler, sns, sqs, sub};
use synth::{pseudo, stepfunctions};

use crate::artifacts;
use crate::names::{self, EnvironmentNames};
use crate::project::Service;

const NAMED: &str = "the environment's own resources, whose names begin with its prefix";
const UNNAMED: &str = "the service makes up the ids of these resources; the environment's own are told by their tag";
const PASSED_TO: &str = "iam:PassedToService";

/// Lets CloudFormation make, change and remove what the service has for applications.
pub(super) fn applied(
    role: ServiceRole,
    service: Service,
    names: &EnvironmentNames<'_>,
    artifacts: &artifacts::Exports,
) -> ServiceRole {
    let role = match service {
        Service::Lambda => role.allow(Grant::on_matching(
            [Lambda::InvokeFunction],
            own(names, "lambda", "function:"),
            "the functions behind the application's custom resources are its own",
        )),
        _ => role,
    };
    let types = match service {
        Service::Apigateway => rest_api(names),
        Service::Cognito => user_pool(names),
        Service::Dynamodb => vec![named::<dynamodb::Table>(names)],
        Service::Events => vec![passing(
            named::<events::Rule>(names),
            "Targets.RoleArn",
            names,
            "events",
        )],
        Service::Lambda => functions(names, artifacts),
        Service::Logs => {
            let groups = Grant::named::<logs::LogGroup>([format!("/aws/lambda/{}*", names.prefix())], NAMED);
            vec![Applied::of::<logs::LogGroup>(groups)]
        }
        Service::S3 => vec![named::<s3::Bucket>(names), named::<s3::BucketPolicy>(names)],
        Service::Scheduler => {
            let schedules = Grant::named::<scheduler::Schedule>([format!("*/{}*", names.prefix())], NAMED);
            vec![passing(
                Applied::of::<scheduler::Schedule>(schedules),
                "Target",
                names,
                "scheduler",
            )]
        }
        Service::Sns => vec![
            named::<sns::Topic>(names),
            named::<sns::Subscription>(names),
            named::<sns::TopicPolicy>(names),
        ],
        Service::Sqs => vec![named::<sqs::Queue>(names), named::<sqs::QueuePolicy>(names)],
        Service::Stepfunctions => vec![passing(
            named::<stepfunctions::StateMachineResource>(names),
            "RoleArn",
            names,
            "states",
        )],
    };
    types.into_iter().fold(role, ServiceRole::applies)
}

/// The most that a role of the environment may do with what the service has.
pub(super) fn bounds(service: Service, names: &EnvironmentNames<'_>) -> Option<Grant> {
    let own = |service: &str, rest: &str| own(names, service, rest);
    let grant = match service {
        Service::Apigateway => names.only_tagged(Grant::on_matching(
            [Apigateway::DELETE, Apigateway::GET, Apigateway::PATCH, Apigateway::POST],
            names::api_gateway_arn("/restapis/*/*"),
            "API Gateway makes up the ids of REST APIs; the environment's own are told by their tag",
        )),
        Service::Dynamodb => Grant::on_matching(
            [
                Dynamodb::BatchGetItem,
                Dynamodb::BatchWriteItem,
                Dynamodb::ConditionCheckItem,
                Dynamodb::DeleteItem,
                Dynamodb::DescribeTable,
                Dynamodb::GetItem,
                Dynamodb::PutItem,
                Dynamodb::Query,
                Dynamodb::Scan,
                Dynamodb::UpdateItem,
            ],
            own("dynamodb", "table/"),
            NAMED,
        ),
        Service::Lambda => Grant::on_matching([Lambda::InvokeFunction], own("lambda", "function:"), NAMED),
        Service::Logs => Grant::on_matching(
            [Logs::CreateLogStream, Logs::PutLogEvents],
            own("logs", "log-group:/aws/lambda/"),
            NAMED,
        ),
        Service::S3 => Grant::on_matching(
            [
                S3::AbortMultipartUpload,
                S3::DeleteObject,
                S3::GetObject,
                S3::ListBucket,
                S3::PutObject,
            ],
            sub!["arn:", pseudo::partition(), ":s3:::", names.prefix(), "*"],
            NAMED,
        ),
        Service::Sns => Grant::on_matching([Sns::Publish], own("sns", ""), NAMED),
        // Lambda, which polls a queue with the function's role, asks for the attributes as well: see
        // <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>.
        Service::Sqs => Grant::on_matching(
            [
                Sqs::ChangeMessageVisibility,
                Sqs::DeleteMessage,
                Sqs::GetQueueAttributes,
                Sqs::GetQueueUrl,
                Sqs::ReceiveMessage,
                Sqs::SendMessage,
            ],
            own("sqs", ""),
            NAMED,
        ),
        Service::Stepfunctions => Grant::on_matching([States::StartExecution], own("states", "stateMachine:"), NAMED),
        Service::Cognito | Service::Events | Service::Scheduler => return None,
    };
    Some(grant)
}

/// A pattern of the environment's own resources of a service: `arn:…:sqs:…:thebestest-pr-17-*`.
fn own(names: &EnvironmentNames<'_>, service: &str, rest: &str) -> Value<String> {
    names::arn(service, format!("{rest}{}*", names.prefix()))
}

/// Resources of a type whose names begin with the environment's prefix.
fn named<R: Resource>(names: &EnvironmentNames<'_>) -> Applied {
    Applied::of::<R>(Grant::named::<R>([format!("{}*", names.prefix())], NAMED))
}

/// The environment's own roles, all of which its boundary bounds.
pub(super) fn roles(names: &EnvironmentNames<'_>) -> Grant {
    Grant::named::<RoleResource>([format!("{}*", names.prefix())], NAMED)
}

/// A property that hands one of the environment's roles to the service.
fn passing(applied: Applied, property: &'static str, names: &EnvironmentNames<'_>, service: &str) -> Applied {
    applied.using(property, roles(names)).only(
        [Iam::PassRole],
        Operator::StringEquals,
        PASSED_TO,
        format!("{service}.amazonaws.com"),
    )
}

/// Functions, their versions, aliases, URLs and permissions, and what feeds them.
fn functions(names: &EnvironmentNames<'_>, artifacts: &artifacts::Exports) -> Vec<Applied> {
    let packages = Grant::reaching(
        sub![artifacts.bucket_arn.clone(), "/", names.packages(), "*"],
        "the environment's packaged code, whose keys are made of its content",
    );
    vec![
        passing(
            named::<lambda::Function>(names).using("Code", packages),
            "Role",
            names,
            "lambda",
        ),
        named::<lambda::Permission>(names),
        named::<lambda::Version>(names),
        named::<lambda::Alias>(names),
        named::<lambda::Url>(names),
        event_source_mapping(names),
    ]
}

/// What feeds a function. Lambda makes up the ids, and tells whose function it is for all but tags.
fn event_source_mapping(names: &EnvironmentNames<'_>) -> Applied {
    let fed = || own(names, "lambda", "function:");
    let new = Grant::reaching("*", "an event source mapping that is not there yet has no id").when(
        Operator::ArnLike,
        "lambda:FunctionArn",
        fed(),
    );
    Applied::of::<lambda::EventSourceMapping>(Grant::named::<lambda::EventSourceMapping>(["*"], UNNAMED))
        .creating([Lambda::CreateEventSourceMapping], new)
        .only(
            [
                Lambda::DeleteEventSourceMapping,
                Lambda::GetEventSourceMapping,
                Lambda::UpdateEventSourceMapping,
            ],
            Operator::ArnLike,
            "lambda:FunctionArn",
            fed(),
        )
        .only(
            [Lambda::TagResource],
            Operator::StringEquals,
            "aws:RequestTag/pipeline:environment",
            names.environment().to_string(),
        )
        // Its tags are read whether it has any or not.
        .only(
            [Lambda::UntagResource],
            Operator::StringEquals,
            "aws:ResourceTag/pipeline:environment",
            names.environment().to_string(),
        )
}

/// REST APIs and their parts, whose ids API Gateway makes up.
fn rest_api(names: &EnvironmentNames<'_>) -> Vec<Applied> {
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
    vec![
        part::<apigateway::RestApi>(names)
            .creating([Apigateway::POST], collection)
            .creating([Apigateway::PUT], tags()),
        passing(
            part::<apigateway::Authorizer>(names),
            "AuthorizerCredentials",
            names,
            "apigateway",
        ),
        part::<apigateway::Deployment>(names),
        part::<apigateway::GatewayResponse>(names),
        passing(
            part::<apigateway::Method>(names),
            "Integration.Credentials",
            names,
            "apigateway",
        ),
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
