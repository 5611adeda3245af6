//! The Runtime API of one function's process.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, response::Builder};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::{Mutex as Turn, mpsc as queue};

use crate::{
    Error,
    serve::{self, Serving},
};

const TOOL: &str = "the local Runtime API";
const VERSION: &str = "/2018-06-01/runtime/";

/// The Runtime API on loopback, for one process, until it is dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: queue::UnboundedSender<Invocation>,
    _serving: Serving,
}

/// What a function answered to one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its output.
    Output(Value),
    /// An error, as a state machine sees it.
    Error {
        /// The name that `Retry` and `Catch` match.
        name: String,
        /// The words.
        message: String,
    },
    /// The process did not answer in time, or ended.
    Nothing,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    payload: Bytes,
    deadline: SystemTime,
    answer: mpsc::Sender<Answer>,
}

#[derive(Debug)]
struct Shared {
    waiting: Turn<queue::UnboundedReceiver<Invocation>>,
    open: Mutex<BTreeMap<String, mpsc::Sender<Answer>>>,
}

impl RuntimeApi {
    /// Serves on a free port.
    ///
    /// # Errors
    /// Where the machine gives no port or no thread.
    pub fn start() -> Result<Self, Error> {
        let failed = |source| Error::Start { tool: TOOL, source };
        let (listener, address) = serve::listen().map_err(failed)?;
        let (invocations, waiting) = queue::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: Turn::new(waiting),
            open: Mutex::default(),
        });
        let answer = move |request| {
            let shared = Arc::clone(&shared);
            async move { answer(&shared, request).await }
        };
        let serving = serve::serve("runtime-api", listener, answer).map_err(failed)?;
        Ok(Self {
            address,
            invocations,
            _serving: serving,
        })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API` for the process.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Invokes the function and waits for its answer for at most `time`, which is also its deadline.
    pub fn invoke(&self, id: &str, payload: &Value, time: Duration) -> Answer {
        let (answer, answered) = mpsc::channel();
        let invocation = Invocation {
            id: id.to_owned(),
            payload: payload.to_string().into(),
            deadline: SystemTime::now() + time,
            answer,
        };
        match self.invocations.send(invocation) {
            Ok(()) => answered.recv_timeout(time).unwrap_or(Answer::Nothing),
            Err(_) => Answer::Nothing,
        }
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let method = request.method().clone();
    let path = request
        .uri()
        .path()
        .strip_prefix(VERSION)
        .unwrap_or_default()
        .to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    match (&method, parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(shared).await,
        (&Method::POST, ["invocation", id, kind @ ("response" | "error")]) => {
            let body = request
                .into_body()
                .collect()
                .await
                .map_err(io::Error::other)?
                .to_bytes();
            let open = shared.open.lock().unwrap_or_else(PoisonError::into_inner).remove(*id);
            let Some(open) = open else {
                return with(status(StatusCode::BAD_REQUEST), "{}".into());
            };
            let answer = if *kind == "response" {
                output(&body)
            } else {
                error(&body)
            };
            // Whoever has stopped waiting needs no answer any more.
            drop(open.send(answer));
            with(status(StatusCode::ACCEPTED), "{\"status\":\"OK\"}".into())
        }
        (&Method::POST, ["init", "error"]) => with(status(StatusCode::ACCEPTED), "{\"status\":\"OK\"}".into()),
        _ => with(status(StatusCode::NOT_FOUND), "{}".into()),
    }
}

/// Waits for the next invocation, for as long as it takes: Lambda freezes a process that waits.
async fn next(shared: &Shared) -> Result<Response<Full<Bytes>>, io::Error> {
    let invocation = shared.waiting.lock().await.recv().await;
    let Some(invocation) = invocation else {
        return with(status(StatusCode::INTERNAL_SERVER_ERROR), "{}".into());
    };
    let deadline = invocation
        .deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let response = status(StatusCode::OK)
        .header("lambda-runtime-aws-request-id", &invocation.id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:local",
        )
        .header("content-type", "application/json");
    let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
    open.insert(invocation.id, invocation.answer);
    with(response, invocation.payload)
}

fn status(code: StatusCode) -> Builder {
    Response::builder().status(code)
}

fn with(response: Builder, body: Bytes) -> Result<Response<Full<Bytes>>, io::Error> {
    response.body(Full::new(body)).map_err(io::Error::other)
}

fn output(body: &[u8]) -> Answer {
    serde_json::from_slice(body).map_or(Answer::Nothing, Answer::Output)
}

fn error(body: &[u8]) -> Answer {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    Answer::Error {
        name: text("errorType"),
        message: text("errorMessage"),
    }
}
