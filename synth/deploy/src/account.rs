//! Credentials, region and clients, as a person has them: profiles, environment variables, single sign-on.

use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use clients::aws::Https;

use crate::error::{Error, aws, told};

/// An account in a region, and the clients that reach it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's id, twelve digits.
    pub id: String,
    /// Who we are there.
    pub arn: String,
    /// The region.
    pub region: String,
    /// The role that CloudFormation makes resources with; our own rights if none is named.
    pub service_role: Option<String>,
    /// CloudFormation.
    pub stacks: aws_sdk_cloudformation::Client,
    /// S3.
    pub objects: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Lambda.
    pub functions: aws_sdk_lambda::Client,
    /// IAM.
    pub identities: aws_sdk_iam::Client,
    /// Service Quotas.
    pub quotas: aws_sdk_servicequotas::Client,
}

impl Account {
    /// The account that the environment's credentials belong to.
    ///
    /// # Errors
    /// Where there are none, or AWS does not take them.
    pub async fn connect(region: &str, service_role: Option<String>) -> Result<Self, Error> {
        let config = config(region).await?;
        let identity = aws_sdk_sts::Client::new(&config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| aws("the AWS credentials are of no use", &error))?;
        Ok(Self {
            id: identity.account.unwrap_or_default(),
            arn: identity.arn.unwrap_or_default(),
            region: region.to_owned(),
            service_role,
            stacks: aws_sdk_cloudformation::Client::new(&config),
            objects: aws_sdk_s3::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            functions: aws_sdk_lambda::Client::new(&config),
            identities: aws_sdk_iam::Client::new(&config),
            quotas: aws_sdk_servicequotas::Client::new(&config),
        })
    }

    /// The bucket that everything goes through.
    pub fn artifacts_bucket(&self, project: &str) -> String {
        format!("{project}-artifacts-{}-{}", self.id, self.region)
    }
}

async fn config(region: &str) -> Result<SdkConfig, Error> {
    let https = Https::new().map_err(|error| told("HTTPS is of no use", &error.to_string()))?;
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(https)
        .region(Region::new(region.to_owned()))
        .retry_config(aws_config::retry::RetryConfig::standard().with_max_attempts(5));
    if let Ok(name) = AppName::new("deploy") {
        loader = loader.app_name(name);
    }
    Ok(loader.load().await)
}
