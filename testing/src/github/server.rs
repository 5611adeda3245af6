//! The two hosts on loopback: the API, and the one that archives lie on.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request as HttpRequest, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use serde_json::Value;

use super::api::{Question, Reply};
use super::app::seconds;
use super::archive::{self, Broken};
use super::description::Description;
use super::fault::{Fault, Kind};
use super::hooks;
use super::world::{Asker, Request, World};
use crate::serve::{self, Serving};

pub(super) type Body = UnsyncBoxBody<Bytes, Broken>;

/// What both hosts share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) description: Description,
    pub(super) world: Mutex<World>,
    pub(super) api: String,
    pub(super) archives: String,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // What a test that failed has left is still what it was.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens on two ports that the system chooses, and serves.
pub(super) fn start(description: Description) -> io::Result<(Arc<Shared>, [Serving; 2])> {
    let ((api, api_address), (archives, archives_address)) = (serve::listen()?, serve::listen()?);
    let shared = Arc::new(Shared {
        description,
        world: Mutex::new(World::new()),
        api: format!("http://{api_address}"),
        archives: format!("http://{archives_address}"),
    });
    let (asked, archived) = (Arc::clone(&shared), Arc::clone(&shared));
    let api = serve::serve("github", api, move |request| {
        let shared = Arc::clone(&asked);
        async move { answer(&shared, request).await }
    })?;
    let archives = serve::serve("github-archives", archives, move |request| {
        let shared = Arc::clone(&archived);
        async move { Ok::<_, Broken>(archive::serve(&shared, &request)) }
    })?;
    Ok((shared, [api, archives]))
}

/// One request to the API: an error cuts the connection.
async fn answer(shared: &Arc<Shared>, request: HttpRequest<Incoming>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let (reply, fault) = decide(shared, &parts, &body);
    hooks::deliver(shared);
    match fault.kind {
        Kind::None => Ok(respond(reply)),
        Kind::Hang => std::future::pending().await,
        Kind::Cut => Err(Broken),
        Kind::CutInAnswer => {
            let (parts, _) = respond(reply).into_parts();
            Ok(Response::from_parts(
                parts,
                archive::broken_after(Bytes::from_static(b"{\"id\":")),
            ))
        }
        Kind::Answer {
            status,
            message,
            headers,
        } => {
            let mut reply = Reply::fault(status, message);
            reply.headers = headers;
            Ok(respond(reply))
        }
        Kind::PrimaryLimit(resets_in) => {
            let mut reply = Reply::fault(403, "API rate limit exceeded for user ID 1.");
            let reset = seconds(SystemTime::now() + Duration::from_secs(resets_in));
            reply.headers = vec![
                ("x-ratelimit-limit", "5000".to_owned()),
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset", reset.to_string()),
            ];
            Ok(respond(reply))
        }
    }
}

/// Records the request, judges it, finds its fault and carries it out unless the fault comes first.
fn decide(shared: &Shared, parts: &http::request::Parts, body: &[u8]) -> (Reply, Fault) {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let whole = parts.uri.path_and_query().map_or(path, |whole| whole.as_str());
    let mut world = shared.world();
    let asker = world.asker(header("authorization"));
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    world.requests.push(Request {
        method: method.to_owned(),
        path: whole.to_owned(),
        asked_by: asker,
        body: hooks::without_secret(json.clone()),
    });
    let fault = world
        .rules
        .iter_mut()
        .find_map(|rule| rule.next(method, whole))
        .unwrap_or_else(Fault::none);
    let Some((operation, mut arguments)) = shared.description.find(method, path) else {
        world
            .violations
            .push(format!("{method} {path} is not among the operations in use"));
        return (Reply::fault(404, "Not Found"), fault);
    };
    let mut faults = operation.faults(&mut arguments, query, body);
    if header("user-agent").is_none_or(str::is_empty) {
        faults.push("the header user-agent is missing: GitHub answers 403".to_owned());
    }
    if header("x-github-api-version") != Some("2022-11-28") {
        faults.push("the header x-github-api-version does not name a version that this knows".to_owned());
    }
    if !header("accept").is_some_and(|accept| accept.starts_with("application/vnd.github")) {
        faults.push("the header accept does not ask for GitHub's own type".to_owned());
    }
    if !body.is_empty() && header("content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
        faults.push("the body is not said to be JSON".to_owned());
    }
    if !faults.is_empty() {
        let words = faults.join("; ");
        world.violations.push(format!("{method} {path}: {words}"));
        return (Reply::fault(400, words), fault);
    }
    if fault.kind != Kind::None && !fault.carried_out {
        return (Reply::of(200, Value::Null), fault);
    }
    let question = Question {
        operation,
        arguments: &arguments,
        body: &json,
        asker,
        api: &shared.api,
        archives: &shared.archives,
    };
    let mut reply = question.answer(&mut world);
    if let Some(end) = world
        .token_ends
        .clone()
        .filter(|_| matches!(asker, Asker::Token | Asker::Installation))
    {
        reply.headers.push(("github-authentication-token-expiration", end));
    }
    for fault in operation.faults_of_answer(reply.status, &reply.body) {
        world.violations.push(format!(
            "the loopback GitHub's own answer to {method} {path} is at fault: {fault}"
        ));
    }
    (reply, fault)
}

fn respond(reply: Reply) -> Response<Body> {
    let text = match reply.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    let body = Full::new(text)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = ("content-type", "application/json; charset=utf-8".to_owned());
    for (name, value) in reply.headers.into_iter().chain([kind]) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
