//! Deploying stages: what CloudFormation is answered, and what the stage serves after that.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::types::{Op, PatchOperation};
use bytes::Bytes;
use contract::CustomResourceRequest;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use runtime::functions::{Function, Invocation, StageDeployer};
use serde_json::{Value, json};
use testing::aws::{Cloud, Fault};
use testing::or_skip;

use crate::cloud::Configured;
use crate::environments::{asked, fails, invocation, times};

/// The content type and the body of one answer.
type Answered = (Option<String>, Bytes);

/// Where CloudFormation waits for answers: takes what is put there, after it has refused so many.
struct Waiting {
    address: SocketAddr,
    answers: Arc<Mutex<Vec<Answered>>>,
}

impl Waiting {
    async fn start(refusals: u32) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let answers = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&answers);
        let refused = Arc::new(Mutex::new(refusals));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (taken, refused) = (Arc::clone(&taken), Arc::clone(&refused));
                let take = hyper::service::service_fn(move |request: http::Request<Incoming>| {
                    let (taken, refused) = (Arc::clone(&taken), Arc::clone(&refused));
                    async move {
                        assert_eq!(request.method(), "PUT");
                        let kind = request.headers().get("content-type");
                        let kind = kind.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
                        let body = request.into_body().collect().await.expect("a body").to_bytes();
                        let mut left = refused.lock().expect("not poisoned");
                        let mut response = http::Response::new(Full::<Bytes>::default());
                        if *left > 0 {
                            *left -= 1;
                            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                        } else {
                            taken.lock().expect("not poisoned").push((kind, body));
                        }
                        Ok::<_, Infallible>(response)
                    }
                });
                let serving =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), take);
                tokio::spawn(serving);
            }
        });
        Self { address, answers }
    }

    fn url(&self) -> String {
        format!("http://{}/signed?Signature=secret", self.address)
    }

    /// The one answer, which has the form that the address was signed for.
    fn answer(&self) -> Value {
        let mut answers = std::mem::take(&mut *self.answers.lock().expect("not poisoned"));
        assert_eq!(answers.len(), 1, "one request has one answer");
        let (kind, body) = answers.remove(0);
        assert_eq!(
            kind.as_deref(),
            Some(""),
            "the address is signed for an empty content type"
        );
        assert!(body.len() <= 4_096);
        serde_json::from_slice(&body).expect("JSON")
    }
}

/// An API with `GET /items` and `GET /old`, and its stage.
struct Api {
    client: Client,
    id: String,
}

impl Api {
    async fn make(cloud: &Cloud) -> Self {
        let client = Client::new(&cloud.config("test"));
        let api = client
            .create_rest_api()
            .name("thebestest-webhook")
            .tags("pipeline:project", "thebestest")
            .tags("pipeline:environment", "stage")
            .send()
            .await
            .expect("an API");
        let id = api.id().expect("an id").to_owned();
        let root = api.root_resource_id().expect("a root").to_owned();
        for part in ["items", "old"] {
            let create = client
                .create_resource()
                .rest_api_id(&id)
                .parent_id(&root)
                .path_part(part);
            let resource = create.send().await.expect("a resource");
            let put = client
                .put_method()
                .rest_api_id(&id)
                .resource_id(resource.id().expect("an id"));
            put.http_method("GET")
                .authorization_type("NONE")
                .send()
                .await
                .expect("a method");
        }
        let first = client
            .create_deployment()
            .rest_api_id(&id)
            .stage_name("v1")
            .send()
            .await;
        first.expect("the first deployment");
        Self { client, id }
    }

    /// The deployment that the stage serves: its description, and by path and method whether it asks for a key.
    async fn served(&self) -> (String, BTreeMap<String, bool>) {
        let stage = self
            .client
            .get_stage()
            .rest_api_id(&self.id)
            .stage_name("v1")
            .send()
            .await
            .expect("a stage");
        let id = stage.deployment_id().expect("a deployment");
        let get = self.client.get_deployment().rest_api_id(&self.id).deployment_id(id);
        let deployment = get.embed("apisummary").send().await.expect("it is there");
        let mut routes = BTreeMap::new();
        for (path, methods) in deployment.api_summary().expect("a summary") {
            for (method, summary) in methods {
                routes.insert(format!("{method} {path}"), summary.api_key_required());
            }
        }
        (deployment.description().unwrap_or_default().to_owned(), routes)
    }

    /// The routes of the definition that ask for a key.
    async fn closed(&self) -> Vec<String> {
        let get = self.client.get_resources().rest_api_id(&self.id).embed("methods");
        let resources = get.send().await.expect("resources");
        let mut closed = Vec::new();
        for resource in resources.items() {
            for (method, details) in resource.resource_methods().into_iter().flatten() {
                if details.api_key_required() == Some(true) {
                    closed.push(format!("{method} {}", resource.path().unwrap_or_default()));
                }
            }
        }
        closed
    }

    async fn deployments(&self) -> usize {
        let get = self.client.get_deployments().rest_api_id(&self.id).limit(500);
        get.send().await.expect("deployments").items().len()
    }

    fn properties(&self, definition: &str) -> Value {
        json!({
            "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:x",
            "ServiceTimeout": "300",
            "RestApiId": self.id,
            "StageName": "v1",
            "Routes": ["GET /items"],
            "Definition": definition,
        })
    }
}

fn request(kind: &str, id: &str, url: &str, properties: Value) -> CustomResourceRequest {
    let request = json!({
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/x/1",
        "RequestId": id,
        "ResourceType": "Custom::StageDeployment",
        "LogicalResourceId": "ApiStageDeployment",
        "PhysicalResourceId": "before/v1",
        "ResourceProperties": properties,
    });
    serde_json::from_value(request).expect("a request")
}

async fn deploy(cloud: &Cloud, request: CustomResourceRequest) {
    let function: StageDeployer = cloud.function(&[]);
    function.call(request, &invocation()).await.expect("answered");
}

#[tokio::test]
async fn the_stage_serves_the_routes_of_the_template_and_no_others() {
    let Some(cloud) = or_skip("a stage is deployed", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    assert_eq!(
        api.served().await.1.get("GET /old"),
        Some(&false),
        "it was served before"
    );
    deploy(&cloud, request("Update", "r-1", &waiting.url(), api.properties("d-1"))).await;
    let answer = waiting.answer();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(answer["PhysicalResourceId"], format!("{}/v1", api.id));
    assert_eq!(answer["RequestId"], "r-1");
    let (description, routes) = api.served().await;
    assert_eq!(description, "stage_deployer: d-1 for r-1");
    assert_eq!(routes.get("GET /items"), Some(&false));
    assert_eq!(routes.get("GET /old"), Some(&true), "nobody has a key for it");
    assert!(
        api.closed().await.is_empty(),
        "a rollback finds the definition as it was"
    );
}

#[tokio::test]
async fn a_request_that_comes_twice_deploys_once() {
    let Some(cloud) = or_skip("a request comes twice", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    for _ in 0..2 {
        deploy(&cloud, request("Create", "r-1", &waiting.url(), api.properties("d-1"))).await;
        assert_eq!(waiting.answer()["Status"], "SUCCESS");
    }
    assert_eq!(api.deployments().await, 2, "CloudFormation's own and one");
    deploy(&cloud, request("Update", "r-2", &waiting.url(), api.properties("d-1"))).await;
    assert_eq!(
        api.deployments().await,
        3,
        "a rollback to the same definition deploys it again"
    );
}

#[tokio::test]
async fn old_deployments_are_pruned_but_never_those_of_others_or_in_use() {
    let Some(cloud) = or_skip("deployments are pruned", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    deploy(&cloud, request("Create", "r-0", &waiting.url(), api.properties("d"))).await;
    let (first, _) = api.served().await;
    let stage = api
        .client
        .get_stage()
        .rest_api_id(&api.id)
        .stage_name("v1")
        .send()
        .await
        .expect("a stage");
    let used = stage.deployment_id().expect("a deployment");
    let second = api
        .client
        .create_stage()
        .rest_api_id(&api.id)
        .stage_name("kept")
        .deployment_id(used);
    second.send().await.expect("a second stage");
    for number in 1..=9 {
        deploy(
            &cloud,
            request("Update", &format!("r-{number}"), &waiting.url(), api.properties("d")),
        )
        .await;
    }
    let get = api.client.get_deployments().rest_api_id(&api.id).limit(500);
    let left = get.send().await.expect("deployments");
    let descriptions: Vec<&str> = left
        .items()
        .iter()
        .filter_map(|deployment| deployment.description())
        .collect();
    assert!(
        descriptions.contains(&first.as_str()),
        "a stage uses it: {descriptions:?}"
    );
    assert!(descriptions.contains(&""), "it is CloudFormation's: {descriptions:?}");
    let (current, _) = api.served().await;
    assert!(
        current.contains("r-9") && descriptions.contains(&current.as_str()),
        "{current}"
    );
    // The current one, the one that the other stage uses, CloudFormation's, and four more of its own: which four is not told apart
    // where API Gateway, whose times are in seconds, has made several in one.
    assert_eq!(descriptions.len(), 7, "{descriptions:?}");
}

#[tokio::test]
async fn a_deletion_and_what_cannot_be_read_are_answered_without_touching_the_stage() {
    let Some(cloud) = or_skip("nothing is deployed", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    deploy(&cloud, request("Delete", "r-1", &waiting.url(), Value::Null)).await;
    let answer = waiting.answer();
    assert_eq!(
        (&answer["Status"], &answer["PhysicalResourceId"]),
        (&json!("SUCCESS"), &json!("before/v1"))
    );
    deploy(
        &cloud,
        request("Update", "r-2", &waiting.url(), json!({ "RestApiId": api.id })),
    )
    .await;
    let answer = waiting.answer();
    assert_eq!(answer["Status"], "FAILED");
    assert!(
        answer["Reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("StageName")),
        "{answer}"
    );
    deploy(&cloud, request("Explode", "r-3", &waiting.url(), api.properties("d"))).await;
    assert_eq!(waiting.answer()["Status"], "FAILED");
    assert!(cloud.calls("stage_deployer").is_empty());
}

#[tokio::test]
async fn a_failure_is_answered_with_its_reason_and_the_answer_is_repeated_until_it_is_taken() {
    let Some(cloud) = or_skip("a failure is answered", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(2).await);
    fails(
        &cloud,
        "apigateway",
        "CreateDeployment",
        "BadRequestException",
        "The REST API has no methods",
    );
    deploy(&cloud, request("Create", "r-1", &waiting.url(), api.properties("d"))).await;
    let answer = waiting.answer();
    assert_eq!(
        (&answer["Status"], &answer["RequestId"]),
        (&json!("FAILED"), &json!("r-1"))
    );
    let reason = answer["Reason"].as_str().expect("a reason");
    assert!(reason.contains("The REST API has no methods"), "{reason}");
    assert!(api.closed().await.is_empty(), "what was closed is open again");
}

#[tokio::test]
async fn an_account_that_deploys_too_often_is_waited_for() {
    let Some(cloud) = or_skip("API Gateway is asked too often", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    // More often than the SDK itself asks again.
    for _ in 0..4 {
        cloud.fail("apigateway", "CreateDeployment", 1, Fault::Throttled);
    }
    deploy(&cloud, request("Create", "r-1", &waiting.url(), api.properties("d"))).await;
    assert_eq!(waiting.answer()["Status"], "SUCCESS");
    assert_eq!(times(&cloud, "stage_deployer", "CreateDeployment"), 5);
}

#[tokio::test]
async fn an_answer_comes_before_the_deadline_though_api_gateway_gives_none() {
    let Some(cloud) = or_skip("API Gateway hangs", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    cloud.fail("apigateway", "GetDeployments", 1, Fault::Hang);
    let function: StageDeployer = cloud.function(&[]);
    let short = Invocation::lasting("test", Duration::from_secs(11));
    let request = request("Create", "r-1", &waiting.url(), api.properties("d"));
    function.call(request, &short).await.expect("answered");
    assert!(short.remaining() > Duration::ZERO);
    assert_eq!(waiting.answer()["Status"], "FAILED");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_fails_the_invocation_without_naming_the_address() {
    let Some(cloud) = or_skip("nobody takes the answer", Cloud::start()) else {
        return;
    };
    let waiting = Waiting::start(u32::MAX).await;
    let function: StageDeployer = cloud.function(&[]);
    let short = Invocation::lasting("test", Duration::from_secs(4));
    let error = function
        .call(request("Delete", "r-1", &waiting.url(), Value::Null), &short)
        .await;
    let error = error.expect_err("nobody took it");
    assert!(
        error.message.contains("503") && !error.message.contains("secret"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_stage_logs_only_where_the_account_can() {
    let Some(cloud) = or_skip("a stage logs", Cloud::start()) else {
        return;
    };
    let (api, waiting) = (Api::make(&cloud).await, Waiting::start(0).await);
    let mut properties = api.properties("d");
    properties["LogLevel"] = json!("ERROR");
    deploy(&cloud, request("Create", "r-1", &waiting.url(), properties.clone())).await;
    assert_eq!(waiting.answer()["Status"], "SUCCESS");
    assert_eq!(patched(&cloud).len(), 1, "the account has no role to log with");
    let_the_account_log(&api.client).await;
    deploy(&cloud, request("Update", "r-2", &waiting.url(), properties)).await;
    assert_eq!(waiting.answer()["Status"], "SUCCESS");
    assert_eq!(
        patched(&cloud),
        ["/deploymentId", "/deploymentId", "/*/*/logging/loglevel"]
    );
}

/// The paths that were patched of the stage.
fn patched(cloud: &Cloud) -> Vec<String> {
    let calls = cloud.calls("stage_deployer");
    let updates = calls.iter().filter(|call| call.operation == "UpdateStage");
    updates
        .flat_map(|call| {
            call.parameters["patchOperations"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|patch| patch["path"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn let_the_account_log(client: &Client) {
    let role = PatchOperation::builder().op(Op::Replace).path("/cloudwatchRoleArn");
    let role = role.value("arn:aws:iam::123456789012:role/logs").build();
    client
        .update_account()
        .patch_operations(role)
        .send()
        .await
        .expect("it may log");
}

/// Makes the handler ask for everything that it can.
///
/// Only the webhook's stage logs, so only its deployer asks what the account may log.
pub(super) async fn exercise(cloud: &Cloud, logs: bool) {
    let (api, waiting) = (Api::make(cloud).await, Waiting::start(0).await);
    for number in 0..7 {
        let mut properties = api.properties("d");
        if logs {
            properties["LogLevel"] = json!("ERROR");
        }
        deploy(
            cloud,
            request("Update", &format!("r-{number}"), &waiting.url(), properties),
        )
        .await;
    }
}

#[tokio::test]
async fn the_handler_asks_for_what_its_role_allows() {
    let Some(cloud) = or_skip("calls of a deployment", Cloud::start()) else {
        return;
    };
    exercise(&cloud, true).await;
    let all = [
        "apigateway:CreateDeployment",
        "apigateway:DeleteDeployment",
        "apigateway:GetAccount",
        "apigateway:GetDeployments",
        "apigateway:GetResources",
        "apigateway:GetStages",
        "apigateway:UpdateMethod",
        "apigateway:UpdateStage",
    ];
    assert_eq!(asked(&cloud, "stage_deployer"), all);
}
