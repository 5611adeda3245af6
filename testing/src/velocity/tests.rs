use super::*;
use crate::or_skip;

/// As the webhook's integration needs it: what the sender wrote travels in base64, so nothing in it can break out of the JSON string.
const START_EXECUTION: &str = r#"#set($body = $util.base64Encode($input.body))
#if($body.length() > 4000)
#set($context.responseOverride.status = 413)
{ "message": "too large" }
#else
{
  "stateMachineArn": "$stageVariables.machine",
  "input": "{\"body\":\"$body\",\"signature\":\"$util.base64Encode($input.params('X-Hub-Signature-256'))\",\"request\":\"$context.requestId\",\"from\":\"$context.identity.sourceIp\"}"
}
#end
"#;

const ENGINES: [Engine; 2] = [Engine::Velocity, Engine::Airspeed];

fn rendered(engine: Engine, jobs: &[(&str, &Request)]) -> Option<Vec<Result<Rendering, Refusal>>> {
    or_skip("mapping templates", render_all(engine, jobs))
}

#[test]
fn a_start_execution_template_is_valid_json_for_every_payload() {
    let bodies = [
        "{}",
        "",
        "it's",
        r#"say "hi""#,
        r"back\slash",
        "two\nlines\r\n\ttabbed",
        "rocket 🚀",
        "漢字かな交じり文",
        "$input.body #set($x = 1) #end",
        "\u{0}\u{7f}\u{2028}",
        "é".repeat(500).leak(),
    ];
    let requests: Vec<Request> = bodies
        .iter()
        .map(|body| {
            Request::new(*body)
                .header("X-Hub-Signature-256", "sha256=it's\"\\🚀")
                .stage_variable("machine", "arn:aws:states:x")
        })
        .collect();
    let jobs: Vec<_> = requests.iter().map(|request| (START_EXECUTION, request)).collect();
    for engine in ENGINES {
        let Some(renderings) = rendered(engine, &jobs) else {
            return;
        };
        for (body, rendering) in bodies.iter().zip(renderings) {
            let rendering = rendering.unwrap();
            let outer: Value = serde_json::from_str(&rendering.body)
                .unwrap_or_else(|fault| panic!("{engine:?} {body:?}: {fault}\n{}", rendering.body));
            let inner: Value = serde_json::from_str(outer["input"].as_str().unwrap()).unwrap();
            assert_eq!(
                decoded(inner["signature"].as_str().unwrap()),
                "sha256=it's\"\\🚀".as_bytes(),
                "{engine:?} {body:?}"
            );
            assert_eq!(inner["from"], "192.0.2.1");
            assert_eq!(
                decoded(inner["body"].as_str().unwrap()),
                body.as_bytes(),
                "{engine:?} {body:?}"
            );
            assert_eq!(rendering.status(), None);
            assert!(rendering.unresolved.is_empty());
        }
    }
}

/// Why the header travels in base64 as well: one `escapeJavaScript` protects one level of JSON, and the input is JSON within JSON.
#[test]
fn a_header_that_is_escaped_once_forges_fields_of_the_input() {
    let template = r#"{ "input": "{\"actor\":\"pipeline\",\"id\":\"$util.escapeJavaScript($input.params('Id'))\"}" }"#;
    let forged = Request::new("").header("Id", r#"1","actor":"mallory"#);
    for engine in ENGINES {
        let Some(mut renderings) = rendered(engine, &[(template, &forged)]) else {
            return;
        };
        let outer: Value = serde_json::from_str(&renderings.remove(0).unwrap().body).unwrap();
        let inner: Value = serde_json::from_str(outer["input"].as_str().unwrap()).unwrap();
        assert_eq!(inner, json!({ "actor": "mallory", "id": "1" }), "{engine:?}");
    }
}

/// Base64 by hand, so that no engine checks itself.
fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .bytes()
        .filter_map(|digit| ALPHABET.iter().position(|known| *known == digit));
    let (mut bits, mut held, mut bytes) = (0_usize, 0, Vec::new());
    for digit in digits {
        bits = bits << 6 | digit;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}

#[test]
fn a_written_status_is_reported() {
    let large = Request::new("x".repeat(5000));
    for engine in ENGINES {
        let Some(mut renderings) = rendered(engine, &[(START_EXECUTION, &large)]) else {
            return;
        };
        let rendering = renderings.remove(0).unwrap();
        assert_eq!(rendering.status(), Some(413), "{engine:?}");
        assert_eq!(rendering.body.trim(), r#"{ "message": "too large" }"#);
    }
}

#[test]
fn both_engines_know_what_our_templates_use() {
    let request = Request::new(r#"{"action":"opened","number":17,"labels":[{"name":"a b"}]}"#)
        .header("X-GitHub-Event", "pull_request")
        .path_parameter("id", "7")
        .query_parameter("page", "2");
    let table = [
        ("$input.params('X-GitHub-Event')", "pull_request"),
        ("$input.params('id')/$input.params('page')", "7/2"),
        ("[$input.params('absent')]", "[]"),
        ("#if($input.params('absent') == '')none#{else}some#end", "none"),
        ("#set($x = 'abc')$x.length()", "3"),
        ("#if($input.body.contains('opened'))yes#{else}no#end", "yes"),
        (
            "#if($input.params('X-GitHub-Event').matches('pull_[a-z]+'))yes#{else}no#end",
            "yes",
        ),
        (
            "#if($input.params('X-GitHub-Event').matches('pull'))yes#{else}no#end",
            "no",
        ),
        ("#if('a' == 'b')1#elseif(2 > 1 && !false)2#{else}3#end", "2"),
        ("#foreach($label in $input.path('$.labels'))$label.name;#end", "a b;"),
        ("$input.json('$.labels[0]')", r#"{"name":"a b"}"#),
        ("$input.json('$.action')", r#""opened""#),
        ("$input.path('$.number')", "17"),
        ("$util.urlEncode('a b/ü*~')", "a+b%2F%C3%BC*%7E"),
        ("$util.urlDecode('a+b%2F%C3%BC')", "a b/ü"),
        ("$util.base64Decode($util.base64Encode('漢字🚀'))", "漢字🚀"),
        ("$util.escapeJavaScript('/é🚀')", r"\/\u00E9\uD83D\uDE80"),
        ("#set($parsed = $util.parseJson($input.body))$parsed.number", "17"),
        ("#set($context.requestOverride.header.Accept = 'x')ok", "ok"),
    ];
    let jobs: Vec<_> = table.iter().map(|(template, _)| (*template, &request)).collect();
    for engine in ENGINES {
        let Some(renderings) = rendered(engine, &jobs) else {
            return;
        };
        for ((template, expected), rendering) in table.iter().zip(renderings) {
            let rendering = rendering.unwrap_or_else(|refusal| panic!("{template}: {refusal}"));
            assert_eq!(rendering.body, *expected, "{engine:?}: {template}");
            assert!(
                rendering.unresolved.is_empty(),
                "{template}: {:?}",
                rendering.unresolved
            );
        }
    }
}

#[test]
fn velocity_refuses_what_api_gateway_would() {
    let request = Request::new("not json");
    let table = [
        ("#if($x", "Encountered"),
        ("$util.escapeJavascript('x')", "$util.escapeJavascript() does not exist"),
        ("$input.json('$.a')", "the request's body is not JSON"),
        ("$util.base64Encode($absent)", "a $util function was given null"),
    ];
    let jobs: Vec<_> = table.iter().map(|(template, _)| (*template, &request)).collect();
    let Some(renderings) = rendered(Engine::Velocity, &jobs) else {
        return;
    };
    for ((template, expected), rendering) in table.iter().zip(renderings) {
        let refusal = rendering.expect_err(template);
        assert!(refusal.message.contains(expected), "{template}: {refusal}");
    }
}

#[test]
fn a_reference_that_nothing_answers_is_reported() {
    let request = Request::new("{}");
    let template = "$context.requestID ${input.bodi} $!quiet $context.requestId $body.foo()";
    let Some(rendering) = or_skip("unresolved references", render(template, &request)) else {
        return;
    };
    assert_eq!(rendering.unresolved, ["$context.requestID", "$input.bodi", "$body"]);
}

#[test]
fn a_template_cannot_reach_java() {
    let request = Request::new("x");
    let Some(rendering) = or_skip(
        "reflection",
        render("$input.body.class.forName('java.lang.Runtime')", &request),
    ) else {
        return;
    };
    assert!(rendering.body.starts_with('$'), "{}", rendering.body);
}
