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

/// What was found of the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// How many names were looked at.
    pub(crate) looked_at: usize,
    /// Those that somebody else has.
    pub(crate) clashes: Vec<Clash>,
}

/// The clashes of stacks that are to be, each with what there is of its name.
///
/// # Errors
/// Where Secrets Manager does not say.
pub(crate) async fn clashes(
    account: &Account,
    project: &str,
    stacks: &[(&Wanted, Option<&Stack>)],
) -> Result<Found, Error> {
    let mut clashes = Vec::new();
    let mut names = Vec::new();
    for (wanted, present) in stacks {
        match (condition(*present), present) {
            (Condition::Gone | Condition::Empty, _) => names.extend(secrets(wanted)),
            (_, Some(stack)) if !is_of(stack, project) => clashes.push(foreign(account, wanted, project)),
            _ => {}
        }
    }
    if !names.is_empty() {
        clashes.extend(held(account, &names).await?);
    }
    Ok(Found {
        looked_at: stacks.len() + names.len(),
        clashes,
    })
}

/// A stack of the right name that is not the project's.
fn foreign(account: &Account, wanted: &Wanted, project: &str) -> Clash {
    let (name, tag) = (&wanted.name, stacks::PROJECT_TAG);
    Clash {
        what: "stack",
        name: name.clone(),
        by: format!("is not this project's: it has no tag {tag} with the value {project}"),
        help: format!(
            "choose another `project` in the configuration; or, if nobody needs it, `aws cloudformation delete-stack --stack-name {name} --region {}`",
            account.region
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

/// The clashes of a stack that is to be made with secrets that there are.
///
/// # Errors
/// [`Error::Taken`] with all of them; or where Secrets Manager does not say.
pub(crate) async fn free(account: &Account, wanted: &Wanted) -> Result<(), Error> {
    let names: Vec<&str> = secrets(wanted).collect();
    if names.is_empty() {
        return Ok(());
    }
    match held(account, &names).await? {
        clashes if clashes.is_empty() => Ok(()),
        clashes => Err(Error::Taken(clashes)),
    }
}

/// The clashes with secrets that there are.
///
/// They are found by a list, since of a secret that is not there Secrets Manager says so only to who may see all; and each is looked
/// at, since the list may be minutes behind.
async fn held(account: &Account, names: &[&str]) -> Result<Vec<Clash>, Error> {
    let by_name = names
        .iter()
        .fold(Filter::builder().key(FilterNameStringType::Name), |filter, name| {
            filter.values(*name)
        });
    let listed = account.secrets.list_secrets().include_planned_deletion(true);
    let mut pages = listed.filters(by_name.build()).into_paginator().send();
    let mut clashes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws("cannot list the secrets", &error))?;
        for secret in page.secret_list.unwrap_or_default() {
            // The filter takes everything that begins so.
            if let (Some(name), Some(arn)) = (secret.name(), secret.arn())
                && names.contains(&name)
            {
                clashes.extend(look_at(account, name, arn).await?);
            }
        }
    }
    Ok(clashes)
}

/// The clash with a secret, if it is still there.
async fn look_at(account: &Account, name: &str, arn: &str) -> Result<Option<Clash>, Error> {
    let by = match account.secrets.describe_secret().secret_id(arn).send().await {
        Ok(secret) if secret.deleted_date().is_some() => "is being deleted, and keeps its name until then",
        Ok(_) => "is there already, and a stack cannot take it over: an earlier one may have kept it",
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(aws(format!("cannot look at the secret {name}"), &error)),
    };
    Ok(Some(Clash {
        what: "secret",
        name: name.to_owned(),
        by: by.to_owned(),
        help: format!(
            "copy its value if it matters, then `aws secretsmanager delete-secret --secret-id {name} --force-delete-without-recovery --region {}`, and run the same command again a minute later",
            account.region
        ),
    }))
}
