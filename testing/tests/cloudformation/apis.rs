//! The APIs of deployed stacks answer requests: the webhook starts an execution, and the application knows who is signed in.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use testing::aws::states::{Ending, Executions};
use testing::emission;

use crate::account::{Account, texts};

/// Applies the emitted stacks with these names, and returns the account's outputs.
fn deployed(account: &Account, names: &[&str]) {
    for emission in emission::emit(&emission::project(), &["pr-17"]) {
        if names.contains(&emission.stack.name.as_str()) {
            let stack = account.apply(&emission.stack.name, "CREATE", &emission.template, &[]);
            assert_eq!(
                stack.status,
                "CREATE_COMPLETE",
                "{}",
                account.events(&emission.stack.name)
            );
        }
    }
}

/// The output of a stack whose name ends so.
fn output(account: &Account, stack: &str, ending: &str) -> String {
    let shown = account.ask("DescribeStacks", &[("StackName", stack)]);
    let outputs = texts(&shown, "OutputKey").into_iter().zip(texts(&shown, "OutputValue"));
    let mut found = outputs.filter(|(key, _)| key.ends_with(ending));
    found
        .next()
        .unwrap_or_else(|| panic!("{stack} has no output …{ending}: {shown}"))
        .1
}

/// The path, on this machine, of an API's address.
fn path(account: &Account, url: &str) -> String {
    let local = account
        .cloud
        .local_url(url)
        .unwrap_or_else(|| panic!("{url} is no API's"));
    local.strip_prefix(&account.cloud.endpoint()).unwrap().to_owned()
}

fn visited(account: &Account, request: http::request::Builder, body: &str) -> (StatusCode, Value) {
    let request = request.body(body.to_owned().into()).unwrap();
    let answer = account.cloud.visit(request).expect("it is answered");
    let told = serde_json::from_slice(answer.body());
    let told = told.unwrap_or_else(|_| json!(String::from_utf8_lossy(answer.body())));
    (answer.status(), told)
}

#[test]
fn a_webhook_starts_an_execution_and_its_failure_is_no_success() {
    let Some(account) = Account::start("a webhook starts an execution") else {
        return;
    };
    deployed(
        &account,
        &[
            "thebestest-artifacts",
            "thebestest-unit-test",
            "thebestest-pipeline-manager",
        ],
    );
    let executions = Executions::new(|_, execution| Ending::Succeeded(execution.state().unwrap().input));
    account
        .cloud
        .run_machines(Arc::clone(&executions) as Arc<dyn testing::aws::states::StateMachines>);
    let path = path(&account, &output(&account, "thebestest-pipeline-manager", "WebhookUrl"));
    let post = |kind: &str| {
        Request::post(&path)
            .header("content-type", kind)
            .header("X-GitHub-Event", "pull_request")
            .header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
    };
    let signed = || post("application/json").header("X-Hub-Signature-256", "sha256=00");
    let body = r#"{"title": "it's \"quoted\" — \\u0000 and 🦀"}"#;
    let (status, told) = visited(&account, signed(), body);
    assert_eq!(
        (status, &told["message"]),
        (StatusCode::ACCEPTED, &json!("the execution has started"))
    );
    let [execution] = executions.all().try_into().unwrap();
    let webhook = &execution.input["webhook"];
    assert_eq!(
        STANDARD.decode(webhook["body"].as_str().unwrap()).unwrap(),
        body.as_bytes()
    );
    assert_eq!(webhook["event"], STANDARD.encode("pull_request"));
    assert_eq!(account.cloud.calls("apigateway").len(), 1);

    let (status, told) = visited(&account, post("application/json"), body);
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        told["message"],
        "X-GitHub-Event, X-GitHub-Delivery and X-Hub-Signature-256 are each needed, in one spelling"
    );
    let typed = post("text/plain").header("X-Hub-Signature-256", "sha256=00");
    assert_eq!(visited(&account, typed, body).0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, _) = visited(&account, signed(), &format!("\"{}\"", "x".repeat(200_000)));
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(executions.all().len(), 1);

    let fault = testing::aws::Fault::Unavailable;
    account.cloud.fail("states", "StartExecution", 1, fault);
    assert_eq!(visited(&account, signed(), body).0, StatusCode::BAD_GATEWAY);
    account
        .cloud
        .fail("states", "StartExecution", 1, testing::aws::Fault::Throttled);
    assert_eq!(visited(&account, signed(), body).0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, _) = visited(&account, signed(), &"x".repeat(11 * 1024 * 1024));
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn a_validator_knows_one_spelling_of_a_header_as_api_gateways_does() {
    let Some(account) = Account::start("a validator knows one spelling") else {
        return;
    };
    let api = || json!({ "Ref": "Api" });
    let method = |resource: &str, header: &str| {
        json!({ "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": api(), "ResourceId": { "Ref": resource }, "HttpMethod": "GET", "AuthorizationType": "NONE",
            "RequestValidatorId": { "Ref": "Validator" },
            "RequestParameters": { format!("method.request.header.{header}"): true },
            "Integration": { "Type": "MOCK", "RequestTemplates": { "application/json": "{\"statusCode\": 200}" },
                "IntegrationResponses": [{ "StatusCode": "200" }] },
            "MethodResponses": [{ "StatusCode": "200" }],
        } })
    };
    let resource = |path: &str| {
        json!({ "Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": api(), "ParentId": { "Fn::GetAtt": ["Api", "RootResourceId"] }, "PathPart": path,
        } })
    };
    let mut template = crate::account::template(json!({
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "spelled" } },
        "Validator": { "Type": "AWS::ApiGateway::RequestValidator", "Properties": {
            "RestApiId": api(), "Name": "headers", "ValidateRequestParameters": true,
        } },
        "Mixed": resource("mixed"), "Lower": resource("lower"),
        "MixedGet": method("Mixed", "X-Spelled"), "LowerGet": method("Lower", "x-spelled"),
        "Deployment": { "Type": "AWS::ApiGateway::Deployment", "DependsOn": ["MixedGet", "LowerGet"],
            "Properties": { "RestApiId": api() } },
        "Stage": { "Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": api(), "StageName": "v1", "DeploymentId": { "Ref": "Deployment" },
        } },
    }));
    template["Outputs"] = json!({ "Url": { "Value": {
        "Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1",
    } } });
    let stack = account.apply("spelled", "CREATE", &template, &[]);
    assert_eq!(stack.status, "CREATE_COMPLETE", "{}", account.events("spelled"));
    let path = path(&account, &output(&account, "spelled", "Url"));
    // The client writes names as HTTP/2 does, whatever they are given as.
    let asked = |place: &str| {
        let request = Request::get(format!("{path}/{place}")).header("X-Spelled", "yes");
        visited(&account, request, "").0
    };
    assert_eq!(asked("lower"), StatusCode::OK);
    assert_eq!(
        asked("mixed"),
        StatusCode::BAD_REQUEST,
        "it asks for X-Spelled, and x-spelled came"
    );
}

/// The headers of who is signed in to the environment, as a user who is made for it.
fn signed_in(account: &Account, app: &str) -> String {
    let (pool, client) = (
        output(account, app, "UserPoolId"),
        output(account, app, "UserPoolClientId"),
    );
    let cognito = |operation: &str, parameters: Value| {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        account.client.json("cognito-idp", &target, &parameters).unwrap()
    };
    let (name, password) = ("someone@example.com", "Correct-horse-battery-7");
    cognito(
        "AdminCreateUser",
        json!({ "UserPoolId": pool, "Username": name, "MessageAction": "SUPPRESS" }),
    );
    let set = json!({ "UserPoolId": pool, "Username": name, "Permanent": true, "Password": password });
    cognito("AdminSetUserPassword", set);
    // As an application does, with nobody's signature.
    let sign_in = json!({
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": name, "PASSWORD": password },
    });
    let asked = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
    let (status, signed_in) = visited(account, asked, &sign_in.to_string());
    assert_eq!(status, StatusCode::OK, "{signed_in}");
    signed_in["AuthenticationResult"]["IdToken"]
        .as_str()
        .unwrap()
        .to_owned()
}

const APP: &str = "thebestest-pr-17-app";

fn items(account: &Account) -> String {
    format!(
        "{}/items",
        path(account, &output(account, APP, "Url")).trim_end_matches('/')
    )
}

#[test]
fn only_who_is_signed_in_reaches_the_applications_function() {
    let Some(account) = Account::start("the application's API has an authorizer") else {
        return;
    };
    account.cloud.give_functions("TOLD", "by the test");
    deployed(&account, &[APP]);
    let path = items(&account);
    let (status, told) = visited(&account, Request::get(&path), "");
    assert_eq!(
        (status, &told["message"]),
        (StatusCode::UNAUTHORIZED, &json!("Unauthorized"))
    );
    let token = signed_in(&account, APP);
    let forged = format!("{}x", token.trim_end_matches('x'));
    let (status, _) = visited(&account, Request::get(&path).header("authorization", forged), "");
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let (status, told) = visited(&account, Request::get(&path).header("authorization", token), "");
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(told["handler"], "list_items");
    assert_eq!(
        told["event"]["requestContext"]["authorizer"]["claims"]["email"],
        "someone@example.com"
    );
    assert_eq!(told["variables"]["AWS_ENDPOINT_URL"], account.cloud.endpoint());
    assert_eq!(told["variables"]["TOLD"], "by the test");
    assert_eq!(told["variables"]["AWS_ACCESS_KEY_ID"], account.cloud.account());
    let shown = account.ask("GetTemplate", &[("StackName", APP)]);
    assert!(!shown.contains("AWS_ENDPOINT_URL"), "the template is as it was sent");
}

#[test]
fn the_deployed_binary_serves_the_application() {
    let Some(account) = Account::start("the deployed binary serves the application") else {
        return;
    };
    let bootstrap = testing::lambda::bootstrap().expect("the binary is built");
    account.run(&std::fs::read(bootstrap).unwrap());
    deployed(&account, &[APP]);
    // Its own stage deployer has answered CloudFormation, and has asked API Gateway through the front.
    let deployer = account.cloud.calls("stage_deployer");
    assert!(
        deployer.iter().any(|call| call.operation == "CreateDeployment"),
        "{deployer:?}"
    );

    let (path, token) = (items(&account), signed_in(&account, APP));
    let asked = |request: http::request::Builder| request.header("authorization", &token);
    let (status, told) = visited(&account, asked(Request::get(&path)), "");
    assert_eq!((status, &told["items"]), (StatusCode::OK, &json!([])));
    let best = json!({ "place_name": "Café Anna" }).to_string();
    let put = asked(Request::put(format!("{path}/coffee"))).header("content-type", "application/json");
    let (status, told) = visited(&account, put, &best);
    assert!(status.is_success(), "{status}: {told}");
    let (_, told) = visited(&account, asked(Request::get(&path)), "");
    assert_eq!(told["items"][0]["place_name"], "Café Anna");
    let put = asked(Request::put(format!("{path}/tea"))).header("content-type", "application/json");
    assert_eq!(visited(&account, put, "{}").0, StatusCode::BAD_REQUEST);
    assert!(
        account
            .cloud
            .calls("list_items")
            .iter()
            .all(|call| call.service == "dynamodb")
    );
    assert_eq!(account.delete(APP).status, "DELETE_COMPLETE");
}
