//! Who asks GitHub: a token, or a GitHub App's installation, whose token is made when the first request needs it, kept for the run, and
//! made anew when it is about to end or GitHub does not take it any more.
//!
//! An App's token is asked for as one of the repository and no other. It is in no error and no event.

use std::time::SystemTime;

use bytes::Bytes;
use clients::github::{App, Credential, InstallationToken, Unusable};
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{GitHub, Refused};
use crate::secrets::SecretText;

/// What opens GitHub.
#[derive(Debug)]
pub(super) struct Opener {
    /// What the secret says it is.
    credential: Result<Credential, Unusable>,
    installation: Mutex<Option<InstallationToken>>,
}

impl Opener {
    pub(super) fn new(secret: &SecretText) -> Self {
        Self {
            credential: Credential::of(secret),
            installation: Mutex::new(None),
        }
    }

    /// The App, if it is one.
    pub(super) const fn app(&self) -> Option<&App> {
        match &self.credential {
            Ok(Credential::App(app)) => Some(app),
            _ => None,
        }
    }
}

impl GitHub {
    /// What the next request is sent with.
    pub(super) async fn bearer(&self) -> Result<SecretText, Refused> {
        match &self.opener.credential {
            Ok(Credential::Token(token)) => Ok(token.clone()),
            Ok(Credential::App(app)) => {
                let mut kept = self.opener.installation.lock().await;
                if let Some(installation) = kept.as_ref().filter(|installation| installation.lasts()) {
                    return Ok(installation.token.clone());
                }
                let installation = self.installation_token(app).await?;
                Ok(kept.insert(installation).token.clone())
            }
            // GitHub would say the same of it.
            Err(unusable) => Err(Refused::of(401, unusable.to_string())),
        }
    }

    /// What the App's installation may do with the repository; none for a token, or where GitHub does not tell.
    pub(super) async fn permissions(&self) -> Result<Option<Value>, Refused> {
        if self.opener.app().is_none() {
            return Ok(None);
        }
        self.bearer().await?;
        let kept = self.opener.installation.lock().await;
        let permissions = kept.as_ref().map(|installation| installation.permissions.clone());
        Ok(permissions.filter(|permissions| !permissions.is_null()))
    }

    /// Forgets the installation's token that GitHub has refused. Says whether another can make a difference.
    pub(super) async fn forget(&self, refused: &SecretText) -> bool {
        let mut kept = self.opener.installation.lock().await;
        if kept.as_ref().is_some_and(|installation| installation.token == *refused) {
            *kept = None;
        }
        self.opener.app().is_some()
    }

    async fn installation_token(&self, app: &App) -> Result<InstallationToken, Refused> {
        let unsigned = |unusable: Unusable| {
            Refused::of(401, unusable.to_string()).with("give the App with its key with `--credentials FILE`")
        };
        let proof = app.proof(SystemTime::now()).map_err(unsigned)?;
        let name = self.repository.rsplit('/').next().unwrap_or_default();
        let body = json!({"repositories": [name]});
        let answer = self.exchange(&Method::POST, &app.tokens(), &proof, Some(&body)).await;
        let token = read(&answer.map_err(|refused| self.explained(app, refused))?)?;
        self.entitled(&token)?;
        Ok(token)
    }

    /// What it means that GitHub gives an App no token.
    fn explained(&self, app: &App, refused: Refused) -> Refused {
        let (installation, repository) = (app.installation(), &self.repository);
        let help = match refused.status {
            401 => "check `app_id` and `private_key`: the key must be one of this App that was not deleted; then give the App with `--credentials FILE`".to_owned(),
            403 => format!("the App's installation {installation} must not be suspended: look at it in the settings of {repository}'s owner"),
            404 => format!("check `installation_id`: {installation} must be this App's installation by the owner of {repository}, the number at the end of its page's address"),
            422 => format!("install the App on {repository}: its installation {installation} must have access to that repository"),
            _ => return refused,
        };
        let words = format!(
            "no token of the GitHub App's installation {installation}: {}",
            refused.words
        );
        Refused { words, ..refused }.with(help)
    }

    /// Refuses a token that may not write webhooks, before anything is changed that a webhook is needed for.
    fn entitled(&self, token: &InstallationToken) -> Result<(), Refused> {
        let may = &token.permissions["repository_hooks"];
        // A GitHub that does not say it refuses the request itself.
        if token.permissions.is_null() || may == "write" {
            return Ok(());
        }
        let may = if may == "read" { "may only read" } else { "may not see" };
        let words = format!("the GitHub App's installation {may} webhooks");
        Err(Refused::of(403, words).with(self.app_needs()))
    }

    /// How an App comes to see to the repository's webhooks.
    pub(super) fn app_needs(&self) -> String {
        format!(
            "give the GitHub App the repository permission Webhooks, read and write, accept that in its installation, and install it on {}",
            self.repository
        )
    }
}

fn read(answer: &Bytes) -> Result<InstallationToken, Refused> {
    // serde_json's own words could quote the token.
    serde_json::from_slice(answer).map_err(|_| Refused::of(0, "its answer holds no token".to_owned()))
}
