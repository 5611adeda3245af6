//! The S3 source: copies one version of one object into the artifact store.
//!
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html>

use super::{External, Failure, Finished, Order, Outside, Progress};

pub(crate) struct SourceTask {
    pub(crate) order: Order,
}

impl SourceTask {
    /// Reads and writes in one step: an object is there or is not.
    pub(crate) fn poll(&self, outside: &Outside) -> Progress {
        let mut external = External::default();
        let result = self.fetch(outside, &mut external);
        Progress {
            external,
            result: Some(result),
        }
    }

    fn fetch(&self, outside: &Outside, external: &mut External) -> Result<Finished, Failure> {
        let order = &self.order;
        let (bucket, key) = (order.needed("S3Bucket")?, order.needed("S3ObjectKey")?);
        let object = outside
            .objects
            .get(&order.role, bucket, key, order.version.as_deref())
            .map_err(|error| {
                let version = order
                    .version
                    .as_ref()
                    .map(|version| format!(" in the version {version}"));
                let object = format!("the object {key}{} of the bucket {bucket}", version.unwrap_or_default());
                let failure = Failure::from(error);
                Failure {
                    message: format!("Could not fetch {object}: {}", failure.message),
                    ..failure
                }
            })?;
        let name = order.outputs.first().map(|(name, _)| name.clone()).unwrap_or_default();
        let mut stored = order.store(outside, &order.role, &name, &object.body)?;
        stored.revision.clone_from(&object.version);
        external.id.clone_from(&object.version);
        external.summary = object
            .version
            .as_ref()
            .map(|version| format!("Amazon S3 version id: {version}"));
        let optional = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value));
        let mut variables = vec![
            ("BucketName".to_owned(), bucket.to_owned()),
            ("ObjectKey".to_owned(), key.to_owned()),
        ];
        variables.extend(optional("ETag", object.e_tag));
        variables.extend(optional("VersionId", object.version));
        Ok(Finished {
            outputs: vec![stored],
            variables,
        })
    }
}
