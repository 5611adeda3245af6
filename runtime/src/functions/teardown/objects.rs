//! Emptying buckets, with every version: a versioned bucket with so much as a marker of a deleted object cannot be deleted.

use std::time::Duration;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{Next, Step, Stepped, unavailable};
use crate::sdk;

/// What is left of an invocation when the next call goes on instead.
const RESERVE: Duration = Duration::from_secs(30);

impl Step<'_> {
    /// Deletes every version under a prefix; all of the bucket for an empty one. A bucket that is not there is empty.
    pub(super) async fn empty(&mut self, bucket: &str, prefix: &str) -> Stepped {
        loop {
            // What was deleted is not listed again, so every list is the first page.
            let versions = match self.versions(bucket, prefix).await? {
                Some(versions) if !versions.is_empty() => versions,
                _ => return Ok(Next::Done),
            };
            let asked = versions.len();
            let refused = self.delete(bucket, versions).await?;
            self.ledger.objects += (asked - refused.len()) as u64;
            self.save().await?;
            if let Some(first) = refused.first() {
                return Ok(Next::Stuck {
                    summary: format!("{} objects of {bucket} cannot be deleted: {first}", refused.len()),
                    stuck: vec![format!("arn:aws:s3:::{bucket}")],
                });
            }
            if self.invocation.remaining() < RESERVE {
                return Ok(Next::Again(format!("The bucket {bucket} is being emptied.")));
            }
        }
    }

    /// A page of versions and markers; nothing if there is no such bucket.
    async fn versions(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<Option<Vec<ObjectIdentifier>>, crate::Failure<contract::TeardownError>> {
        let mut request = self.teardown.objects.list_object_versions().bucket(bucket);
        if !prefix.is_empty() {
            request = request.prefix(prefix);
        }
        let page = match request.send().await {
            Ok(page) => page,
            Err(error) if sdk::code(&error) == Some("NoSuchBucket") => return Ok(None),
            Err(error) => {
                return Err(unavailable(format!(
                    "the objects of {bucket} are not shown: {}",
                    sdk::words(&error)
                )));
            }
        };
        let versions = page
            .versions()
            .iter()
            .map(|version| (version.key(), version.version_id()));
        let markers = page
            .delete_markers()
            .iter()
            .map(|marker| (marker.key(), marker.version_id()));
        versions
            .chain(markers)
            .filter_map(|(key, version)| Some((key?, version)))
            .map(|(key, version)| {
                ObjectIdentifier::builder()
                    .key(key)
                    .set_version_id(version.map(str::to_owned))
                    .build()
                    .map_err(unavailable)
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    }

    /// Deletes up to a thousand versions, which is what a page lists. Returns why some were not.
    async fn delete(
        &self,
        bucket: &str,
        versions: Vec<ObjectIdentifier>,
    ) -> Result<Vec<String>, crate::Failure<contract::TeardownError>> {
        let delete = Delete::builder()
            .set_objects(Some(versions))
            .quiet(true)
            .build()
            .map_err(unavailable)?;
        let answer = self
            .teardown
            .objects
            .delete_objects()
            .bucket(bucket)
            .delete(delete)
            .send()
            .await
            .map_err(|error| {
                unavailable(format!(
                    "the objects of {bucket} are not deleted: {}",
                    sdk::words(&error)
                ))
            })?;
        let words = |error: &aws_sdk_s3::types::Error| {
            let key = error.key().unwrap_or_default();
            format!("{key}: {}", error.message().or(error.code()).unwrap_or("refused"))
        };
        Ok(answer.errors().iter().map(words).collect())
    }
}
