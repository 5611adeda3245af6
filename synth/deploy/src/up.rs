//! `up`: from whatever is there to all shared stacks complete and the webhook posting to them.
//!
//! Every step looks at what is there and does the next thing, so it does not matter where an earlier run ended.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_cloudformation::types::Stack;
use clients::cloudformation::Condition;
use serde_json::Value;
use stacks::Project;

use crate::account::Account;
use crate::bootstrap::{self, Bootstrap};
use crate::error::{Error, told};
use crate::event::{Event, Frontend};
use crate::follow::{self, condition};
use crate::github::GitHub;
use crate::memory::{KnownStack, Memory};
use crate::plan::StackPlan;
use crate::secrets::{self, SecretText, Source};
use crate::wanted::{self, Wanted};
use crate::{assets, checks, diff, webhook};

/// The output with the API's address.
pub(crate) const URL: &str = "WebhookUrl";
/// The output with the secret that GitHub signs with.
pub(crate) const SECRET: &str = "WebhookSecretArn";
/// The output with the secret that takes GitHub's credentials.
pub(crate) const CREDENTIALS: &str = "GitHubCredentialsArn";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The configuration.
    pub project: Project,
    /// The repository's root, where the functions' binary is built; empty for the current folder.
    pub root: PathBuf,
    /// The functions' binary; built if none is named.
    pub bootstrap: Option<PathBuf>,
    /// Where GitHub's credentials come from, to be set or changed; asked for if none is named and they are missing.
    pub credentials: Option<Source>,
    /// Logical ids of resources with data that may be replaced or removed.
    pub allow_loss: Vec<String>,
    /// Whether a lock is to be taken that somebody else holds.
    pub take_over: bool,
}

/// A run at work.
pub(crate) struct Run<'a> {
    pub(crate) request: &'a Request,
    pub(crate) account: &'a Account,
    memory: &'a tokio::sync::Mutex<Memory>,
    pub(crate) frontend: &'a Arc<dyn Frontend>,
    pub(crate) bucket: String,
    /// GitHub, with the credentials that were asked about last: a GitHub App's token is made once a run.
    github: tokio::sync::Mutex<Option<(SecretText, Arc<GitHub>)>>,
}

/// Runs it.
///
/// # Errors
/// The first thing that stands in the way.
pub async fn run(request: &Request, account: &Account, frontend: &Arc<dyn Frontend>) -> Result<(), Error> {
    let project = &request.project;
    let wanted = wanted::shared(project)?;
    // Read at once: whoever pipes a secret in waits for that, and a wrong file should show before anything is changed.
    let credentials = request.credentials.as_ref().map(Source::read).transpose()?;
    let (path, root) = (request.bootstrap.as_deref(), request.root.as_path());
    let code = bootstrap::prepare(path, root, project.build.processor, &**frontend)?;
    frontend.event(&Event::Checked {
        what: "account",
        found: format!("{} in {} as {}", account.id, account.region, account.arn),
    });
    let memory = Memory::open(account, &project.project, request.take_over).await?;
    let memory = tokio::sync::Mutex::new(memory);
    let run = Run {
        request,
        account,
        memory: &memory,
        frontend,
        bucket: account.artifacts_bucket(&project.project),
        github: tokio::sync::Mutex::default(),
    };
    let outcome = tokio::select! {
        outcome = run.all(wanted, &code, credentials) => outcome,
        lost = run.stay() => lost,
        _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
    };
    let closed = memory.lock().await.close().await;
    outcome.and(closed)
}

impl Run<'_> {
    /// Keeps the lock while the run lasts; ends only if it is lost.
    async fn stay(&self) -> Result<(), Error> {
        loop {
            tokio::time::sleep(crate::memory::RENEWAL).await;
            self.memory.lock().await.save().await?;
        }
    }

    async fn all(&self, wanted: Vec<Wanted>, code: &Bootstrap, credentials: Option<SecretText>) -> Result<(), Error> {
        let mut present = BTreeMap::new();
        for stack in &wanted {
            let found = follow::stack(self.account, &stack.name).await?;
            present.insert(stack.name.clone(), found);
        }
        let both = wanted
            .iter()
            .map(|stack| (stack, present.get(&stack.name).and_then(Option::as_ref)));
        let both: Vec<_> = both.collect();
        checks::run(self.account, &self.request.project, &both, &**self.frontend).await?;
        let templates = self.spare_data(&wanted, &present).await?;
        // Before a stack has made the secret there is none to read.
        let secret = present
            .values()
            .find_map(|stack| follow::output(stack.as_ref(), CREDENTIALS));
        let credentials = self.credentials(credentials, secret.as_deref()).await?;
        let mut outputs = BTreeMap::new();
        for mut stack in wanted {
            for asset in stack.assets.clone() {
                let key = assets::code(self.account, &self.bucket, &code.zip, &**self.frontend).await?;
                stack.give(&asset, &self.bucket, &key);
            }
            let found = present.remove(&stack.name).flatten();
            let settled = self.settle(&stack, found, templates.get(&stack.name)).await?;
            self.memory.lock().await.lock(self.request.take_over).await?;
            self.remember(&stack, &settled).await?;
            outputs.extend(self.outputs(&stack, &settled));
        }
        self.webhook(&outputs, credentials).await
    }
}

impl Run<'_> {
    /// GitHub's credentials, proven to open the webhooks: those that are given, else those that are stored, else those that a person
    /// enters. The second says whether they are still to be stored.
    async fn credentials(&self, given: Option<SecretText>, secret: Option<&str>) -> Result<(SecretText, bool), Error> {
        let stored = match secret {
            Some(secret) => secrets::stored(self.account, secret).await?,
            None => None,
        };
        if let Some(given) = given {
            if !self.opens(&given).await? {
                return Err(Error::GitHub {
                    doing: "GitHub does not take the credentials that were given".to_owned(),
                    words: "401: Bad credentials".to_owned(),
                    help: "name a file with a valid token, or with a GitHub App as JSON: `--credentials FILE`"
                        .to_owned(),
                });
            }
            let is_new = stored.is_none_or(|stored| stored.value != given);
            if is_new {
                self.entitled(&given).await?;
            }
            return Ok((given, is_new));
        }
        let why = match stored {
            Some(stored) if self.opens(&stored.value).await? => return Ok((stored.value, false)),
            Some(_) => format!(
                "GitHub does not take what the secret {} holds",
                secret.unwrap_or_default()
            ),
            None => "there are no GitHub credentials yet".to_owned(),
        };
        let entered = self.ask(move |frontend| frontend.credentials(&why)).await?;
        if self.opens(&entered).await? {
            self.entitled(&entered).await?;
            return Ok((entered, true));
        }
        Err(Error::NoCredentials("GitHub does not take what was entered".to_owned()))
    }

    /// Asks a person, on a thread that may wait for ever while everything else goes on.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Frontend) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let frontend = Arc::clone(self.frontend);
        let answer = tokio::task::spawn_blocking(move || question(&*frontend)).await;
        answer.unwrap_or(Err(Error::Interrupted))
    }

    async fn opens(&self, credentials: &SecretText) -> Result<bool, Error> {
        let github = self.github(credentials).await?;
        let opens = github.accepts().await?;
        if opens {
            self.frontend.event(&Event::Checked {
                what: "GitHub",
                found: format!("{} opens the webhooks of {}", github.asker(), github.repository),
            });
        }
        Ok(opens)
    }

    /// Refuses credentials with which the functions could not do their work.
    async fn entitled(&self, credentials: &SecretText) -> Result<(), Error> {
        let missing = self.github(credentials).await?.lacks().await?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::unentitled(&self.request.project.repository, &missing))
    }

    async fn github(&self, credentials: &SecretText) -> Result<Arc<GitHub>, Error> {
        let mut last = self.github.lock().await;
        if let Some((_, github)) = last.as_ref().filter(|(of, _)| of == credentials) {
            return Ok(Arc::clone(github));
        }
        let Project {
            github_api, repository, ..
        } = &self.request.project;
        let github = Arc::new(GitHub::new(github_api, repository, credentials)?);
        *last = Some((credentials.clone(), Arc::clone(&github)));
        Ok(github)
    }

    /// Refuses, before anything is changed, what would take away data; returns the templates of the stacks that are there.
    async fn spare_data(
        &self,
        wanted: &[Wanted],
        present: &BTreeMap<String, Option<Stack>>,
    ) -> Result<BTreeMap<String, Value>, Error> {
        let known = self.memory.lock().await.facts.stacks.clone();
        let mut templates = BTreeMap::new();
        let mut losses = Vec::new();
        for stack in wanted {
            let Some(Some(there)) = present.get(&stack.name) else {
                continue;
            };
            // Of what an earlier run has left as it is nothing goes, unless the wanted template is another one now.
            let left = known
                .get(&stack.name)
                .is_some_and(|known| known.template == stack.template_hash() && known.is(there));
            if left || condition(Some(there)) != Condition::Settled {
                continue;
            }
            let old = diff::template(self.account, &stack.name).await?;
            let plan = StackPlan::of(&stack.name, Some(&old), &stack.tree, &[]);
            losses.extend(plan.losses(&self.request.allow_loss));
            templates.insert(stack.name.clone(), old);
        }
        if losses.is_empty() {
            return Ok(templates);
        }
        for loss in losses.iter_mut().filter(|loss| loss.physical_id.is_none()) {
            loss.physical_id = follow::physical_id(self.account, &loss.stack, &loss.logical_id).await?;
        }
        Err(Error::Loss(losses))
    }

    /// Whether nothing has changed since an earlier run has left the stack as it should be.
    pub(crate) async fn is_known(&self, wanted: &Wanted, stack: &Stack) -> bool {
        let memory = self.memory.lock().await;
        memory.facts.stacks.get(&wanted.name) == Some(&known(wanted, stack))
    }

    async fn remember(&self, wanted: &Wanted, stack: &Stack) -> Result<(), Error> {
        let mut memory = self.memory.lock().await;
        let known = known(wanted, stack);
        if memory.facts.stacks.get(&wanted.name) == Some(&known) {
            return Ok(());
        }
        memory.facts.stacks.insert(wanted.name.clone(), known);
        memory.save().await
    }

    pub(crate) fn unchanged(&self, wanted: &Wanted) {
        self.frontend.event(&Event::Unchanged {
            stack: wanted.name.clone(),
        });
    }

    /// Tells of the stack's outputs, and returns them.
    fn outputs(&self, wanted: &Wanted, stack: &Stack) -> Vec<(String, String)> {
        let outputs = stack.outputs().iter().filter_map(|output| {
            let (name, value) = (output.output_key()?.to_owned(), output.output_value()?.to_owned());
            // What is exported is for other stacks.
            if output.export_name().is_none() {
                self.frontend.event(&Event::Output {
                    stack: wanted.name.clone(),
                    name: name.clone(),
                    value: value.clone(),
                });
            }
            Some((name, value))
        });
        outputs.collect()
    }

    /// Sets GitHub's credentials where they are to be set, and sees to the webhook.
    async fn webhook(
        &self,
        outputs: &BTreeMap<String, String>,
        (credentials, store): (SecretText, bool),
    ) -> Result<(), Error> {
        let output = |name: &str| {
            let missing = || {
                Error::Unusable(format!(
                    "no shared stack has the output {name}\n  help: add it to the stack that has the webhook"
                ))
            };
            outputs.get(name).cloned().ok_or_else(missing)
        };
        let (url, secret) = (output(URL)?, output(SECRET)?);
        if store {
            let secret = output(CREDENTIALS)?;
            secrets::store(self.account, &secret, &credentials).await?;
            self.frontend.event(&Event::CredentialsStored { secret });
        }
        let secret = secrets::stored(self.account, &secret)
            .await?
            .ok_or_else(|| told(format!("cannot read the secret {secret}"), "it has no value"))?;
        let github = self.github(&credentials).await?;
        let before = self.memory.lock().await.facts.webhook.clone();
        let mut known = webhook::settle(&github, &url, &secret, before.as_ref(), &**self.frontend).await?;
        self.remember_webhook(&known).await?;
        if !known.answered {
            webhook::ping(&github, known.id, &url, &**self.frontend).await?;
            known.answered = true;
            self.remember_webhook(&known).await?;
        }
        Ok(())
    }

    async fn remember_webhook(&self, known: &crate::memory::KnownWebhook) -> Result<(), Error> {
        let mut memory = self.memory.lock().await;
        if memory.facts.webhook.as_ref() == Some(known) {
            return Ok(());
        }
        memory.facts.webhook = Some(known.clone());
        memory.save().await
    }
}

fn known(wanted: &Wanted, stack: &Stack) -> KnownStack {
    KnownStack {
        id: stack.stack_id().unwrap_or_default().to_owned(),
        changed: follow::changed(stack),
        fingerprint: wanted.fingerprint(),
        template: wanted.template_hash(),
    }
}
