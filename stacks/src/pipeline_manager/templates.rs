//! The webhook API's mapping templates: a delivery becomes a request to start an execution, and its answer one for GitHub.

use synth::apigateway::mapping::{Header, Object, RequestTemplate, ResponseTemplate, answer, input};
use synth::apigateway::method::{IntegrationResponse, MethodResponse};
use synth::stepfunctions::StateMachineResource;
use synth::{Handle, Stack, Value};

/// The headers that GitHub sends with every delivery, see
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>.
const EVENT: Header = Header::new("X-GitHub-Event");
const DELIVERY: Header = Header::new("X-GitHub-Delivery");
const SIGNATURE: Header = Header::new("X-Hub-Signature-256");

/// What `StartExecution` takes, in bytes of `input`.
const LARGEST_INPUT: usize = 262_144;
/// What the headers and the JSON around the body take of it, at the most: headers are cut off at 10,240 bytes in all.
const HEADERS: usize = 16_384;

/// The content type that GitHub is told to send; others are answered 415.
pub(super) const JSON: &str = "application/json";

/// The request for Step Functions. Everything of the delivery travels as base64, so nothing of it can leave its place.
///
/// What must not start an execution becomes a request that Step Functions refuses, each for a reason of its own, so that the answer
/// is told from every other refusal
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors>):
/// without one of the headers the input is no JSON, which is `InvalidExecutionInput`; with a body that is too large for an input the
/// name is none, which is `InvalidName`.
pub(super) fn start_execution(machine: Handle<StateMachineResource>) -> RequestTemplate {
    let [event, delivery, signature] = [EVENT, DELIVERY, SIGNATURE].map(input::header);
    let missing = event.is_empty().or(delivery.is_empty()).or(signature.is_empty());
    let without_header = Object::new()
        .with("stateMachineArn", machine.arn())
        .with("input", "a header is missing, or came in two spellings");
    let body = input::body().base64().named("body");
    let too_large = Object::new()
        .with("stateMachineArn", machine.arn())
        .with("name", "the body is too large");
    let delivery = Object::new()
        .with("body", &body)
        .with("event", event.base64())
        .with("delivery", delivery.base64())
        .with("signature", signature.base64());
    let start = Object::new()
        .with("stateMachineArn", machine.arn())
        .with("input", Object::new().with("webhook", delivery).stringified());
    RequestTemplate::when(missing, without_header)
        .or_when(body.longer_than(LARGEST_INPUT - HEADERS), too_large)
        .otherwise(start)
}

/// The statuses that GitHub may see.
pub(super) fn statuses() -> Vec<MethodResponse> {
    ["202", "400", "413", "502", "503"].map(MethodResponse::new).to_vec()
}

/// Which answer of Step Functions becomes which for GitHub. Only a started execution is a success.
pub(super) fn responses() -> Vec<IntegrationResponse> {
    let started = ResponseTemplate::always(Object::new().with("message", "the execution has started"));
    vec![
        IntegrationResponse::new("202")
            .selection_pattern("200")
            .response_templates([(JSON, started.text())]),
        // Without a pattern: whatever else comes, an integration that does not answer included.
        IntegrationResponse::new("502").response_templates([(JSON, refused().text())]),
    ]
}

/// Why no execution started, and what becomes of the pull request.
pub(super) fn refused() -> ResponseTemplate {
    let message = |text: &str| Object::new().with("message", text);
    let error = input::path("$.__type").named("type");
    ResponseTemplate::when(
        error.contains("InvalidName"),
        answer(
            413,
            message("the body is too large; the reconciler picks the pull request up"),
        ),
    )
    .or_when(
        error.contains("InvalidExecutionInput"),
        answer(400, message(&without_header())),
    )
    .or_when(
        error
            .contains("ExecutionLimitExceeded")
            .or(error.contains("Throttling")),
        answer(
            503,
            message("too many executions; the reconciler picks the pull request up"),
        ),
    )
    .otherwise(answer(
        502,
        message("the execution did not start; the reconciler picks the pull request up"),
    ))
}

/// What is told of a request that no execution can be made of.
fn without_header() -> String {
    let [event, delivery, signature] = [EVENT, DELIVERY, SIGNATURE].map(Header::name);
    format!("{event}, {delivery} and {signature} are each needed, in one spelling")
}

/// Shows the templates as documents of their own.
pub(super) fn documents(stack: &mut Stack, machine: Handle<StateMachineResource>) {
    let request: Value<String> = start_execution(machine).text();
    for (name, text) in [("webhook-request", request), ("webhook-refused", refused().text())] {
        stack.document(synth::Document {
            name: format!("{name}.vtl"),
            kind: synth::DocumentKind::MappingTemplate,
            content: synth::Content::Text(text.into_node()),
        });
    }
}
