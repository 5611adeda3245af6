//! The host that archives lie on: another one than the API, which no credential may reach.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, channel::Channel};
use hyper::body::Incoming;

use super::server::{Body, Shared};

/// A connection that is cut.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(super) struct Broken;

/// An archive, and how it arrives.
#[derive(Debug, Clone)]
pub struct Archive {
    bytes: Bytes,
    chunk: usize,
    pause: Duration,
    cut_after: Option<usize>,
    hang_after: Option<usize>,
    faults: u32,
}

impl Archive {
    /// These bytes, at once.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            chunk: 64 << 10,
            pause: Duration::ZERO,
            cut_after: None,
            hang_after: None,
            faults: 0,
        }
    }

    /// In chunks of so many bytes, with a pause after each.
    #[must_use]
    pub fn in_chunks(mut self, of: usize, pause: Duration) -> Self {
        (self.chunk, self.pause) = (of.max(1), pause);
        self
    }

    /// Cut after so many bytes.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Nothing comes any more after so many bytes, and the connection stays open.
    #[must_use]
    pub fn hanging_after(mut self, bytes: usize) -> Self {
        self.hang_after = Some(bytes);
        self
    }

    /// The first requests are answered with 503.
    #[must_use]
    pub fn out_of_service(mut self, requests: u32) -> Self {
        self.faults = requests;
        self
    }
}

/// One request for an archive.
pub(super) fn serve(shared: &Shared, request: &Request<Incoming>) -> Response<Body> {
    let mut world = shared.world();
    if request.headers().contains_key("authorization") {
        world
            .violations
            .push("a credential was sent to the host that archives lie on".to_owned());
        return empty(StatusCode::BAD_REQUEST);
    }
    let mut parts = request.uri().path().trim_start_matches('/').splitn(4, '/');
    let name = format!("{}/{}", parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let sha = parts.nth(1).unwrap_or("");
    let found = world
        .repositories
        .get_mut(&name)
        .and_then(|repository| repository.archives.get_mut(sha));
    match found {
        Some(archive) if archive.faults > 0 => {
            archive.faults -= 1;
            empty(StatusCode::SERVICE_UNAVAILABLE)
        }
        Some(archive) if request.uri().query() == Some("token=FIVEMINUTES") => send(archive.clone()),
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// A body that breaks off after these bytes.
pub(super) fn broken_after(bytes: Bytes) -> Body {
    let length = bytes.len();
    send(Archive::new(bytes).cut_after(length)).into_body()
}

fn empty(status: StatusCode) -> Response<Body> {
    let body = Full::new(Bytes::new())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Chunked, as GitHub sends it: nobody knows its size before.
fn send(archive: Archive) -> Response<Body> {
    let (mut sender, channel) = Channel::<Bytes, io::Error>::new(1);
    tokio::spawn(async move {
        let end = archive
            .cut_after
            .or(archive.hang_after)
            .unwrap_or(usize::MAX)
            .min(archive.bytes.len());
        let mut at = 0;
        while at < end {
            let next = (at + archive.chunk).min(end);
            if sender.send_data(archive.bytes.slice(at..next)).await.is_err() {
                return;
            }
            at = next;
            tokio::time::sleep(archive.pause).await;
        }
        if archive.hang_after.is_some() {
            std::future::pending::<()>().await;
        }
        if archive.cut_after.is_some() {
            sender.abort(io::Error::other("cut"));
        }
    });
    let mut response = Response::new(channel.map_err(|_| Broken).boxed_unsync());
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/zip"));
    response
}
