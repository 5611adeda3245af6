//! Mapping templates: exact Velocity for the templates that start executions and answer callers, and what cannot be said.

use synth::apigateway::mapping::{
    Header, Json, Object, RequestTemplate, ResponseTemplate, Text, answer, context, input,
};
use synth::{
    Arn, Element, Handle, Intrinsic, Node, Part, Target, Value, apigateway, pseudo,
    stepfunctions::StateMachineResource, sub,
};

const EVENT: Header = Header::new("X-GitHub-Event");
const DELIVERY: Header = Header::new("X-GitHub-Delivery");
const SIGNATURE: Header = Header::new("X-Hub-Signature-256");

fn machine() -> Value<Arn<StateMachineResource>> {
    let machine: Handle<StateMachineResource> = Handle::of(Element { stack: 0, index: 7 });
    machine.arn()
}

/// The template with `<Logical.Attribute>` for every value of CloudFormation.
fn shown(value: &Value<String>) -> String {
    let name = |node: &Node| match node {
        Node::Intrinsic(intrinsic) => match intrinsic.as_ref() {
            Intrinsic::Ref(Target::Element(element)) => format!("<{}>", element.index),
            Intrinsic::Ref(Target::Named(name)) => format!("<{name}>"),
            other => format!("<{other:?}>"),
        },
        other => format!("<{other:?}>"),
    };
    match value.node() {
        Node::Text(text) => text.to_string(),
        Node::Intrinsic(intrinsic) => match intrinsic.as_ref() {
            Intrinsic::Sub(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.to_string(),
                    Part::Value(node) => name(node),
                })
                .collect(),
            _ => name(value.node()),
        },
        other => format!("{other:?}"),
    }
}

/// The request that starts an execution with a post: everything the caller sent is in Base64, so nothing needs escaping,
/// and a post that is too large asks for a name that Step Functions refuses as `InvalidName`.
fn start_execution(longest: usize) -> RequestTemplate {
    let body = input::body().base64().named("body");
    let start = Object::new().with("stateMachineArn", machine());
    RequestTemplate::when(
        body.longer_than(longest),
        start.clone().with("name", "the body is too large"),
    )
    .otherwise(
        start.with(
            "input",
            Object::new()
                .with("body", body)
                .with("event", input::header(EVENT).base64())
                .with("delivery", input::header(DELIVERY).base64())
                .with("signature", input::header(SIGNATURE).base64())
                .stringified(),
        ),
    )
}

/// The answer to the caller when Step Functions refused.
fn refused() -> ResponseTemplate {
    let error = input::path("$.__type").named("type");
    let message = |text: &str| {
        Object::new()
            .with("message", text)
            .with("request", context::request_id())
    };
    ResponseTemplate::when(
        error.contains("InvalidName"),
        answer(413, message("the body is too large")),
    )
    .or_when(
        error.contains("ExecutionLimitExceeded"),
        answer(429, message("too many executions")),
    )
    .otherwise(answer(502, message("the execution was not started")))
}

#[test]
fn a_post_starts_an_execution_with_everything_in_base64() {
    let template = Value::from(start_execution(262_000));
    assert_eq!(
        shown(&template),
        r#"#set($values = {'x-github-event': '', 'x-github-delivery': '', 'x-hub-signature-256': ''})
#set($spellings = {'x-github-event': '', 'x-github-delivery': '', 'x-hub-signature-256': ''})
#foreach($spelling in $input.params().header.keySet())
#if($spelling.replaceAll('(?i)^x-github-event$', '') == '')
#set($before = $values.put('x-github-event', $input.params().header.get($spelling)))
#set($before = $spellings.put('x-github-event', "$spellings.get('x-github-event')+"))
#end
#if($spelling.replaceAll('(?i)^x-github-delivery$', '') == '')
#set($before = $values.put('x-github-delivery', $input.params().header.get($spelling)))
#set($before = $spellings.put('x-github-delivery', "$spellings.get('x-github-delivery')+"))
#end
#if($spelling.replaceAll('(?i)^x-hub-signature-256$', '') == '')
#set($before = $values.put('x-hub-signature-256', $input.params().header.get($spelling)))
#set($before = $spellings.put('x-hub-signature-256', "$spellings.get('x-hub-signature-256')+"))
#end
#end
#set($header_x_github_event = '')
#if($spellings.get('x-github-event') == '+')
#set($header_x_github_event = $values.get('x-github-event'))
#end
#set($header_x_github_delivery = '')
#if($spellings.get('x-github-delivery') == '+')
#set($header_x_github_delivery = $values.get('x-github-delivery'))
#end
#set($header_x_hub_signature_256 = '')
#if($spellings.get('x-hub-signature-256') == '+')
#set($header_x_hub_signature_256 = $values.get('x-hub-signature-256'))
#end
#set($body = $util.base64Encode($input.body))
#if($body.length() > 262000)
{
  "stateMachineArn": "<7>",
  "name": "the body is too large"
}
#else
{
  "stateMachineArn": "<7>",
  "input": "{\"body\":\"$body\",\"event\":\"$util.base64Encode($header_x_github_event)\",\"delivery\":\"$util.base64Encode($header_x_github_delivery)\",\"signature\":\"$util.base64Encode($header_x_hub_signature_256)\"}"
}
#end
"#
    );
    assert!(matches!(template.node(), Node::Intrinsic(intrinsic) if matches!(intrinsic.as_ref(), Intrinsic::Sub(_))));
}

#[test]
fn a_refusal_becomes_the_status_that_it_deserves() {
    assert_eq!(
        shown(&refused().into()),
        r#"#set($type = $input.path('$.__type'))
#if($type && $type.contains('InvalidName'))
#set($context.responseOverride.status = 413)
{
  "message": "the body is too large",
  "request": "$context.requestId"
}
#elseif($type && $type.contains('ExecutionLimitExceeded'))
#set($context.responseOverride.status = 429)
{
  "message": "too many executions",
  "request": "$context.requestId"
}
#else
#set($context.responseOverride.status = 502)
{
  "message": "the execution was not started",
  "request": "$context.requestId"
}
#end
"#
    );
}

#[test]
fn a_template_is_taken_by_a_method() {
    let integration = apigateway::method::Integration::new(apigateway::method::IntegrationType::Aws)
        .request_templates([("application/json", start_execution(262_000))])
        .integration_responses([
            apigateway::method::IntegrationResponse::new("502").response_templates([("application/json", refused())])
        ]);
    assert!(format!("{:?}", Value::from(integration)).contains("responseOverride"));
}

#[test]
fn escaped_text_loses_the_backslash_that_json_does_not_know() {
    let template = RequestTemplate::always(Object::new().with("title", input::path("$.title").json_escaped()));
    assert_eq!(
        shown(&template.into()),
        "{\n  \"title\": \"$util.escapeJavaScript($input.path('$.title')).replaceAll(\"\\\\'\", \"'\")\"\n}\n"
    );
}

#[test]
fn text_within_text_is_escaped_once_for_every_string_around_it() {
    let template = RequestTemplate::always(
        Object::new().with(
            "input",
            Object::new()
                .with("title", input::path("$.title").json_escaped())
                .with("id", context::request_id())
                .stringified(),
        ),
    );
    assert_eq!(
        shown(&template.into()),
        "{\n  \"input\": \"{\\\"title\\\":\\\"$util.escapeJavaScript($util.escapeJavaScript($input.path('$.title')).replaceAll(\"\\\\'\", \"'\")).replaceAll(\"\\\\'\", \"'\")\\\",\\\"id\\\":\\\"$context.requestId\\\"}\"\n}\n"
    );
}

#[test]
fn json_of_the_body_stays_in_its_place() {
    let document = |json: Json| shown(&RequestTemplate::always(Object::new().with("pets", json)).into());
    assert_eq!(
        document(Json::of_input("$.pets")),
        "{\n  \"pets\": $input.json('$.pets')\n}\n"
    );
    assert_eq!(
        document(Object::new().with("a", Json::of_input("$.pets")).stringified()),
        "{\n  \"pets\": \"{\\\"a\\\":$util.escapeJavaScript($input.json('$.pets')).replaceAll(\"\\\\'\", \"'\")}\"\n}\n"
    );
}

#[test]
fn velocity_takes_nothing_of_the_authors_text_for_its_own() {
    let template = RequestTemplate::always(
        Object::new()
            .with("$key", "costs $5 \\ #set \"quoted\"\n")
            .with("nested", Object::new().with("a", "$b \"c\" \\").stringified()),
    );
    let text = shown(&template.into());
    assert_eq!(
        text,
        "{\n  \"\\u0024key\": \"costs \\u00245 \\u005c \\u0023set \\\"quoted\\\"\\n\",\n  \"nested\": \"{\\\"a\\\":\\\"\\\\u0024b \\\\\\\"c\\\\\\\" \\\\u005c\\\"}\"\n}\n"
    );
    // Nothing is left for Velocity, so the text is the document.
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["$key"], "costs $5 \\ #set \"quoted\"\n");
    let nested: serde_json::Value = serde_json::from_str(document["nested"].as_str().unwrap()).unwrap();
    assert_eq!(nested["a"], "$b \"c\" \\");
}

#[test]
fn a_reference_ends_where_it_should() {
    let text = Text::of("pr-")
        .then(context::stage())
        .then("-")
        .then(context::request_id())
        .then("/x");
    let template = RequestTemplate::always(Object::new().with("name", text));
    assert_eq!(
        shown(&template.into()),
        "{\n  \"name\": \"pr-${context.stage}-$context.requestId/x\"\n}\n"
    );
    let glued = Text::of(context::stage())
        .then(machine())
        .then(context::stage())
        .then(context::api_id());
    let template = RequestTemplate::always(Object::new().with("name", glued));
    assert_eq!(
        shown(&template.into()),
        "{\n  \"name\": \"${context.stage}<7>$context.stage$context.apiId\"\n}\n"
    );
}

#[test]
fn values_of_cloudformation_are_escaped_where_they_are_text() {
    let value = sub!["a \"", pseudo::region(), "\" $"];
    let template = RequestTemplate::always(Object::new().with("name", value).with("region", pseudo::region()));
    assert_eq!(
        shown(&template.into()),
        "{\n  \"name\": \"a \\\"<AWS::Region>\\\" \\u0024\",\n  \"region\": \"<AWS::Region>\"\n}\n"
    );
}

#[test]
fn every_kind_of_json_is_written() {
    let template = RequestTemplate::always(
        Object::new()
            .with("list", Json::array(["a", "b"]))
            .with("empty", Json::array(Vec::<i64>::new()))
            .with("object", Object::new())
            .with("number", 17)
            .with("yes", true)
            .with("nothing", Json::null()),
    );
    let text = shown(&template.into());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        document,
        serde_json::json!({ "list": ["a", "b"], "empty": [], "object": {}, "number": 17, "yes": true, "nothing": null })
    );
}

#[test]
fn conditions_are_put_together() {
    let event = input::header(EVENT);
    let template = RequestTemplate::when(
        event.is("ping").or(event.is_empty()).and(!context::stage().is("prod")),
        Object::new(),
    )
    .otherwise(Object::new());
    assert_eq!(
        shown(&template.into())
            .lines()
            .find(|line| line.contains("prod"))
            .unwrap(),
        "#if((($header_x_github_event == 'ping') || (!($header_x_github_event && $header_x_github_event != ''))) && (!($context.stage == 'prod')))"
    );
}

#[test]
fn claims_are_found_by_name() {
    let template = RequestTemplate::always(
        Object::new()
            .with("user", context::claim("sub").base64())
            .with("name", context::claim("cognito:username").base64()),
    );
    assert_eq!(
        shown(&template.into()),
        "{\n  \"user\": \"$util.base64Encode($context.authorizer.claims.sub)\",\n  \"name\": \"$util.base64Encode($context.authorizer.claims['cognito:username'])\"\n}\n"
    );
}

#[test]
fn what_a_template_cannot_hold_is_a_located_fault() {
    let line = line!() + 1;
    let template = ResponseTemplate::when(input::path("title").contains("it's"), answer(99, Object::new())).otherwise(
        Object::new()
            .with("a", input::parameter("it's").base64())
            .with("b", input::body().base64().named("util")),
    );
    let faults = template.check();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "\"title\" is no JSON path, it begins with `$`",
            "the variable util is API Gateway's own",
            "\"it's\" holds a quote or a line break, which the template cannot hold",
            "\"it's\" holds a quote or a line break, which a condition cannot hold",
            "99 is no status of an answer, allowed are 200 to 599",
        ]
    );
    assert_eq!(faults[0].at.map(std::panic::Location::line), Some(line));
    let Node::Invalid(fault) = Value::from(template).into_node() else {
        panic!("a template with faults has no text")
    };
    assert!(fault.contains("99 is no status"));
}

#[test]
fn a_header_is_looked_up_once_however_its_name_is_written() {
    let template = RequestTemplate::always(
        Object::new()
            .with("a", input::header(Header::new("X-GitHub-Event")).base64())
            .with("b", input::header(Header::new("x-github-event")).json_escaped()),
    );
    let text = shown(&template.into());
    assert_eq!(text.matches("#set($header_x_github_event = '')").count(), 1, "{text}");
    assert!(!text.contains("X-GitHub-Event"), "no spelling is asked for: {text}");
}

#[test]
fn a_variable_cannot_pose_as_a_header() {
    let body = input::body().base64().named("header_x_github_event");
    let faults = RequestTemplate::always(Object::new().with("a", body)).check();
    assert!(faults[0].message.contains("begins with `header_`"), "{faults:?}");
}

#[test]
fn a_variable_has_one_value() {
    let first = input::body().base64().named("x");
    let line = line!() + 1;
    let second = input::header(EVENT).base64().named("x");
    let template = RequestTemplate::always(Object::new().with("a", &first).with("b", second).with("c", first));
    let faults = template.check();
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0]
            .message
            .starts_with("the variable x is given another value, the first at ")
    );
    assert_eq!(faults[0].at.map(std::panic::Location::line), Some(line));
}

#[test]
fn variables_are_set_before_those_made_of_them() {
    let title = input::path("$.title").named("title");
    let encoded = title.json_escaped().named("encoded");
    let template = RequestTemplate::always(Object::new().with("a", &encoded).with("b", encoded));
    assert_eq!(
        shown(&template.into()),
        "#set($title = $input.path('$.title'))\n#set($encoded = $util.escapeJavaScript($title).replaceAll(\"\\\\'\", \"'\"))\n{\n  \"a\": \"$encoded\",\n  \"b\": \"$encoded\"\n}\n"
    );
}
