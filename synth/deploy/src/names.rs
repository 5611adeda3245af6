//! Names that the project needs and somebody else has: told before anything is changed, since CloudFormation tells only in the middle.
//!
//! A table or a bucket that a deleted stack has kept is taken back by the change set, and so is no clash. A secret cannot be: its
//! stack would have to know the ARN, which Secrets Manager makes up.

use std::fmt;

use aws_sdk_cloudformation::types::Stack;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use clients::cloudformation::Condition;
use serde::Serialize;

use crate::account::Account;
use crate::error::{Error, aws};
use crate::follow::condition;
use crate::wanted::Wanted;

const SECRET: &str = "AWS::SecretsManager::Secret";

/// A name that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// What has it, such as `secret`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// By whom, in words.
    pub by: String,
    /// The way out.
    pub help: String,
}

impl fmt::Display for Clash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, by, help } = self;
        write!(formatter, "the {what} {name} {by}\n  help: {help}")
    }
}

/// The clashes of stacks that are to be, each with what there is of its name.
///
/// # Errors
/// Where Secrets Manager does not say.
pub async fn clashes(
    account: &Account,
    project: &str,
    stacks: &[(&Wanted, Option<&Stack>)],
) -> Result<Vec<Clash>, Error> {
    let mut clashes = Vec::new();
    let mut names = Vec::new();
    for (wanted, present) in stacks {
        match (condition(*present), present) {
            (Condition::Gone | Condition::Empty, _) => names.extend(secrets(wanted)),
            (_, Some(stack)) if !is_of(stack, project) => clashes.push(foreign(wanted, project)),
            _ => {}
        }
    }
    if !names.is_empty() {
        clashes.extend(held(account, &names).await?);
    }
    Ok(clashes)
}

/// A stack of the right name that is not the project's.
fn foreign(wanted: &Wanted, project: &str) -> Clash {
    let (name, tag) = (&wanted.name, stacks::PROJECT_TAG);
    Clash {
        what: "stack",
        name: name.clone(),
        by: format!("is not this project's: it has no tag {tag} with the value {project}"),
        help: format!(
            "choose another `project` in the configuration; or, if nobody needs it, `aws cloudformation delete-stack --stack-name {name}`"
        ),
    }
}

fn is_of(stack: &Stack, project: &str) -> bool {
    let mut tags = stack.tags().iter();
    tags.any(|tag| tag.key() == Some(stacks::PROJECT_TAG) && tag.value() == Some(project))
}

/// The names that a stack gives to secrets.
fn secrets(wanted: &Wanted) -> impl Iterator<Item = &str> {
    let resources = wanted.tree["Resources"].as_object().into_iter().flatten();
    let secrets = resources.filter(|(_, resource)| resource["Type"] == SECRET);
    secrets.filter_map(|(_, resource)| resource["Properties"]["Name"].as_str())
}

/// The clashes with secrets that there are.
///
/// They are listed, since of a secret that is not there Secrets Manager says so only to who may see all.
async fn held(account: &Account, names: &[&str]) -> Result<Vec<Clash>, Error> {
    let by_name = names
        .iter()
        .fold(Filter::builder().key(FilterNameStringType::Name), |filter, name| {
            filter.values(*name)
        });
    let listed = account
        .secrets
        .list_secrets()
        .include_planned_deletion(true)
        .filters(by_name.build());
    let mut pages = listed.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws("cannot list the secrets", &error))?;
        found.extend(page.secret_list.unwrap_or_default());
    }
    let mut clashes = Vec::new();
    for secret in &found {
        // The filter takes everything that begins so.
        let Some(name) = secret.name().filter(|name| names.contains(name)) else {
            continue;
        };
        let by = if secret.deleted_date().is_some() {
            "is being deleted, and keeps its name until then"
        } else {
            "is there already, and a stack cannot take it over: an earlier one may have kept it"
        };
        clashes.push(Clash {
            what: "secret",
            name: name.to_owned(),
            by: by.to_owned(),
            help: format!(
                "copy its value if it matters, then `aws secretsmanager delete-secret --secret-id {name} --force-delete-without-recovery --region {}`",
                account.region
            ),
        });
    }
    Ok(clashes)
}
