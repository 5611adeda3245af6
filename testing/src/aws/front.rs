//! The front: an HTTP server on loopback between all clients and MiniStack.
//!
//! It reads, judges and remembers each call, and hands it to whoever answers for the service. What a service's answers are is no
//! matter of this file.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::Value;

use super::{
    Call, Client, Fault, Grants, Pipelines,
    answer::Answer,
    backstage::Backstage,
    client::ROLE,
    cloudformation::{self, Acted, Making, Variables, Weather},
    codepipeline::{self, Deployed},
    execute_api::{Answered, Integrated},
    grants::BUILDS_BY_ID,
    lock,
    model::{Protocol, Service},
    quotas, rules,
    states::{self, StateMachines},
    wire::{Asked, Request},
};
use crate::{
    Error,
    serve::{self, Serving},
};

/// Where MiniStack tells of the steps that CloudFormation takes.
const STEPS: &str = "/_front/resource";
/// Where MiniStack hands on requests that have reached an integration with another service.
const INTEGRATIONS: &str = "/_front/integration";
/// The most that API Gateway takes: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const LARGEST_REQUEST: usize = 10 * 1024 * 1024;
const TOOL: &str = "the front of the local AWS";

/// A front that serves until it is dropped.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: SocketAddr,
    pub(super) state: Arc<State>,
    _serving: Serving,
}

/// What a front remembers.
#[derive(Debug)]
pub(super) struct State {
    pub(super) backstage: Backstage,
    address: SocketAddr,
    calls: Mutex<Vec<Call>>,
    violations: Mutex<Vec<String>>,
    faults: Mutex<Vec<Planned>>,
    account: String,
    /// What callers that have a role may do, where policies are enforced.
    grants: Mutex<BTreeMap<String, Grants>>,
    /// What functions of stacks run with.
    pub(super) variables: Mutex<Variables>,
    pub(super) pipelines: Pipelines,
    pub(super) deployed: Deployed,
    pub(super) weather: Weather,
    pub(super) acted: Acted,
    /// The roles of builds, by the name that their calls have.
    pub(super) builds: Mutex<BTreeMap<String, String>>,
    /// Who runs state machines.
    pub(super) machines: Mutex<Option<Arc<dyn StateMachines>>>,
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
pub(super) struct Cut;

impl Front {
    /// Serves in front of MiniStack at `behind`.
    pub(super) fn start(behind: SocketAddr, account: &str) -> Result<Self, Error> {
        let failed = |source| Error::Start { tool: TOOL, source };
        let (listener, address) = serve::listen().map_err(failed)?;
        let state = Arc::new(State {
            backstage: Backstage::new(behind, address, account),
            address,
            calls: Mutex::default(),
            violations: Mutex::default(),
            faults: Mutex::default(),
            account: account.to_owned(),
            grants: Mutex::default(),
            variables: Mutex::default(),
            pipelines: Pipelines::of(account),
            deployed: Deployed::of(account),
            weather: Weather::default(),
            acted: Acted::default(),
            builds: Mutex::default(),
            machines: Mutex::default(),
        });
        let served = Arc::clone(&state);
        let answer = move |request| {
            let state = Arc::clone(&served);
            async move { state.answer(request).await }
        };
        let serving = serve::serve("front", listener, answer).map_err(failed)?;
        Ok(Self {
            address,
            state,
            _serving: serving,
        })
    }
}

impl State {
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls_after(0)
    }

    pub(super) fn calls_after(&self, first: usize) -> Vec<Call> {
        lock(&self.calls).iter().skip(first).cloned().collect()
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

    pub(super) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    async fn answer(&self, request: http::Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        // A client that breaks off while it sends has asked for nothing.
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let answer = self.decide(head, body).await?;
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    async fn decide(&self, head: Parts, body: Bytes) -> Result<Answer, Cut> {
        let request = Request {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body: &body,
        };
        // What nobody signed is no call of AWS's: an environment's own API, a presigned answer to CloudFormation.
        let Some(name) = request.signing_name() else {
            return match head.uri.path() {
                STEPS => Ok(self.step(&body).await),
                INTEGRATIONS => Ok(self.integrate(&body).await),
                _ if body.len() > LARGEST_REQUEST => Ok(Answer::told(413, "Request Too Long")),
                _ => self.backstage.forward(head, body).await,
            };
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
        let denied = match self.denied(&call, service.protocol) {
            Some(denied) => Some(denied),
            None => self.denied_to_role(&head, &call, service.protocol).await,
        };
        let place = self.remember(call);
        let answer = if let Some(denied) = denied {
            Ok(denied)
        } else if broken.is_empty() {
            self.carry_out(&service, operation, &parameters, (head, body)).await
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
        let answer = match service.name.as_str() {
            "codepipeline" => Ok(self.play(service, operation, parameters).await),
            "cloudformation" => match cloudformation::refusal(operation, parameters, &self.backstage).await {
                Some((code, message)) => Ok(Answer::error(service.protocol, 400, code, &message)),
                // MiniStack knows no limits; these are those of a new account.
                None if operation == "DescribeAccountLimits" => {
                    Ok(Answer::given(service.protocol, 200, cloudformation::ACCOUNT_LIMITS))
                }
                None => {
                    let (head, body) = cloudformation::in_path_form(head, body);
                    self.backstage.forward(head, body).await
                }
            },
            "apigateway" => self.backstage.forward(head, body).await.map(|mut answer| {
                answer.body = with_booleans(&answer.body);
                answer.headers.remove(header::CONTENT_LENGTH);
                answer
            }),
            "codebuild" => match self.build(operation, parameters).await {
                Some(Ok(result)) => Ok(self.result(service, operation, &result)),
                Some(Err((code, message))) => Ok(Answer::error(service.protocol, 400, &code, &message)),
                None => self.backstage.forward(head, body).await,
            },
            "servicequotas" if operation == "ListServiceQuotas" => {
                Ok(self.result(service, operation, &quotas::listed(parameters)))
            }
            "states" => match self.run(operation, parameters).await {
                Some(Ok(result)) => Ok(self.result(service, operation, &result)),
                Some(Err((code, message))) => Ok(Answer::error(service.protocol, 400, &code, &message)),
                None => self.backstage.forward(head, body).await,
            },
            _ => self.backstage.forward(head, body).await,
        };
        if fault == Some(Fault::AnswerLost) {
            Err(Cut)
        } else {
            answer
        }
    }

    /// The verdict on a step of a resource, for MiniStack.
    async fn step(&self, body: &[u8]) -> Answer {
        let step = match serde_json::from_slice(body) {
            Ok(step) => step,
            Err(fault) => return Answer::error(Protocol::Json, 400, "SerializationException", &fault.to_string()),
        };
        let mut variables = lock(&self.variables).clone();
        variables.insert("AWS_ENDPOINT_URL".to_owned(), format!("http://{}", self.address));
        let making = Making {
            backstage: &self.backstage,
            pipelines: &self.deployed,
            scripted: &self.pipelines,
            variables,
            weather: &self.weather,
            acted: &self.acted,
        };
        Answer::json(&serde_json::json!(cloudformation::judge(step, making).await))
    }

    /// The answer of an API's integration, for MiniStack.
    async fn integrate(&self, body: &[u8]) -> Answer {
        let integrated: Integrated = match serde_json::from_slice(body) {
            Ok(integrated) => integrated,
            Err(fault) => return Answer::error(Protocol::Json, 400, "SerializationException", &fault.to_string()),
        };
        let client = Client::new(self.address, &self.account, "apigateway");
        let answered = codepipeline::blocking(move || integrated.evaluate(&client)).await;
        let answered = answered.flatten().unwrap_or_else(|fault| {
            lock(&self.violations).push(format!("apigateway: {fault}"));
            Answered::broken()
        });
        Answer::json(&serde_json::json!(answered))
    }

    /// CodePipeline's answer.
    async fn play(&self, service: &Service, operation: &str, parameters: &Value) -> Answer {
        let answered = match codepipeline::service(&self.pipelines, &self.deployed, parameters) {
            Some(engine) => {
                let (asked, given) = (operation.to_owned(), parameters.clone());
                let answered = codepipeline::blocking(move || engine.answer(&asked, &given)).await;
                answered.unwrap_or_else(|panic| Err(("InternalFailure".to_owned(), panic)))
            }
            None => self
                .pipelines
                .answer(operation, parameters)
                .map_err(|(code, message)| (code.to_owned(), message)),
        };
        match answered {
            Ok(result) => self.result(service, operation, &result),
            Err((code, message)) => Answer::error(service.protocol, 400, &code, &message),
        }
    }

    /// What the one who runs builds says to a call of CodeBuild.
    async fn build(&self, operation: &str, parameters: &Value) -> Option<states::Outcome> {
        let service = self.deployed.service()?;
        let (operation, parameters) = (operation.to_owned(), parameters.clone());
        let answered = codepipeline::blocking(move || service.answer_codebuild(&operation, &parameters)).await;
        answered.unwrap_or_else(|panic| Some(Err(("InternalFailure".to_owned(), panic))))
    }

    /// What the installed one says to a call of Step Functions.
    async fn run(&self, operation: &str, parameters: &Value) -> Option<states::Outcome> {
        let installed = lock(&self.machines).clone()?;
        states::answer(installed, operation, parameters, &self.backstage).await
    }

    /// An answer that MiniStack did not give. It is judged as well: clients must meet what AWS would send.
    fn result(&self, service: &Service, operation: &str, result: &Value) -> Answer {
        let shape = service
            .operations
            .get(operation)
            .and_then(|operation| service.output(operation));
        let broken = shape.map_or_else(Vec::new, |shape| rules::broken(shape, result));
        let broken = broken.iter().map(|rule| format!("the answer to {operation}: {rule}"));
        lock(&self.violations).extend(broken);
        Answer::json(result)
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

    /// The refusal of a service that acts with a role of the account: CodePipeline with a pipeline's, CodeBuild with a project's.
    async fn denied_to_role(&self, head: &Parts, call: &Call, protocol: Protocol) -> Option<Answer> {
        let told = head
            .headers
            .get(ROLE)
            .and_then(|role| role.to_str().ok())
            .map(str::to_owned);
        let role = told.or_else(|| lock(&self.builds).get(&call.caller).cloned())?;
        let mut needed = call.permissions(&self.account);
        // Where the engine itself puts a template that is too large for a request is no place of the account's.
        let own = format!("arn:aws:s3:::codepipeline-{}/", self.account);
        needed.retain(|permission| !permission.resource.starts_with(&own));
        let message = cloudformation::denied(&role, &needed, &self.backstage).await?;
        Some(match protocol {
            Protocol::Json => Answer::error(protocol, 400, "AccessDeniedException", &message),
            _ => Answer::error(protocol, 403, "AccessDenied", &message),
        })
    }

    /// The refusal of a caller whose role may not do this, as far as MiniStack does not judge it: CodePipeline, builds by their ids,
    /// and passing roles.
    fn denied(&self, call: &Call, protocol: Protocol) -> Option<Answer> {
        let grants = lock(&self.grants);
        let grants = grants.get(&call.caller)?;
        let ours = |action: &str| {
            let passing = action == "iam:PassRole";
            action.starts_with("codepipeline:") || BUILDS_BY_ID.contains(&action) || passing
        };
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
