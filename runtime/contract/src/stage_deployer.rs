//! `stage_deployer`: the custom resource that deploys a stage of API Gateway again whenever its API's definition changes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use synth::{EnvironmentVariable, Handler, HandlerError, Shape};

/// What CloudFormation asks of a custom resource, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.
///
/// Only the address of the answer must be there: whatever else is missing or wrong is answered, since CloudFormation waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "PascalCase")]
pub struct CustomResourceRequest {
    /// What to do.
    #[serde(default)]
    pub request_type: CustomResourceRequestType,
    /// Where the answer goes: a pre-signed address, which is a secret and never logged.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    /// The stack's id, to be repeated in the answer.
    #[serde(default)]
    pub stack_id: String,
    /// The request's id, to be repeated in the answer.
    #[serde(default)]
    pub request_id: String,
    /// The resource's logical id, to be repeated in the answer.
    #[serde(default)]
    pub logical_resource_id: String,
    /// What the function called the resource when it was created; absent then.
    pub physical_resource_id: Option<String>,
    /// What the template says: a [`StageDeployment`], and what CloudFormation adds to it.
    #[serde(default)]
    pub resource_properties: Value,
}

impl fmt::Debug for CustomResourceRequest {
    /// Everything but the address of the answer, which is a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CustomResourceRequest")
            .field("request_type", &self.request_type)
            .field("stack_id", &self.stack_id)
            .field("request_id", &self.request_id)
            .field("logical_resource_id", &self.logical_resource_id)
            .field("physical_resource_id", &self.physical_resource_id)
            .field("resource_properties", &self.resource_properties)
            .finish_non_exhaustive()
    }
}

/// What CloudFormation does to a custom resource.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub enum CustomResourceRequestType {
    /// Bring it into being.
    Create,
    /// Bring it up to date.
    Update,
    /// Remove it, or do nothing where it is not there.
    Delete,
    /// Something that CloudFormation did not ask for when this was written.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The properties of `Custom::StageDeployment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "PascalCase")]
pub struct StageDeployment {
    /// The REST API.
    pub rest_api_id: String,
    /// The stage to deploy.
    pub stage_name: String,
    /// Every route of the API, such as `POST /webhook`: no other is served.
    pub routes: Vec<String>,
    /// The hash of the API's definition: a change of it is what calls the function.
    pub definition: String,
    /// What the stage logs of its requests, `ERROR` or `INFO`, if the account lets API Gateway log at all; absent for nothing.
    pub log_level: Option<String>,
}

/// Deploys the stage and answers CloudFormation.
pub struct StageDeployer;

/// What `stage_deployer` fails with. Whatever else goes wrong is answered to CloudFormation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, HandlerError)]
pub enum StageDeployerError {
    /// The answer did not reach CloudFormation. Lambda invokes the function again, and that is all that can be done.
    Unanswered,
}

impl Handler for StageDeployer {
    type Input = CustomResourceRequest;
    type Output = ();
    type Error = StageDeployerError;
    const NAME: &'static str = "stage_deployer";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
}
