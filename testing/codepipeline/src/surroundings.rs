//! What a pipeline reaches outside of itself: S3, CloudFormation, the time, and whoever watches. Implemented by the user of this crate.
//!
//! Every call says as which role it is made, so that an implementation can hold the role's policies against it. Calls block, and none is made
//! while the engine's own state is locked: an implementation may well ask the engine itself.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// An error of a service's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct CallError {
    /// The error's name: `NoSuchKey`, `ValidationError`.
    pub code: String,
    /// The service's own words.
    pub message: String,
}

impl CallError {
    /// An error of this name.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// S3, as far as pipelines use it.
pub trait Objects: Send + Sync {
    /// An object's content, in this version or the latest.
    ///
    /// # Errors
    /// Where S3 answers with one: `NoSuchKey`, `NoSuchVersion`, `AccessDenied` …
    fn get(&self, role: &str, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, CallError>;

    /// Writes an object and returns its version, if the bucket keeps versions.
    ///
    /// # Errors
    /// Where S3 answers with one.
    fn put(&self, role: &str, bucket: &str, key: &str, body: &[u8]) -> Result<Option<String>, CallError>;
}

/// An object of S3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// Its content.
    pub body: Vec<u8>,
    /// Its version, if the bucket keeps versions.
    pub version: Option<String>,
    /// Its entity tag.
    pub e_tag: Option<String>,
}

/// CloudFormation, as far as pipelines use it. Whatever takes long is begun by one call and described by others.
pub trait Stacks: Send + Sync {
    /// The stack; nothing if there is none of that name.
    ///
    /// # Errors
    /// Where `DescribeStacks` answers with another than that there is none.
    fn describe(&self, role: &str, stack: &str) -> Result<Option<Stack>, CallError>;

    /// The stack's events, newest first; none if there is no stack.
    ///
    /// # Errors
    /// Where `DescribeStackEvents` answers with one.
    fn events(&self, role: &str, stack: &str) -> Result<Vec<StackEvent>, CallError>;

    /// Begins to make a change set.
    ///
    /// # Errors
    /// Where `CreateChangeSet` answers with one.
    fn create_change_set(&self, role: &str, request: &ChangeSetRequest) -> Result<(), CallError>;

    /// The change set; nothing if there is none of that name.
    ///
    /// # Errors
    /// Where `DescribeChangeSet` answers with another than that there is none.
    fn describe_change_set(&self, role: &str, stack: &str, name: &str) -> Result<Option<ChangeSet>, CallError>;

    /// Deletes a change set.
    ///
    /// # Errors
    /// Where `DeleteChangeSet` answers with one.
    fn delete_change_set(&self, role: &str, stack: &str, name: &str) -> Result<(), CallError>;

    /// Begins to execute a change set.
    ///
    /// # Errors
    /// Where `ExecuteChangeSet` answers with one.
    fn execute_change_set(&self, role: &str, stack: &str, name: &str) -> Result<(), CallError>;

    /// Begins to create a stack.
    ///
    /// # Errors
    /// Where `CreateStack` answers with one.
    fn create(&self, role: &str, request: &StackRequest) -> Result<(), CallError>;

    /// Begins to update a stack.
    ///
    /// # Errors
    /// Where `UpdateStack` answers with one, `No updates are to be performed.` among them.
    fn update(&self, role: &str, request: &StackRequest) -> Result<(), CallError>;

    /// Begins to delete a stack, as the given role of CloudFormation's if there is one.
    ///
    /// # Errors
    /// Where `DeleteStack` answers with one.
    fn delete(&self, role: &str, stack: &str, stack_role: Option<&str>) -> Result<(), CallError>;
}

/// A stack as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its status, such as `CREATE_COMPLETE`.
    pub status: String,
    /// Why it has this status, where CloudFormation says so.
    pub reason: Option<String>,
    /// Its outputs.
    pub outputs: Vec<(String, String)>,
}

/// One event of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StackEvent {
    /// The logical id; the stack's own name where the stack itself is meant.
    pub resource: String,
    /// The resource's status.
    pub status: String,
    /// Why it has this status.
    pub reason: Option<String>,
}

/// What a stack is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StackRequest {
    /// The stack's name.
    pub stack: String,
    /// The template's text. Above 51,200 bytes CloudFormation takes it from S3 only.
    pub template: String,
    /// The parameters' values.
    pub parameters: Vec<(String, String)>,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// Such as `CAPABILITY_NAMED_IAM`.
    pub capabilities: Vec<String>,
    /// The role that CloudFormation works as.
    pub role: Option<String>,
}

/// A change set that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetRequest {
    /// The change set's name.
    pub name: String,
    /// Whether the stack is new.
    pub kind: ChangeSetKind,
    /// What the stack is to be.
    pub request: StackRequest,
}

/// Whether a change set makes its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetKind {
    /// `CREATE`
    Create,
    /// `UPDATE`
    Update,
}

/// A change set as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// Its status, such as `CREATE_COMPLETE` or `FAILED`.
    pub status: String,
    /// Why it has this status.
    pub reason: Option<String>,
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
}

/// The machine's own time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A time that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<SystemTime>,
}

impl ManualClock {
    /// A clock that stands at this many seconds after 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self {
            now: Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}
