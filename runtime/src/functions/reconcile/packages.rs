//! Removes the packaged code of `stage` that neither a deployment nor a rollback can need any more.
//!
//! Every promotion with other code uploads a package, under the hash of what is in it. A lifecycle rule cannot tell which of them is
//! deployed: the age of an object says nothing of that, and one that is deployed for longer than the retention would expire under
//! CloudFormation's feet. So it is decided here, where it can be asked what is deployed. What a package's deletion leaves is a version
//! that is no longer current, which the bucket's lifecycle keeps for the retention once more.
//!
//! The packages of pull requests go with their environments.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::types::StackStatus;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use clients::cloudformation::{self, Condition};
use stacks::names::Names;
use stacks::{Environment, Project};

use crate::sdk;

/// How many packages one run removes at the most: as many as one request takes.
const MOST: usize = 1_000;

/// Where the packages are, and what tells which are needed.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) objects: aws_sdk_s3::Client,
    pub(super) stacks: aws_sdk_cloudformation::Client,
    pub(super) bucket: String,
}

/// An object as the bucket lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    key: String,
    uploaded: SystemTime,
}

impl Packages {
    /// Removes what is older than the project's retention and not deployed; says how many. Nothing while `stage` changes or is in a
    /// state from which CloudFormation may go back to code that its parameters no longer name.
    ///
    /// # Errors
    /// What AWS did not answer, in words; the next run looks again.
    pub(super) async fn prune(&self, project: &Project, now: SystemTime) -> Result<usize, String> {
        let names = Names::of(project).environment(Environment::Stage);
        let retention = Duration::from_secs(u64::from(project.limits.retention_days) * 86_400);
        let old: Vec<Package> = self
            .list(&names.packages())
            .await?
            .into_iter()
            .filter(|package| is_old(package, now, retention))
            .collect();
        if old.is_empty() {
            return Ok(0);
        }
        let Some(deployed) = self.deployed(&names.app_stack()).await? else {
            return Ok(0);
        };
        self.remove(superseded(&old, &deployed)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Package>, String> {
        let request = self.objects.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        let mut packages = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| format!("the packages are not listed: {}", sdk::words(&error)))?;
            packages.extend(page.contents().iter().filter_map(|object| {
                Some(Package {
                    key: object.key()?.to_owned(),
                    uploaded: SystemTime::try_from(*object.last_modified()?).ok()?,
                })
            }));
        }
        Ok(packages)
    }

    /// What names the code that is deployed: the stack's parameters and its template. Nothing unless the stack is settled.
    async fn deployed(&self, stack: &str) -> Result<Option<String>, String> {
        let found = cloudformation::stack(&self.stacks, stack).await;
        let found = found.map_err(|refusal| format!("{stack} is not shown: {refusal}"))?;
        let settled = found.filter(|stack| {
            let status = stack.stack_status();
            // A failed update that was kept may still be rolled back by hand.
            status.is_some_and(|status| {
                cloudformation::condition(status) == Condition::Settled && *status != StackStatus::UpdateFailed
            })
        });
        let Some(found) = settled else { return Ok(None) };
        let template = self.stacks.get_template().stack_name(stack).send().await;
        let template = template.map_err(|error| format!("{stack} shows no template: {}", sdk::words(&error)))?;
        let mut named = template.template_body.unwrap_or_default();
        for parameter in found.parameters() {
            named.push('\n');
            named.push_str(parameter.parameter_value().unwrap_or_default());
        }
        Ok(Some(named))
    }

    async fn remove(&self, keys: Vec<&str>) -> Result<usize, String> {
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build());
        let objects: Result<Vec<_>, _> = objects.collect();
        let objects = objects.map_err(|error| error.to_string())?;
        if objects.is_empty() {
            return Ok(0);
        }
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let request = self.objects.delete_objects().bucket(&self.bucket);
        let answer = request.delete(delete.map_err(|error| error.to_string())?).send().await;
        let answer = answer.map_err(|error| format!("packages are not deleted: {}", sdk::words(&error)))?;
        match answer.errors() {
            [] => Ok(keys.len()),
            [first, ..] => Err(format!(
                "{} is not deleted: {}",
                first.key().unwrap_or_default(),
                first.message().or(first.code()).unwrap_or("refused")
            )),
        }
    }
}

fn is_old(package: &Package, now: SystemTime, retention: Duration) -> bool {
    now.duration_since(package.uploaded).is_ok_and(|age| age > retention)
}

/// The packages of these that nothing deployed names, up to as many as one run removes.
fn superseded<'a>(old: &'a [Package], deployed: &str) -> Vec<&'a str> {
    let keys = old.iter().map(|package| package.key.as_str());
    keys.filter(|key| !deployed.contains(key)).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const DAY: u64 = 86_400;

    fn package(key: &str, day: u64) -> Package {
        Package {
            key: key.to_owned(),
            uploaded: UNIX_EPOCH + Duration::from_secs(day * DAY),
        }
    }

    #[test]
    fn what_is_deployed_stays_however_old_it_is() {
        let old = ["packages/stage/a.zip", "packages/stage/b.zip", "packages/stage/c.zip"].map(|key| package(key, 0));
        let deployed = "{\"Code\": \"packages/stage/c.zip\"}\npackages/stage/a.zip";
        assert_eq!(superseded(&old, deployed), ["packages/stage/b.zip"]);
        assert_eq!(superseded(&old, "").len(), 3);
    }

    #[test]
    fn what_was_uploaded_within_the_retention_stays_since_it_may_be_about_to_be_deployed() {
        let (now, retention) = (
            UNIX_EPOCH + Duration::from_secs(100 * DAY),
            Duration::from_secs(30 * DAY),
        );
        assert!(is_old(&package("a", 69), now, retention));
        assert!(!is_old(&package("a", 70), now, retention));
        assert!(!is_old(&package("a", 101), now, retention), "its clock is ahead");
    }

    #[test]
    fn a_run_removes_as_many_as_one_request_takes() {
        let old: Vec<Package> = (0..1_500).map(|number| package(&format!("{number:04}"), 0)).collect();
        assert_eq!(superseded(&old, "nothing").len(), MOST);
    }
}
