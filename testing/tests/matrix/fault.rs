//! What goes wrong, and where: one fault at one state of one journey.

use std::time::Duration;

use codepipeline_local::Refusal;
use stepfunctions_runner::Fault as TaskFault;
use testing::aws::Kind;
use testing::{aws, github};

use crate::builds::{Application, Plan};
use crate::repository::Act;

/// How a fault comes about when a state is about to be carried out.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Lambda fails, and the function never ran.
    Before(Break),
    /// The function ran, and then this is what Step Functions hears of it.
    After(Break),
    /// So many calls of an operation by the function fail, from the `nth` on.
    Aws {
        service: &'static str,
        operation: &'static str,
        nth: u64,
        calls: u32,
        how: aws::Fault,
    },
    /// The function's next requests to GitHub of this kind fail.
    GitHub {
        request: &'static str,
        faults: Vec<github::Fault>,
    },
    /// Something happens to the pull request, one after the other within a second.
    Happens { acts: &'static [Act], webhook: Webhook },
    /// The webhook of the execution at this state comes again.
    Redelivered,
    /// Somebody stops the execution.
    Stopped,
    /// Everything that runs executions is gone; only the schedule is left.
    Crashed,
    /// Somebody stops all executions of this pipeline.
    PipelineStopped(&'static str),
    /// The stack is said to be in this status, once.
    StackIs(&'static str, &'static str),
    /// Builds go otherwise from now on.
    Builds(Plan),
    /// CodeBuild refuses so many builds.
    Refused(u64, Refusal),
    /// So many others test at the same time, and the account may run so many builds.
    Crowded { others: usize, quota: u64 },
    /// The sources that were fetched are gone.
    SourceGone,
    /// Objects are put into the application's own bucket.
    BucketFilled,
    /// API Gateway answers CloudFormation's next steps of this kind with 429.
    ApiThrottled(Kind),
}

/// What Step Functions is told instead of the function's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// An error of Lambda itself.
    Lambda(&'static str),
    /// The function's process has ended.
    Crash,
    /// Its time was up.
    Timeout,
    /// The function's own error.
    Own(&'static str),
}

/// What becomes of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhook {
    /// It arrives.
    Arrives,
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Twice,
    /// It arrives ten minutes later.
    Late,
    /// The last one arrives first.
    Reversed,
}

/// What is promised in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The pull request gets what it wants: the fault passes.
    Recovery,
    /// It is not to have an environment any more.
    NoEnvironment,
    /// The commit has a final status, whichever.
    FinalStatus,
    /// The commit's tests could not run, and its status says so.
    NotRun,
}

impl Break {
    /// As Step Functions has it, see
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
    pub(crate) fn told(self, timeout: Duration) -> TaskFault {
        let id = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
        match self {
            Self::Lambda(name) => TaskFault::new(name, "Lambda says so"),
            Self::Crash => TaskFault::of_function(
                "Runtime.ExitError",
                format!("RequestId: {id} Error: Runtime exited with error: signal: killed"),
            ),
            Self::Timeout => TaskFault::of_function(
                "Sandbox.Timedout",
                format!(
                    "RequestId: {id} Error: Task timed out after {}.00 seconds",
                    timeout.as_secs()
                ),
            ),
            Self::Own(name) => TaskFault::of_function(name, "it says so"),
        }
    }
}

impl Break {
    /// How long it takes until it is told.
    pub(crate) const fn takes(self, timeout: Duration) -> Duration {
        match self {
            Self::Timeout => timeout,
            _ => Duration::from_secs(1),
        }
    }
}

impl Fault {
    /// The real time that an invocation with this fault has, where the function's own would be waited for.
    pub(crate) fn real_time(&self) -> Option<Duration> {
        let waits = match self {
            Self::Aws { how, .. } => *how == aws::Fault::Hang,
            Self::GitHub { .. } => true,
            _ => false,
        };
        // Half a second of it is what the shell keeps.
        waits.then_some(Duration::from_millis(1_400))
    }

    /// Whether somebody is asked who never answers.
    pub(crate) fn hangs(&self) -> bool {
        match self {
            Self::Aws { how, .. } => *how == aws::Fault::Hang,
            Self::GitHub { faults, .. } => faults.contains(&github::Fault::hang()),
            _ => false,
        }
    }

    /// The kind, for the table.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Before(Break::Lambda("Lambda.TooManyRequestsException")) => "Lambda throttles",
            Self::Before(Break::Lambda(_)) => "Lambda fails, transiently",
            Self::Before(Break::Crash) | Self::After(Break::Crash) => "the function crashes",
            Self::Before(Break::Timeout) | Self::After(Break::Timeout) => "the function times out",
            Self::Before(Break::Own(_)) | Self::After(Break::Own(_)) => "the function fails",
            Self::After(Break::Lambda(_)) => "the function's answer is lost",
            Self::Aws { how, .. } => match how {
                aws::Fault::Throttled => "AWS throttles",
                aws::Fault::AnswerLost => "AWS's answer is lost",
                aws::Fault::Hang | aws::Fault::Lost => "AWS does not answer",
                aws::Fault::Error { .. } => "AWS denies",
                _ => "AWS fails",
            },
            Self::GitHub { .. } => "GitHub fails",
            Self::Happens {
                webhook: Webhook::Arrives,
                ..
            } => "the pull request changes",
            Self::Happens { .. } | Self::Redelivered => "webhooks are lost, late or repeated",
            Self::Stopped => "the execution is stopped",
            Self::Crashed => "all executions are lost",
            Self::PipelineStopped(_) => "a pipeline is stopped",
            Self::StackIs(..) => "a stack is at work",
            Self::Builds(Plan {
                application: Application::Never(_),
                ..
            }) => "a custom resource's function never answers",
            Self::Builds(_) => "builds fail, hang or cannot be deployed",
            Self::Refused(..) => "CodeBuild refuses builds",
            Self::Crowded { .. } => "an account is at its limit of builds",
            Self::SourceGone => "a source is gone",
            Self::ApiThrottled(_) => "API Gateway throttles CloudFormation",
            Self::BucketFilled => "a bucket is not empty",
        }
    }
}

/// AWS denies the caller something.
pub(crate) fn denied() -> aws::Fault {
    aws::Fault::Error {
        status: 400,
        code: "AccessDeniedException".to_owned(),
        message: "User is not authorized to perform this".to_owned(),
    }
}

/// CloudFormation's description of a stack in a status.
pub(crate) fn stack_is(account: &str, stack: &str, status: &str) -> aws::Fault {
    let id = format!("arn:aws:cloudformation:eu-west-1:{account}:stack/{stack}/0");
    let member = format!(
        "<member><StackId>{id}</StackId><StackName>{stack}</StackName><CreationTime>2026-03-02T08:00:00Z</CreationTime>\
         <StackStatus>{status}</StackStatus></member>"
    );
    let body = format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks>\
         {member}</Stacks></DescribeStacksResult></DescribeStacksResponse>"
    );
    aws::Fault::Answer { status: 200, body }
}
