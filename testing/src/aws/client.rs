//! A client without an SDK, for what this crate itself asks of the local AWS. Blocks; signs as AWS asks.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningSettings},
    sign::v4::SigningParams,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::REGION;

/// How long an answer may take: a function may run for a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(16 * 60);

/// The header in which a service of the local AWS says with which role it acts.
pub(super) const ROLE: &str = "x-acting-role";

/// Asks one account's services in a caller's name, with the rights of the account's root user.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    account: String,
    caller: String,
    /// The role of the account that it acts with.
    role: Option<String>,
}

/// What was asked has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The service refused.
    #[error("{service} answered {status} {code}: {message}")]
    Refused {
        /// The service as requests are signed.
        service: String,
        /// The HTTP status.
        status: u16,
        /// The error's name.
        code: String,
        /// Its words.
        message: String,
    },
    /// There was no answer, or none that can be read.
    #[error("no answer of {service}")]
    Lost {
        /// The service as requests are signed.
        service: String,
        /// Why.
        source: io::Error,
    },
}

impl Client {
    pub(super) fn new(address: SocketAddr, account: &str, caller: &str) -> Self {
        Self {
            address,
            account: account.to_owned(),
            caller: caller.to_owned(),
            role: None,
        }
    }

    /// The same with a role of the account, as a service acts: the front asks what its policies allow.
    pub(super) fn acting(&self, role: &str) -> Self {
        let role = (!role.is_empty()).then(|| role.to_owned());
        Self { role, ..self.clone() }
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An operation of a service that speaks JSON: `("states", "AWSStepFunctions.StartExecution", …)`.
    ///
    /// # Errors
    /// What the service refuses, by its name and words; and where there is no answer.
    pub fn json(&self, service: &str, target: &str, parameters: &Value) -> Result<Value, Failure> {
        let request = Request::post("/")
            .header("x-amz-target", target)
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .body(Bytes::from(parameters.to_string()));
        let answer = self.accepted(service, request)?;
        serde_json::from_slice(answer.body()).map_err(|fault| lost(service, io::Error::other(fault)))
    }

    /// An operation of a service that speaks the query protocol, such as CloudFormation; the answer is XML.
    ///
    /// # Errors
    /// As [`Client::json`].
    pub fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Result<String, Failure> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action);
        form.extend_pairs(parameters);
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        let answer = self.accepted(service, request)?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// A request of a service that speaks REST, such as S3; `path` is encoded and has the query.
    ///
    /// # Errors
    /// As [`Client::json`].
    pub fn rest(&self, service: &str, method: Method, path: &str, body: Bytes) -> Result<Response<Bytes>, Failure> {
        self.accepted(service, Request::builder().method(method).uri(path).body(body))
    }

    fn accepted(&self, service: &str, request: http::Result<Request<Bytes>>) -> Result<Response<Bytes>, Failure> {
        let request = request.map_err(|fault| lost(service, io::Error::other(fault)))?;
        let answer = self.send(service, request).map_err(|fault| lost(service, fault))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (code, message) = refusal(answer.body());
        Err(Failure::Refused {
            service: service.to_owned(),
            status: answer.status().as_u16(),
            code,
            message,
        })
    }

    /// Signs and sends a request, whatever is answered.
    ///
    /// # Errors
    /// Where there is no answer.
    pub fn send(&self, service: &str, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
        visit(self.address, self.signed(service, request)?)
    }

    /// The request with the caller's name and the signature of the account's root user.
    pub(super) fn signed(&self, service: &str, mut request: Request<Bytes>) -> io::Result<Request<Bytes>> {
        let headers = request.headers_mut();
        let value = |text: &str| HeaderValue::from_str(text).map_err(io::Error::other);
        headers.insert(header::HOST, value(&self.address.to_string())?);
        headers.insert(header::USER_AGENT, value(&format!("local-aws app/{}", self.caller))?);
        if let Some(role) = &self.role {
            headers.insert(ROLE, value(role)?);
        }
        if service == "s3" {
            // S3 wants the body's hash told.
            headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        }
        let identity = Credentials::from_keys(&self.account, "test", None).into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(io::Error::other)?
            .into();
        let uri = format!("http://{}{}", self.address, request.uri());
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = if service == "s3" {
            SignableBody::UnsignedPayload
        } else {
            SignableBody::Bytes(request.body())
        };
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).map_err(io::Error::other)?;
        let signed = http_request::sign(signable, &parameters).map_err(io::Error::other)?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// Sends a request as it is, and blocks.
pub(super) fn visit(address: SocketAddr, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let asking = async move {
        tokio::time::timeout(PATIENCE, exchange(address, request))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    block_on(asking)?
}

/// Runs something that waits for answers to its end.
pub(super) fn block_on<T>(asking: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(asking))
}

/// One request on a connection of its own.
pub(super) async fn exchange(address: SocketAddr, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
    let connection = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(connection))
        .await
        .map_err(io::Error::other)?;
    let asking = async {
        let answer = sender.send_request(request.map(Full::new)).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::from_parts(head, body))
    };
    tokio::pin!(connection);
    tokio::pin!(asking);
    tokio::select! {
        biased;
        answer = &mut asking => answer.map_err(io::Error::other),
        // The answer may be there in whole, and its reader not yet asked.
        ended = &mut connection => {
            ended.map_err(io::Error::other)?;
            asking.await.map_err(io::Error::other)
        }
    }
}

fn lost(service: &str, source: io::Error) -> Failure {
    Failure::Lost {
        service: service.to_owned(),
        source,
    }
}

/// An error's name and words, in whichever of AWS's protocols.
fn refusal(body: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(body);
    if let Ok(told) = serde_json::from_str::<Value>(&text) {
        let code = told["__type"].as_str().or(told["code"].as_str()).unwrap_or_default();
        let message = told["message"].as_str().or(told["Message"].as_str()).unwrap_or(&text);
        return (
            code.rsplit('#').next().unwrap_or_default().to_owned(),
            message.to_owned(),
        );
    }
    let Ok(told) = roxmltree::Document::parse(&text) else {
        return (String::new(), text.into_owned());
    };
    let of = |name: &str| {
        let found = told.descendants().find(|node| node.tag_name().name() == name);
        found.and_then(|node| node.text()).unwrap_or_default().to_owned()
    };
    (of("Code"), of("Message"))
}
