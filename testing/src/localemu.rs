//! LocalEmu, a second local AWS: its API Gateway serves a REST API over HTTP, with an engine for mapping templates and a `$util` that
//! share no code with [`crate::velocity`].
//!
//! Only what API Gateway and Step Functions (JSONPath) need is installed. CloudFormation is left out: a stack with its custom
//! resources would need Docker. So [`LocalEmu::deploy`] asks API Gateway itself for what the template's resources say.
//!
//! What LocalEmu does otherwise than AWS: a template's `$input.params().header` is not a map and finds a header under every spelling,
//! which is mended before it starts (`testing/tools/local_emu.py`); AWS's is a map in which names stand as they came, see
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>.
//!
//! What AWS refuses and LocalEmu takes: names of executions are not checked, so `StartExecution` never answers `InvalidName`.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::{
    Error,
    aws::REGION,
    emulator::{Emulator, Recipe},
    tools::Packages,
};

/// How LocalEmu is started. It takes three seconds on an idle machine, and one more for each service when it is first asked.
pub(crate) const LOCALEMU: Recipe = Recipe {
    tool: "localemu",
    packages: Packages::LocalEmu,
    script: "local_emu.py",
    health: "/_localemu/health",
    variables: |port, folder| {
        vec![
            ("DISABLE_EVENTS", "1".to_owned()),
            ("DNS_ADDRESS", "0".to_owned()),
            ("FILESYSTEM_ROOT", folder.display().to_string()),
            ("GATEWAY_LISTEN", format!("127.0.0.1:{port}")),
            ("GATEWAY_SERVER", "hypercorn".to_owned()),
            ("SKIP_SSL_CERT_DOWNLOAD", "1".to_owned()),
        ]
    },
};

/// A LocalEmu that runs until it is dropped.
#[derive(Debug)]
pub struct LocalEmu(Emulator);

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A method of a REST API that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The path below [`LocalEmu::post`]'s address.
    path: String,
}

impl LocalEmu {
    /// An empty one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without Python; others where LocalEmu does not start, with its output.
    pub fn start() -> Result<Self, Error> {
        Emulator::start(&LOCALEMU, &[]).map(Self)
    }

    /// What LocalEmu has printed so far.
    pub fn log(&self) -> &Path {
        &self.0.log
    }

    /// Makes a state machine that hands its input on, and returns its ARN.
    ///
    /// # Panics
    /// When LocalEmu refuses.
    pub fn state_machine(&self, name: &str) -> String {
        let definition = json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } });
        let asked = json!({ "name": name, "roleArn": ROLE, "definition": definition.to_string() });
        let machine = self.step_functions("CreateStateMachine", &asked);
        text(&machine, "stateMachineArn").to_owned()
    }

    /// Deletes a state machine: from then on it cannot be started.
    ///
    /// # Panics
    /// When LocalEmu refuses.
    pub fn delete_state_machine(&self, machine: &str) {
        self.step_functions("DeleteStateMachine", &json!({ "stateMachineArn": machine }));
    }

    /// The executions of a state machine, newest first.
    ///
    /// # Panics
    /// When LocalEmu refuses.
    pub fn executions(&self, machine: &str) -> Vec<Value> {
        let listed = self.step_functions("ListExecutions", &json!({ "stateMachineArn": machine }));
        listed["executions"].as_array().cloned().unwrap_or_default()
    }

    /// The input of an execution, as it was handed over.
    ///
    /// # Panics
    /// When LocalEmu refuses.
    pub fn input(&self, execution: &Value) -> String {
        let asked = json!({ "executionArn": execution["executionArn"] });
        text(&self.step_functions("DescribeExecution", &asked), "input").to_owned()
    }

    fn step_functions(&self, operation: &str, input: &Value) -> Value {
        let target = format!("AWSStepFunctions.{operation}");
        let headers = [
            ("x-amz-target", &*target),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        self.ask("states", "POST", "/", &headers, input)
    }

    /// Serves one method as the emitted template describes it, at a path of its own. `method` are the properties of
    /// `AWS::ApiGateway::Method`, without intrinsic functions where API Gateway reads them.
    ///
    /// # Panics
    /// When LocalEmu refuses, or the properties hold what this does not know.
    pub fn deploy(&self, method: &Value) -> Served {
        let api = self.gateway("POST", "/restapis", &json!({ "name": "webhook" }));
        let (id, root) = (text(&api, "id"), text(&api, "rootResourceId"));
        let resource = json!({ "pathPart": "webhook" });
        let resource = self.gateway("POST", &format!("/restapis/{id}/resources/{root}"), &resource);
        let verb = text(method, "HttpMethod");
        let place = format!("/restapis/{id}/resources/{}/methods/{verb}", text(&resource, "id"));

        const ELSEWHERE: [&str; 5] = [
            "HttpMethod",
            "Integration",
            "MethodResponses",
            "ResourceId",
            "RestApiId",
        ];
        self.gateway("PUT", &place, &as_asked(method, &ELSEWHERE));
        for response in list(&method["MethodResponses"]) {
            let path = format!("{place}/responses/{}", text(response, "StatusCode"));
            self.gateway("PUT", &path, &as_asked(response, &["StatusCode"]));
        }
        let integration = &method["Integration"];
        let mut asked = as_asked(integration, &["IntegrationHttpMethod", "IntegrationResponses"]);
        asked["httpMethod"] = integration["IntegrationHttpMethod"].clone();
        self.gateway("PUT", &format!("{place}/integration"), &asked);
        for response in list(&integration["IntegrationResponses"]) {
            let path = format!("{place}/integration/responses/{}", text(response, "StatusCode"));
            self.gateway("PUT", &path, &as_asked(response, &["StatusCode"]));
        }
        self.gateway(
            "POST",
            &format!("/restapis/{id}/deployments"),
            &json!({ "stageName": "github" }),
        );
        Served {
            path: format!("/_aws/execute-api/{id}/github/webhook"),
        }
    }

    fn gateway(&self, verb: &str, path: &str, input: &Value) -> Value {
        self.ask("apigateway", verb, path, &[("content-type", "application/json")], input)
    }

    /// Posts a body with these headers to a method that is served.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn post(&self, method: &Served, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(self.0.address, "POST", &method.path, headers, body)
            .unwrap_or_else(|fault| panic!("POST {}: {fault}", method.path))
    }

    /// One call to AWS. LocalEmu reads the service from the signature, and does not verify it.
    fn ask(&self, service: &str, verb: &str, path: &str, headers: &[(&str, &str)], input: &Value) -> Value {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut all = vec![("authorization", &*signature)];
        all.extend_from_slice(headers);
        let body = input.to_string();
        let answer = exchange(self.0.address, verb, path, &all, &body)
            .unwrap_or_else(|fault| panic!("{service}: {verb} {path}: {fault}"));
        assert!(
            (200..300).contains(&answer.status),
            "{service}: {verb} {path} of {body} was answered {}: {}",
            answer.status,
            answer.body
        );
        if answer.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&answer.body).unwrap_or_else(|fault| panic!("{service}: {verb} {path}: {fault}"))
    }
}

/// A role that LocalEmu does not ask for.
const ROLE: &str = "arn:aws:iam::000000000000:role/any";

/// Properties of CloudFormation as API Gateway's own API names them: the same names with a small first letter.
fn as_asked(properties: &Value, without: &[&str]) -> Value {
    let own = properties.as_object().into_iter().flatten();
    let own = own.filter(|(name, _)| !without.contains(&name.as_str()));
    let own: Map<String, Value> = own
        .map(|(name, value)| {
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            (first.into_iter().chain(letters).collect(), value.clone())
        })
        .collect();
    own.into()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// One exchange on a connection of its own: the header names leave as they are given, as GitHub's do, which no client library allows.
fn exchange(address: SocketAddr, verb: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = format!(
        "{verb} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other("the answer has no end of its head"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {head:?}")))?;
    if head.to_ascii_lowercase().contains("\r\ntransfer-encoding:") {
        return Err(io::Error::other("the answer comes in chunks"));
    }
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
