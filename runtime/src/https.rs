//! One HTTPS client for what is not AWS: GitHub, and the address that CloudFormation wants a custom resource's answer at.
//!
//! Its TLS is the one that the AWS SDK brings. It follows no redirect by itself and keeps no cookie.

use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A client that sends bodies from memory and streams the answers.
pub type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes the client. Plain HTTP is for GitHub Enterprise Servers and emulators that are configured so.
///
/// # Errors
/// Where the system has no certificates of authorities that it trusts.
pub fn client() -> io::Result<HttpsClient> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}
