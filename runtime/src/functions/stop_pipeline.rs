//! `stop_pipeline`: executions of earlier generations that are of no use to anybody any more.
//!
//! An execution is stopped by letting the action at work finish and starting no other. It is never abandoned: an abandoned
//! build or change of a stack goes on unseen, and the next execution would run into it.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html>.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::SdkError;
use aws_sdk_codepipeline::operation::stop_pipeline_execution::StopPipelineExecutionError;
use contract::{Run, StopPipelineError, StopRequest, Stopped};
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError};
use crate::{Failure, sdk};

/// The longest reason that CodePipeline takes.
const LONGEST_REASON: usize = 200;

/// Stops executions whose generation was superseded.
#[derive(Debug)]
pub struct StopPipeline {
    pipelines: Client,
}

impl Function for StopPipeline {
    type Contract = contract::StopPipeline;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            pipelines: Client::new(environment.aws()),
        })
    }

    /// Asks every execution to stop before it fails for those that could not be asked.
    async fn call(&self, input: StopRequest, _: &Invocation) -> Result<Stopped, Failure<StopPipelineError>> {
        let reason = sdk::shortened(&input.reason, LONGEST_REASON);
        let mut count = 0;
        let mut unasked = Vec::new();
        for run in &input.runs {
            match self.stop(run, &reason).await {
                Ok(true) => count += 1,
                Ok(false) => {}
                Err(problem) => unasked.push(problem),
            }
        }
        if unasked.is_empty() {
            return Ok(Stopped { count });
        }
        Err(Failure::new(StopPipelineError::Unavailable, unasked.join("; ")))
    }
}

impl StopPipeline {
    /// Whether the execution was asked to stop; it is not if it has ended or is gone.
    async fn stop(&self, run: &Run, reason: &str) -> Result<bool, String> {
        let Run { pipeline, execution_id } = run;
        let answer = self
            .pipelines
            .stop_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution_id)
            .abandon(false)
            .reason(reason)
            .send()
            .await;
        let Err(error) = answer else {
            info!(pipeline, execution = execution_id, "execution asked to stop");
            return Ok(true);
        };
        let words = sdk::words(&error);
        match meaning(&error) {
            Meaning::Stopping => Ok(true),
            Meaning::Ended => Ok(false),
            Meaning::Nonsense => {
                // Asking again would change nothing, and the newer commit is not to wait for it.
                warn!(
                    pipeline,
                    execution = execution_id,
                    error = words,
                    "execution cannot be stopped"
                );
                Ok(false)
            }
            Meaning::Unanswered => Err(format!(
                "the execution {execution_id} of {pipeline} was not stopped: {words}"
            )),
        }
    }
}

/// What an error says of the execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It was asked to stop before.
    Stopping,
    /// It has ended, or there is none.
    Ended,
    /// It is no execution.
    Nonsense,
    /// Nothing.
    Unanswered,
}

fn meaning<R>(error: &SdkError<StopPipelineExecutionError, R>) -> Meaning {
    use StopPipelineExecutionError as Error;
    match error.as_service_error() {
        Some(Error::DuplicatedStopRequestException(_)) => Meaning::Stopping,
        Some(Error::PipelineExecutionNotStoppableException(_) | Error::PipelineNotFoundException(_)) => Meaning::Ended,
        Some(Error::ValidationException(_)) => Meaning::Nonsense,
        // The operation's model does not list it, and the API has it.
        _ if sdk::code(error) == Some("PipelineExecutionNotFoundException") => Meaning::Ended,
        _ => Meaning::Unanswered,
    }
}
