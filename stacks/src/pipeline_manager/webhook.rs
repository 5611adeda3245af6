//! The webhook API: `POST /webhook`, straight into the state machine. No server and no Lambda stands in between.
//!
//! - The three GitHub headers must be there, in whatever letters' case, or the answer is 400. No request validator asks for them: it
//!   would know one spelling alone.
//! - The answer is 202 only if the execution started. A body that Step Functions would not take is answered 413.
//! - The signature is verified by the first state: here nothing is trusted, and everything untrusted travels as base64.

use contract::StageDeployer;
use synth::actions::{ExecuteApi, States};
use synth::apigateway::{self, method, rest_api, stage};
use synth::iam::{Effect, Grant, Operator, PolicyDocument, Principal, Role, Statement};
use synth::lambda::FunctionHandle;
use synth::{Api, Handle, HttpMethod, Stack, Value, days, logs, pseudo, stepfunctions, sub};

use super::Resources;
use super::templates;

/// The API's stage.
pub(crate) const STAGE: &str = "github";
/// The path that GitHub posts to.
const PATH: &str = "/webhook";

/// The API's name; CloudWatch knows its metrics by it.
pub(super) fn name(resources: &Resources<'_>) -> String {
    resources.names.shared("webhook")
}

/// Adds the API; returns the address for GitHub's webhook.
pub(super) fn add(
    stack: &mut Stack,
    resources: &Resources<'_>,
    machine: Handle<stepfunctions::StateMachineResource>,
    deployer: FunctionHandle<StageDeployer>,
    account: Option<Handle<apigateway::Account>>,
) -> Value<String> {
    let name = name(resources);
    let role = Role::assumed_by("apigateway.amazonaws.com")
        .name(name.clone())
        .allow(Grant::on([States::StartExecution], machine.arn()));
    let role = stack.add("WebhookRole", role);
    let retention = days(resources.project.limits.retention_days.into());
    let logs = logs::LogGroup::new()
        .log_group_name(format!("/aws/apigateway/{name}"))
        .retention_in_days(retention);
    let logs = stack.add("WebhookLogs", logs);

    let endpoint = rest_api::EndpointConfiguration::new().types([rest_api::EndpointType::Regional]);
    let mut api = apigateway::RestApi::new()
        .name(name)
        .description("GitHub's webhooks.")
        .endpoint_configuration(endpoint);
    if !resources.project.webhook.allowed_ranges.is_empty() {
        api = api.policy(only_from(&resources.project.webhook.allowed_ranges));
    }
    let mut api = Api::add(stack, "Webhook", api);

    let start = sub![
        "arn:",
        pseudo::partition(),
        ":apigateway:",
        pseudo::region(),
        ":states:action/StartExecution"
    ];
    let integration = method::Integration::new(method::IntegrationType::Aws)
        .integration_http_method(HttpMethod::Post)
        .uri(start)
        .credentials(role.arn())
        .passthrough_behavior(method::PassthroughBehavior::Never)
        .request_templates([(templates::JSON, templates::start_execution(machine).text())])
        .integration_responses(templates::responses());
    api.route(stack, HttpMethod::Post, PATH, |method| {
        method
            .authorization_type(method::AuthorizationType::None)
            .integration(integration)
            .method_responses(templates::statuses())
    });
    let webhook = resources.project.webhook.clone();
    let id = api.handle();
    api.log("ERROR", retention);
    let stage = api.deploy(stack, STAGE, deployer.arn(), |stage| {
        let throttling = stage::MethodSetting::new()
            .http_method(stage::MethodSettingHttpMethod::Any)
            .resource_path("/*")
            .throttling_rate_limit(f64::from(webhook.rate))
            .throttling_burst_limit(webhook.burst);
        let log = stage::AccessLogSetting::new()
            .destination_arn(logs.arn())
            .format(ACCESS_LOG);
        stage
            .method_settings([throttling])
            .access_log_setting(log)
            .tracing_enabled(true)
    });
    // A stage with an access log needs the account's leave first.
    if let Some(account) = account {
        stack.configure(stage).depends_on(account);
    }
    sub![Api::url(id, stage), PATH]
}

/// One JSON line a request, without anything of its body.
const ACCESS_LOG: &str = "{\"requestId\":\"$context.requestId\",\"ip\":\"$context.identity.sourceIp\",\"time\":\"$context.requestTime\",\
\"status\":\"$context.status\",\"integrationStatus\":\"$context.integration.status\",\"length\":\"$context.responseLength\",\"error\":\"$context.error.message\"}";

/// Denies what does not come from these ranges, and allows the rest.
fn only_from(ranges: &[String]) -> PolicyDocument {
    let everything = || [Value::<String>::from("execute-api:/*")];
    let ranges: Vec<Value<String>> = ranges.iter().map(|range| Value::from(range.as_str())).collect();
    PolicyDocument::new()
        .with(Statement::new(
            Effect::Allow,
            &Principal::Anyone,
            [ExecuteApi::Invoke],
            everything(),
        ))
        .with(
            Statement::new(Effect::Deny, &Principal::Anyone, [ExecuteApi::Invoke], everything()).when_any(
                Operator::NotIpAddress,
                "aws:SourceIp",
                ranges,
            ),
        )
}
