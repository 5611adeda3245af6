//! What a run leaves for the next one, and the lock that keeps two apart: one object in the artifacts bucket, which is only ever
//! written on the condition that nobody else has written it since it was read.
//!
//! The lock names who holds it. It ends by itself if it is not renewed, and is taken at once from a process of this machine that is
//! no more; so a run that was killed is continued without a wait. Before the bucket is there CloudFormation itself keeps two runs
//! apart, since it does one thing at a time with a stack.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::ByteStream;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::{Error, aws, told};
use stacks::deployer::MEMORY as KEY;

/// How long the lock is good for without being renewed.
const LEASE: Duration = Duration::from_secs(600);
/// How often a run renews it.
pub const RENEWAL: Duration = Duration::from_secs(120);

/// What is known from earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The stacks as they were left, by name.
    pub stacks: BTreeMap<String, KnownStack>,
    /// The webhook as it was left.
    pub webhook: Option<KnownWebhook>,
    lock: Option<Lock>,
}

/// A stack as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownStack {
    /// Its id: another one of the same name has another.
    pub id: String,
    /// When it was last changed, as CloudFormation says it.
    pub changed: String,
    /// What it was told, see [`Wanted::fingerprint`](crate::wanted::Wanted::fingerprint).
    pub fingerprint: String,
    /// The hash of its template.
    #[serde(default)]
    pub template: String,
}

impl Facts {
    /// Who keeps other runs out, as a run that is kept out is told; none if nobody does.
    pub fn holder(&self, project: &str) -> Option<Error> {
        let lock = self.lock.as_ref().filter(|lock| lock.holds())?;
        Some(lock.refusal(project))
    }
}

impl KnownStack {
    /// Whether nobody has changed the stack since.
    pub fn is(&self, stack: &aws_sdk_cloudformation::types::Stack) -> bool {
        stack.stack_id() == Some(&*self.id) && crate::follow::changed(stack) == self.changed
    }
}

/// The webhook as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownWebhook {
    /// Its id on GitHub.
    pub id: u64,
    /// The repository that it is of.
    pub repository: String,
    /// The version of the secret that it signs with; the secret itself is nowhere but in Secrets Manager.
    pub secret_version: String,
    /// Whether a ping was answered since it was last changed.
    pub answered: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lock {
    /// Tells this run from all others.
    run: String,
    /// Who runs it, for people.
    owner: String,
    /// The machine, and what tells its processes from those of another container.
    machine: String,
    process: i32,
    /// Seconds since 1970.
    since: u64,
    until: u64,
}

/// The object, as this run has read or written it last.
#[derive(Debug)]
pub struct Memory {
    account: Account,
    bucket: String,
    project: String,
    run: String,
    /// The version that is known; none while there is no object.
    version: Option<String>,
    is_ours: bool,
    /// What is known.
    pub facts: Facts,
}

enum Read {
    NoBucket,
    Nothing,
    Found(Box<Facts>, String),
}

impl Memory {
    /// Reads what earlier runs have left, and keeps other runs out. While there is no bucket there is nothing, and nobody is kept
    /// out.
    ///
    /// # Errors
    /// [`Error::Locked`] where another run is at work, unless `take_over` says that it is not.
    pub async fn open(account: &Account, project: &str, take_over: bool) -> Result<Self, Error> {
        let mut memory = Self::closed(account, project);
        memory.lock(take_over).await?;
        Ok(memory)
    }

    /// Reads what earlier runs have left, and keeps nobody out.
    ///
    /// # Errors
    /// Where S3 does not say.
    pub async fn peek(account: &Account, project: &str) -> Result<Facts, Error> {
        match Self::closed(account, project).read().await? {
            Read::Found(facts, _) => Ok(*facts),
            Read::NoBucket | Read::Nothing => Ok(Facts::default()),
        }
    }

    fn closed(account: &Account, project: &str) -> Self {
        Self {
            bucket: account.artifacts_bucket(project),
            account: account.clone(),
            project: project.to_owned(),
            run: format!("{}-{}", std::process::id(), now().as_nanos()),
            version: None,
            is_ours: false,
            facts: Facts::default(),
        }
    }

    /// Keeps other runs out, if the bucket is there by now; again if it was before.
    ///
    /// # Errors
    /// As [`Memory::open`].
    pub async fn lock(&mut self, take_over: bool) -> Result<(), Error> {
        if self.is_ours {
            return Ok(());
        }
        match self.read().await? {
            Read::NoBucket => return Ok(()),
            // What this run knows already was found before the bucket was.
            Read::Nothing => {}
            Read::Found(facts, version) => {
                if let Some(lock) = facts.lock.as_ref().filter(|lock| lock.holds() && !take_over) {
                    return Err(lock.refusal(&self.project));
                }
                let own = std::mem::replace(&mut self.facts, *facts);
                self.facts.stacks.extend(own.stacks);
                self.version = Some(version);
            }
        }
        self.facts.lock = Some(Lock::new(&self.run, &self.account.arn));
        match self.write().await {
            // Somebody was quicker.
            Err(Error::TakenOver) => match self.read().await? {
                Read::Found(facts, _) => match &facts.lock {
                    Some(lock) => Err(lock.refusal(&self.project)),
                    None => Err(Error::TakenOver),
                },
                Read::NoBucket | Read::Nothing => Err(Error::TakenOver),
            },
            written => {
                self.is_ours = written.is_ok();
                written
            }
        }
    }

    /// Leaves what is known for the next run.
    ///
    /// # Errors
    /// [`Error::TakenOver`] where another run has taken the lock.
    pub async fn save(&mut self) -> Result<(), Error> {
        if !self.is_ours {
            return Ok(());
        }
        self.facts.lock = Some(Lock::new(&self.run, &self.account.arn)).map(|lock| match &self.facts.lock {
            Some(held) => Lock {
                since: held.since,
                ..lock
            },
            None => lock,
        });
        self.write().await
    }

    /// Lets other runs in again.
    ///
    /// # Errors
    /// Where S3 does not take it: then the lock ends by itself.
    pub async fn close(&mut self) -> Result<(), Error> {
        if !self.is_ours {
            return Ok(());
        }
        self.is_ours = false;
        self.facts.lock = None;
        match self.write().await {
            // A request that was given up in the middle may have been carried out: what is there may still be ours.
            Err(Error::TakenOver) => match self.read().await? {
                Read::Found(facts, version) if facts.lock.as_ref().is_some_and(|lock| lock.run == self.run) => {
                    self.version = Some(version);
                    self.facts = Facts { lock: None, ..*facts };
                    self.write().await
                }
                _ => Ok(()),
            },
            // The bucket was to go, and the lock with it.
            Err(_) if matches!(self.read().await, Ok(Read::NoBucket)) => Ok(()),
            written => written,
        }
    }

    async fn read(&self) -> Result<Read, Error> {
        let answer = self
            .account
            .objects
            .get_object()
            .bucket(&self.bucket)
            .key(KEY)
            .send()
            .await;
        let object = match answer {
            Ok(object) => object,
            Err(error) => {
                return match clients::words::code(&error) {
                    Some("NoSuchKey") => Ok(Read::Nothing),
                    Some("NoSuchBucket") => Ok(Read::NoBucket),
                    _ => Err(aws(format!("cannot read s3://{}/{KEY}", self.bucket), &error)),
                };
            }
        };
        let version = object.e_tag.unwrap_or_default();
        let unreadable = |error: &dyn std::fmt::Display| {
            let place = format!("s3://{}/{KEY}", self.bucket);
            Error::Unusable(format!(
                "{place} is not what this program wrote: {error}\n  help: delete it; the next run finds out anew what is there"
            ))
        };
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| told("S3 broke off", &error.to_string()))?;
        let facts = serde_json::from_slice(&bytes.into_bytes()).map_err(|error| unreadable(&error))?;
        Ok(Read::Found(facts, version))
    }

    async fn write(&mut self) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(&self.facts).map_err(|error| Error::Unusable(error.to_string()))?;
        let mut put = self
            .account
            .objects
            .put_object()
            .bucket(&self.bucket)
            .key(KEY)
            .content_type("application/json")
            .body(ByteStream::from(text));
        put = match &self.version {
            Some(version) => put.if_match(version),
            None => put.if_none_match("*"),
        };
        match put.send().await {
            Ok(answer) => {
                self.version = answer.e_tag;
                Ok(())
            }
            Err(error) => match clients::words::code(&error) {
                Some("PreconditionFailed" | "ConditionalRequestConflict") => Err(Error::TakenOver),
                _ => Err(aws(format!("cannot write s3://{}/{KEY}", self.bucket), &error)),
            },
        }
    }
}

impl Lock {
    fn new(run: &str, arn: &str) -> Self {
        let now = now().as_secs();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let process = i32::try_from(std::process::id()).unwrap_or_default();
        Self {
            run: run.to_owned(),
            owner: format!("{arn} on {host}, process {process}"),
            machine: machine(&host),
            process,
            since: now,
            until: now + LEASE.as_secs(),
        }
    }

    /// Whether whoever took it may still be at work.
    fn holds(&self) -> bool {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let gone = || {
            let process = rustix::process::Pid::from_raw(self.process);
            process.is_none_or(|process| rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH))
        };
        self.until > now().as_secs() && !(self.machine == machine(&host) && gone())
    }

    fn refusal(&self, project: &str) -> Error {
        let time = |seconds: u64| {
            let time = aws_sdk_s3::primitives::DateTime::from_secs(i64::try_from(seconds).unwrap_or_default());
            time.fmt(aws_sdk_s3::primitives::DateTimeFormat::DateTime)
                .unwrap_or_else(|_| seconds.to_string())
        };
        Error::Locked {
            project: project.to_owned(),
            owner: self.owner.clone(),
            since: time(self.since),
            until: time(self.until),
        }
    }
}

/// The machine, since it was started, and the set of processes that we see of it: a number of a process means nothing elsewhere.
fn machine(host: &str) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let processes = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{host} {} {}", boot.trim(), processes.display())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_holds_while_its_process_lives_and_its_time_lasts() {
        let own = Lock::new("1", "arn:aws:iam::123456789012:user/jo");
        assert!(own.holds());
        let ended = Lock {
            until: own.since - 1,
            ..own.clone()
        };
        assert!(!ended.holds(), "its time is over");
        // The highest number that Linux gives a process is 4194304.
        let dead = Lock {
            process: i32::MAX,
            ..own.clone()
        };
        assert!(!dead.holds(), "its process is no more");
        let elsewhere = Lock {
            machine: "another".to_owned(),
            ..dead
        };
        assert!(elsewhere.holds(), "nobody here knows the processes there");
    }
}
