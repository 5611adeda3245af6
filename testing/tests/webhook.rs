//! The webhook API's mapping templates, rendered as API Gateway renders them.
//!
//! The template that is rendered is the one in the emitted REST API, not the document beside it. What GitHub, or who poses as
//! GitHub, sends must come out of the execution's input byte for byte, and nothing of it may leave its place.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot read what it judges has failed"
)]

use contract::Trigger;
use serde_json::{Value, json};
use testing::emission::{self, Emission};
use testing::or_skip;
use testing::spelling::Spelling;
use testing::velocity::{Engine, Rendering, Request, render_all};

const ENGINES: [Engine; 2] = [Engine::Velocity, Engine::Airspeed];
const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:thebestest-pipeline-manager";
/// The most that `StartExecution` takes as `input`, in bytes.
const LARGEST_INPUT: usize = 262_144;
/// The longest body that base64 keeps within what the template lets through.
const LONGEST_BODY: usize = 184_320;

/// The integration of `POST /webhook`.
fn integration() -> Value {
    let all = emission::everything();
    let methods = all.iter().flat_map(Emission::resources);
    let mut integrations = methods
        .filter(|resource| resource.kind == "AWS::ApiGateway::Method")
        .map(|resource| &resource.properties["Integration"])
        .filter(|integration| emission::shown(&integration["Uri"]).ends_with(":states:action/StartExecution"));
    let integration = integrations.next().expect("a method starts executions").clone();
    assert!(integrations.next().is_none(), "only one method starts executions");
    integration
}

/// The template of requests as API Gateway gets it: CloudFormation has put in the machine's ARN.
fn start_execution() -> String {
    let templates = integration()["RequestTemplates"].clone();
    let templates = templates.as_object().expect("templates by content type");
    assert_eq!(templates.keys().collect::<Vec<_>>(), ["application/json"]);
    let template = emission::shown(&templates["application/json"]).replace("${PipelineManager}", MACHINE);
    assert!(!template.contains("${"), "something is not substituted: {template}");
    template
}

fn renderings(engine: Engine, template: &str, requests: &[Request]) -> Option<Vec<Rendering>> {
    let jobs: Vec<_> = requests.iter().map(|request| (template, request)).collect();
    let renderings = or_skip("the webhook's mapping templates", render_all(engine, &jobs))?;
    let renderings = renderings.into_iter().map(|rendering| {
        let rendering = rendering.unwrap_or_else(|refusal| panic!("{refusal}"));
        // An answer without an error's type leaves this one variable empty, and the template asks for it before it reads it.
        let unresolved: Vec<&String> = rendering
            .unresolved
            .iter()
            .filter(|name| !["$input.path()", "type", "$type"].contains(&name.as_str()))
            .collect();
        assert!(unresolved.is_empty(), "{unresolved:?}");
        rendering
    });
    Some(renderings.collect())
}

#[derive(Clone)]
struct Delivery {
    body: String,
    event: String,
    id: String,
    signature: String,
}

impl Delivery {
    fn of(body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            event: "pull_request".to_owned(),
            id: "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
            signature: format!("sha256={}", "0a".repeat(32)),
        }
    }

    fn forged(header: &str) -> Self {
        Self {
            event: header.to_owned(),
            id: header.to_owned(),
            signature: header.to_owned(),
            ..Self::of(r#"{"zen":"It's not fully shipped until it's fast."}"#)
        }
    }

    fn request(&self, spelling: Spelling) -> Request {
        let headers = [
            ("X-GitHub-Event", &self.event),
            ("X-GitHub-Delivery", &self.id),
            ("X-Hub-Signature-256", &self.signature),
        ];
        let request = Request::new(self.body.as_str()).header("Accept", "*/*");
        headers.into_iter().fold(request, |request, (name, value)| {
            request.header(spelling.of(name), value.as_str())
        })
    }

    /// The request in each spelling of the headers' names.
    fn requests(&self) -> [Request; 3] {
        Spelling::ALL.map(|spelling| self.request(spelling))
    }
}

/// What the sender can think of to leave its place: JSON, JavaScript, Velocity, Unicode, control characters.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "{}",
        "it's a pull request",
        r#"{"title":"say \"hi\""}"#,
        r#"","repair":{"repository":"a/b"},"x":""#,
        r#"\","repair":{"repository":"a/b"},\"x\":\""#,
        r"back\slash \u0022 \\ \' \/",
        "two\nlines\r\n\ttabbed\u{b}\u{c}\u{8}",
        "rocket 🚀 family 👨‍👩‍👧 flag 🇪🇺",
        "漢字かな交じり文 한국어 中文",
        "$input.body $util.base64Encode('x') ${body} $!body $body",
        "#set($body = 'x') #if(true) #end #foreach($i in [1]) #parse('x') #include('x') #stop",
        "## a comment #* and another *# #[[ unparsed ]]#",
        "\u{0}\u{1}\u{1f}\u{7f}\u{80}\u{9f}",
        "\u{2028}\u{2029}\u{feff}\u{fffd}\u{fffe}\u{ffff}",
        "${AWS::AccountId} #{Package.CODE_KEY} {{resolve:secretsmanager:x}} {% $states.input %}",
        "</script><!-- ]]> %00 %22 &quot; `id` $(id)",
        "a\u{301} \u{e9} \u{1f600}\u{10ffff}",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("é".repeat(10_000));
    texts
}

/// Deterministic pseudo-random texts, Unicode of all planes and the characters that JSON and Velocity give a meaning to.
fn random(count: usize) -> Vec<String> {
    const TELLING: [char; 16] = [
        '"', '\'', '\\', '$', '#', '{', '}', '(', ')', '\n', '\r', '\t', '\u{0}', '%', '!', '/',
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u32| {
        // xorshift64: good enough to be surprised by, and the same on every machine.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state >> 33).unwrap() % below
    };
    (0..count)
        .map(|_| {
            let length = next(200);
            (0..length)
                .map(|_| match next(4) {
                    0 => TELLING[next(16) as usize],
                    1 => char::from_u32(next(0x80)).unwrap(),
                    2 => char::from_u32(next(0xd800)).unwrap(),
                    _ => char::from_u32(0xe000 + next(0x0011_0000 - 0xe000)).unwrap(),
                })
                .collect()
        })
        .collect()
}

/// The bytes of standard base64 with padding. By hand, so that no engine checks itself; anything else is refused.
fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(text.len() % 4, 0, "{text:?} is not padded");
    let digits = text.trim_end_matches('=');
    assert!(text.len() - digits.len() <= 2, "{text:?} has too much padding");
    let (mut bits, mut held, mut bytes) = (0_usize, 0, Vec::new());
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit);
        bits = (bits << 6 | value.unwrap_or_else(|| panic!("{text:?} is not base64"))) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// Whether Step Functions takes the name of an execution, see
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_RequestSyntax>.
fn is_execution_name(name: &str) -> bool {
    let forbidden = |character: char| {
        character.is_whitespace() || character.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(character)
    };
    (1..=80).contains(&name.chars().count()) && !name.chars().any(forbidden)
}

#[test]
fn what_is_sent_arrives_byte_for_byte_and_nothing_leaves_its_place() {
    let template = start_execution();
    let bodies = hostile().into_iter().chain(random(200)).map(Delivery::of);
    // A header that is empty is as good as none.
    let headers = hostile().into_iter().take(18).filter(|text| !text.is_empty());
    let headers = headers.map(|text| Delivery::forged(&text));
    let deliveries: Vec<Delivery> = bodies
        .chain(headers)
        .flat_map(|delivery| [(); 3].map(|()| delivery.clone()))
        .collect();
    let requests: Vec<Request> = deliveries
        .iter()
        .zip(Spelling::ALL.into_iter().cycle())
        .map(|(delivery, spelling)| delivery.request(spelling))
        .collect();
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, &template, &requests) else {
            return;
        };
        assert_eq!(renderings.len(), deliveries.len());
        for (sent, rendering) in deliveries.iter().zip(renderings) {
            let start: Value = serde_json::from_str(&rendering.body)
                .unwrap_or_else(|fault| panic!("{engine:?} {:?}: {fault}\n{}", sent.body, rendering.body));
            let keys: Vec<&String> = start.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["stateMachineArn", "input"], "{engine:?} {:?}", sent.body);
            assert_eq!(start["stateMachineArn"], MACHINE);

            let input: Value = serde_json::from_str(start["input"].as_str().unwrap()).unwrap();
            assert_eq!(input.as_object().unwrap().len(), 1, "{input}");
            assert_eq!(input["webhook"].as_object().unwrap().len(), 4, "{input}");
            let trigger: Trigger = serde_json::from_value(input).unwrap();
            assert_eq!(trigger.repair, None, "a delivery cannot pose as a repair");
            let arrived = trigger.webhook.unwrap();
            for (arrived, sent) in [
                (&arrived.body, &sent.body),
                (&arrived.event, &sent.event),
                (&arrived.delivery, &sent.id),
                (&arrived.signature, &sent.signature),
            ] {
                assert_eq!(decoded(arrived), sent.as_bytes(), "{engine:?} {sent:?}");
            }
        }
    }
}

#[test]
fn a_body_within_the_limit_makes_an_input_that_step_functions_takes() {
    // API Gateway takes 10,240 bytes of headers in all; three of them can make up nearly everything.
    let header = "h".repeat(3_380);
    let bodies = ["x".repeat(LONGEST_BODY), "漢".repeat(LONGEST_BODY / 3)];
    let deliveries = bodies.map(|body| Delivery {
        body,
        ..Delivery::forged(&header)
    });
    let requests: Vec<Request> = deliveries.iter().flat_map(Delivery::requests).collect();
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, &start_execution(), &requests) else {
            return;
        };
        for (index, rendering) in renderings.into_iter().enumerate() {
            let sent = &deliveries[index / Spelling::ALL.len()];
            let start: Value = serde_json::from_str(&rendering.body).unwrap();
            let input = start["input"]
                .as_str()
                .unwrap_or_else(|| panic!("{engine:?}: no input"));
            assert!(
                input.len() <= LARGEST_INPUT,
                "{engine:?}: {} bytes of input, allowed are {LARGEST_INPUT}",
                input.len()
            );
            let trigger: Trigger = serde_json::from_str(input).unwrap();
            assert!(decoded(&trigger.webhook.unwrap().body) == sent.body.as_bytes());
        }
    }
}

#[test]
fn a_body_over_the_limit_asks_for_a_name_that_step_functions_refuses() {
    let bodies = [
        "x".repeat(LONGEST_BODY + 1),
        "漢".repeat(LONGEST_BODY / 3 + 1),
        "x".repeat(1_000_000),
    ];
    let requests: Vec<Request> = bodies
        .into_iter()
        .flat_map(|body| Delivery::of(body).requests())
        .collect();
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, &start_execution(), &requests) else {
            return;
        };
        for rendering in renderings {
            let start: Value = serde_json::from_str(&rendering.body).unwrap();
            let name = start["name"].as_str().expect("a name");
            assert!(
                !is_execution_name(name),
                "{engine:?}: {name:?} would start an execution"
            );
            assert_eq!(start.get("input"), None, "{engine:?}");
        }
    }
}

/// Requests of which no execution may be made: each lacks one of GitHub's headers, or has it empty, or in two spellings.
fn without_a_header() -> Vec<(String, Request)> {
    let names = ["X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256"];
    let others = |name: &str, spelling: Spelling| {
        let others = names.into_iter().filter(|other| *other != name);
        others.fold(Request::new("{}"), |request, other| {
            request.header(spelling.of(other), "something")
        })
    };
    let mut requests = Vec::new();
    for (name, spelling) in names
        .into_iter()
        .flat_map(|name| Spelling::ALL.map(|spelling| (name, spelling)))
    {
        let request = others(name, spelling);
        requests.push((format!("no {name}"), request.clone()));
        requests.push((format!("empty {name}"), request.clone().header(spelling.of(name), "")));
        let longer = request
            .clone()
            .header(format!("{name}-2"), "x")
            .header(format!("X-{name}"), "x");
        requests.push((format!("others than {name}"), longer));
        // Where a name could be written like another's variable.
        requests.push((
            format!("{name} with underscores"),
            request.clone().header(name.replace('-', "_"), "x"),
        ));
        let query = request.clone().query_parameter(name, "x").path_parameter(name, "x");
        requests.push((format!("{name} in the query"), query));
        for values in [["the first", "the second"], ["", "the second"], ["the first", ""]] {
            let twice = request
                .clone()
                .header(name.to_ascii_uppercase(), values[0])
                .header(name.to_ascii_lowercase(), values[1]);
            requests.push((format!("{name} twice: {values:?}"), twice.clone()));
            requests.push((
                format!("{name} three times"),
                twice.header(format!("x{}", &name[1..]), "the third"),
            ));
        }
    }
    requests
}

#[test]
fn a_request_without_each_header_in_one_spelling_asks_for_what_step_functions_refuses() {
    let (told, requests): (Vec<String>, Vec<Request>) = without_a_header().into_iter().unzip();
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, &start_execution(), &requests) else {
            return;
        };
        for (told, rendering) in told.iter().zip(renderings) {
            let start: Value = serde_json::from_str(&rendering.body).unwrap();
            let input = start["input"].as_str().expect("an input");
            assert!(
                serde_json::from_str::<Value>(input).is_err(),
                "{engine:?}, {told}: {input:?} would start an execution"
            );
            assert_eq!(start.as_object().unwrap().len(), 2, "{engine:?}, {told}");
        }
    }
}

#[test]
fn no_spelling_of_a_header_is_asked_for_before_the_template_reads_them_all() {
    // A request validator knows `method.request.header.<name>` in one spelling alone.
    let all = emission::everything();
    let methods = all.iter().flat_map(Emission::resources);
    let literal: Vec<String> = methods
        .filter(|resource| resource.kind == "AWS::ApiGateway::Method")
        .flat_map(|resource| {
            resource.properties["RequestParameters"]
                .as_object()
                .cloned()
                .unwrap_or_default()
        })
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("method.request.header."))
        .collect();
    assert_eq!(literal, Vec::<String>::new());
    let template = start_execution();
    assert!(!template.contains("$input.params('"), "{template}");
}

#[test]
fn the_rule_for_names_takes_names_and_refuses_others() {
    for name in ["a", "pr-17_0a1b", &"x".repeat(80)] {
        assert!(is_execution_name(name), "{name:?}");
    }
    for name in ["", "a b", "a:b", "a/b", "a\u{7f}", "{a}", &"x".repeat(81)] {
        assert!(!is_execution_name(name), "{name:?}");
    }
}

#[test]
fn only_a_started_execution_is_answered_with_success() {
    let integration = integration();
    let responses = integration["IntegrationResponses"].as_array().expect("responses");
    let success: Vec<&Value> = responses
        .iter()
        .filter(|response| response["StatusCode"].as_str().unwrap().starts_with('2'))
        .collect();
    let [started] = success.as_slice() else {
        panic!("{success:?}")
    };
    assert_eq!(started["SelectionPattern"], "200");
    let others: Vec<&Value> = responses
        .iter()
        .filter(|response| response.get("SelectionPattern").is_none())
        .collect();
    let [refused] = others.as_slice() else {
        panic!("{others:?}")
    };
    assert_eq!(refused["StatusCode"], "502", "what nothing else selects");
    assert_eq!(
        integration["PassthroughBehavior"], "NEVER",
        "no other content type reaches Step Functions"
    );

    let template = started["ResponseTemplates"]["application/json"].as_str().unwrap();
    let body = r#"{"executionArn":"arn:aws:states:eu-west-1:123456789012:execution:a:b","startDate":1.7E9}"#;
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, template, &[Request::new(body)]) else {
            return;
        };
        let answer: Value = serde_json::from_str(&renderings[0].body).unwrap();
        assert!(answer["message"].is_string());
        assert_eq!(renderings[0].status(), None, "the status stays 202");
    }
}

#[test]
fn a_refused_execution_is_answered_with_the_status_that_says_why() {
    const MODEL: &str = "com.amazonaws.swf.service.v2.model#";
    let fault =
        |kind: &str| json!({ "__type": kind, "message": "InvalidName Throttling ExecutionLimitExceeded" }).to_string();
    let table = [
        (fault(&format!("{MODEL}InvalidName")), 413),
        (fault("InvalidName"), 413),
        (fault(&format!("{MODEL}ExecutionLimitExceeded")), 503),
        (fault("com.amazon.coral.availability#ThrottlingException"), 503),
        (fault("ThrottlingException"), 503),
        (fault(&format!("{MODEL}InvalidExecutionInput")), 400),
        (fault("InvalidExecutionInput"), 400),
        (fault(&format!("{MODEL}StateMachineDoesNotExist")), 502),
        (fault(&format!("{MODEL}StateMachineDeleting")), 502),
        (fault("com.amazon.coral.service#AccessDeniedException"), 502),
        (fault("com.amazon.coral.validate#ValidationException"), 502),
        (fault("com.amazon.coral.service#InternalFailure"), 502),
        (json!({ "message": "InvalidName" }).to_string(), 502),
        ("{}".to_owned(), 502),
        (String::new(), 502),
    ];
    let integration = integration();
    let responses = integration["IntegrationResponses"].as_array().expect("responses");
    let refused = responses
        .iter()
        .find(|response| response.get("SelectionPattern").is_none())
        .expect("a default");
    let template = refused["ResponseTemplates"]["application/json"].as_str().unwrap();
    let all = emission::everything();
    let methods = all.iter().flat_map(Emission::resources);
    let declared: Vec<String> = methods
        .filter(|resource| resource.properties["Integration"] == integration)
        .flat_map(|resource| resource.properties["MethodResponses"].as_array().unwrap())
        .map(|response| response["StatusCode"].as_str().unwrap().to_owned())
        .collect();

    let requests: Vec<Request> = table.iter().map(|(body, _)| Request::new(body.as_str())).collect();
    for engine in ENGINES {
        let Some(renderings) = renderings(engine, template, &requests) else {
            return;
        };
        for ((body, status), rendering) in table.iter().zip(renderings) {
            assert_eq!(rendering.status(), Some(*status), "{engine:?}: {body}");
            assert!(declared.contains(&status.to_string()), "{status} is not declared");
            let answer: Value = serde_json::from_str(&rendering.body).unwrap();
            assert!(answer["message"].is_string(), "{engine:?}: {body}");
        }
    }
}
