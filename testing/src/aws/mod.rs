//! AWS on loopback: a front that all clients talk to, and MiniStack behind it.
//!
//! The front reads every request as the service's own model describes it (botocore's, which the AWS CLI is generated from),
//! remembers it with the handler that made it, refuses what breaks a rule of the model, and hands the rest to MiniStack. So a test
//! knows what was asked of AWS, whichever client asked, and what an emulator would have let pass does not pass. The front answers
//! CodePipeline itself ([`Pipelines`]), which no emulator executes, and fails calls on request ([`Fault`]).
//!
//! ```no_run
//! # async fn test(client: impl Fn(&aws_types::SdkConfig)) {
//! let Some(cloud) = testing::or_skip("the record is kept", testing::aws::Cloud::start()) else { return };
//! client(&cloud.config("claim")); // a client of any AWS SDK crate: `Client::new(&cloud.config("claim"))`
//! assert_eq!(cloud.calls("claim")[0].operation, "UpdateItem");
//! # }
//! ```
//!
//! Each [`Cloud`] is an AWS account of its own with a front of its own, so tests run side by side under the same names; bucket
//! names alone are global, as they are in AWS. All share one MiniStack process, which ends with the test's.
//!
//! Nothing here reaches AWS: every address is 127.0.0.1, and credentials are made up.

mod answer;
mod fault;
mod front;
mod ministack;
mod model;
mod pipelines;
mod rules;
mod wire;

use std::{
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::{SdkConfig, app_name::AppName, region::Region};
use serde_json::Value;

pub use fault::Fault;
pub use pipelines::{Action, ActionStatus, Execution, ExecutionStatus, Pipelines, Step};

use crate::Error;
use front::Front;
use ministack::{Enforcement, MiniStack};

/// The region of `stacks/project.yaml`.
pub const REGION: &str = "eu-west-1";

/// One account of the local AWS. Dropping it fails the test if a request broke a rule of AWS's models.
#[derive(Debug)]
pub struct Cloud {
    account: String,
    front: Front,
    ministack: &'static MiniStack,
}

/// One call that a client made.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The application name of the client's configuration; empty if it has none.
    pub caller: String,
    /// The service as requests are signed: `dynamodb`, `s3`, `states`, `codepipeline`, `tagging`.
    pub service: String,
    /// The operation as AWS's model names it: `PutItem`.
    pub operation: String,
    /// Its parameters as the model names them. Of an uploaded object only the size is kept.
    pub parameters: Value,
    /// The HTTP status that the client was answered with; none if it was left without an answer.
    pub status: Option<u16>,
}

impl Cloud {
    /// An empty account in which everybody may do everything.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without Python; others where MiniStack does not start, with its output.
    pub fn start() -> Result<Self, Error> {
        Self::with(Enforcement::Off)
    }

    /// An empty account in which callers may do what their identity policies allow (MiniStack's `AUTH=true`).
    ///
    /// # Errors
    /// As [`Cloud::start`].
    pub fn enforcing() -> Result<Self, Error> {
        Self::with(Enforcement::Policies)
    }

    fn with(enforcement: Enforcement) -> Result<Self, Error> {
        static ACCOUNTS: AtomicU64 = AtomicU64::new(111_111_111_111);
        let account = ACCOUNTS.fetch_add(1, Ordering::Relaxed).to_string();
        let ministack = MiniStack::shared(enforcement, REGION)?;
        let front = Front::start(ministack.address, &account)?;
        Ok(Self {
            account,
            front,
            ministack,
        })
    }

    /// The account's id, twelve digits.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Where all services are.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address of [`Cloud::endpoint`].
    pub fn address(&self) -> SocketAddr {
        self.front.address
    }

    /// MiniStack's own address, behind the front: what is asked there is not recorded.
    pub fn backstage(&self) -> SocketAddr {
        self.ministack.address
    }

    /// What MiniStack printed, all accounts together.
    pub fn log(&self) -> &Path {
        &self.ministack.log
    }

    /// What a client of this account is made from; its calls are the `caller`'s.
    ///
    /// # Panics
    /// If the caller's name is no word of a user agent.
    pub fn config(&self, caller: &str) -> SdkConfig {
        // MiniStack takes an access key of twelve digits for the account's root user.
        self.config_as(caller, Credentials::from_keys(self.account.clone(), "test", None))
    }

    /// The same with other credentials, such as those of an assumed role.
    ///
    /// # Panics
    /// If the caller's name is no word of a user agent.
    pub fn config_as(&self, caller: &str, credentials: Credentials) -> SdkConfig {
        let name = AppName::new(caller.to_owned());
        let name = name.unwrap_or_else(|fault| panic!("`{caller}` cannot be the name of a caller: {fault}"));
        SdkConfig::builder()
            .app_name(name)
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(self.endpoint())
            .region(Region::from_static(REGION))
            .build()
    }

    /// What the caller asked for, in order. Calls that a fault or a rule stopped are among them.
    pub fn calls(&self, caller: &str) -> Vec<Call> {
        let mut calls = self.front.state.calls();
        calls.retain(|call| call.caller == caller);
        calls
    }

    /// What everybody asked for, in order.
    pub fn all_calls(&self) -> Vec<Call> {
        self.front.state.calls()
    }

    /// Makes the `nth` call (from 1, counted from now) of an operation fail; `service` and `operation` as in [`Call`].
    pub fn fail(&self, service: &str, operation: &str, nth: u64, fault: Fault) {
        self.front.state.fail(service, operation, nth, fault);
    }

    /// The account's pipelines.
    pub fn pipelines(&self) -> &Pipelines {
        &self.front.state.pipelines
    }

    /// What requests broke of AWS's rules since this was last asked: for the test that breaks them on purpose.
    pub fn take_violations(&self) -> Vec<String> {
        self.front.state.take_violations()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("AWS would refuse what was asked:\n{}", violations.join("\n"));
        }
    }
}

/// The state that several threads use; one that panicked while it held it has not broken it.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
