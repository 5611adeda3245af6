//! The S3 source action.

use std::panic::Location;

use synth_aws::codepipeline::pipeline::{ActionCategory, ActionProvider};
use synth_aws::{Name, Value, s3};

use super::action::{Action, Emits, Namespace, common_settings};
use super::artifact::Artifact;

/// Fetches an object, a zip archive, from a versioned bucket.
///
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct S3Source {
    action: Action,
    artifact: Artifact,
}

impl S3Source {
    /// Hands the object on as `artifact`. The bucket is not polled, unlike CodePipeline's own default: the pipeline runs
    /// when it is started.
    #[track_caller]
    pub fn new(
        name: impl Into<String>,
        bucket: impl Into<Value<Name<s3::Bucket>>>,
        object_key: impl Into<Value<String>>,
        artifact: impl Into<String>,
    ) -> Self {
        let at = Location::caller();
        let mut action = Action::new(name, ActionCategory::Source, ActionProvider::S3, 0, at);
        action.set("S3Bucket", bucket.into().into(), at);
        action.set("S3ObjectKey", object_key.into(), at);
        action.set("PollForSourceChanges", "false".into(), at);
        let artifact = Artifact::new(artifact);
        action.outputs.push(artifact.clone());
        Self { action, artifact }
    }

    /// Lets whoever starts the pipeline name another key of the bucket (a source revision `S3_OBJECT_KEY`).
    #[track_caller]
    pub fn allow_override(mut self) -> Self {
        self.action
            .set("AllowOverrideForS3ObjectKey", "true".into(), Location::caller());
        self
    }

    /// Lets CodePipeline poll the bucket and start the pipeline when the object changes.
    #[track_caller]
    pub fn poll_for_source_changes(mut self) -> Self {
        self.action
            .set("PollForSourceChanges", "true".into(), Location::caller());
        self
    }

    /// The archive that later actions take.
    pub fn artifact(&self) -> Artifact {
        self.artifact.clone()
    }

    /// Gives the action's variables a namespace, by which later actions refer to them.
    #[track_caller]
    pub fn namespace(&mut self, name: impl Into<String>) -> S3Variables {
        let name = name.into();
        let emits = ["BucketName", "ETag", "ObjectKey", "VersionId"]
            .map(str::to_owned)
            .to_vec();
        self.action.namespace = Some(Namespace {
            name: name.clone(),
            emits: Emits::Only(emits),
            at: Location::caller(),
        });
        S3Variables(name)
    }

    common_settings!();
}

impl From<S3Source> for Action {
    fn from(source: S3Source) -> Self {
        source.action
    }
}

/// The variables of an S3 source action.
#[derive(Debug, Clone)]
pub struct S3Variables(String);

impl S3Variables {
    /// The bucket's name.
    pub fn bucket_name(&self) -> Value<String> {
        self.reference("BucketName")
    }

    /// The object's entity tag.
    pub fn e_tag(&self) -> Value<String> {
        self.reference("ETag")
    }

    /// The object's key: the overriding one, if the pipeline was started with one.
    pub fn object_key(&self) -> Value<String> {
        self.reference("ObjectKey")
    }

    /// The version of the object that was fetched.
    pub fn version_id(&self) -> Value<String> {
        self.reference("VersionId")
    }

    fn reference(&self, key: &str) -> Value<String> {
        format!("#{{{}.{key}}}", self.0).into()
    }
}
