//! Requests and answers: who asks, how long, how often, and where a redirect may lead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clients::github::{App, Credential, InstallationToken, TOKEN_ENDS, Unusable, token_end};
use http::{Method, Response, StatusCode};
use tokio::sync::Mutex;

use super::Error;
use super::address::location;
use super::credentials::Credentials;
use super::exchange::{Body, Silence};
use super::message::{Answer, Call, fault_of};
use super::retry::{self, Next, Repeat};
use crate::functions::Invocation;
use crate::https::HttpsClient;
use crate::secrets::SecretText;

/// What is left to the function after the last wait: less would not be enough for the request that follows it.
const MARGIN: Duration = Duration::from_secs(1);
/// How many redirects in a row are followed.
const REDIRECTS: u32 = 3;

/// The way to one GitHub.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) https: HttpsClient,
    /// The API's base address, without a slash at its end.
    pub(super) base: String,
    credentials: Credentials,
    installation: Mutex<Option<Kept>>,
    /// When the token ends, in seconds since 1970; 0 where GitHub did not say.
    ends: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    token: InstallationToken,
    /// The credential that it was made with: another one makes another token.
    of: SecretText,
}

impl Transport {
    pub(super) fn new(https: HttpsClient, base: String, credentials: Credentials) -> Self {
        Self {
            https,
            base,
            credentials,
            installation: Mutex::new(None),
            ends: AtomicU64::new(0),
        }
    }

    /// Asks until there is an answer. For what changes nothing, or the same thing to the same end, when it is asked twice.
    ///
    /// # Errors
    /// All of [`Error`].
    pub(super) async fn send(&self, call: &Call, invocation: &Invocation) -> Result<Answer, Error> {
        match self.authorized(call, Repeat::Harmless, invocation).await? {
            Some(answer) => Ok(answer),
            None => Err(call.unavailable("nobody knows whether it was done".to_owned())),
        }
    }

    /// Asks for what would make a second one when it is asked twice: nothing where nobody knows whether it was done.
    ///
    /// # Errors
    /// All of [`Error`]; after none of them it was done.
    pub(super) async fn send_once(&self, call: &Call, invocation: &Invocation) -> Result<Option<Answer>, Error> {
        self.authorized(call, Repeat::Doubles, invocation).await
    }

    /// Where an address leads that GitHub redirects to, unless that is the API itself.
    ///
    /// # Errors
    /// All of [`Error`]; [`Error::Refused`] if it does not redirect.
    pub(super) async fn location(&self, call: &Call, invocation: &Invocation) -> Result<String, Error> {
        let answer = self.send(call, invocation).await?;
        location(&answer).ok_or_else(|| call.refused(answer.status, "it should redirect to the archive, and does not"))
    }

    /// Opens an address that needs no credential, and so is sent none, wherever it is.
    ///
    /// # Errors
    /// All of [`Error`].
    pub(super) async fn open(
        &self,
        address: &str,
        what: &str,
        invocation: &Invocation,
    ) -> Result<Response<Body>, Error> {
        // The address opens the archive for whoever knows it: it must not stand in an error or a log.
        let call = Call::get(String::new(), what.to_owned());
        if self.base.starts_with("https://") && !address.starts_with("https://") {
            return Err(call.refused(StatusCode::FOUND, "it redirects to an address without encryption"));
        }
        for sent in 1.. {
            let next = match self.head(&call, address, None, invocation).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let (status, headers) = (response.status(), response.headers());
                    let next = retry::after_answer(status, headers, "", Repeat::Harmless, sent, epoch());
                    (
                        next,
                        fault_of(&call, status, "where the archive lies".to_owned()),
                        format!("{status}"),
                    )
                }
                Err(silence) => self.after_silence(&call, silence, Repeat::Harmless, sent),
            };
            self.act(&call, next, sent, invocation).await?;
        }
        Err(call.unavailable("it was asked too often".to_owned()))
    }

    /// Sends with the credential that is current. Where GitHub does not take it, once more with what may have replaced it.
    async fn authorized(&self, call: &Call, repeat: Repeat, invocation: &Invocation) -> Result<Option<Answer>, Error> {
        let token = self.token(call, invocation).await?;
        let answer = match self.with(call, &token, repeat, invocation).await {
            Err(Error::Refused { status: 401, .. }) if self.forget().await => {
                let newer = self.token(call, invocation).await?;
                self.with(call, &newer, repeat, invocation).await?
            }
            other => other?,
        };
        if let Some(answer) = &answer {
            self.note_end(answer).await;
        }
        Ok(answer)
    }

    /// When the token ends, if GitHub has said so.
    pub(super) fn token_ends(&self) -> Option<SystemTime> {
        let ends = self.ends.load(Ordering::Relaxed);
        (ends > 0).then(|| UNIX_EPOCH + Duration::from_secs(ends))
    }

    /// Notes what an answer says of the token that it was asked with. One that an App's key made is replaced in time by itself.
    async fn note_end(&self, answer: &Answer) {
        let of_app = self.installation.lock().await.is_some();
        let ends = answer.headers.get(TOKEN_ENDS).and_then(|value| value.to_str().ok());
        let ends = ends.filter(|_| !of_app).and_then(token_end);
        let ends = ends.and_then(|ends| ends.duration_since(UNIX_EPOCH).ok());
        self.ends
            .store(ends.map_or(0, |ends| ends.as_secs()), Ordering::Relaxed);
    }

    /// Forgets what the credential was. Says whether asking again can make a difference.
    async fn forget(&self) -> bool {
        let had_token = self.installation.lock().await.take().is_some();
        self.credentials.forget().await || had_token
    }

    /// The token to send.
    async fn token(&self, call: &Call, invocation: &Invocation) -> Result<SecretText, Error> {
        let credential = self
            .credentials
            .current()
            .await
            .map_err(|fault| call.unavailable(fault.to_string()))?;
        let refused = |unusable: Unusable| call.refused(StatusCode::UNAUTHORIZED, unusable.to_string());
        match Credential::of(&credential).map_err(refused)? {
            Credential::Token(token) => Ok(token),
            Credential::App(app) => self.installation_token(&app, credential, call, invocation).await,
        }
    }

    /// The installation's token: the one that is kept, or a new one, which lives for an hour.
    async fn installation_token(
        &self,
        app: &App,
        credential: SecretText,
        call: &Call,
        invocation: &Invocation,
    ) -> Result<SecretText, Error> {
        let mut kept = self.installation.lock().await;
        if let Some(kept) = kept.as_ref()
            && kept.of == credential
            && kept.token.lasts()
        {
            return Ok(kept.token.token.clone());
        }
        let refused = |unusable: Unusable| call.refused(StatusCode::UNAUTHORIZED, unusable.to_string());
        let proof = app.proof(SystemTime::now()).map_err(refused)?;
        let what = "a token of the GitHub App's installation".to_owned();
        let create = Call {
            method: Method::POST,
            path: app.tokens(),
            body: None,
            what,
        };
        // A token too many is of no harm to anybody.
        let Some(answer) = self.with(&create, &proof, Repeat::Harmless, invocation).await? else {
            return Err(create.unavailable("no token was made".to_owned()));
        };
        let created: InstallationToken = answer.read()?;
        let token = created.token.clone();
        *kept = Some(Kept {
            token: created,
            of: credential,
        });
        Ok(token)
    }

    async fn with(
        &self,
        call: &Call,
        token: &SecretText,
        repeat: Repeat,
        invocation: &Invocation,
    ) -> Result<Option<Answer>, Error> {
        let mut address = format!("{}{}", self.base, call.path);
        let mut redirects = 0;
        let mut sent = 0;
        loop {
            sent += 1;
            let next = match self.exchange(call, &address, token, invocation).await {
                Ok(answer) if answer.status.is_success() => return Ok(Some(answer)),
                Ok(answer) if answer.status.is_redirection() => match self.within(&answer) {
                    // A repository was renamed: GitHub asks to repeat the same request at its new address.
                    Some(moved) if redirects < REDIRECTS => {
                        (address, redirects, sent) = (moved, redirects + 1, sent - 1);
                        continue;
                    }
                    Some(_) => return Err(call.refused(answer.status, "it redirects again and again")),
                    None if call.method == Method::GET && location(&answer).is_some() => return Ok(Some(answer)),
                    None => {
                        return Err(call.refused(answer.status, "it redirects elsewhere, where no credential is sent"));
                    }
                },
                Ok(answer) => {
                    let (status, message) = (answer.status, answer.message());
                    let next = retry::after_answer(status, &answer.headers, &message, repeat, sent, epoch());
                    let why = format!("{}: {message}", status.as_u16());
                    (next, fault_of(call, status, message), why)
                }
                Err(silence) => self.after_silence(call, silence, repeat, sent),
            };
            if next.0 == Next::Unknown {
                return Ok(None);
            }
            self.act(call, next, sent, invocation).await?;
        }
    }

    fn after_silence(&self, call: &Call, silence: Silence, repeat: Repeat, sent: u32) -> (Next, Error, String) {
        let next = retry::after_silence(silence.left, repeat, sent);
        (next, call.unavailable(silence.why.clone()), silence.why)
    }

    /// Waits for the next attempt, or fails: because it is no use, or there is no time for it.
    async fn act(
        &self,
        call: &Call,
        (next, fault, why): (Next, Error, String),
        sent: u32,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let Next::Again(wait) = next else {
            return Err(fault);
        };
        if sent >= retry::ATTEMPTS {
            return Err(call.unavailable(format!("{why}, after {sent} attempts; try again in {}", words(wait))));
        }
        let remaining = invocation.remaining();
        if wait + MARGIN > remaining {
            return Err(call.unavailable(format!(
                "{why}; try again in {}, which is longer than the {} that this function has left",
                words(wait),
                words(remaining)
            )));
        }
        tracing::warn!(
            request = call.what,
            attempt = sent,
            wait_ms = wait.as_millis(),
            reason = why,
            "github is asked again"
        );
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Waits before what nobody knows to be done is looked for again.
    pub(super) async fn pause(&self, call: &Call, attempt: u32, invocation: &Invocation) -> Result<(), Error> {
        let why = "nobody knows whether it was done".to_owned();
        let fault = call.unavailable(why.clone());
        self.act(
            call,
            (Next::Again(retry::back_off(attempt)), fault, why),
            attempt,
            invocation,
        )
        .await
    }
}

/// A time for people.
pub(super) fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..120 => format!("{seconds} s"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn epoch() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
