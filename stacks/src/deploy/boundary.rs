//! The permissions boundary: the most that any role of an environment can ever do, whatever its template asks for.

use synth::actions::{Apigateway, Dynamodb, Logs, S3, Sns, Sqs, Xray};
use synth::iam::{self, Grant, PolicyDocument};
use synth::{AnyArn, Handle, Stack, Value, pseudo, sub};

use crate::names::{self, EnvironmentNames};

/// Adds the managed policy. Its name carries the environment, and teardown removes it with the stack.
pub(super) fn add(stack: &mut Stack, names: &EnvironmentNames<'_>) -> Handle<iam::ManagedPolicy> {
    let named = "the environment's own resources, which its template names with the environment's prefix";
    let own = |service: &str, rest: &str| own(names, service, rest);
    let grants = vec![
        Grant::on_matching(
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
            named,
        ),
        Grant::on_matching(
            [
                S3::AbortMultipartUpload,
                S3::DeleteObject,
                S3::GetObject,
                S3::ListBucket,
                S3::PutObject,
            ],
            sub!["arn:", pseudo::partition(), ":s3:::", names.prefix(), "*"],
            named,
        ),
        Grant::on_matching(
            [Sqs::DeleteMessage, Sqs::ReceiveMessage, Sqs::SendMessage],
            own("sqs", ""),
            named,
        ),
        Grant::on_matching([Sns::Publish], own("sns", ""), named),
        Grant::on_matching(
            [synth::actions::Lambda::InvokeFunction],
            own("lambda", "function:"),
            named,
        ),
        Grant::on_matching(
            [Logs::CreateLogStream, Logs::PutLogEvents],
            own("logs", "log-group:/aws/lambda/"),
            named,
        ),
        names.only_tagged(Grant::on_matching(
            [Apigateway::DELETE, Apigateway::GET, Apigateway::PATCH, Apigateway::POST],
            names::api_gateway_arn("/restapis/*/*"),
            "API Gateway makes up the ids of REST APIs; the environment's own are told by their tag",
        )),
        Grant::on_any_resource(
            [Xray::PutTelemetryRecords, Xray::PutTraceSegments],
            "X-Ray has no resources to name",
        ),
    ];
    let policy = iam::ManagedPolicy::new(PolicyDocument::from(grants))
        .managed_policy_name(names.own("boundary"))
        .description("The most that a role of this environment can do.");
    stack.add("Boundary", policy)
}

/// A pattern of the environment's own resources of a service: `arn:…:sqs:…:thebestest-pr-17-*`.
pub(super) fn own(names: &EnvironmentNames<'_>, service: &str, rest: &str) -> Value<String> {
    names::arn(service, format!("{rest}{}*", names.prefix()))
}

/// The ARN of an environment's boundary, for stacks that do not declare it.
pub fn arn_of(names: &EnvironmentNames<'_>) -> Value<AnyArn> {
    names::iam_arn(format!("policy/{}", names.own("boundary"))).trusted()
}
