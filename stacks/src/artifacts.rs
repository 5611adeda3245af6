//! The artifacts bucket: sources, packaged code, templates, and what the pipelines hand from stage to stage.
//!
//! | prefix | what | kept |
//! |---|---|---|
//! | `source/` | the commits' zips | for the project's retention |
//! | `<project>-unit-test/`, `pr-…/`, `stage-…/` | CodePipeline's own artifacts | for the project's retention |
//! | `templates/` | templates too large to be sent inline | for the project's retention |
//! | `code/` | the pipeline's own Lambda code, by content hash | for good: a rollback needs it |
//! | `packages/pr-…/` | the applications' code, by content hash | until the environment is torn down |
//! | `packages/stage/` | the same of `stage` | while it is deployed or younger than the retention: the reconciler removes the rest |
//!
//! What may be deployed never expires by its age, which says nothing of that. Of packages, versions alone expire that are not current:
//! CloudFormation names none, so it takes the current one.
//!
//! Only roles that other stacks grant something reach it, and only over TLS.

use synth::s3::{self, bucket};
use synth::{Arn, Name, Stack, Value, days};

use crate::names::Names;
use crate::{Project, build};

/// What other stacks may use.
#[derive(Debug, Clone)]
pub struct Exports {
    /// The bucket's name.
    pub bucket_name: Value<Name<s3::Bucket>>,
    /// The bucket's ARN.
    pub bucket_arn: Value<Arn<s3::Bucket>>,
}

/// Where commits' zips lie.
pub const SOURCES: &str = "source/";
/// Where large templates lie.
pub const TEMPLATES: &str = "templates/";
/// Where the applications' code lies.
pub const PACKAGES: &str = "packages/";
/// Where the pipeline's own code lies.
pub const CODE: &str = "code/";

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project) -> Exports {
    let names = Names::of(project);
    let retention = days(project.limits.retention_days.into());
    let tests = format!("{}/", build::artifact_folder(&names.shared("unit-test")));

    let expiring = [
        ("Sources", SOURCES),
        ("UnitTests", tests.as_str()),
        ("PullRequests", "pr-"),
        ("Stage", "stage-"),
        ("Templates", TEMPLATES),
    ];
    let mut rules: Vec<bucket::Rule> = expiring
        .into_iter()
        .map(|(id, prefix)| expire(id, prefix, retention))
        .collect();
    rules.push(expire_superseded("Packages", PACKAGES, retention));
    rules.push(abandon_uploads());
    let artifacts = s3::private_bucket(names.artifacts_bucket().trusted::<Name<s3::Bucket>>())
        .lifecycle_configuration(bucket::LifecycleConfiguration::new(rules));
    let artifacts = stack.add("Artifacts", artifacts);
    s3::keep(stack, artifacts);
    s3::require_tls(stack, "ArtifactsPolicy", artifacts);

    stack.output(
        "ArtifactsBucket",
        "What the pipelines read and write.",
        artifacts.name(),
    );
    Exports {
        bucket_name: stack.export("BucketName", artifacts.name()),
        bucket_arn: stack.export("BucketArn", artifacts.arn()),
    }
}

/// Removes objects under a prefix after the retention, and versions that were overwritten or deleted a day later.
fn expire(id: &str, prefix: &str, retention: synth::Duration) -> bucket::Rule {
    bucket::Rule::new(bucket::RuleStatus::Enabled)
        .id(id)
        .prefix(prefix)
        .expiration_in_days(retention)
        .noncurrent_version_expiration(bucket::NoncurrentVersionExpiration::new(days(1)))
}

/// Removes versions under a prefix that were overwritten or deleted, after the retention, and what marks them as deleted then.
fn expire_superseded(id: &str, prefix: &str, retention: synth::Duration) -> bucket::Rule {
    bucket::Rule::new(bucket::RuleStatus::Enabled)
        .id(id)
        .prefix(prefix)
        .expired_object_delete_marker(true)
        .noncurrent_version_expiration(bucket::NoncurrentVersionExpiration::new(retention))
}

/// An upload that was never completed costs money and shows nowhere.
fn abandon_uploads() -> bucket::Rule {
    let abort = bucket::AbortIncompleteMultipartUpload::new(days(1));
    bucket::Rule::new(bucket::RuleStatus::Enabled)
        .id("AbandonedUploads")
        .abort_incomplete_multipart_upload(abort)
}
