//! One HTTPS client for everything: AWS, GitHub, and the address that CloudFormation wants a custom resource's answer at.
//!
//! It speaks HTTP/1.1 only, follows no redirect by itself and keeps no cookie. That it is one saves a function a second set of
//! certificates to read at every cold start, and the binary a second HTTP and TLS stack.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// A client that sends bodies of this type and streams the answers.
pub type HttpsClient<Body = Full<Bytes>> = Client<HttpsConnector<HttpConnector>, Body>;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(3);

/// How long an idle connection is kept: less than AWS's and GitHub's ends wait, so that a frozen function seldom wakes up to a
/// closed one.
const IDLE: Duration = Duration::from_secs(15);

/// Makes a client. Plain HTTP is for GitHub Enterprise Servers and emulators that are configured so.
///
/// # Errors
/// Where the system has no certificates of authorities that it trusts.
pub fn client<Body>() -> io::Result<HttpsClient<Body>>
where
    Body: http_body::Body + Send,
    Body::Data: Send,
{
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .build(connector()?))
}

/// The connector, made once: reading the system's certificates is the most expensive part of a cold start.
fn connector() -> io::Result<HttpsConnector<HttpConnector>> {
    static CONNECTOR: OnceLock<HttpsConnector<HttpConnector>> = OnceLock::new();
    if let Some(connector) = CONNECTOR.get() {
        return Ok(connector.clone());
    }
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT));
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(CONNECTOR.get_or_init(|| connector).clone())
}
