//! AWS on loopback: a front that all clients talk to, and MiniStack behind it.
//!
//! The front reads every request as the service's own model describes it (botocore's, which the AWS CLI is generated from),
//! remembers it with the handler that made it, refuses what breaks a rule of the model, and hands the rest to MiniStack. So a test
//! knows what was asked of AWS, whichever client asked, and what an emulator would have let pass does not pass. The front fails calls
//! on request ([`Fault`]), and answers for what no emulator has:
//!
//! | what | how |
//! |---|---|
//! | CodePipeline | scripted by the test ([`Pipelines`]), or executed for the pipelines that stacks have ([`Cloud::execute_pipelines`]) |
//! | Step Functions' executions | by whoever is installed ([`Cloud::run_machines`]), else by MiniStack |
//! | CloudFormation | MiniStack runs the stacks, and asks the front before each step of a resource; templates stay as they are sent |
//! | custom resources | run for real; one with the property `Puppet: { Never: [Create, Update, Delete] }` is answered by the front, or never |
//! | API Gateway | MiniStack serves the deployed APIs ([`Cloud::local_url`]); integrations with Step Functions are the front's |
//!
//! Functions that a stack makes run as processes of MiniStack's, with the front as their AWS, and their calls are their handler's.
//!
//! ```no_run
//! let Some(cloud) = testing::or_skip("the record is kept", testing::aws::Cloud::start()) else { return };
//! // A client that `runtime::aws::config(&cloud.variables("claim"), "claim")` configures is served, and its calls are the claim's:
//! assert_eq!(cloud.calls("claim").len(), 0);
//! ```
//!
//! Each [`Cloud`] is an AWS account of its own with a front of its own, so tests run side by side under the same names; bucket
//! names alone are global, as they are in AWS. All share one MiniStack process, which ends with the test's.
//!
//! Nothing here reaches AWS: every address is 127.0.0.1, and credentials are made up.

mod answer;
mod backstage;
mod client;
mod cloudformation;
mod codepipeline;
mod engine;
mod execute_api;
mod fault;
mod front;
mod grants;
mod ministack;
mod model;
mod permissions;
mod pipelines;
mod quotas;
mod resolve;
mod rules;
pub mod states;
mod wire;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use codepipeline_local::{Builder, Clock, Engine, Listener};
use http::{HeaderValue, Request, Response, header};
use serde::Deserialize;
use serde_json::{Value, json};

pub use client::{Client, Failure};
pub use cloudformation::Kind;
pub use codepipeline::{PipelineResource, PipelineService};
pub use fault::Fault;
pub use grants::{Difference, Grants, Statement, variables};
pub use permissions::Permission;
pub use pipelines::{Action, ActionStatus, Execution, ExecutionStatus, Pipelines, Step};
pub use resolve::resolved;

#[cfg(test)]
pub(crate) use ministack::MINISTACK;

use crate::{
    Error,
    emulator::Emulator,
    tools::{self, Packages},
};
use front::Front;
use ministack::Enforcement;
use states::StateMachines;

/// The region of `stacks/project.yaml`.
pub const REGION: &str = "eu-west-1";

/// One account of the local AWS. Dropping it fails the test if a request broke a rule of AWS's models.
#[derive(Debug)]
pub struct Cloud {
    account: String,
    front: Front,
    ministack: &'static Emulator,
    enforcement: Enforcement,
    /// The credentials of callers that have a role.
    roles: Mutex<BTreeMap<String, Session>>,
}

/// The credentials of an assumed role.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Session {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
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
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// Its parameters as the model names them. Of an uploaded object only the size is kept.
    pub parameters: Value,
    /// The HTTP status that the client was answered with; none if it was left without an answer.
    pub status: Option<u16>,
}

/// The roles of an account's builds: what a build asks of AWS is done with the role of its project.
#[derive(Clone, Debug)]
pub struct BuildRoles(Arc<front::State>);

impl BuildRoles {
    /// From now on calls with this name, which the AWS CLI has from the variable that is returned, may do what the role may.
    #[must_use]
    pub fn act(&self, project: &str, role: &str) -> (String, String) {
        lock(&self.0.builds).insert(project.to_owned(), role.to_owned());
        ("AWS_SDK_UA_APP_ID".to_owned(), project.to_owned())
    }
}

impl Cloud {
    /// An empty account in which everybody may do everything, but for services that act with a role: CloudFormation with a stack's,
    /// CodePipeline with a pipeline's, builds with their [project's](Cloud::build_roles). They may do what its policies allow.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without Python; others where MiniStack does not start, with its output.
    pub fn start() -> Result<Self, Error> {
        Self::with(Enforcement::Off)
    }

    /// An empty account in which callers may do what their identity policies allow (MiniStack's `AUTH=true`).
    ///
    /// MiniStack verifies signatures and session tokens, and judges actions, resources and conditions (`s3:prefix`,
    /// `aws:ResourceTag/…`) of identity policies. The front judges what MiniStack does not: CodePipeline, and `iam:PassRole`. What
    /// services do with roles that are passed to them is judged as in [`Cloud::start`].
    ///
    /// # Errors
    /// As [`Cloud::start`].
    pub fn enforcing() -> Result<Self, Error> {
        Self::with(Enforcement::Policies)
    }

    fn with(enforcement: Enforcement) -> Result<Self, Error> {
        static ACCOUNTS: AtomicU64 = AtomicU64::new(111_111_111_111);
        let account = ACCOUNTS.fetch_add(1, Ordering::Relaxed).to_string();
        let ministack = ministack::shared(enforcement, REGION)?;
        let front = Front::start(ministack.address, &account)?;
        Ok(Self {
            account,
            front,
            ministack,
            enforcement,
            roles: Mutex::default(),
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

    /// The variables that Lambda would set for a function, and the endpoint, which is the front. `runtime::aws::config` reads them.
    ///
    /// The credentials are those of the role that the caller was [given](Cloud::give_role), if any; else the account's own, which
    /// may do everything.
    pub fn variables(&self, caller: &str) -> BTreeMap<String, String> {
        let roles = lock(&self.roles);
        let role = roles.get(caller);
        // MiniStack takes an access key of twelve digits for the account's root user.
        let set = [
            (
                "AWS_ACCESS_KEY_ID",
                role.map_or(self.account(), |role| &role.access_key_id),
            ),
            ("AWS_ENDPOINT_URL", &self.endpoint()),
            ("AWS_REGION", REGION),
            (
                "AWS_SECRET_ACCESS_KEY",
                role.map_or("test", |role| &role.secret_access_key),
            ),
            ("AWS_SESSION_TOKEN", role.map_or("", |role| &role.session_token)),
        ];
        set.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Makes the role with its grants and has the caller assume it, as Lambda does for a function. Whether that makes a
    /// difference is up to [`Cloud::enforcing`]; see there.
    ///
    /// # Errors
    /// Where MiniStack refuses the role.
    pub fn give_role(&self, caller: &str, grants: &Grants) -> Result<(), Error> {
        let asked = json!({
            "account": self.account,
            // Not through the front: what the test sets up is no call of a handler's.
            "endpoint": format!("http://{}", self.ministack.address),
            "policy": grants.document_for_ministack(),
            "region": REGION,
            "role": grants.role,
        });
        let python = tools::python(Packages::MiniStack)?;
        let mut command = Command::new(python);
        let command = command
            .arg(tools::script("assume_role.py"))
            .env("NO_PROXY", "127.0.0.1");
        let role = tools::answer("the role's credentials", command, &asked.to_string())?;
        lock(&self.roles).insert(caller.to_owned(), role);
        if self.enforcement == Enforcement::Policies {
            self.front.state.enforce(caller, grants.clone());
        }
        Ok(())
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

    /// The same without so many that came first: for who has seen those.
    pub fn calls_after(&self, first: usize) -> Vec<Call> {
        self.front.state.calls_after(first)
    }

    /// Makes the `nth` call (from 1, counted from now) of an operation fail; `service` and `operation` as in [`Call`].
    pub fn fail(&self, service: &str, operation: &str, nth: u64, fault: Fault) {
        self.front.state.fail(service, operation, nth, fault);
    }

    /// What was still to [fail](Cloud::fail) does not any more.
    pub fn clear_faults(&self) {
        self.front.state.clear_faults();
    }

    /// The account's pipelines.
    pub fn pipelines(&self) -> &Pipelines {
        &self.front.state.pipelines
    }

    /// The pipelines that stacks have, by name.
    pub fn deployed_pipelines(&self) -> Vec<PipelineResource> {
        self.front.state.deployed.all()
    }

    /// From now on a service runs the pipelines that stacks have, those that are there included. Pipelines that the test
    /// [scripts](Pipelines::script) stay the script's.
    ///
    /// # Errors
    /// Why the service refuses one that is there.
    pub fn run_pipelines(&self, service: Arc<dyn PipelineService>) -> Result<(), String> {
        self.front.state.deployed.serve(service)
    }

    /// From now on `codepipeline-local` runs the pipelines that stacks have, in this account, with builds by this builder; what
    /// happens is told to the listener. A new pipeline begins an execution by itself only with `start_on_create`, as it does in AWS.
    ///
    /// # Errors
    /// Where the system has no thread left, or the engine refuses a pipeline that is there.
    pub fn execute_pipelines(
        &self,
        builder: Arc<dyn Builder>,
        listener: Listener,
        start_on_create: bool,
    ) -> std::io::Result<Engine> {
        engine::install(self, builder, listener, start_on_create)
    }

    /// The same for a test in which time stands until the test moves it: pipelines move on by this clock, and whenever the engine
    /// is [ticked](Engine::tick). None begins by itself.
    ///
    /// # Errors
    /// Where the engine refuses a pipeline that is there.
    pub fn step_pipelines(&self, builder: Arc<dyn Builder>, clock: Arc<dyn Clock>) -> std::io::Result<Engine> {
        self.tell_time(Arc::clone(&clock));
        engine::install_stepped(self, builder, clock)
    }

    /// From now on time is what this clock says to CloudFormation's waits for custom resources and to API Gateway's rates.
    pub fn tell_time(&self, clock: Arc<dyn Clock>) {
        self.front.state.weather.tell_time(clock);
    }

    /// CloudFormation's next steps of this kind with resources of this type fail as if API Gateway had answered 429.
    pub fn throttle(&self, kind: &str, step: Kind, times: u32) {
        self.front.state.weather.throttle(kind, step, times);
    }

    /// How many steps are still to be [throttled](Cloud::throttle).
    pub fn left_to_throttle(&self) -> u32 {
        self.front.state.weather.to_throttle()
    }

    /// Nothing is throttled any more but what goes past API Gateway's rates from now on.
    pub fn clear_weather(&self) {
        self.front.state.weather.clear();
    }

    /// When the first stack that waits for a custom resource's function has waited long enough.
    pub fn next_timeout(&self) -> Option<std::time::SystemTime> {
        self.front.state.weather.next_timeout()
    }

    /// Whether the stack waits for an answer that does not come.
    pub fn waits(&self, stack: &str) -> bool {
        self.front.state.weather.waits(stack)
    }

    /// From now on somebody answers for the executions of state machines; what that one leaves is MiniStack's.
    pub fn run_machines(&self, machines: Arc<dyn StateMachines>) {
        *lock(&self.front.state.machines) = Some(machines);
    }

    /// Gives functions that stacks make from now on a variable, which wins over their template's. They have `AWS_ENDPOINT_URL`,
    /// the front, without asking.
    pub fn give_functions(&self, name: &str, value: &str) {
        lock(&self.front.state.variables).insert(name.to_owned(), value.to_owned());
    }

    /// Where the API of an address such as `https://abc123.execute-api.eu-west-1.amazonaws.com/stage/path` is on this machine; none if
    /// it is no API's address.
    pub fn local_url(&self, url: &str) -> Option<String> {
        let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
        let (api, _) = host.split_once(".execute-api.")?;
        let (stage, path) = path.split_once('/').unwrap_or((path, ""));
        Some(format!(
            "{}/restapis/{api}/{stage}/_user_request_/{path}",
            self.endpoint()
        ))
    }

    /// Sends a request that nobody signs, such as GitHub's or a browser's; its URI is a path. Blocks.
    ///
    /// # Errors
    /// Where there is no answer.
    pub fn visit(&self, mut request: Request<Bytes>) -> std::io::Result<Response<Bytes>> {
        let host = HeaderValue::from_str(&self.address().to_string()).map_err(std::io::Error::other)?;
        request.headers_mut().insert(header::HOST, host);
        client::visit(self.address(), request)
    }

    /// A client without an SDK whose calls are the caller's, with the rights of the account's root user.
    pub fn client(&self, caller: &str) -> Client {
        Client::new(self.address(), &self.account, caller)
    }

    /// A client that looks around past the front: its calls are not recorded, and no fault is theirs.
    pub fn observer(&self) -> Client {
        Client::new(self.backstage(), &self.account, "observer")
    }

    /// Who is told with which roles builds act.
    pub fn build_roles(&self) -> BuildRoles {
        BuildRoles(Arc::clone(&self.front.state))
    }

    /// From now on CloudFormation may do everything with this role, whatever its policies say, or no longer.
    pub fn let_do_everything(&self, role: &str, everything: bool) {
        self.front.state.acted.exempt(role, everything);
    }

    /// How many different permissions CloudFormation needed a role of a stack for, by the handlers of the types that it applied.
    pub fn acted(&self, role: &str) -> usize {
        self.front.state.acted.number(role)
    }

    /// Why CloudFormation could not do again with the role, as it is now, what it has needed it for; none if it could. Blocks.
    pub fn acts_again(&self, role: &str) -> Option<String> {
        let again = self.front.state.acted.again(role, &self.front.state.backstage);
        client::block_on(again).unwrap_or_else(|fault| Some(fault.to_string()))
    }

    /// What requests broke of AWS's rules since this was last asked: for the test that breaks them on purpose.
    pub fn take_violations(&self) -> Vec<String> {
        self.front.state.take_violations()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // Who runs something may be asking the front right now, which must still be there to answer.
        self.front.state.deployed.end();
        let machines = lock(&self.front.state.machines).take();
        drop(machines);
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
