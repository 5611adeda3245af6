//! `check_pipeline`: how an execution goes, and where to look when it has failed.
//!
//! It reads, and changes nothing. What the answers of CodePipeline and CodeBuild mean is decided in [`actions`] and [`verdict`],
//! without asking anybody.

mod actions;
mod verdict;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::get_pipeline_execution::GetPipelineExecutionError;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, PipelineExecutionStatus};
use contract::{CheckPipelineError, Progress, Run, RunQuery, RunState};
use tracing::{info, warn};

use self::verdict::Verdict;
use super::{Environment, Function, Invocation, StartError, executions};
use crate::console::Console;
use crate::records::{Records, RecordsError};
use crate::{Failure, sdk};

/// The longest summary. A commit status shows 140 characters of it, the comment all.
const LONGEST_SUMMARY: usize = 1_000;

/// Maps an execution's status, and names what failed.
#[derive(Debug)]
pub struct CheckPipeline {
    records: Records,
    pipelines: Client,
    builds: aws_sdk_codebuild::Client,
    console: Console,
}

impl Function for CheckPipeline {
    type Contract = contract::CheckPipeline;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(contract::CheckPipeline::TABLE)?),
            pipelines: Client::new(environment.aws()),
            builds: aws_sdk_codebuild::Client::new(environment.aws()),
            console: Console::new(environment.aws())?,
        })
    }

    async fn call(&self, input: RunQuery, _: &Invocation) -> Result<Progress, Failure<CheckPipelineError>> {
        let RunQuery { target, run } = input;
        self.records.require_current(&target).await?;
        let page = self.console.execution(&run.pipeline, &run.execution_id);
        let (state, words) = match self.execution(&run).await? {
            Seen::Execution { status, summary } => (state_of(&status), summary.unwrap_or_else(|| words_of(&status))),
            // What was started a moment ago may not be seen yet.
            Seen::Nothing => (RunState::Running, "The execution is starting.".to_owned()),
            Seen::NoPipeline => (RunState::Stopped, "The pipeline is gone.".to_owned()),
        };
        let (state, summary, url) = match state {
            RunState::Running => {
                let actions = self.actions(&run).await?;
                (state, actions::at_work(&actions).unwrap_or(words), page)
            }
            RunState::Failed => {
                let actions = self.actions(&run).await?;
                match actions::first_failure(&actions) {
                    Some(failure) => {
                        let state = self.whose_fault(&run, &failure.verdict).await?;
                        (state, failure.summary(state), failure.log.unwrap_or(page))
                    }
                    // Nothing ran and failed, as far as anybody can see.
                    None => (RunState::Broken, words, page),
                }
            }
            _ => (state, words, page),
        };
        let summary = sdk::shortened(&summary, LONGEST_SUMMARY);
        info!(
            pipeline = run.pipeline,
            execution = run.execution_id,
            ?state,
            summary,
            "pipeline checked"
        );
        Ok(Progress { state, summary, url })
    }
}

/// What CodePipeline shows of an execution.
enum Seen {
    Execution {
        status: PipelineExecutionStatus,
        /// Why it has this status, where CodePipeline says so.
        summary: Option<String>,
    },
    Nothing,
    NoPipeline,
}

impl CheckPipeline {
    async fn execution(&self, run: &Run) -> Result<Seen, Failure<CheckPipelineError>> {
        let answer = self
            .pipelines
            .get_pipeline_execution()
            .pipeline_name(&run.pipeline)
            .pipeline_execution_id(&run.execution_id)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .pipeline_execution
                .and_then(|execution| {
                    let summary = execution.status_summary.filter(|summary| !summary.trim().is_empty());
                    execution.status.map(|status| Seen::Execution { status, summary })
                })
                .unwrap_or(Seen::Nothing)),
            Err(error) => match error.as_service_error() {
                Some(GetPipelineExecutionError::PipelineExecutionNotFoundException(_)) => Ok(Seen::Nothing),
                Some(GetPipelineExecutionError::PipelineNotFoundException(_)) => Ok(Seen::NoPipeline),
                _ => Err(unavailable(run, sdk::words(&error))),
            },
        }
    }

    async fn actions(&self, run: &Run) -> Result<Vec<ActionExecutionDetail>, Failure<CheckPipelineError>> {
        let actions = executions::actions(&self.pipelines, run).await;
        actions.map_err(|words| unavailable(run, words))
    }

    /// What a failed action says; of a build CodeBuild is asked. One that CodeBuild does not know has not run.
    async fn whose_fault(&self, run: &Run, verdict: &Verdict) -> Result<RunState, Failure<CheckPipelineError>> {
        let id = match verdict {
            Verdict::Is(state) => return Ok(*state),
            Verdict::AskCodeBuild(id) => id,
        };
        let answer = self.builds.batch_get_builds().ids(id).send().await;
        let answer = answer.map_err(|error| unavailable(run, sdk::words(&error)))?;
        let state = answer.builds().first().map(verdict::of_build);
        Ok(state.unwrap_or(RunState::Broken))
    }
}

impl From<RecordsError> for Failure<CheckPipelineError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => CheckPipelineError::Superseded,
            RecordsError::Unavailable(_) => CheckPipelineError::Unavailable,
        };
        Self::new(name, error)
    }
}

fn unavailable(run: &Run, words: String) -> Failure<CheckPipelineError> {
    let message = format!(
        "the execution {} of {} is not shown: {words}",
        run.execution_id, run.pipeline
    );
    Failure::new(CheckPipelineError::Unavailable, message)
}

/// What a status means, see
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html>.
fn state_of(status: &PipelineExecutionStatus) -> RunState {
    use PipelineExecutionStatus as Status;
    match status {
        // One that is being stopped lets its action finish: until then nothing may take its place.
        Status::InProgress | Status::Stopping => RunState::Running,
        Status::Succeeded => RunState::Succeeded,
        Status::Failed => RunState::Failed,
        Status::Stopped | Status::Superseded | Status::Cancelled => RunState::Stopped,
        unknown => {
            // Whoever waits does so for a bounded time, and a state that is new to us may well be passing.
            warn!(
                status = unknown.as_str(),
                "unknown status of an execution, taken for running"
            );
            RunState::Running
        }
    }
}

fn words_of(status: &PipelineExecutionStatus) -> String {
    use PipelineExecutionStatus as Status;
    match status {
        Status::InProgress => "The pipeline is running.".to_owned(),
        Status::Stopping => "The pipeline is stopping.".to_owned(),
        Status::Succeeded => "Every stage succeeded.".to_owned(),
        Status::Failed => "The pipeline failed.".to_owned(),
        Status::Stopped => "The pipeline was stopped.".to_owned(),
        Status::Superseded => "A newer execution took its place.".to_owned(),
        Status::Cancelled => "The pipeline was changed while it ran.".to_owned(),
        unknown => format!("The pipeline is {}.", unknown.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_that_codepipeline_has_is_mapped() {
        let expected = |status: &str| match status {
            "InProgress" | "Stopping" => RunState::Running,
            "Succeeded" => RunState::Succeeded,
            "Failed" => RunState::Failed,
            "Stopped" | "Superseded" | "Cancelled" => RunState::Stopped,
            new => panic!("{new} is new: say what it means"),
        };
        for status in PipelineExecutionStatus::values() {
            assert_eq!(
                state_of(&PipelineExecutionStatus::from(*status)),
                expected(status),
                "{status}"
            );
        }
    }

    #[test]
    fn a_status_that_is_not_known_yet_is_waited_for() {
        assert_eq!(state_of(&PipelineExecutionStatus::from("Resting")), RunState::Running);
    }
}
