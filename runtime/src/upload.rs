//! An upload to S3 whose size is not known when it begins, and which becomes an object only once somebody says so.
//!
//! What fits into one part is one `PutObject`. Anything longer is a multipart upload, at most [`IN_FLIGHT`] parts of [`PART`] bytes
//! at a time: whoever has more must wait, so memory is bounded however slow S3 is. Until [`Upload::complete`] there is no object, and
//! an upload that is given up is aborted. It never decides whether what it carries is any good.

use std::collections::VecDeque;
use std::fmt;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tracing::warn;
use zipball::Output;

/// How long a part is. S3 takes parts of 5 MiB to 5 GiB, at most 10,000: so 78 GiB in all, far more than CodePipeline takes. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
pub const PART: usize = 8 << 20;
/// How many parts are on their way at once.
pub const IN_FLIGHT: usize = 4;

const CONTENT_TYPE: &str = "application/zip";

/// An upload that may yet be given up.
pub struct Upload {
    place: Place,
    /// The part that is being filled.
    part: Vec<u8>,
    /// Parts that are full and wait.
    full: VecDeque<Bytes>,
    begun: i32,
    sending: JoinSet<Result<CompletedPart, UploadError>>,
    sent: Vec<CompletedPart>,
    id: Option<String>,
    digest: Sha256,
    size: u64,
}

#[derive(Debug, Clone)]
struct Place {
    client: Client,
    bucket: String,
    key: String,
}

/// What has become an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its version.
    pub version_id: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Why there is no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// S3 did not answer, or refused.
    #[error("S3 did not take s3://{bucket}/{key} at {step}: {reason}")]
    Unavailable {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The call.
        step: &'static str,
        /// What it said.
        reason: String,
    },
    /// The bucket keeps no versions.
    #[error(
        "the bucket {bucket} gave {key} no version id\n  help: turn versioning on, since pipelines are pinned to a version"
    )]
    NoVersion {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
}

impl Place {
    fn error(&self, step: &'static str, reason: impl fmt::Display) -> UploadError {
        UploadError::Unavailable {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            step,
            reason: reason.to_string(),
        }
    }

    async fn send(self, id: String, number: i32, part: Bytes) -> Result<CompletedPart, UploadError> {
        let answer = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(part))
            .send()
            .await
            .map_err(|error| self.error("UploadPart", DisplayErrorContext(error)))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag)
            .set_checksum_crc32(answer.checksum_crc32)
            .build())
    }

    async fn abort(&self, id: &str) {
        let answer = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(id)
            .send()
            .await;
        match answer {
            Ok(_) => {}
            // It is gone already.
            Err(SdkError::ServiceError(error)) if matches!(error.err(), AbortMultipartUploadError::NoSuchUpload(_)) => {
            }
            Err(error) => warn!(
                key = self.key,
                error = %DisplayErrorContext(error),
                "the upload could not be aborted; the bucket's lifecycle rule will"
            ),
        }
    }
}

impl Upload {
    /// An upload to this key. Nothing is sent yet.
    pub fn new(client: Client, bucket: String, key: String) -> Self {
        Self {
            place: Place { client, bucket, key },
            part: Vec::new(),
            full: VecDeque::new(),
            begun: 0,
            sending: JoinSet::new(),
            sent: Vec::new(),
            id: None,
            digest: Sha256::new(),
            size: 0,
        }
    }

    /// Where it goes.
    pub fn key(&self) -> &str {
        &self.place.key
    }

    /// Sends the parts that are full. Waits while too many are on their way.
    ///
    /// # Errors
    /// Where S3 does not take one.
    pub async fn send(&mut self) -> Result<(), UploadError> {
        while let Some(part) = self.full.pop_front() {
            self.start(part).await?;
        }
        Ok(())
    }

    async fn start(&mut self, part: Bytes) -> Result<(), UploadError> {
        if self.sending.len() >= IN_FLIGHT {
            self.wait_for_one().await?;
        }
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.create().await?,
        };
        self.begun += 1;
        self.sending.spawn(self.place.clone().send(id, self.begun, part));
        Ok(())
    }

    async fn create(&mut self) -> Result<String, UploadError> {
        let Place { client, bucket, key } = &self.place;
        let answer = client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .content_type(CONTENT_TYPE)
            .send()
            .await
            .map_err(|error| self.place.error("CreateMultipartUpload", DisplayErrorContext(error)))?;
        let id = answer
            .upload_id
            .ok_or_else(|| self.place.error("CreateMultipartUpload", "the answer has no upload id"))?;
        self.id = Some(id.clone());
        Ok(id)
    }

    async fn wait_for_one(&mut self) -> Result<(), UploadError> {
        match self.sending.join_next().await {
            None => {}
            Some(Ok(part)) => self.sent.push(part?),
            Some(Err(error)) => return Err(self.place.error("UploadPart", error)),
        }
        Ok(())
    }

    /// Makes an object of all that was put in.
    ///
    /// # Errors
    /// Where S3 does not take it; [`abort`](Self::abort) then.
    pub async fn complete(&mut self) -> Result<Uploaded, UploadError> {
        self.send().await?;
        let last = Bytes::from(std::mem::take(&mut self.part));
        self.digest.update(&last);
        let version_id = if self.id.is_none() {
            self.put_whole(last).await?
        } else {
            if !last.is_empty() {
                self.start(last).await?;
            }
            while !self.sending.is_empty() {
                self.wait_for_one().await?;
            }
            self.complete_parts().await?
        };
        self.id = None;
        let Place { bucket, key, .. } = self.place.clone();
        Ok(Uploaded {
            version_id: version_id.ok_or(UploadError::NoVersion { bucket, key })?,
            size: self.size,
            sha256: self
                .digest
                .finalize_reset()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })
    }

    async fn put_whole(&self, whole: Bytes) -> Result<Option<String>, UploadError> {
        let Place { client, bucket, key } = &self.place;
        let answer = client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type(CONTENT_TYPE)
            .body(ByteStream::from(whole))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.version_id),
            Err(error) => Err(self.place.error("PutObject", DisplayErrorContext(error))),
        }
    }

    async fn complete_parts(&mut self) -> Result<Option<String>, UploadError> {
        self.sent.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(std::mem::take(&mut self.sent)))
            .build();
        let Place { client, bucket, key } = &self.place;
        let answer = client
            .complete_multipart_upload()
            .bucket(bucket)
            .key(key)
            .set_upload_id(self.id.clone())
            .multipart_upload(parts)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.version_id),
            Err(error) => Err(self.place.error("CompleteMultipartUpload", DisplayErrorContext(error))),
        }
    }

    /// Gives it up: stops what is on its way and has S3 forget what has arrived.
    pub async fn abort(&mut self) {
        self.sending.shutdown().await;
        if let Some(id) = &self.id {
            self.place.abort(id).await;
        }
        self.id = None;
    }
}

impl Output for Upload {
    fn put(&mut self, mut bytes: &[u8]) {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            // A full part waits for the byte after it: what is exactly one part long is one `PutObject`.
            if self.part.len() == PART {
                let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
                self.digest.update(&part);
                self.full.push_back(Bytes::from(part));
            }
            let (now, later) = bytes.split_at(bytes.len().min(PART - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
        }
    }
}

/// Whoever is cut off before it could abort, aborts as well as it can: in a task of its own.
impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (place, mut sending) = (self.place.clone(), std::mem::take(&mut self.sending));
        runtime.spawn(async move {
            sending.shutdown().await;
            place.abort(&id).await;
        });
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Upload")
            .field("place", &self.place)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
