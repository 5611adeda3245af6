//! `AWS::S3`: the generated types, private buckets, and grants on keys.

use synth_aws::actions::S3;
use synth_aws::{Handle, Value, sub};

pub use synth_aws::s3::*;

use crate::iam::{Grant, Operator, PolicyDocument, Principal, Statement};
use crate::stack::{DeletionPolicy, Stack};

/// Grants on a bucket's objects. `keys` is a key, or a prefix that ends with `*`.
pub trait ObjectGrants {
    /// Reading objects, the current and older versions.
    fn get_objects(self, keys: &str) -> Grant;
    /// Writing objects, and giving up an upload that was begun.
    fn put_objects(self, keys: &str) -> Grant;
    /// Deleting objects with all their versions.
    fn delete_objects(self, keys: &str) -> Grant;
    /// Listing the keys under a prefix, versions and unfinished uploads included.
    fn list_objects(self, prefix: &str) -> Grant;
}

impl<B: Into<BucketArn>> ObjectGrants for B {
    #[track_caller]
    fn get_objects(self, keys: &str) -> Grant {
        on_keys([S3::GetObject, S3::GetObjectVersion], self.into(), keys)
    }

    #[track_caller]
    fn put_objects(self, keys: &str) -> Grant {
        on_keys([S3::AbortMultipartUpload, S3::PutObject], self.into(), keys)
    }

    #[track_caller]
    fn delete_objects(self, keys: &str) -> Grant {
        on_keys([S3::DeleteObject, S3::DeleteObjectVersion], self.into(), keys)
    }

    #[track_caller]
    fn list_objects(self, prefix: &str) -> Grant {
        let grant = Grant::on([S3::ListBucket, S3::ListBucketVersions], self.into().0);
        grant.when(Operator::StringLike, "s3:prefix", format!("{prefix}*"))
    }
}

/// The ARN of a bucket, of this stack or of another.
#[derive(Debug, Clone)]
pub struct BucketArn(Value<synth_aws::Arn<Bucket>>);

impl From<Handle<Bucket>> for BucketArn {
    fn from(bucket: Handle<Bucket>) -> Self {
        Self(bucket.arn())
    }
}

impl From<&Value<synth_aws::Arn<Bucket>>> for BucketArn {
    fn from(arn: &Value<synth_aws::Arn<Bucket>>) -> Self {
        Self(arn.clone())
    }
}

#[track_caller]
fn on_keys<const N: usize>(actions: [S3; N], bucket: BucketArn, keys: &str) -> Grant {
    let resource = sub![bucket.0, "/", keys];
    if keys.contains('*') {
        Grant::on_matching(
            actions,
            resource,
            format!("the objects {keys} of this one bucket, whose keys are made when it runs"),
        )
    } else {
        Grant::on(actions, resource.trusted::<synth_aws::AnyArn>())
    }
}

/// A bucket that nobody reaches without leave: no public access, no access lists, encrypted, versioned, kept if its stack goes.
#[track_caller]
pub fn private_bucket(name: impl Into<Value<synth_aws::Name<Bucket>>>) -> Bucket {
    use bucket::{
        BucketEncryption, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
        ServerSideEncryptionByDefault, ServerSideEncryptionRule, VersioningConfiguration,
    };
    let block = PublicAccessBlockConfiguration::new()
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true);
    let encryption = ServerSideEncryptionByDefault::new(bucket::ServerSideEncryptionByDefaultSSEAlgorithm::Aes256);
    let ownership = OwnershipControlsRule::new()
        .object_ownership(bucket::OwnershipControlsRuleObjectOwnership::BucketOwnerEnforced);
    Bucket::new()
        .bucket_name(name)
        .public_access_block_configuration(block)
        .ownership_controls(OwnershipControls::new([ownership]))
        .bucket_encryption(BucketEncryption::new([
            ServerSideEncryptionRule::new().server_side_encryption_by_default(encryption)
        ]))
        .versioning_configuration(VersioningConfiguration::new(
            bucket::VersioningConfigurationStatus::Enabled,
        ))
}

/// Denies every request to the bucket and its objects that does not come over TLS.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>.
#[track_caller]
pub fn require_tls(stack: &mut Stack, logical_id: &str, bucket: Handle<Bucket>) {
    let everything: [Value<String>; 2] = [bucket.arn().into(), sub![bucket.arn(), "/*"]];
    let statement = Statement::deny_all::<S3>(&Principal::Anyone, everything);
    let document = PolicyDocument::new().with(statement.when(Operator::Bool, "aws:SecureTransport", "false"));
    stack.add(logical_id, BucketPolicy::new(bucket.name(), document));
}

/// Keeps the bucket when its stack is deleted; what holds data is deleted by hand or by a teardown that says so.
pub fn keep(stack: &mut Stack, bucket: Handle<Bucket>) {
    stack
        .configure(bucket)
        .deletion_policy(DeletionPolicy::RetainExceptOnCreate);
}
