//! One request and its answer, in bounded time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};

use super::message::{Answer, Call};
use super::transport::{Transport, words};
use crate::functions::Invocation;
use crate::secrets::SecretText;

/// The version of the REST API that the types here are of, see <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const VERSION: &str = "2022-11-28";
/// GitHub refuses requests without one.
const AGENT: &str = concat!("TheBestest/", env!("CARGO_PKG_VERSION"));
/// How long one request may take. GitHub itself ends what takes longer than ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long before the deadline an attempt is given up, so that there is time left to say why.
const PARTING: Duration = Duration::from_millis(700);
/// The largest answer that is read: a page of a hundred pull requests with long texts is about half of it.
const LARGEST: usize = 16 << 20;

/// The body of an answer, as it arrives.
pub(super) type Body = UnsyncBoxBody<Bytes, Silence>;

/// Why no answer came, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Silence {
    /// Whether the request may have reached GitHub.
    pub(super) left: bool,
    pub(super) why: String,
}

impl Transport {
    /// One request and its whole answer.
    pub(super) async fn exchange(
        &self,
        call: &Call,
        address: &str,
        token: &SecretText,
        invocation: &Invocation,
    ) -> Result<Answer, Silence> {
        let patience = PATIENCE.min(time_left(invocation));
        let exchange = async {
            let response = self.head(call, address, Some(token), invocation).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(|fault| Silence {
                left: true,
                why: format!("its answer broke off: {fault}"),
            })?;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.to_bytes(),
                what: call.what.clone(),
            })
        };
        tokio::time::timeout(patience, exchange)
            .await
            .unwrap_or_else(|_| Err(late(patience)))
    }

    /// One request, and its answer as far as the headers go.
    pub(super) async fn head(
        &self,
        call: &Call,
        address: &str,
        token: Option<&SecretText>,
        invocation: &Invocation,
    ) -> Result<Response<Body>, Silence> {
        let unsent = |why: String| Silence { left: false, why };
        let mut request = Request::builder()
            .method(&call.method)
            .uri(address)
            .header(USER_AGENT, AGENT);
        if let Some(token) = token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
                .map_err(|_| unsent("the credential cannot be sent".to_owned()))?;
            bearer.set_sensitive(true);
            request = request
                .header(AUTHORIZATION, bearer)
                .header(ACCEPT, "application/vnd.github+json")
                .header("x-github-api-version", VERSION);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(call.body.clone().unwrap_or_default()))
            .map_err(|_| unsent("its address is none".to_owned()))?;
        let patience = PATIENCE.min(time_left(invocation));
        match tokio::time::timeout(patience, self.https.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(|body| {
                let broken = |fault: _| Silence {
                    left: true,
                    why: reasons(&fault),
                };
                body.map_err(broken).boxed_unsync()
            })),
            Ok(Err(fault)) => Err(Silence {
                left: !fault.is_connect(),
                why: reasons(&fault),
            }),
            Err(_) => Err(late(patience)),
        }
    }
}

/// How long there is to ask for something.
pub(super) fn time_left(invocation: &Invocation) -> Duration {
    invocation.remaining().saturating_sub(PARTING)
}

fn late(patience: Duration) -> Silence {
    Silence {
        left: true,
        why: format!("no answer within {}", words(patience)),
    }
}

/// A fault with all its causes; hyper's own words alone say only that sending failed.
fn reasons(fault: &dyn std::error::Error) -> String {
    let mut words = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        words = format!("{words}: {fault}");
        cause = fault.source();
    }
    words
}
