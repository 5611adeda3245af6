//! `down`: a pull request's environment, or everything. Ends with a receipt of what is gone and what was kept.
//!
//! What holds data stays by the stacks' own policies unless it is named: then its stack is first told to let it go, so that it is
//! CloudFormation that deletes it, and nothing else needs the right to.

use std::sync::Arc;

use aws_sdk_cloudformation::types::{ChangeSetType, Stack};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use clients::cloudformation::Condition;
use serde::Serialize;
use serde_json::{Value, json};
use stacks::{Environment, Project};

use crate::account::Account;
use crate::change_set::{self, Prepared};
use crate::error::{Error, aws};
use crate::event::{Event, Frontend};
use crate::follow::{self, condition, follow, status};
use crate::memory::Memory;
use crate::plan::StackPlan;
use crate::wanted::Wanted;
use crate::{assets, diff, environments, reconcile};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The configuration.
    pub project: Project,
    /// An environment; everything if none is named.
    pub environment: Option<Environment>,
    /// Logical ids of resources with data that may go.
    pub allow_loss: Vec<String>,
    /// Whether a lock is to be taken that somebody else holds.
    pub take_over: bool,
}

/// What is gone, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The stacks that are gone.
    pub stacks: Vec<String>,
    /// The webhook that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<u64>,
    /// What is still there, outside of any stack.
    pub kept: Vec<Kept>,
}

/// A resource that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its logical id, by which it can be named.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its name in the account.
    pub physical_id: String,
}

/// A run at work.
struct Run<'a> {
    request: &'a Request,
    account: &'a Account,
    frontend: &'a Arc<dyn Frontend>,
}

/// Runs it.
///
/// # Errors
/// The first thing that stands in the way.
pub async fn run(request: &Request, account: &Account, frontend: &Arc<dyn Frontend>) -> Result<(), Error> {
    let memory = Memory::open(account, &request.project.project, request.take_over).await?;
    let memory = tokio::sync::Mutex::new(memory);
    let run = Run {
        request,
        account,
        frontend,
    };
    let stay = async {
        loop {
            tokio::time::sleep(crate::memory::RENEWAL).await;
            memory.lock().await.save().await?;
        }
    };
    let work = async {
        match request.environment {
            Some(environment) => run.environment(environment).await,
            None => run.everything(&memory).await,
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        lost = stay => lost,
        _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
    };
    let closed = memory.lock().await.close().await;
    let receipt = outcome?;
    let removed = !receipt.stacks.is_empty();
    frontend.event(&Event::Receipt(receipt));
    if removed && matches!(request.environment, Some(Environment::PullRequest(_))) {
        reconcile::finish(account, &request.project, &**frontend).await;
    }
    closed
}

impl Run<'_> {
    async fn environment(&self, environment: Environment) -> Result<Receipt, Error> {
        let name = environment.to_string();
        let all = environments::all(self.account, &self.request.project).await?;
        let stacks = all.into_iter().find(|each| each.environment == name);
        let names: Vec<String> = stacks
            .into_iter()
            .flat_map(|each| each.stacks)
            .map(|(name, _)| name)
            .collect();
        // What belongs to a pull request goes with it; what `stage` holds is somebody's.
        let is_transient = matches!(environment, Environment::PullRequest(_));
        self.delete(&names, is_transient).await
    }

    async fn everything(&self, memory: &tokio::sync::Mutex<Memory>) -> Result<Receipt, Error> {
        let project = &self.request.project;
        let environments = environments::all(self.account, project).await?;
        if !environments.is_empty() {
            let named: Vec<&str> = environments.iter().map(|each| each.environment.as_str()).collect();
            return Err(Error::Unusable(format!(
                "there are environments, which only the shared stacks can remove: {}\n  help: close their pull requests, or remove each with `deploy down --pr NUMBER` or `deploy down --environment stage`",
                named.join(", ")
            )));
        }
        let mut stacks: Vec<String> = crate::wanted::shared(project)?
            .into_iter()
            .map(|stack| stack.name)
            .collect();
        stacks.reverse();
        // GitHub's credentials go with the stacks, so they are read first.
        let github = crate::status::github(self.account, project).await?;
        let hook = memory.lock().await.facts.webhook.clone();
        let hook = hook.filter(|hook| hook.repository == project.repository);
        let mut receipt = self
            .delete_after(&stacks, false, async {
                if let (Some(github), Some(hook)) = (&github, &hook) {
                    github.delete_hook(hook.id).await?;
                    let mut memory = memory.lock().await;
                    memory.facts.webhook = None;
                    memory.facts.stacks.clear();
                    memory.save().await?;
                }
                Ok(())
            })
            .await?;
        receipt.webhook = hook.map(|hook| hook.id);
        Ok(receipt)
    }

    async fn delete(&self, stacks: &[String], is_transient: bool) -> Result<Receipt, Error> {
        self.delete_after(stacks, is_transient, async { Ok(()) }).await
    }

    /// Deletes stacks in this order, once the plans are confirmed and something else was done.
    async fn delete_after(
        &self,
        stacks: &[String],
        is_transient: bool,
        before: impl Future<Output = Result<(), Error>>,
    ) -> Result<Receipt, Error> {
        let mut there = Vec::new();
        let mut losses = Vec::new();
        for name in stacks {
            let Some(stack) = follow::stack(self.account, name).await? else {
                continue;
            };
            let template = diff::template(self.account, name).await?;
            let nothing = json!({"Resources": {}});
            let mut plan = StackPlan::of(name, Some(&template), &nothing, &[]);
            plan.others.clear();
            let lost = plan.losses(&self.request.allow_loss).into_iter();
            let lost = lost.filter(|loss| loss.data != synth::diff::Data::Kept && !is_transient);
            for mut loss in lost {
                loss.physical_id = follow::physical_id(self.account, name, &loss.logical_id).await?;
                losses.push(loss);
            }
            there.push((stack, template, plan));
        }
        if !losses.is_empty() {
            return Err(Error::Loss(losses));
        }
        for (_, _, plan) in &there {
            self.confirm(plan).await?;
        }
        before.await?;
        let mut receipt = Receipt::default();
        for (stack, template, plan) in &there {
            self.remove(&plan.stack, stack, template, &mut receipt).await?;
        }
        Ok(receipt)
    }

    async fn confirm(&self, plan: &StackPlan) -> Result<(), Error> {
        self.frontend.event(&Event::Plan(plan.clone()));
        let (frontend, asked) = (Arc::clone(self.frontend), plan.clone());
        let answer = tokio::task::spawn_blocking(move || frontend.confirm(&asked)).await;
        if answer.unwrap_or(Err(Error::Interrupted))? {
            Ok(())
        } else {
            Err(Error::Unconfirmed {
                stack: plan.stack.clone(),
            })
        }
    }

    async fn remove(&self, name: &str, stack: &Stack, template: &Value, receipt: &mut Receipt) -> Result<(), Error> {
        let id = stack.stack_id().unwrap_or(name);
        let resources = follow::resources(self.account, id).await?;
        if let Some(loose) = self.loosened(template) {
            let bucket = self.request.project.project.clone();
            self.let_go(name, stack, loose, &self.account.artifacts_bucket(&bucket))
                .await?;
        }
        for resource in &resources {
            let logical_id = resource.logical_resource_id().unwrap_or_default();
            let (type_name, physical_id) = (resource.resource_type(), resource.physical_resource_id());
            let (type_name, physical_id) = (type_name.unwrap_or_default(), physical_id.unwrap_or_default());
            let stays = is_kept(&template["Resources"][logical_id]) && !self.is_named(logical_id);
            if stays {
                receipt.kept.push(Kept {
                    logical_id: logical_id.to_owned(),
                    type_name: type_name.to_owned(),
                    physical_id: physical_id.to_owned(),
                });
            } else if type_name == "AWS::S3::Bucket" {
                self.empty(physical_id).await?;
            }
        }
        let before = follow::mark(stack);
        // An environment's stacks are deleted with the role that made them.
        let role = self
            .account
            .service_role
            .clone()
            .filter(|_| self.request.environment.is_none());
        let asked = self
            .account
            .stacks
            .delete_stack()
            .stack_name(id)
            .set_role_arn(role)
            .send()
            .await;
        asked.map_err(|error| aws(format!("cannot delete the stack {name}"), &error))?;
        let of = resources.len();
        let settled = follow(self.account, name, id, Some(&before), of, &**self.frontend).await?;
        if let Some(stack) = settled.stack.filter(|stack| condition(Some(stack)) != Condition::Gone) {
            return Err(Error::Failed {
                stack: name.to_owned(),
                status: status(&stack),
                cause: settled
                    .cause
                    .unwrap_or_else(|| "CloudFormation says no more".to_owned()),
            });
        }
        self.frontend.event(&Event::Complete {
            stack: name.to_owned(),
            status: "DELETE_COMPLETE".to_owned(),
        });
        receipt.stacks.push(name.to_owned());
        Ok(())
    }

    fn is_named(&self, logical_id: &str) -> bool {
        self.request.allow_loss.iter().any(|named| named == logical_id)
    }

    /// The template without the policies that keep what is named; none if it keeps nothing of that.
    fn loosened(&self, template: &Value) -> Option<Value> {
        let mut loose = template.clone();
        let resources = loose["Resources"].as_object_mut()?.iter_mut();
        let named = resources.filter(|(id, resource)| self.is_named(id) && is_kept(resource));
        let mut changed = false;
        for (_, resource) in named {
            resource["DeletionPolicy"] = json!("Delete");
            // CloudFormation takes no change of a policy alone.
            resource["Metadata"] = json!({"deploy": "goes with its stack"});
            changed = true;
        }
        changed.then_some(loose)
    }

    /// Tells a stack to let go what it would keep.
    async fn let_go(&self, name: &str, stack: &Stack, template: Value, bucket: &str) -> Result<(), Error> {
        let wanted = Wanted::as_deployed(name, stack, template);
        let url = if wanted.is_large() {
            Some(assets::template(self.account, bucket, &wanted, &**self.frontend).await?)
        } else {
            None
        };
        let prepared = change_set::prepare(self.account, &wanted, &ChangeSetType::Update, url.as_deref()).await?;
        if let Prepared::Ready(changes) = prepared {
            let before = follow::mark(stack);
            change_set::execute(self.account, &wanted).await?;
            let id = stack.stack_id().unwrap_or(name);
            follow(self.account, name, id, Some(&before), changes.len(), &**self.frontend).await?;
        }
        Ok(())
    }

    /// Deletes everything in a bucket, all versions.
    async fn empty(&self, bucket: &str) -> Result<(), Error> {
        let doing = || format!("cannot empty the bucket {bucket}");
        loop {
            let page = self.account.objects.list_object_versions().bucket(bucket).send().await;
            let page = page.map_err(|error| aws(doing(), &error))?;
            let versions = page
                .versions()
                .iter()
                .map(|version| (version.key(), version.version_id()));
            let markers = page
                .delete_markers()
                .iter()
                .map(|marker| (marker.key(), marker.version_id()));
            let objects: Vec<ObjectIdentifier> = versions
                .chain(markers)
                .filter_map(|(key, version)| {
                    let object = ObjectIdentifier::builder().key(key?);
                    object.set_version_id(version.map(str::to_owned)).build().ok()
                })
                .collect();
            if objects.is_empty() {
                return Ok(());
            }
            let batch = Delete::builder().set_objects(Some(objects)).quiet(true).build();
            let batch = batch.map_err(|error| Error::Unusable(error.to_string()))?;
            let deleted = self
                .account
                .objects
                .delete_objects()
                .bucket(bucket)
                .delete(batch)
                .send()
                .await;
            let deleted = deleted.map_err(|error| aws(doing(), &error))?;
            if let Some(fault) = deleted.errors().first() {
                return Err(crate::error::told(
                    doing(),
                    fault.message().unwrap_or("an object stays"),
                ));
            }
        }
    }
}

/// Whether a resource's template says that it outlives its stack.
fn is_kept(resource: &Value) -> bool {
    let policy = resource["DeletionPolicy"].as_str().unwrap_or_default();
    policy.starts_with("Retain") || policy == "Snapshot"
}
