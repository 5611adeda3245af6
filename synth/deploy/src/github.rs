//! GitHub's API, as far as a deployer needs it: the hooks of one repository.
//!
//! What may have happened is looked up before it is done again: only requests that change nothing, or change the same thing to the
//! same, are repeated.

mod opener;
mod rights;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use clients::https::{self, HttpsClient};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, told};
use crate::secrets::SecretText;

use opener::Opener;

/// How often a request is made that GitHub does not answer.
const TRIES: u32 = 3;
/// How long GitHub may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most hooks and deliveries that are looked through: a repository has at most 20 hooks of an event.
const PAGE: u32 = 100;

/// A repository on GitHub, and what opens it: a token or a GitHub App.
#[derive(Debug)]
pub struct GitHub {
    client: HttpsClient,
    api: String,
    /// `owner/name`.
    pub repository: String,
    opener: Opener,
}

/// A hook, as GitHub tells it: without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hook {
    /// Its id.
    pub id: u64,
    /// Whether it posts.
    pub active: bool,
    /// What it posts of.
    pub events: Vec<String>,
    /// Where and how.
    pub config: HookConfig,
}

/// Where a hook posts to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HookConfig {
    /// The address.
    pub url: String,
    /// `json` or `form`.
    pub content_type: String,
    /// `"0"` if the address's certificate is verified; GitHub writes it as text or number.
    #[serde(deserialize_with = "text")]
    pub insecure_ssl: String,
}

impl Default for HookConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            // What GitHub takes where nothing is said.
            content_type: "form".to_owned(),
            insecure_ssl: "0".to_owned(),
        }
    }
}

/// One post of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivery {
    /// Its id; a later one's is greater.
    pub id: u64,
    /// What tells it from others, and not from its own repetitions.
    pub guid: String,
    /// What it was about: `ping`.
    pub event: String,
    /// GitHub's word for how it went: `OK`.
    pub status: String,
    /// The HTTP status of the answer; 0 if there was none.
    pub status_code: u16,
    /// When, in RFC 3339.
    pub delivered_at: String,
}

/// An answer that is none of the good ones.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    status: u16,
    words: String,
    /// How to mend it, where it is not the request that was refused, but who asks: an App that gets no token.
    help: Option<String>,
}

impl Refused {
    const fn of(status: u16, words: String) -> Self {
        Self {
            status,
            words,
            help: None,
        }
    }

    /// Whether it is the request that was refused, with one of these statuses.
    fn is(&self, statuses: &[u16]) -> bool {
        self.help.is_none() && statuses.contains(&self.status)
    }

    fn with(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl GitHub {
    /// The repository at this API, for whom this secret opens it. What it holds shows when GitHub is asked.
    ///
    /// # Errors
    /// Where the system has no certificates of authorities that it trusts.
    pub fn new(api: &str, repository: &str, secret: &SecretText) -> Result<Self, Error> {
        Ok(Self {
            client: https::client().map_err(|error| told("HTTPS is of no use", &error.to_string()))?,
            api: api.trim_end_matches('/').to_owned(),
            repository: repository.to_owned(),
            opener: Opener::new(secret),
        })
    }

    /// Who asks, in words: `the token`.
    pub const fn asker(&self) -> &'static str {
        match self.opener.app() {
            Some(_) => "the GitHub App",
            None => "the token",
        }
    }

    /// The repository's hooks.
    ///
    /// # Errors
    /// Where GitHub does not show them to this token.
    pub async fn hooks(&self) -> Result<Vec<Hook>, Error> {
        let path = format!("/hooks?per_page={PAGE}");
        self.ask("cannot list the webhooks", Method::GET, &path, None).await
    }

    /// Whether GitHub takes the credential, which then may see to the repository's hooks.
    ///
    /// # Errors
    /// Where GitHub does not say, the credential lacks the right, or an App gets no token.
    pub async fn accepts(&self) -> Result<bool, Error> {
        match self.send(&Method::GET, "/hooks?per_page=1", None).await {
            Err(refused) if refused.is(&[401]) => Ok(false),
            Err(refused) => Err(self.refusal(&format!("{} does not open the webhooks", self.asker()), refused)),
            Ok(_) => Ok(true),
        }
    }

    /// A hook; none if it is gone.
    ///
    /// # Errors
    /// Where GitHub does not say.
    pub async fn hook(&self, id: u64) -> Result<Option<Hook>, Error> {
        match self.send(&Method::GET, &format!("/hooks/{id}"), None).await {
            Err(refused) if refused.is(&[404]) => Ok(None),
            other => self.read("cannot look at the webhook", other).map(Some),
        }
    }

    /// Makes a hook. Not repeated: whoever gets an error must look whether it is there.
    ///
    /// # Errors
    /// Where GitHub refuses.
    pub async fn create_hook(&self, url: &str, secret: &SecretText) -> Result<Hook, Error> {
        let mut body = settings(url, secret);
        body["name"] = json!("web");
        let answer = self.once(&Method::POST, "/hooks", Some(&body)).await;
        self.read("cannot create the webhook", answer)
    }

    /// Makes a hook what it should be.
    ///
    /// # Errors
    /// Where GitHub refuses.
    pub async fn update_hook(&self, id: u64, url: &str, secret: &SecretText) -> Result<Hook, Error> {
        let body = settings(url, secret);
        self.ask(
            "cannot update the webhook",
            Method::PATCH,
            &format!("/hooks/{id}"),
            Some(&body),
        )
        .await
    }

    /// Has GitHub post a ping.
    ///
    /// # Errors
    /// Where GitHub refuses.
    pub async fn ping(&self, id: u64) -> Result<(), Error> {
        let answer = self.send(&Method::POST, &format!("/hooks/{id}/pings"), None).await;
        answer
            .map(drop)
            .map_err(|refused| self.refusal("cannot ping the webhook", refused))
    }

    /// The latest posts of a hook, the newest first.
    ///
    /// # Errors
    /// Where GitHub does not say.
    pub async fn deliveries(&self, id: u64) -> Result<Vec<Delivery>, Error> {
        let path = format!("/hooks/{id}/deliveries?per_page={PAGE}");
        self.ask("cannot list the webhook's deliveries", Method::GET, &path, None)
            .await
    }

    /// Deletes a hook; one that is gone is deleted.
    ///
    /// # Errors
    /// Where GitHub refuses.
    pub async fn delete_hook(&self, id: u64) -> Result<(), Error> {
        match self.send(&Method::DELETE, &format!("/hooks/{id}"), None).await {
            Ok(_) => Ok(()),
            Err(refused) if refused.is(&[404]) => Ok(()),
            Err(refused) => Err(self.refusal("cannot delete the webhook", refused)),
        }
    }

    /// Has GitHub repeat a delivery.
    ///
    /// # Errors
    /// Where GitHub refuses.
    pub async fn redeliver(&self, hook: u64, delivery: u64) -> Result<(), Error> {
        let path = format!("/hooks/{hook}/deliveries/{delivery}/attempts");
        let answer = self.send(&Method::POST, &path, None).await;
        answer
            .map(drop)
            .map_err(|refused| self.refusal("cannot repeat the delivery", refused))
    }

    /// The numbers of the open pull requests.
    ///
    /// # Errors
    /// Where GitHub does not list them.
    pub async fn open_pull_requests(&self) -> Result<BTreeSet<u64>, Error> {
        #[derive(Deserialize)]
        struct Pull {
            number: u64,
        }
        let mut numbers = BTreeSet::new();
        for page in 1.. {
            let path = format!("/pulls?state=open&per_page={PAGE}&page={page}");
            let pulls: Vec<Pull> = self
                .ask("cannot list the pull requests", Method::GET, &path, None)
                .await?;
            let is_last = pulls.len() < PAGE as usize;
            numbers.extend(pulls.into_iter().map(|pull| pull.number));
            if is_last {
                break;
            }
        }
        Ok(numbers)
    }

    async fn ask<T: for<'a> Deserialize<'a>>(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Error> {
        let answer = self.send(&method, path, body).await;
        self.read(doing, answer)
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, doing: &str, answer: Result<Bytes, Refused>) -> Result<T, Error> {
        let refusal = |refused| self.refusal(doing, refused);
        serde_json::from_slice(&answer.map_err(refusal)?)
            .map_err(|error| self.refusal(doing, Refused::of(0, format!("its answer is not understood: {error}"))))
    }

    /// Makes a request that may be repeated.
    async fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Bytes, Refused> {
        let mut wait = Duration::from_millis(500);
        for _ in 1..TRIES {
            match self.once(method, path, body).await {
                Err(Refused { status, .. }) if status == 0 || status == 429 || status >= 500 => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        self.once(method, path, body).await
    }

    /// Makes a request once; again only where an App's token was not taken, and so nothing was done.
    async fn once(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Bytes, Refused> {
        let path = format!("/repos/{}{path}", self.repository);
        let bearer = self.bearer().await?;
        match self.exchange(method, &path, &bearer, body).await {
            Err(Refused { status: 401, .. }) if self.forget(&bearer).await => {
                let newer = self.bearer().await?;
                self.exchange(method, &path, &newer, body).await
            }
            answer => answer,
        }
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        bearer: &SecretText,
        body: Option<&Value>,
    ) -> Result<Bytes, Refused> {
        let unreached = |words: String| Refused::of(0, words);
        let text = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header(header::AUTHORIZATION, format!("Bearer {}", bearer.reveal()))
            .header(header::USER_AGENT, "deploy")
            .header(header::ACCEPT, "application/vnd.github+json")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-github-api-version", "2022-11-28")
            .body(Full::new(text))
            .map_err(|_| unreached("the token holds characters that no token has".to_owned()))?;
        let answer = tokio::time::timeout(PATIENCE, async {
            let answer = self.client.request(request).await.map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                unreached(format!("{error}{}", cause.unwrap_or_default()))
            })?;
            let (status, headers) = (answer.status().as_u16(), answer.headers());
            let limited = headers.contains_key(header::RETRY_AFTER)
                || headers
                    .get("x-ratelimit-remaining")
                    .is_some_and(|remaining| remaining == "0");
            let body = answer.into_body().collect().await;
            let body = body.map_err(|error| unreached(error.to_string()))?.to_bytes();
            Ok((status, limited, body))
        });
        let (status, limited, body) = answer
            .await
            .map_err(|_| unreached(format!("no answer within {} s", PATIENCE.as_secs())))??;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let words = answer["message"].as_str().unwrap_or("no words").to_owned();
        // GitHub says with 403 too that it was asked too often, see
        // <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.
        let is_limit = status == 403 && (limited || words.to_lowercase().contains("rate limit"));
        Err(Refused::of(if is_limit { 429 } else { status }, words))
    }

    fn refusal(&self, doing: &str, refused: Refused) -> Error {
        let Refused { status, words, help } = refused;
        Error::GitHub {
            doing: format!("{doing} of {}", self.repository),
            words: match status {
                0 => words,
                status => format!("{status}: {words}"),
            },
            help: help.unwrap_or_else(|| self.help(status)),
        }
    }

    fn help(&self, status: u16) -> String {
        let repository = &self.repository;
        match status {
            401 => "the token is expired or was revoked: give another with `--credentials FILE`".to_owned(),
            403 | 404 if self.opener.app().is_some() => self.app_needs(),
            403 | 404 => format!(
                "the token must be able to read and write the webhooks of {repository}: a fine-grained one needs the repository permission Webhooks, a classic one the scope admin:repo_hook"
            ),
            422 => format!(
                "look at the webhooks of {repository}: GitHub takes no second one of the same address, and at most 20"
            ),
            429 => "GitHub asks for patience: run the same command again in a minute".to_owned(),
            _ => format!(
                "check `github_api` in the configuration ({}) and the network, then run the same command again",
                self.api
            ),
        }
    }
}

/// What the hook should be, apart from its id.
fn settings(url: &str, secret: &SecretText) -> Value {
    json!({
        "active": true,
        "events": ["pull_request"],
        "config": {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": secret.reveal()},
    })
}

fn text<'a, D: serde::Deserializer<'a>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
