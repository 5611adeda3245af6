//! `stage_deployer`: the custom resource that deploys a stage of API Gateway whenever its API's definition changes.
//!
//! CloudFormation waits for an answer at an address that it gives with the request, and for nothing else. So every way through
//! this function ends at that address, in time: success, failure, a request that cannot be read, and a deployment that takes too
//! long. What would still leave it without, a crash of the process, ends with the resource's `ServiceTimeout`.
//!
//! - The resource's physical id is `<rest api id>/<stage>`: another API or stage is another resource, and the old one is deleted.
//! - Deleting it changes nothing. The stage and its API are resources of their own.
//! - A request that comes twice finds its own deployment by the description.

mod deploy;
mod reply;

use std::time::Duration;

use aws_sdk_apigateway::Client;
use contract::{CustomResourceRequest, CustomResourceRequestType, StageDeployerError, StageDeployment};
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError};
use crate::Failure;
use crate::https::{self, HttpsClient};

use deploy::Deployer;
use reply::{Outcome, Reply};

/// What is left of an invocation for the answer.
const FOR_THE_ANSWER: Duration = Duration::from_secs(10);

/// Deploys the stage and answers CloudFormation.
#[derive(Debug)]
pub struct StageDeployer {
    gateway: Client,
    https: HttpsClient,
}

impl Function for StageDeployer {
    type Contract = contract::StageDeployer;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            gateway: Client::new(environment.aws()),
            https: https::client().map_err(|error| StartError::Invalid {
                name: "SSL_CERT_FILE",
                problem: format!("leads to no certificates: {error}"),
            })?,
        })
    }

    async fn call(
        &self,
        input: CustomResourceRequest,
        invocation: &Invocation,
    ) -> Result<(), Failure<StageDeployerError>> {
        let time = invocation.remaining().saturating_sub(FOR_THE_ANSWER);
        let outcome = tokio::time::timeout(time, self.outcome(&input, invocation))
            .await
            .unwrap_or_else(|_| Outcome {
                physical_id: physical_id(&input, None),
                result: Err(
                    "the stage was not deployed within the function's time: API Gateway is asked too often".to_owned(),
                ),
            });
        match &outcome.result {
            Ok(()) => info!(request = ?input.request_type, resource = outcome.physical_id, "answering"),
            Err(reason) => warn!(request = ?input.request_type, resource = outcome.physical_id, reason, "answering"),
        }
        Reply::to(&input, &outcome)
            .send(&self.https, &input.response_url, invocation)
            .await
            .map_err(|error| Failure::new(StageDeployerError::Unanswered, error))
    }
}

impl StageDeployer {
    /// What is to be answered.
    async fn outcome(&self, input: &CustomResourceRequest, invocation: &Invocation) -> Outcome {
        let properties: Result<StageDeployment, _> = serde_json::from_value(input.resource_properties.clone());
        let physical_id = physical_id(input, properties.as_ref().ok());
        let result = match (input.request_type, properties) {
            (CustomResourceRequestType::Delete, _) => Ok(()),
            (CustomResourceRequestType::Unknown, _) => {
                Err("the request's type is unknown, allowed are Create, Update and Delete".to_owned())
            }
            (_, Err(error)) => Err(format!(
                "the properties are not those of Custom::StageDeployment: {error}"
            )),
            (_, Ok(wanted)) => {
                Deployer::new(&self.gateway, &wanted, &input.request_id, invocation)
                    .run()
                    .await
            }
        };
        Outcome { physical_id, result }
    }
}

/// The resource's physical id. A deletion, and whatever cannot be read, keeps the one that CloudFormation knows.
fn physical_id(input: &CustomResourceRequest, properties: Option<&StageDeployment>) -> String {
    let known = input.physical_resource_id.clone().filter(|id| !id.is_empty());
    match (input.request_type, properties) {
        (CustomResourceRequestType::Create | CustomResourceRequestType::Update, Some(wanted)) => {
            format!("{}/{}", wanted.rest_api_id, wanted.stage_name)
        }
        _ => known.unwrap_or_else(|| format!("unmade/{}", input.logical_resource_id)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(kind: &str, properties: &Value) -> CustomResourceRequest {
        let request = json!({
            "RequestType": kind,
            "ResponseURL": "https://example.org/signed",
            "LogicalResourceId": "ApiStageDeployment",
            "PhysicalResourceId": "old/v1",
            "ResourceProperties": properties,
        });
        serde_json::from_value(request).expect("a request")
    }

    fn id_of(request: &CustomResourceRequest) -> String {
        let properties = serde_json::from_value(request.resource_properties.clone());
        physical_id(request, properties.as_ref().ok())
    }

    #[test]
    fn another_api_or_stage_is_another_resource_and_the_same_is_the_same() {
        let properties = json!({ "RestApiId": "a1", "StageName": "v1", "Routes": [], "Definition": "x" });
        assert_eq!(id_of(&request("Create", &properties)), "a1/v1");
        assert_eq!(id_of(&request("Update", &properties)), "a1/v1");
        assert_eq!(id_of(&request("Delete", &properties)), "old/v1");
    }

    #[test]
    fn what_cannot_be_read_keeps_the_known_id_or_gets_one() {
        assert_eq!(id_of(&request("Update", &json!("nonsense"))), "old/v1");
        let mut unknown = request("Create", &Value::Null);
        unknown.physical_resource_id = None;
        assert_eq!(id_of(&unknown), "unmade/ApiStageDeployment");
    }

    #[test]
    fn the_address_of_the_answer_is_in_no_log() {
        let request = request("Create", &Value::Null);
        assert!(!format!("{request:?}").contains("signed"));
    }
}
