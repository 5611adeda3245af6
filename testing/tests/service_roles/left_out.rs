//! Permissions that the roles of CloudFormation lack on purpose, type by type.

use Reason::{Otherwise, WithoutProperty};

/// Permissions that a role lacks although the handlers of a type name them.
pub(crate) struct LeftOut {
    pub(crate) of: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) because: Reason,
}

/// Why a permission is not granted.
pub(crate) enum Reason {
    /// Only these properties call for it, and no resource of the type has one.
    WithoutProperty(&'static [&'static str]),
    /// Something else.
    Otherwise(&'static str),
}

pub(crate) const LEFT_OUT: [LeftOut; 26] = [
    LeftOut {
        of: "AWS::StepFunctions::StateMachine",
        actions: &["kms:Decrypt"],
        because: WithoutProperty(&["EncryptionConfiguration"]),
    },
    LeftOut {
        of: "AWS::ApiGateway::RestApi",
        actions: &["apigateway:UpdateRestApiPolicy"],
        because: WithoutProperty(&["Policy"]),
    },
    LeftOut {
        of: "AWS::CodePipeline::Pipeline",
        actions: &[
            "codepipeline:DisableStageTransition",
            "codepipeline:EnableStageTransition",
        ],
        because: WithoutProperty(&["DisableInboundStageTransitions"]),
    },
    LeftOut {
        of: "AWS::CodePipeline::Pipeline",
        actions: &["codepipeline:StartPipelineExecution"],
        because: WithoutProperty(&["RestartExecutionOnUpdate"]),
    },
    LeftOut {
        of: "AWS::Cognito::UserPool",
        actions: &["kms:Decrypt", "kms:DescribeKey"],
        because: WithoutProperty(&["LambdaConfig.KMSKeyID", "KeyConfiguration"]),
    },
    LeftOut {
        of: "AWS::DynamoDB::Table",
        actions: &["dynamodb:DescribeImport", "dynamodb:ImportTable"],
        because: WithoutProperty(&["ImportSourceSpecification"]),
    },
    LeftOut {
        of: "AWS::DynamoDB::Table",
        actions: &[
            "dynamodb:DisableKinesisStreamingDestination",
            "dynamodb:EnableKinesisStreamingDestination",
            "dynamodb:UpdateKinesisStreamingDestination",
        ],
        because: WithoutProperty(&["KinesisStreamSpecification"]),
    },
    LeftOut {
        of: "AWS::DynamoDB::Table",
        actions: &["dynamodb:UpdateContributorInsights"],
        because: WithoutProperty(&["ContributorInsightsSpecification"]),
    },
    LeftOut {
        of: "AWS::DynamoDB::Table",
        actions: &["dynamodb:DeleteResourcePolicy", "dynamodb:PutResourcePolicy"],
        because: WithoutProperty(&["ResourcePolicy"]),
    },
    LeftOut {
        of: "AWS::DynamoDB::Table",
        actions: &[
            "dynamodb:AssociateTableReplica",
            "dynamodb:BatchWriteItem",
            "dynamodb:CreateTableReplica",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ],
        because: Otherwise("only replicas of global tables, which are another type, are filled with items"),
    },
    LeftOut {
        of: "AWS::IAM::ManagedPolicy",
        actions: &["iam:AttachGroupPolicy", "iam:DetachGroupPolicy"],
        because: WithoutProperty(&["Groups"]),
    },
    LeftOut {
        of: "AWS::IAM::ManagedPolicy",
        actions: &["iam:AttachUserPolicy", "iam:DetachUserPolicy"],
        because: WithoutProperty(&["Users"]),
    },
    LeftOut {
        of: "AWS::IAM::Role",
        actions: &["iam:PutRolePermissionsBoundary"],
        because: WithoutProperty(&["PermissionsBoundary"]),
    },
    LeftOut {
        of: "AWS::IAM::Role",
        actions: &["iam:DeleteRolePermissionsBoundary"],
        because: Otherwise("a template that could take a boundary off would have none"),
    },
    LeftOut {
        of: "AWS::Lambda::EventSourceMapping",
        actions: &["kms:Decrypt"],
        because: WithoutProperty(&["KmsKeyArn"]),
    },
    LeftOut {
        of: "AWS::Lambda::Function",
        actions: &["ec2:DescribeNetworkInterfaces"],
        because: WithoutProperty(&["VpcConfig"]),
    },
    LeftOut {
        of: "AWS::Lambda::Function",
        actions: &["kms:Decrypt"],
        because: WithoutProperty(&["KmsKeyArn", "Code.SourceKMSKeyArn"]),
    },
    LeftOut {
        of: "AWS::Lambda::Function",
        actions: &["lambda:GetLayerVersion"],
        because: WithoutProperty(&["Layers"]),
    },
    LeftOut {
        of: "AWS::Lambda::Function",
        actions: &[
            "lambda:DeleteFunctionCodeSigningConfig",
            "lambda:GetCodeSigningConfig",
            "lambda:PutFunctionCodeSigningConfig",
        ],
        because: WithoutProperty(&["CodeSigningConfigArn"]),
    },
    LeftOut {
        of: "AWS::Lambda::Function",
        actions: &["lambda:PassCapacityProvider"],
        because: WithoutProperty(&["CapacityProviderConfig"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:AssociateKmsKey", "logs:DisassociateKmsKey"],
        because: WithoutProperty(&["KmsKeyId"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:CreateLogDelivery", "logs:PutDataProtectionPolicy"],
        because: WithoutProperty(&["DataProtectionPolicy"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:DeleteIndexPolicy", "logs:PutIndexPolicy"],
        because: WithoutProperty(&["FieldIndexPolicies"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:DeleteResourcePolicy", "logs:PutResourcePolicy"],
        because: WithoutProperty(&["ResourcePolicyDocument"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:PutBearerTokenAuthentication"],
        because: WithoutProperty(&["BearerTokenAuthenticationEnabled"]),
    },
    LeftOut {
        of: "AWS::Logs::LogGroup",
        actions: &["logs:PutLogGroupDeletionProtection"],
        because: WithoutProperty(&["DeletionProtectionEnabled"]),
    },
];
