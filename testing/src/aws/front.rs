//! The front: an HTTP server on loopback between all clients and MiniStack.
//!
//! It runs on a thread of its own, so that a test's blocking or its own runtime's end never stops it, until it is dropped.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    Call, Fault, Grants, Pipelines, REGION,
    answer::Answer,
    lock,
    model::{Protocol, Service},
    rules,
    wire::{Asked, Request},
};
use crate::Error;

const TOOL: &str = "the front of the local AWS";

/// A front that serves until it is dropped.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: SocketAddr,
    pub(super) state: Arc<State>,
    /// Dropping it ends the server.
    _end: oneshot::Sender<Infallible>,
}

/// What a front remembers.
#[derive(Debug)]
pub(super) struct State {
    behind: SocketAddr,
    calls: Mutex<Vec<Call>>,
    violations: Mutex<Vec<String>>,
    faults: Mutex<Vec<Planned>>,
    account: String,
    /// What callers that have a role may do, where policies are enforced.
    grants: Mutex<BTreeMap<String, Grants>>,
    pub(super) pipelines: Pipelines,
}

#[derive(Debug)]
struct Planned {
    service: String,
    operation: String,
    /// How many calls of the operation pass before.
    before: u64,
    fault: Fault,
}

/// Why a connection is left without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as the test asked")]
struct Cut;

impl Front {
    /// Serves in front of MiniStack at `behind`.
    pub(super) fn start(behind: SocketAddr, account: &str) -> Result<Self, Error> {
        let failed = |source| Error::Start { tool: TOOL, source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        // Bound here, so that a client that comes at once finds it; a runtime of the test's own may be around us.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let state = Arc::new(State {
            behind,
            calls: Mutex::default(),
            violations: Mutex::default(),
            faults: Mutex::default(),
            account: account.to_owned(),
            grants: Mutex::default(),
            pipelines: Pipelines::of(account),
        });
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&state);
        let serving = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = ended => {}
                }
            });
        };
        thread::Builder::new()
            .name("front".to_owned())
            .spawn(serving)
            .map_err(failed)?;
        Ok(Self {
            address,
            state,
            _end: end,
        })
    }
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    // It fails only outside of a runtime.
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (state, client) = (Arc::clone(&state), client.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request: http::Request<Incoming>| {
                let (state, client) = (Arc::clone(&state), client.clone());
                async move { state.answer(request, &client).await }
            });
            // A client that goes away, or that a fault sends away, is no matter of ours.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), answer)
                    .await,
            );
        });
    }
}

type Backstage = Client<HttpConnector, Full<Bytes>>;

impl State {
    pub(super) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    pub(super) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.violations))
    }

    pub(super) fn fail(&self, service: &str, operation: &str, nth: u64, fault: Fault) {
        lock(&self.faults).push(Planned {
            service: service.to_owned(),
            operation: operation.to_owned(),
            before: nth.saturating_sub(1),
            fault,
        });
    }

    async fn answer(&self, request: http::Request<Incoming>, client: &Backstage) -> Result<Response<Full<Bytes>>, Cut> {
        let (mut head, body) = request.into_parts();
        self.attribute(&mut head.headers);
        // A client that breaks off while it sends has asked for nothing.
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let answer = self.decide(head, body, client).await?;
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    /// Signing in needs no credentials, so clients do not sign it. AWS knows the account by the client that is named, MiniStack by
    /// the access key alone.
    fn attribute(&self, headers: &mut HeaderMap) {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let cognito = target.is_some_and(|target| target.starts_with("AWSCognitoIdentityProviderService."));
        if !cognito || headers.contains_key(header::AUTHORIZATION) {
            return;
        }
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{REGION}/cognito-idp/aws4_request, SignedHeaders=host, Signature=0",
            self.account
        );
        if let Ok(credential) = credential.parse() {
            headers.insert(header::AUTHORIZATION, credential);
        }
    }

    async fn decide(&self, head: Parts, body: Bytes, client: &Backstage) -> Result<Answer, Cut> {
        let request = Request {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body: &body,
        };
        // What nobody signed is no call of AWS's: an environment's own API, a presigned answer to CloudFormation.
        let Some(name) = request.signing_name() else {
            return self.forward(head, body, client).await;
        };
        let caller = request.caller().unwrap_or_default();
        let service = match Service::load(&name, head.uri.path()) {
            Ok(service) => service,
            Err(fault) => return Ok(self.refuse(&caller, Protocol::Json, &[fault.to_string()])),
        };
        let asked = match request.read(&service) {
            Ok(asked) => asked,
            Err(fault) => return Ok(self.refuse(&caller, service.protocol, &[format!("{name}: {fault}")])),
        };
        let Asked {
            name: operation,
            parameters,
            unknown,
            ..
        } = asked;
        let mut broken = service
            .input(asked.operation)
            .map_or_else(Vec::new, |shape| rules::broken(shape, &parameters));
        broken.extend(unknown.into_iter().map(|name| format!("{name} is unknown")));
        let call = Call {
            caller: caller.clone(),
            service: name.clone(),
            operation: operation.to_owned(),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            parameters: parameters.clone(),
            status: None,
        };
        let denied = self.denied(&call, service.protocol);
        let place = self.remember(call);
        let answer = if let Some(denied) = denied {
            Ok(denied)
        } else if broken.is_empty() {
            self.carry_out(&service, operation, &parameters, (head, body), client)
                .await
        } else {
            let broken: Vec<String> = broken
                .iter()
                .map(|rule| format!("{name}:{operation}: {rule}"))
                .collect();
            Ok(self.refuse(&caller, service.protocol, &broken))
        };
        if let (Ok(answer), Some(call)) = (&answer, lock(&self.calls).get_mut(place)) {
            call.status = Some(answer.status);
        }
        answer
    }

    async fn carry_out(
        &self,
        service: &Service,
        operation: &str,
        parameters: &Value,
        (head, body): (Parts, Bytes),
        client: &Backstage,
    ) -> Result<Answer, Cut> {
        let fault = self.due(&service.name, operation);
        match &fault {
            Some(Fault::Hang) => std::future::pending::<()>().await,
            Some(Fault::Lost) => return Err(Cut),
            _ => {}
        }
        if let Some(answer) = fault.as_ref().and_then(|fault| fault.answer(service)) {
            return Ok(answer);
        }
        let answer = if service.name == "codepipeline" {
            Ok(self.play(service, operation, parameters))
        } else {
            let mut answer = self.forward(head, body, client).await;
            if let (Ok(answer), "apigateway") = (&mut answer, service.name.as_str()) {
                answer.body = with_booleans(&answer.body);
                answer.headers.remove(header::CONTENT_LENGTH);
            }
            answer
        };
        if fault == Some(Fault::AnswerLost) {
            Err(Cut)
        } else {
            answer
        }
    }

    /// CodePipeline's answer. What it takes from the test's script is judged as well: the handlers must meet what AWS would send.
    fn play(&self, service: &Service, operation: &str, parameters: &Value) -> Answer {
        match self.pipelines.answer(operation, parameters) {
            Ok(result) => {
                let shape = service
                    .operations
                    .get(operation)
                    .and_then(|operation| service.output(operation));
                let broken = shape.map_or_else(Vec::new, |shape| rules::broken(shape, &result));
                let broken = broken.iter().map(|rule| format!("the answer to {operation}: {rule}"));
                lock(&self.violations).extend(broken);
                Answer::json(&result)
            }
            Err((code, message)) => Answer::error(service.protocol, 400, code, &message),
        }
    }

    /// The fault that this call was chosen for.
    fn due(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let mut due = None;
        for (place, planned) in faults.iter_mut().enumerate() {
            if planned.service != service || planned.operation != operation {
                continue;
            }
            match planned.before.checked_sub(1) {
                Some(before) => planned.before = before,
                None => due = due.or(Some(place)),
            }
        }
        due.map(|place| faults.remove(place).fault)
    }

    /// From now on the caller's policies are enforced where MiniStack cannot.
    pub(super) fn enforce(&self, caller: &str, grants: Grants) {
        lock(&self.grants).insert(caller.to_owned(), grants);
    }

    /// The refusal of a caller whose role may not do this, as far as MiniStack does not judge it: CodePipeline, and passing roles.
    fn denied(&self, call: &Call, protocol: Protocol) -> Option<Answer> {
        let grants = lock(&self.grants);
        let grants = grants.get(&call.caller)?;
        let ours = |action: &str| action.starts_with("codepipeline:") || action == "iam:PassRole";
        let mut needed = call.permissions(&self.account).into_iter();
        let denied = needed.find(|permission| ours(&permission.action) && !grants.allow(permission))?;
        let message = format!(
            "{} is not authorized to perform: {} on resource: {}",
            grants.role, denied.action, denied.resource
        );
        Some(match protocol {
            Protocol::Json => Answer::error(protocol, 400, "AccessDeniedException", &message),
            _ => Answer::error(protocol, 403, "AccessDenied", &message),
        })
    }

    fn remember(&self, call: Call) -> usize {
        let mut calls = lock(&self.calls);
        calls.push(call);
        calls.len() - 1
    }

    /// Refuses what AWS would, and remembers it for the test.
    fn refuse(&self, caller: &str, protocol: Protocol, broken: &[String]) -> Answer {
        lock(&self.violations).extend(broken.iter().map(|rule| format!("{caller}: {rule}")));
        Answer::error(protocol, 400, "ValidationException", &broken.join("; "))
    }

    async fn forward(&self, head: Parts, body: Bytes, client: &Backstage) -> Result<Answer, Cut> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{}{path}", self.behind).parse().map_err(|_| Cut)?;
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = head.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = without_hops(head.headers);
        let answer = client.request(request).await.map_err(|_| Cut)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: without_hops(head.headers),
            body,
        })
    }
}

/// MiniStack keeps what a patch of API Gateway writes as text; AWS answers with the property's own type.
fn with_booleans(body: &Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else {
        return body.clone();
    };
    let mut text = text.to_owned();
    for value in ["true", "false"] {
        for space in ["", " "] {
            let written = format!("\"apiKeyRequired\":{space}\"{value}\"");
            text = text.replace(&written, &format!("\"apiKeyRequired\":{space}{value}"));
        }
    }
    text.into()
}

/// Headers that belong to one connection, not to the message; see <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>.
fn without_hops(mut headers: HeaderMap) -> HeaderMap {
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::EXPECT,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
    headers
}
