//! How a function reaches AWS: region, credentials and endpoint from the variables that Lambda sets, over [`https`](crate::https).
//!
//! `aws-config` would look for them in a dozen more places — profiles, containers, instance metadata, web identities — none of
//! which a function has; leaving it out makes the binary smaller and the cold start quicker.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
pub use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;

use crate::https::{self, HttpsClient};

/// How long AWS may take to begin an answer. Every call of this system is answered within a second or two.
const READ: Duration = Duration::from_secs(20);

/// The configuration of all clients of a function.
///
/// | variable | what |
/// |---|---|
/// | `AWS_REGION` | the region; Lambda sets it |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the role's credentials; Lambda sets them |
/// | `AWS_ENDPOINT_URL` | an emulator's address; AWS itself if left out |
///
/// `name` stands in the `User-Agent` of every call, as `app/<name>`, and so in CloudTrail.
///
/// # Errors
/// Where the system has no certificates of authorities that it trusts.
pub fn config(variables: &BTreeMap<String, String>, name: &str) -> io::Result<SdkConfig> {
    let read = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
    let credentials = Credentials::new(
        read("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        read("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        read("AWS_SESSION_TOKEN"),
        None,
        "Lambda",
    );
    let timeouts = TimeoutConfig::builder().read_timeout(READ).build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Https::new()?)
        .retry_config(RetryConfig::standard())
        .sleep_impl(TokioSleep::new())
        .timeout_config(timeouts)
        .region(read("AWS_REGION").map(Region::new));
    config.set_endpoint_url(read("AWS_ENDPOINT_URL"));
    config.set_app_name(AppName::new(name.to_owned()).ok());
    Ok(config.build())
}

/// The SDK's requests over the one HTTPS client.
#[derive(Clone)]
pub struct Https {
    client: HttpsClient<SdkBody>,
}

#[derive(Debug)]
struct Connector {
    https: Https,
    read: Option<Duration>,
}

impl Https {
    /// What an SDK configuration takes as its HTTP client.
    ///
    /// # Errors
    /// Where the system has no certificates of authorities that it trusts.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            client: https::client()?,
        })
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Https")
    }
}

impl HttpClient for Https {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            https: self.clone(),
            read: settings.read_timeout(),
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let answer = self.https.client.request(request);
        let read = self.read;
        HttpConnectorFuture::new(async move {
            let answer = match read {
                Some(time) => tokio::time::timeout(time, answer)
                    .await
                    .map_err(|late| ConnectorError::timeout(late.into()))?,
                None => answer.await,
            };
            let response = answer.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
