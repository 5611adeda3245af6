//! The way from the front to MiniStack.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Uri, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{Client, answer::Answer, client, front::Cut};

/// Where MiniStack learns through which front and for which account a request came: what CloudFormation does for it is told there.
const FRONT: &str = "x-front";

/// MiniStack, as one front reaches it.
#[derive(Debug)]
pub(super) struct Backstage {
    behind: SocketAddr,
    front: HeaderValue,
    client: Client,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

impl Backstage {
    pub(super) fn new(behind: SocketAddr, front: SocketAddr, account: &str) -> Self {
        // Both are visible ASCII.
        let front = HeaderValue::from_str(&format!("{front} {account}")).unwrap_or(HeaderValue::from_static(""));
        Self {
            behind,
            front,
            client: Client::new(behind, account, "front"),
            pool: Pool::builder(TokioExecutor::new()).build(HttpConnector::new()),
        }
    }

    /// Hands a request on as it came.
    pub(super) async fn forward(&self, head: Parts, body: Bytes) -> Result<Answer, Cut> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{}{path}", self.behind).parse().map_err(|_| Cut)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = head.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = without_hops(head.headers);
        request.headers_mut().insert(FRONT, self.front.clone());
        // AWS's clients come over TLS, which a bucket's policy may insist on: the front stands for the end of it.
        request
            .headers_mut()
            .insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let answer = self.pool.request(request).await.map_err(|_| Cut)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: without_hops(head.headers),
            body,
        })
    }

    /// What the policies of a role of the account say, see `testing/tools/local_authority.py`.
    pub(super) async fn authority(&self, asked: &serde_json::Value) -> std::io::Result<serde_json::Value> {
        let request = Request::post("/_authority")
            .header(header::HOST, self.behind.to_string())
            .header(FRONT, self.front.clone())
            .body(Bytes::from(asked.to_string()))
            .map_err(std::io::Error::other)?;
        let answer = client::exchange(self.behind, request).await?;
        serde_json::from_slice(answer.body()).map_err(std::io::Error::other)
    }

    /// Asks something in the account's own name; the front's calls are nobody's.
    pub(super) async fn ask(&self, service: &str, request: Request<Bytes>) -> std::io::Result<http::Response<Bytes>> {
        let mut request = self.client.signed(service, request)?;
        request.headers_mut().insert(FRONT, self.front.clone());
        client::exchange(self.behind, request).await
    }
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
