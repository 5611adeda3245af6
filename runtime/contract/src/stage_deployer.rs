//! `stage_deployer`: the custom resource that deploys a stage of API Gateway again whenever its API's definition changes.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, Shape};

/// What CloudFormation asks of a custom resource, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "PascalCase")]
pub struct CustomResourceRequest {
    /// What to do.
    pub request_type: CustomResourceRequestType,
    /// Where the answer goes: a pre-signed address, which is a secret and never logged.
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    /// The stack's id, to be repeated in the answer.
    pub stack_id: String,
    /// The request's id, to be repeated in the answer.
    pub request_id: String,
    /// The resource's logical id, to be repeated in the answer.
    pub logical_resource_id: String,
    /// What the function called the resource when it was created; absent then.
    pub physical_resource_id: Option<String>,
    /// What the template says.
    pub resource_properties: StageDeployment,
    /// What the template said before; only on an update.
    pub old_resource_properties: Option<StageDeployment>,
}

/// What CloudFormation does to a custom resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub enum CustomResourceRequestType {
    /// Bring it into being.
    Create,
    /// Bring it up to date.
    Update,
    /// Remove it, or do nothing where it is not there.
    Delete,
}

/// The properties of `Custom::StageDeployment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "PascalCase")]
pub struct StageDeployment {
    /// The REST API.
    pub rest_api_id: String,
    /// The stage to deploy.
    pub stage_name: String,
    /// Every route of the API, such as `POST /webhook`: what a snapshot must not exceed.
    pub routes: Vec<String>,
    /// The hash of the API's definition: a change of it is what calls the function.
    pub definition: String,
}

/// Deploys the stage and answers CloudFormation.
pub struct StageDeployer;

impl Handler for StageDeployer {
    type Input = CustomResourceRequest;
    type Output = ();
    /// Whatever fails is answered to CloudFormation; nothing else waits for this function.
    type Error = Infallible;
    const NAME: &'static str = "stage_deployer";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[];
}
