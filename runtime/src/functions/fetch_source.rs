//! `fetch_source`: a commit's zipball from GitHub to S3, without its root folder.
//!
//! The archive streams: nothing is written to a disk, and memory is bounded whatever its size. It becomes an object only after all of
//! it was verified, of the commit that was asked for, and still wanted; otherwise the upload is aborted. An object of the same
//! commit is not looked for: each upload is a version of its own, and whoever started on an older one keeps it.

use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use bytes::Bytes;
use contract::{FetchRequest, FetchSourceError, Source, Target};
use tracing::{info, warn};
use zipball::{Options, Rewriter, Summary};

use super::{Environment, Function, Invocation, StartError};
use crate::records::{Records, RecordsError};
use crate::secrets::Secret;
use crate::upload::{Upload, UploadError};
use crate::{Failure, github};

/// How often a zipball is begun, if it breaks off.
const ATTEMPTS: u32 = 4;
/// How long the first pause is; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(1);
/// How long GitHub may say nothing in the middle of an archive.
const SILENCE: Duration = Duration::from_secs(30);
/// How long S3 may take for a part, arrival included.
const PART_TIME: Duration = Duration::from_secs(90);
/// What is kept of an invocation's time for giving the upload up, if there is as much.
const RESERVE: Duration = Duration::from_secs(10);

/// Streams the zipball into the artifacts bucket.
#[derive(Debug)]
pub struct FetchSource {
    records: Records,
    github: github::Client,
    s3: Client,
    bucket: String,
}

impl Function for FetchSource {
    type Contract = contract::FetchSource;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        use contract::FetchSource as Variables;
        let aws = environment.aws();
        let credentials = Secret::new(aws, environment.variable(Variables::GITHUB_CREDENTIALS)?);
        let patient = TimeoutConfig::builder().read_timeout(PART_TIME).build();
        let s3 = aws_sdk_s3::config::Builder::from(aws).timeout_config(patient).build();
        Ok(Self {
            records: Records::new(aws, environment.variable(Variables::TABLE)?),
            github: github::Client::new(&environment.variable(Variables::GITHUB_API)?, credentials)?,
            s3: Client::from_conf(s3),
            bucket: environment.variable(Variables::BUCKET)?,
        })
    }

    async fn call(&self, input: FetchRequest, invocation: &Invocation) -> Result<Source, Failure<FetchSourceError>> {
        let target = input.target;
        let key = key(&target)?;
        let reserve = RESERVE.min(invocation.remaining() / 4);
        let working = Invocation {
            deadline: invocation.deadline - reserve,
            ..invocation.clone()
        };
        let mut pause = PAUSE;
        for attempt in 1.. {
            self.records.require_current(&target).await?;
            match self.fetch(&target, &key, &working).await {
                Err(Stop::Again(failure)) if attempt < ATTEMPTS && working.remaining() > pause => {
                    warn!(attempt, reason = failure.message, "the zipball is fetched again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(Stop::Again(failure) | Stop::Failed(failure)) => return Err(failure),
                Ok(source) => return Ok(source),
            }
        }
        Err(out_of_time())
    }
}

/// Why a zipball did not become an object.
#[derive(Debug)]
enum Stop {
    /// Another time it may; so it fails with this only if there is no other time.
    Again(Failure<FetchSourceError>),
    /// It will not, or there is no time.
    Failed(Failure<FetchSourceError>),
}

impl FetchSource {
    /// Fetches it once. Whatever happens, no upload stays open.
    async fn fetch(&self, target: &Target, key: &str, working: &Invocation) -> Result<Source, Stop> {
        let mut upload = Upload::new(self.s3.clone(), self.bucket.clone(), key.to_owned());
        let fetched = tokio::time::timeout_at(working.deadline.into(), self.stream(target, &mut upload, working)).await;
        match fetched.unwrap_or_else(|_| Err(Stop::Failed(out_of_time()))) {
            Ok(source) => Ok(source),
            Err(stop) => {
                upload.abort().await;
                Err(stop)
            }
        }
    }

    async fn stream(&self, target: &Target, upload: &mut Upload, working: &Invocation) -> Result<Source, Stop> {
        let zipball = self.github.zipball(&target.repository, &target.sha, working).await;
        let mut chunks = Zipball {
            zipball: zipball.map_err(|error| Stop::Failed(missing(error)))?,
            working,
        };
        let options = Options {
            commit: Some(target.sha.clone()),
            ..Options::default()
        };
        let summary = transfer(&mut chunks, upload, options).await?;
        // Reading GitHub changed nothing; an object does, and this may have taken minutes.
        self.records.require_current(target).await?;
        let uploaded = upload.complete().await?;
        info!(
            key = upload.key(),
            version = uploaded.version_id,
            entries = summary.entries,
            bytes = uploaded.size,
            expanded = summary.expanded,
            "source uploaded"
        );
        Ok(Source {
            key: upload.key().to_owned(),
            version_id: uploaded.version_id,
            size: uploaded.size,
            sha256: uploaded.sha256,
        })
    }
}

/// Where an archive comes from, in pieces.
pub trait Chunks {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// Where it breaks off, in words.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, String>>;
}

/// Why an archive did not get through.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// It broke off.
    #[error("{0}")]
    Source(String),
    /// It is not one that may pass.
    #[error("the commit's archive is refused: {0}")]
    Rejected(#[from] zipball::Error),
    /// It could not be put down.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// Rewrites an archive on its way to S3. All of it is verified and in the upload afterwards; making an object of it is left to the caller.
///
/// # Errors
/// Where it breaks off, is refused, or S3 does not take it. The upload is to be aborted then.
pub async fn transfer(
    chunks: &mut impl Chunks,
    upload: &mut Upload,
    options: Options,
) -> Result<Summary, TransferError> {
    let mut rewriter = Rewriter::new(options);
    while let Some(chunk) = chunks.next().await.map_err(TransferError::Source)? {
        rewriter.push(&chunk, upload)?;
        upload.send().await?;
    }
    Ok(rewriter.finish(upload)?)
}

struct Zipball<'a> {
    zipball: github::Zipball,
    working: &'a Invocation,
}

impl Chunks for Zipball<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let patience = Invocation::lasting(self.working.request_id.clone(), SILENCE.min(self.working.remaining()));
        self.zipball.next(&patience).await.map_err(|error| error.to_string())
    }
}

/// `source/<owner>/<name>/<number>/<sha>.zip`.
fn key(target: &Target) -> Result<String, Failure<FetchSourceError>> {
    let Target {
        repository,
        number,
        sha,
        ..
    } = target;
    let plain = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !repository
        .split_once('/')
        .is_some_and(|(owner, name)| plain(owner) && plain(name))
    {
        return Err(Failure::new(
            FetchSourceError::SourceMissing,
            format!("{repository:?} is no repository\n  help: give it as `owner/name`"),
        ));
    }
    if !matches!(sha.len(), 40 | 64) || !sha.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Failure::new(
            FetchSourceError::SourceMissing,
            format!("{sha:?} is no commit\n  help: give all 40 hexadecimal digits of its SHA"),
        ));
    }
    Ok(format!("{}{repository}/{number}/{sha}.zip", stacks::artifacts::SOURCES))
}

fn out_of_time() -> Failure<FetchSourceError> {
    Failure::new(
        FetchSourceError::Unavailable,
        "the zipball did not get from GitHub to S3 within the function's time\n  help: try again; raise the function's timeout if the repository is very large",
    )
}

fn missing(error: github::Error) -> Failure<FetchSourceError> {
    let name = match error {
        github::Error::Missing { .. } | github::Error::Refused { .. } => FetchSourceError::SourceMissing,
        github::Error::Unavailable { .. } => FetchSourceError::Unavailable,
    };
    Failure::new(name, error)
}

impl From<RecordsError> for Failure<FetchSourceError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => FetchSourceError::Superseded,
            RecordsError::Unavailable(_) => FetchSourceError::Unavailable,
        };
        Self::new(name, error)
    }
}

impl From<RecordsError> for Stop {
    fn from(error: RecordsError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<UploadError> for Stop {
    fn from(error: UploadError) -> Self {
        Self::Failed(Failure::new(FetchSourceError::Unavailable, error))
    }
}

impl From<TransferError> for Stop {
    fn from(error: TransferError) -> Self {
        let rejected = |words| Failure::new(FetchSourceError::SourceRejected, words);
        let words = error.to_string();
        match error {
            TransferError::Source(_) => Self::Again(Failure::new(FetchSourceError::Unavailable, words)),
            // A connection that ends early without an error looks like this.
            TransferError::Rejected(zipball::Error::Truncated { .. }) => Self::Again(rejected(words)),
            TransferError::Rejected(_) => Self::Failed(rejected(words)),
            TransferError::Upload(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(repository: &str, sha: &str) -> Target {
        Target {
            repository: repository.to_owned(),
            number: 17,
            sha: sha.to_owned(),
            environment: "pr-17".to_owned(),
            generation: 1,
        }
    }

    #[test]
    fn the_key_names_the_pull_request_and_the_commit() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            key(&target("octo-org/octo.repo", sha)).unwrap(),
            format!("source/octo-org/octo.repo/17/{sha}.zip")
        );
    }

    #[test]
    fn what_is_no_repository_or_no_commit_gets_no_key() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for (repository, sha) in [
            ("octo", sha),
            ("../x", sha),
            ("a/b/c", sha),
            ("a/..", sha),
            ("a/b", "main"),
            ("a/b", &sha.to_uppercase()),
            ("a/b", &sha[1..]),
        ] {
            let failure = key(&target(repository, sha)).unwrap_err();
            assert_eq!(failure.error, FetchSourceError::SourceMissing, "{repository} {sha}");
        }
    }
}
