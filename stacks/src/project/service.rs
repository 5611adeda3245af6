//! The services that an application may be made of.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service whose resources an application may have, by the name that CloudFormation's types have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// REST APIs with their methods, models, authorizers and stages.
    Apigateway,
    /// User pools and their clients.
    Cognito,
    /// Tables.
    Dynamodb,
    /// Rules of EventBridge, schedules among them.
    Events,
    /// Functions with their versions, aliases, URLs, permissions and event source mappings.
    Lambda,
    /// The log groups of functions.
    Logs,
    /// Buckets and their policies. They are emptied when the environment is torn down.
    S3,
    /// Schedules of EventBridge Scheduler, in the default group or another that is there.
    Scheduler,
    /// Topics, their subscriptions and policies.
    Sns,
    /// Queues and their policies.
    Sqs,
    /// State machines.
    Stepfunctions,
}

impl Service {
    /// Every service there is.
    pub const ALL: [Self; 11] = [
        Self::Apigateway,
        Self::Cognito,
        Self::Dynamodb,
        Self::Events,
        Self::Lambda,
        Self::Logs,
        Self::S3,
        Self::Scheduler,
        Self::Sns,
        Self::Sqs,
        Self::Stepfunctions,
    ];

    /// Those of a configuration that lists none: functions behind an API, with tables and users.
    pub const USUAL: [Self; 5] = [
        Self::Apigateway,
        Self::Cognito,
        Self::Dynamodb,
        Self::Lambda,
        Self::Logs,
    ];

    /// The service of an action such as `sqs:CreateQueue`, by the prefix that IAM has for it; none if applications may not use it.
    pub fn of_action(action: &str) -> Option<Self> {
        let (prefix, _) = action.split_once(':')?;
        Self::ALL.into_iter().find(|service| service.prefix() == prefix)
    }

    /// The types that an application may have of it, besides `AWS::IAM::Role`, which it always may.
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Apigateway => &[
                "AWS::ApiGateway::Authorizer",
                "AWS::ApiGateway::Deployment",
                "AWS::ApiGateway::GatewayResponse",
                "AWS::ApiGateway::Method",
                "AWS::ApiGateway::Model",
                "AWS::ApiGateway::RequestValidator",
                "AWS::ApiGateway::Resource",
                "AWS::ApiGateway::RestApi",
                "AWS::ApiGateway::Stage",
            ],
            Self::Cognito => &["AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"],
            Self::Dynamodb => &["AWS::DynamoDB::Table"],
            Self::Events => &["AWS::Events::Rule"],
            Self::Lambda => &[
                "AWS::Lambda::Alias",
                "AWS::Lambda::EventSourceMapping",
                "AWS::Lambda::Function",
                "AWS::Lambda::Permission",
                "AWS::Lambda::Url",
                "AWS::Lambda::Version",
            ],
            Self::Logs => &["AWS::Logs::LogGroup"],
            Self::S3 => &["AWS::S3::Bucket", "AWS::S3::BucketPolicy"],
            Self::Scheduler => &["AWS::Scheduler::Schedule"],
            Self::Sns => &["AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"],
            Self::Sqs => &["AWS::SQS::Queue", "AWS::SQS::QueuePolicy"],
            Self::Stepfunctions => &["AWS::StepFunctions::StateMachine"],
        }
    }

    /// How IAM calls the service in actions.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Apigateway => "apigateway",
            Self::Cognito => "cognito-idp",
            Self::Dynamodb => "dynamodb",
            Self::Events => "events",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::S3 => "s3",
            Self::Scheduler => "scheduler",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Stepfunctions => "states",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cognito => "cognito",
            Self::Stepfunctions => "stepfunctions",
            other => other.prefix(),
        })
    }
}
