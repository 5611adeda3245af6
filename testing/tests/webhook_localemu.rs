//! The emitted webhook API, served by LocalEmu's API Gateway over HTTP, beside Apache Velocity's rendering of the same request.
//!
//! What API Gateway would ask of Step Functions has three readers that share no code: Velocity, airspeed and LocalEmu. They must
//! agree byte for byte, and LocalEmu shows besides which requests end before the template and which answer GitHub gets.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot read what it judges has failed"
)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use testing::emission::{self, Emission};
use testing::localemu::{Answer, LocalEmu, Served};
use testing::or_skip;
use testing::spelling::Spelling;
use testing::velocity::{Engine, Rendering, Request, render_all};

const JSON: &str = "application/json";
/// The longest body that the template lets through.
const LONGEST_BODY: usize = 184_320;

/// One LocalEmu for all tests; it ends with this process.
fn local() -> Option<&'static LocalEmu> {
    static STARTED: LazyLock<Option<LocalEmu>> =
        LazyLock::new(|| or_skip("the webhook API on LocalEmu", LocalEmu::start()));
    STARTED.as_ref()
}

/// The properties of the emitted method; the template of requests starts `machine`.
fn emitted(machine: &str) -> Value {
    let all = emission::emit(&emission::project(), &[]);
    let resources: Vec<_> = all.iter().flat_map(Emission::resources).collect();
    let only = |kind: &str| {
        let mut found = resources.iter().filter(|resource| resource.kind == kind);
        let properties = found.next().expect("one is emitted").properties.clone();
        assert!(found.next().is_none(), "one {kind} is emitted");
        properties
    };
    let mut method = only("AWS::ApiGateway::Method");
    let integration = &mut method["Integration"];
    let uri = emission::shown(&integration["Uri"]);
    integration["Uri"] = uri
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::Region}", testing::aws::REGION)
        .into();
    // LocalEmu would assume the role; whether API Gateway may is not its to say.
    integration.as_object_mut().unwrap().remove("Credentials").unwrap();
    let template = &mut integration["RequestTemplates"][JSON];
    *template = emission::shown(template).replace("${PipelineManager}", machine).into();
    assert!(!method.to_string().contains("${"), "{method}");
    method
}

/// The API with Step Functions behind it, and the state machine.
fn served(local: &LocalEmu, machine: &str) -> (Served, String) {
    let machine = local.state_machine(machine);
    (local.deploy(&emitted(&machine)), machine)
}

/// The API with a server of the test's own in the place of Step Functions, which LocalEmu's cannot take: it checks no name and knows
/// no limit.
fn served_before(local: &LocalEmu, machine: &str, behind: &Behind) -> Served {
    let mut method = emitted(machine);
    method["Integration"]["Type"] = "HTTP".into();
    method["Integration"]["Uri"] = behind.address.as_str().into();
    local.deploy(&method)
}

/// An HTTP server that records what it is asked and gives the answers that were laid out, in order.
struct Behind {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

impl Behind {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let behind = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            answers: Arc::default(),
        };
        let (asked, answers) = (Arc::clone(&behind.asked), Arc::clone(&behind.answers));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = connection.unwrap();
                let body = read(&connection);
                asked.lock().unwrap().push(body);
                let (status, answer) = answers.lock().unwrap().pop_front().expect("an answer was laid out");
                write(&connection, status, &answer);
            }
        });
        behind
    }

    fn answering(&self, status: u16, body: &str) {
        self.answers.lock().unwrap().push_back((status, body.to_owned()));
    }
}

fn read(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn write(mut connection: &TcpStream, status: u16, body: &str) {
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status} It\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
}

/// A webhook as GitHub posts it.
#[derive(Clone)]
struct Delivery {
    body: String,
    headers: Vec<(String, String)>,
}

impl Delivery {
    fn signed(body: impl Into<String>) -> Self {
        let body = body.into();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"a secret"), body.as_bytes());
        let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            body,
            headers: vec![
                ("X-GitHub-Event".to_owned(), "pull_request".to_owned()),
                (
                    "X-GitHub-Delivery".to_owned(),
                    "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
                ),
                ("X-Hub-Signature-256".to_owned(), format!("sha256={digits}")),
            ],
        }
    }

    /// With the headers' names written so.
    fn spelled(mut self, spelling: Spelling) -> Self {
        for (name, _) in &mut self.headers {
            *name = spelling.of(name);
        }
        self
    }

    fn in_each_spelling(self) -> [Self; 3] {
        Spelling::ALL.map(|spelling| self.clone().spelled(spelling))
    }

    /// With one header of somebody else's making.
    fn forged(name: &str, value: &str) -> Self {
        let mut delivery = Self::signed("{}");
        let header = delivery.headers.iter_mut().find(|header| header.0 == name);
        header.expect("GitHub sends it").1 = value.to_owned();
        delivery
    }

    fn without(name: &str) -> Self {
        let mut delivery = Self::signed("{}");
        delivery.headers.retain(|header| header.0 != name);
        delivery
    }

    fn post(&self, local: &LocalEmu, method: &Served) -> Answer {
        self.post_as(JSON, local, method)
    }

    fn post_as(&self, content_type: &str, local: &LocalEmu, method: &Served) -> Answer {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = [("Content-Type", content_type)].into_iter().chain(own).collect();
        local.post(method, &headers, &self.body)
    }

    fn request(&self) -> Request {
        let request = Request::new(self.body.as_str());
        self.headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// What is usual, and what would leave its place if it could.
fn deliveries() -> Vec<Delivery> {
    let title = |title: &str| json!({ "action": "opened", "pull_request": { "title": title } }).to_string();
    let bodies = [
        json!({ "action": "opened", "number": 17, "pull_request": { "head": { "sha": "0a".repeat(20) } } }).to_string(),
        "{}".to_owned(),
        title("it's a pull request"),
        title("say \"hi\", back\\slash, 'both'"),
        title("two\nlines\r\n\ttabbed \u{0} \u{1f} \u{7f} \u{2028} \u{feff}"),
        "{\"raw\":\"r\u{e9}sum\u{e9} 漢字 한국어 🚀 👨‍👩‍👧 a\u{301} \u{10ffff}\"}".to_owned(),
        title("$input.body ${body} $!body $body $util.base64Encode('x') $context.requestId $ $$ \\$x"),
        title("#set($body = 'x') #if(true) #end #foreach($i in [1]) #stop #[[ unparsed ]]# ## comment #* *#"),
        title("\",\"repair\":{\"repository\":\"a/b\"},\"x\":\""),
        " \n{ \"spaces\" : [ 1.0, 1e400, 12345678901234567890 ] }\n".to_owned(),
        "not JSON at all".to_owned(),
        "漢".repeat(LONGEST_BODY / 3),
    ];
    let headers = [
        "it's \"quoted\" \\ $input.body #set($x=1)",
        "\",\"repair\":{\"repository\":\"a/b\"},\"x\":\"",
        "\\\",\\\"repair\\\":{}",
    ];
    let names = ["X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256"];
    let forged = headers
        .iter()
        .flat_map(|value| names.map(|name| Delivery::forged(name, value)));
    let all = bodies.into_iter().map(Delivery::signed).chain(forged);
    all.flat_map(Delivery::in_each_spelling).collect()
}

/// The emitted template's requests to Step Functions, by both engines.
fn rendered(machine: &str, deliveries: &[Delivery]) -> Option<[Vec<Rendering>; 2]> {
    let method = emitted(machine);
    let template = method["Integration"]["RequestTemplates"][JSON].as_str().unwrap();
    let requests: Vec<Request> = deliveries.iter().map(Delivery::request).collect();
    let jobs: Vec<_> = requests.iter().map(|request| (template, request)).collect();
    let by = |engine| {
        let renderings = or_skip("the webhook API beside Velocity", render_all(engine, &jobs))?;
        Some(renderings.into_iter().map(Result::unwrap).collect())
    };
    Some([by(Engine::Velocity)?, by(Engine::Airspeed)?])
}

#[test]
fn every_webhook_starts_the_execution_that_velocity_and_airspeed_render() {
    let Some(local) = local() else { return };
    let (method, machine) = served(local, "same-input");
    let deliveries = deliveries();
    let Some(renderings) = rendered(&machine, &deliveries) else {
        return;
    };
    for delivery in &deliveries {
        let answer = delivery.post(local, &method);
        assert_eq!(answer.status, 202, "{}: {}", delivery.body, answer.body);
        assert_eq!(
            serde_json::from_str::<Value>(&answer.body).unwrap(),
            json!({ "message": "the execution has started" })
        );
    }
    let executions = local.executions(&machine);
    let mut started: Vec<String> = executions.iter().map(|execution| local.input(execution)).collect();
    started.sort_unstable();
    for renderings in renderings {
        let mut expected: Vec<String> = renderings
            .iter()
            .map(|rendering| serde_json::from_str::<Value>(&rendering.body).unwrap())
            .map(|request| request["input"].as_str().expect("an input").to_owned())
            .collect();
        expected.sort_unstable();
        assert!(started == expected, "{started:#?}\nis not\n{expected:#?}");
    }
}

#[test]
fn step_functions_is_asked_in_the_very_words_that_velocity_renders() {
    let Some(local) = local() else { return };
    const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:thebestest-pipeline-manager";
    let behind = Behind::start();
    let method = served_before(local, MACHINE, &behind);
    let mut deliveries = deliveries();
    deliveries.push(Delivery::signed("x".repeat(LONGEST_BODY + 1)));
    deliveries.push(Delivery::signed("漢".repeat(LONGEST_BODY)));
    let Some([velocity, _]) = rendered(MACHINE, &deliveries) else {
        return;
    };
    for delivery in &deliveries {
        behind.answering(200, "{}");
        assert_eq!(delivery.post(local, &method).status, 202);
    }
    let asked = behind.asked.lock().unwrap();
    assert_eq!(asked.len(), velocity.len());
    for (asked, rendering) in asked.iter().zip(&velocity) {
        // LocalEmu's airspeed leaves the line break behind a directive, which Velocity takes away.
        assert_eq!(asked.trim_start(), rendering.body);
    }
    let names: Vec<Value> = asked
        .iter()
        .map(|request| serde_json::from_str::<Value>(request).unwrap()["name"].clone())
        .filter(Value::is_string)
        .collect();
    assert_eq!(names, ["the body is too large", "the body is too large"]);
}

#[test]
fn what_lacks_a_header_or_has_another_type_never_reaches_step_functions() {
    let Some(local) = local() else { return };
    let (method, machine) = served(local, "refused");
    for name in ["X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256"] {
        for delivery in Delivery::without(name).in_each_spelling() {
            let answer = delivery.post(local, &method);
            assert_eq!(answer.status, 400, "without {name}: {}", answer.body);
            assert!(answer.body.contains(name), "{}", answer.body);
        }
        let mut twice = Delivery::signed("{}");
        twice.headers.push((name.to_ascii_lowercase(), "another".to_owned()));
        let answer = twice.post(local, &method);
        assert_eq!(answer.status, 400, "{name} twice: {}", answer.body);
    }
    for other in ["application/x-www-form-urlencoded", "text/plain", "application/xml"] {
        let answer = Delivery::signed("{}").post_as(other, local, &method);
        assert_eq!(answer.status, 415, "{other}: {}", answer.body);
    }
    assert_eq!(local.executions(&machine), Vec::<Value>::new());
}

#[test]
fn a_state_machine_that_is_gone_is_no_success() {
    let Some(local) = local() else { return };
    let (method, machine) = served(local, "gone");
    local.delete_state_machine(&machine);
    let answer = Delivery::signed("{}").post(local, &method);
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body.contains("the execution did not start"), "{}", answer.body);
}

#[test]
fn every_refusal_of_step_functions_has_the_status_that_says_why() {
    let Some(local) = local() else { return };
    let behind = Behind::start();
    let method = served_before(local, "any", &behind);
    let fault = |kind: &str| json!({ "__type": kind, "message": "InvalidName Throttling" }).to_string();
    let table = [
        (400, fault("com.amazonaws.swf.service.v2.model#InvalidName"), 413),
        (400, fault("InvalidName"), 413),
        (
            400,
            fault("com.amazonaws.swf.service.v2.model#ExecutionLimitExceeded"),
            503,
        ),
        (400, fault("com.amazon.coral.availability#ThrottlingException"), 503),
        (
            400,
            fault("com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist"),
            502,
        ),
        (400, fault("com.amazon.coral.service#AccessDeniedException"), 502),
        (400, json!({ "message": "InvalidName" }).to_string(), 502),
        (403, fault("com.amazon.coral.service#UnrecognizedClientException"), 502),
        (
            400,
            fault("com.amazonaws.swf.service.v2.model#InvalidExecutionInput"),
            400,
        ),
        (500, fault("com.amazon.coral.service#InternalFailure"), 502),
        (500, "{}".to_owned(), 502),
    ];
    for (status, body, expected) in table {
        behind.answering(status, &body);
        let answer = Delivery::signed("{}").post(local, &method);
        assert_eq!(answer.status, expected, "{status} {body}: {}", answer.body);
        let message: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(message["message"].is_string(), "{message}");
    }
}
