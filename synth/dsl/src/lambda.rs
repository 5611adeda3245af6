//! `AWS::Lambda`: the generated types, and functions that are tied to their handler's types.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use synth_aws::actions::{Lambda, Logs, Xray};
use synth_aws::{AnyArn, Arn, Duration, Handle, Name, Node, Object, Size, Value, sub};

pub use synth_aws::lambda::*;

use crate::assembly::Asset;
use crate::fault::Fault;
use crate::handler::{EnvironmentVariable, Handler};
use crate::iam::{self, Grant};
use crate::parameter::Parameter;
use crate::stack::{Construct, Stack};
use crate::stepfunctions::Invocable;

/// Where functions find their code, and what it runs on.
#[derive(Debug, Clone)]
pub struct Artifacts {
    bucket: Value<String>,
    key: Value<String>,
    architecture: function::Architecture,
}

impl Artifacts {
    /// Takes the code from an asset: two parameters of the stack name the bucket and the key, which whoever deploys the stack
    /// gives after the upload.
    #[track_caller]
    pub fn from_asset(stack: &mut Stack, name: &str, architecture: function::Architecture) -> Self {
        let bucket = stack.parameter(
            "CodeBucket",
            Parameter::<String>::new(format!("The bucket that `{name}` was uploaded to.")),
        );
        let key = Parameter::<String>::new(format!("The key of `{name}`, made of its content's hash."));
        let key = stack.parameter("CodeKey", key);
        stack.asset(Asset {
            name: name.to_owned(),
            bucket_parameter: "CodeBucket".to_owned(),
            key_parameter: "CodeKey".to_owned(),
        });
        Self {
            bucket: bucket.value(),
            key: key.value(),
            architecture,
        }
    }
}

/// A function that runs the handler `H`, with a role and a log group of its own.
///
/// Adding it adds `<id>Logs`, `<id>Role` and `<id>`. The role may write its own log and traces, and what it is [allowed](Self::allow).
/// Every environment variable that the handler reads must be given, and no other can.
#[must_use]
pub struct HandlerFunction<H> {
    code: Artifacts,
    name: String,
    description: String,
    memory: Size,
    timeout: Duration,
    retention: Duration,
    concurrency: Option<u32>,
    environment: Vec<Given>,
    grants: Vec<Grant>,
    handler: PhantomData<fn() -> H>,
}

/// An environment variable with its value.
struct Given {
    variable: EnvironmentVariable,
    value: Node,
    at: &'static Location<'static>,
}

/// The function of a handler, after it was added to a stack.
pub struct FunctionHandle<H> {
    /// The function.
    pub function: Handle<Function>,
    /// Its role.
    pub role: Handle<iam::RoleResource>,
    /// Its log group.
    pub logs: Handle<synth_aws::logs::LogGroup>,
    handler: PhantomData<fn() -> H>,
}

/// The function of the handler `H`, such as `lambda::handling::<FetchSource>(&code, "thebestest-fetch-source")`.
///
/// Left out, its memory is 256 MiB, its timeout a minute and its log kept for 30 days.
pub fn handling<H: Handler>(code: &Artifacts, name: impl Into<String>) -> HandlerFunction<H> {
    HandlerFunction {
        code: code.clone(),
        name: name.into(),
        description: String::new(),
        memory: synth_aws::mebibytes(256),
        timeout: synth_aws::minutes(1),
        retention: synth_aws::days(30),
        concurrency: None,
        environment: Vec::new(),
        grants: Vec::new(),
        handler: PhantomData,
    }
}

impl<H: Handler> HandlerFunction<H> {
    /// What the function is for, at most 256 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The memory, 128 MiB to 10,240 MiB; the processor's share grows with it.
    pub fn memory_size(mut self, memory: Size) -> Self {
        self.memory = memory;
        self
    }

    /// How long one invocation may take, at most 15 minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the log is kept.
    pub fn log_retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// At most this many invocations at a time, taken out of the account's common pool.
    pub fn reserved_concurrency(mut self, executions: u32) -> Self {
        self.concurrency = Some(executions);
        self
    }

    /// Gives the handler an environment variable that it reads.
    #[track_caller]
    pub fn environment<T>(mut self, variable: EnvironmentVariable, value: Value<T>) -> Self {
        self.environment.push(Given {
            variable,
            value: value.into_node(),
            at: Location::caller(),
        });
        self
    }

    /// Lets the function do what the grant says.
    pub fn allow(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    #[track_caller]
    fn check_environment(&self, stack: &mut Stack, logical_id: &str) {
        let handler = H::NAME;
        for EnvironmentVariable { name } in H::ENVIRONMENT {
            if !self.environment.iter().any(|given| given.variable.name == *name) {
                let fault = Fault::new(format!(
                    "the handler {handler:?} reads the environment variable {name}, which is not given"
                ));
                stack.fault(logical_id, fault.help("give it with `.environment(…, …)`"));
            }
        }
        let read: Vec<&str> = H::ENVIRONMENT.iter().map(|variable| variable.name).collect();
        let read = if read.is_empty() {
            "none".to_owned()
        } else {
            read.join(", ")
        };
        for (index, given) in self.environment.iter().enumerate() {
            let name = given.variable.name;
            if !H::ENVIRONMENT.contains(&given.variable) {
                let message = format!(
                    "the handler {handler:?} does not read the environment variable {name}, allowed are: {read}"
                );
                let fault = Fault::new(message).at(given.at);
                stack.fault(logical_id, fault.help("remove it, or declare it with the handler"));
            }
            let mut earlier = self.environment[..index].iter();
            if let Some(first) = earlier.find(|earlier| earlier.variable == given.variable) {
                let message = format!(
                    "the environment variable {name} is given twice, first at {}:{}",
                    first.at.file(),
                    first.at.line()
                );
                stack.fault(
                    logical_id,
                    Fault::new(message).at(given.at).help("remove one of the two"),
                );
            }
        }
    }

    fn variables(&self) -> Value<synth_aws::Map<synth_aws::Json>> {
        let mut variables = Object::new();
        for given in &self.environment {
            variables.set_from(given.variable.name, given.value.clone(), given.at);
        }
        Value::from_node(variables.into())
    }
}

impl<H: Handler> Construct for HandlerFunction<H> {
    type Handle = FunctionHandle<H>;

    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> FunctionHandle<H> {
        use function::{Code, Environment, LoggingConfig, TracingConfig};

        self.check_environment(stack, logical_id);
        let group = synth_aws::logs::LogGroup::new()
            .log_group_name(format!("/aws/lambda/{}", self.name))
            .retention_in_days(self.retention);
        let logs = stack.add(format!("{logical_id}Logs"), group);

        let write = Grant::on_matching(
            [Logs::CreateLogStream, Logs::PutLogEvents],
            logs.arn(),
            "the streams of the function's own log group, which Lambda names",
        );
        let trace = Grant::on_any_resource(
            [Xray::PutTelemetryRecords, Xray::PutTraceSegments],
            "X-Ray has no resources to name",
        );
        let mut role = iam::Role::assumed_by("lambda.amazonaws.com")
            .name(self.name.clone())
            .allow(write)
            .allow(trace);
        for grant in &self.grants {
            role = role.allow(grant.clone());
        }
        let role = stack.add(format!("{logical_id}Role"), role);

        let code = Code::new()
            .s3_bucket(self.code.bucket.clone().trusted())
            .s3_key(self.code.key.clone());
        let mut resource = Function::new(code, role.arn())
            .function_name(self.name.as_str())
            .handler(H::NAME)
            .runtime(function::Runtime::ProvidedAl2023)
            .architectures([self.code.architecture.clone()])
            .memory_size(self.memory)
            .timeout(self.timeout)
            .logging_config(
                LoggingConfig::new()
                    .log_group(logs.name())
                    .log_format(function::LoggingConfigLogFormat::Json),
            )
            .tracing_config(TracingConfig::new().mode(function::TracingConfigMode::Active));
        if !self.description.is_empty() {
            resource = resource.description(self.description.as_str());
        }
        if !self.environment.is_empty() {
            resource = resource.environment(Environment::new().variables(self.variables()));
        }
        if let Some(executions) = self.concurrency {
            resource = resource.reserved_concurrent_executions(executions);
        }
        FunctionHandle {
            function: stack.add(logical_id, resource),
            role,
            logs,
            handler: PhantomData,
        }
    }
}

impl<H> FunctionHandle<H> {
    /// `Fn::GetAtt` of the function's `Arn`.
    pub fn arn(self) -> Value<Arn<Function>> {
        self.function.arn()
    }

    /// `Ref`: the function's name.
    pub fn name(self) -> Value<Name<Function>> {
        self.function.name()
    }

    /// Invoking the function.
    #[track_caller]
    pub fn invoke(self) -> Grant {
        Grant::on([Lambda::InvokeFunction], self.function.arn())
    }

    /// Lets an AWS service invoke the function for one source; adds a `AWS::Lambda::Permission`.
    #[track_caller]
    pub fn permit(self, stack: &mut Stack, logical_id: &str, service: &str, source: impl Into<Value<AnyArn>>) {
        let permission =
            Permission::new(Lambda::InvokeFunction.qualified_name(), self.function.arn(), service).source_arn(source);
        stack.add(logical_id, permission);
    }
}

/// The qualified name of an action as a value.
trait QualifiedName: synth_aws::Action {
    fn qualified_name(self) -> &'static str {
        self.qualified()
    }
}

impl QualifiedName for Lambda {}

impl<H: Handler> Invocable for FunctionHandle<H> {
    type Handler = H;

    fn arn(&self) -> Value<Arn<Function>> {
        self.function.arn()
    }
}

impl<H> Clone for FunctionHandle<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for FunctionHandle<H> {}

impl<H> fmt::Debug for FunctionHandle<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.function.fmt(formatter)
    }
}

/// The ARN of a function by its physical name, for where a handle would close a circle of resources.
pub fn arn_of(name: &str) -> Value<Arn<Function>> {
    use synth_aws::pseudo::{account_id, partition, region};
    sub![
        "arn:",
        partition(),
        ":lambda:",
        region(),
        ":",
        account_id(),
        ":function:",
        name
    ]
    .trusted()
}
