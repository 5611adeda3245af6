//! `stop_pipeline`: executions that nobody waits for any more, of earlier generations or after too long a time.
//!
//! An execution is stopped by letting the action at work finish and starting no other. It is never abandoned: an abandoned
//! build or change of a stack goes on unseen, and the next execution would run into it. A build that is at work is stopped itself,
//! whether it runs or waits in CodeBuild's queue, so that nothing queues behind it; a change of a stack is left to its end.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html> and
//! <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html>.

use aws_sdk_codebuild::operation::stop_build::StopBuildError;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::SdkError;
use aws_sdk_codepipeline::operation::stop_pipeline_execution::StopPipelineExecutionError;
use aws_sdk_codepipeline::types::ActionExecutionStatus;
use contract::{Run, StopPipelineError, StopRequest, Stopped};
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError, executions};
use crate::{Failure, sdk};

/// The longest reason that CodePipeline takes.
const LONGEST_REASON: usize = 200;

/// Stops executions that nobody waits for any more, and the builds that they are at.
#[derive(Debug)]
pub struct StopPipeline {
    pipelines: Client,
    builds: aws_sdk_codebuild::Client,
}

impl Function for StopPipeline {
    type Contract = contract::StopPipeline;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            pipelines: Client::new(environment.aws()),
            builds: aws_sdk_codebuild::Client::new(environment.aws()),
        })
    }

    /// Asks every execution to stop before it fails for those that could not be asked.
    async fn call(&self, input: StopRequest, _: &Invocation) -> Result<Stopped, Failure<StopPipelineError>> {
        let reason = sdk::shortened(&input.reason, LONGEST_REASON);
        let mut count = 0;
        let mut unasked = Vec::new();
        for run in &input.runs {
            match self.stop(run, &reason).await {
                Ok(true) => {
                    count += 1;
                    unasked.extend(self.stop_builds(run).await.err());
                }
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

impl StopPipeline {
    /// Stops the builds that an execution is at.
    async fn stop_builds(&self, run: &Run) -> Result<(), String> {
        let actions = executions::actions(&self.pipelines, run).await;
        let actions = actions.map_err(|words| format!("the actions of {} are not shown: {words}", run.execution_id))?;
        let at_work = actions
            .iter()
            .filter(|action| action.status() == Some(&ActionExecutionStatus::InProgress));
        for build in at_work.filter_map(executions::build) {
            match self.builds.stop_build().id(build).send().await {
                Ok(_) => info!(build, execution = run.execution_id, "build stopped"),
                Err(error) => match error.as_service_error() {
                    // It has ended, or is gone; asking again would change nothing.
                    Some(StopBuildError::InvalidInputException(_) | StopBuildError::ResourceNotFoundException(_)) => {
                        warn!(build, error = sdk::words(&error), "build cannot be stopped");
                    }
                    _ => return Err(format!("the build {build} was not stopped: {}", sdk::words(&error))),
                },
            }
        }
        Ok(())
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
