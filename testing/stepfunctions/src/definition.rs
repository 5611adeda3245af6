//! A machine as it was read: only what the interpreter needs, with every expression parsed. Never executes anything.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;

use crate::{
    condition::Test,
    intrinsic::Call,
    jsonata::Expression,
    path::{Path, Step},
};

/// A whole machine.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) states: Arc<States>,
    pub(crate) timeout_seconds: Option<u64>,
}

/// The states of a machine, of a branch or of a Map's processor.
#[derive(Debug)]
pub(crate) struct States {
    pub(crate) start: String,
    pub(crate) by_name: BTreeMap<String, Arc<State>>,
}

/// One state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) data: Data,
    pub(crate) assign: Option<Assign>,
    pub(crate) kind: Kind,
    /// Where it goes on; `None` for those that say it elsewhere or end.
    pub(crate) next: Option<String>,
}

/// How a state's input and output are shaped.
#[derive(Debug)]
pub(crate) enum Data {
    /// JSONata's `Output`.
    Jsonata {
        output: Option<Template>,
    },
    JsonPath(Box<Paths>),
}

/// How JSONPath shapes input and output.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) input: Selected,
    pub(crate) parameters: Option<Template>,
    pub(crate) result: Option<Value>,
    pub(crate) selector: Option<Template>,
    pub(crate) placed: Placed,
    pub(crate) output: Selected,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug)]
pub(crate) enum Selected {
    /// All of it, as without the field.
    All,
    /// An empty object, as with null.
    Nothing,
    Path(Path),
}

/// `ResultPath`.
#[derive(Debug)]
pub(crate) enum Placed {
    /// The result replaces the input, as without the field.
    Whole,
    /// The result is dropped, as with null.
    Dropped,
    /// The result becomes a part of the input. The steps are names and indices only.
    At(Vec<Step>),
}

/// A text of a state whose query language is JSONPath that stands for a value.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) source: Source,
    /// The field that AWS names when the path selects nothing: a template's such as `value.$`. `None` for those where it names only the
    /// path.
    pub(crate) field: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Path(Path),
    Call(Call),
}

/// Variables and what they become, all evaluated before any is assigned.
pub(crate) type Assign = Vec<(String, Template)>;

/// What a type of state has of its own.
#[derive(Debug)]
pub(crate) enum Kind {
    Task(Box<Task>),
    Pass,
    Choice(Choice),
    Wait(Wait),
    Succeed,
    Fail(Fail),
    Parallel(Box<Parallel>),
    Map(Box<MapState>),
}

/// A document in which some texts are expressions.
#[derive(Debug)]
pub(crate) enum Template {
    /// A part without expressions.
    Value(Value),
    Jsonata(Expression),
    Query(Query),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) arguments: Option<Template>,
    pub(crate) credentials: Option<Template>,
    pub(crate) timeout: Option<Template>,
    pub(crate) heartbeat: Option<Template>,
    pub(crate) handling: Handling,
}

#[derive(Debug, Default)]
pub(crate) struct Handling {
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_seconds: u64,
    pub(crate) max_attempts: u64,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<u64>,
    pub(crate) full_jitter: bool,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) next: String,
    pub(crate) assign: Option<Assign>,
    pub(crate) output: Option<Template>,
    pub(crate) placed: Placed,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Condition,
    pub(crate) next: String,
    pub(crate) assign: Option<Assign>,
    pub(crate) output: Option<Template>,
}

#[derive(Debug)]
pub(crate) enum Condition {
    /// JSONata's `Condition`.
    Jsonata(Template),
    JsonPath(Test),
}

#[derive(Debug)]
pub(crate) enum Wait {
    Seconds(Template),
    Timestamp(Template),
}

#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) error: Option<Template>,
    pub(crate) cause: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct Parallel {
    pub(crate) branches: Vec<Arc<States>>,
    pub(crate) arguments: Option<Template>,
    pub(crate) handling: Handling,
}

#[derive(Debug)]
pub(crate) struct MapState {
    pub(crate) processor: Arc<States>,
    pub(crate) items: Option<Template>,
    pub(crate) selector: Option<Template>,
    pub(crate) max_concurrency: Option<Template>,
    /// How many iterations may fail, in numbers and in percent: an inline Map evaluates them and tolerates none.
    pub(crate) tolerated_count: Option<Template>,
    pub(crate) tolerated_percentage: Option<Template>,
    pub(crate) handling: Handling,
}

/// The type of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateType {
    /// Work that a handler does.
    Task,
    /// Passes its input on, shaped.
    Pass,
    /// Goes one of several ways.
    Choice,
    /// Lets time pass.
    Wait,
    /// Ends well.
    Succeed,
    /// Ends with an error.
    Fail,
    /// Runs branches at the same time.
    Parallel,
    /// Runs the same states for every item.
    Map,
}

impl fmt::Display for StateType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl Kind {
    pub(crate) const fn state_type(&self) -> StateType {
        match self {
            Self::Task(_) => StateType::Task,
            Self::Pass => StateType::Pass,
            Self::Choice(_) => StateType::Choice,
            Self::Wait(_) => StateType::Wait,
            Self::Succeed => StateType::Succeed,
            Self::Fail(_) => StateType::Fail,
            Self::Parallel(_) => StateType::Parallel,
            Self::Map(_) => StateType::Map,
        }
    }

    /// What retries and catches a failure of the state, for the types that can.
    pub(crate) fn handling(&self) -> Option<&Handling> {
        match self {
            Self::Task(task) => Some(&task.handling),
            Self::Parallel(parallel) => Some(&parallel.handling),
            Self::Map(map) => Some(&map.handling),
            _ => None,
        }
    }
}

/// What a Task asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A Lambda function by its ARN: the task's input is the payload, its result is what the function returns.
    Function(String),
    /// An activity by its ARN.
    Activity(String),
    /// A service integration, such as `arn:aws:states:::dynamodb:putItem`.
    Service {
        /// The service; `aws-sdk:s3` for an AWS SDK integration.
        service: String,
        /// The action, such as `putItem`.
        action: String,
        /// What the state waits for.
        pattern: Pattern,
        /// The whole ARN.
        arn: String,
    },
}

/// What a task of a service integration waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The service's answer.
    RequestResponse,
    /// The end of the job that was started: `.sync` and `.sync:2`.
    Sync,
    /// The task token to be sent back: `.waitForTaskToken`.
    WaitForTaskToken,
}

impl Resource {
    /// The resource of an ARN, `None` for what no Task can name.
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [prefix, partition, service, _, _, name] = parts.as_slice() else {
            return None;
        };
        if *prefix != "arn" || partition.is_empty() {
            return None;
        }
        match (*service, *name) {
            ("lambda", name) if name.starts_with("function:") => Some(Self::Function(arn.to_owned())),
            ("states", name) if name.starts_with("activity:") => Some(Self::Activity(arn.to_owned())),
            ("states", name) => Self::integration(arn, name),
            _ => None,
        }
    }

    fn integration(arn: &str, name: &str) -> Option<Self> {
        let (name, pattern) = [
            (".sync:2", Pattern::Sync),
            (".sync", Pattern::Sync),
            (".waitForTaskToken", Pattern::WaitForTaskToken),
        ]
        .into_iter()
        .find_map(|(suffix, pattern)| Some((name.strip_suffix(suffix)?, pattern)))
        .unwrap_or((name, Pattern::RequestResponse));
        let (service, action) = name.rsplit_once(':')?;
        let named = !service.is_empty() && !action.is_empty() && !action.contains('.');
        named.then(|| Self::Service {
            service: service.to_owned(),
            action: action.to_owned(),
            pattern,
            arn: arn.to_owned(),
        })
    }

    /// The whole ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Function(arn) | Self::Activity(arn) | Self::Service { arn, .. } => arn,
        }
    }

    /// What the state waits for.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        match self {
            Self::Function(_) | Self::Activity(_) => Pattern::RequestResponse,
            Self::Service { pattern, .. } => *pattern,
        }
    }

    /// Whether it is the optimised integration `lambda:invoke`, which answers with the function's result under `Payload`.
    #[must_use]
    pub fn is_lambda_invoke(&self) -> bool {
        matches!(self, Self::Service { service, action, .. } if service == "lambda" && action == "invoke")
    }
}
