//! `start_pipeline`: an execution of a pipeline, pinned to the exact object version that was fetched.
//!
//! A start that is repeated is the same execution: CodePipeline knows it by its client token, in which the attempt is. An execution that nobody could
//! find again is never left running.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::start_pipeline_execution::StartPipelineExecutionError;
use aws_sdk_codepipeline::types::{PipelineVariable, SourceRevisionOverride, SourceRevisionType};
use contract::{PipelineKind, Run, Source, StartPipelineError, StartRequest, Target};
use sha2::{Digest, Sha256};
use stacks::names::Names;
use stacks::{Environment as Name, Project};
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError};
use crate::records::{Records, RecordsError};
use crate::{Failure, sdk};

/// The source action of every pipeline: the one whose object is pinned.
const SOURCE_ACTION: &str = "Fetch";
/// The variable of the unit-test pipeline.
const ENVIRONMENT: &str = "ENVIRONMENT";

/// Starts a pipeline on an exact object version.
#[derive(Debug)]
pub struct StartPipeline {
    records: Records,
    pipelines: Client,
    project: Project,
}

impl Function for StartPipeline {
    type Contract = contract::StartPipeline;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            records: Records::new(environment.aws(), environment.variable(contract::StartPipeline::TABLE)?),
            pipelines: Client::new(environment.aws()),
            project: environment.project(contract::StartPipeline::PROJECT)?,
        })
    }

    async fn call(&self, input: StartRequest, _: &Invocation) -> Result<Run, Failure<StartPipelineError>> {
        let StartRequest {
            target,
            kind,
            source,
            attempt,
        } = input;
        let pipeline = self.pipeline(&target, kind)?;
        self.records.require_current(&target).await?;
        let execution_id = self.start(&pipeline, &source, (&target, kind, attempt)).await?;
        let run = Run { pipeline, execution_id };
        if let Err(error) = self.records.add_run(&target, &run).await {
            // Whoever has superseded this execution has not seen the run, and so would not stop it.
            if matches!(error, RecordsError::Superseded { .. }) {
                self.stop(&run).await;
            }
            return Err(error.into());
        }
        info!(
            pipeline = run.pipeline,
            execution = run.execution_id,
            "pipeline started"
        );
        Ok(run)
    }
}

impl StartPipeline {
    /// The pipeline's name: all pull requests share the unit tests', each environment has its own for deployments.
    fn pipeline(&self, target: &Target, kind: PipelineKind) -> Result<String, Failure<StartPipelineError>> {
        let names = Names::of(&self.project);
        match kind {
            PipelineKind::UnitTest => Ok(names.shared("unit-test")),
            PipelineKind::Deploy => match target.environment.parse::<Name>() {
                Ok(environment) => Ok(names.environment(environment).deploy_pipeline()),
                Err(error) => Err(Failure::new(StartPipelineError::PipelineMissing, error)),
            },
        }
    }

    async fn start(
        &self,
        pipeline: &str,
        source: &Source,
        (target, kind, attempt): (&Target, PipelineKind, u64),
    ) -> Result<String, Failure<StartPipelineError>> {
        let mut request = self
            .pipelines
            .start_pipeline_execution()
            .name(pipeline)
            .client_request_token(client_token(target, kind, attempt))
            .source_revisions(pinned(SourceRevisionType::S3ObjectKey, &source.key)?)
            .source_revisions(pinned(SourceRevisionType::S3ObjectVersionId, &source.version_id)?);
        if kind == PipelineKind::UnitTest {
            let variable = PipelineVariable::builder().name(ENVIRONMENT).value(&target.environment);
            request = request.variables(variable.build().map_err(refused)?);
        }
        let answer = request.send().await.map_err(|error| {
            use StartPipelineExecutionError as Error;
            let error_name = match error.as_service_error() {
                Some(Error::PipelineNotFoundException(_)) => StartPipelineError::PipelineMissing,
                Some(Error::ConcurrentPipelineExecutionsLimitExceededException(_)) => StartPipelineError::LimitExceeded,
                _ => StartPipelineError::Unavailable,
            };
            let message = format!("the pipeline {pipeline} was not started: {}", sdk::words(&error));
            Failure::new(error_name, message)
        })?;
        answer.pipeline_execution_id.ok_or_else(|| {
            let message = format!("CodePipeline has started {pipeline} and named no execution");
            Failure::new(StartPipelineError::Unavailable, message)
        })
    }

    /// Lets the action at work finish and starts no other, as `stop_pipeline` does.
    async fn stop(&self, run: &Run) {
        let stopped = self
            .pipelines
            .stop_pipeline_execution()
            .pipeline_name(&run.pipeline)
            .pipeline_execution_id(&run.execution_id)
            .abandon(false)
            .reason("superseded while it was started")
            .send()
            .await;
        if let Err(error) = stopped {
            let error = sdk::words(&error);
            warn!(
                pipeline = run.pipeline,
                execution = run.execution_id,
                error,
                "a superseded execution was not stopped"
            );
        }
    }
}

impl From<RecordsError> for Failure<StartPipelineError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => StartPipelineError::Superseded,
            RecordsError::Unavailable(_) => StartPipelineError::Unavailable,
        };
        Self::new(name, error)
    }
}

fn pinned(kind: SourceRevisionType, value: &str) -> Result<SourceRevisionOverride, Failure<StartPipelineError>> {
    SourceRevisionOverride::builder()
        .action_name(SOURCE_ACTION)
        .revision_type(kind)
        .revision_value(value)
        .build()
        .map_err(refused)
}

fn refused(error: impl std::fmt::Display) -> Failure<StartPipelineError> {
    Failure::new(StartPipelineError::Unavailable, error)
}

/// What makes a repeated start the same execution: 64 of the 128 letters, digits and hyphens that a token may have.
///
/// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html>.
fn client_token(target: &Target, kind: PipelineKind, attempt: u64) -> String {
    let Target {
        repository,
        number,
        sha,
        environment,
        generation,
    } = target;
    let kind = match kind {
        PipelineKind::UnitTest => "unit-test",
        PipelineKind::Deploy => "deploy",
    };
    let text = format!("{repository}\n{number}\n{sha}\n{environment}\n{generation}\n{kind}\n{attempt}");
    sdk::hexadecimal(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            repository: "octo/app".to_owned(),
            number: 17,
            sha: "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned(),
            environment: "pr-17".to_owned(),
            generation: 3,
        }
    }

    #[test]
    fn a_token_is_of_what_codepipeline_allows() {
        let token = client_token(&target(), PipelineKind::Deploy, 0);
        assert!((1..=128).contains(&token.len()));
        assert!(
            token
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
        );
    }

    #[test]
    fn every_part_of_the_target_the_kind_and_the_attempt_make_another_token() {
        let token = client_token(&target(), PipelineKind::Deploy, 0);
        let others = [
            client_token(&target(), PipelineKind::UnitTest, 0),
            client_token(&target(), PipelineKind::Deploy, 1),
            client_token(
                &Target {
                    repository: "octo/web".to_owned(),
                    ..target()
                },
                PipelineKind::Deploy,
                0,
            ),
            client_token(&Target { number: 1, ..target() }, PipelineKind::Deploy, 0),
            client_token(
                &Target {
                    sha: "0".repeat(40),
                    ..target()
                },
                PipelineKind::Deploy,
                0,
            ),
            client_token(
                &Target {
                    environment: "stage".to_owned(),
                    ..target()
                },
                PipelineKind::Deploy,
                0,
            ),
            client_token(
                &Target {
                    generation: 4,
                    ..target()
                },
                PipelineKind::Deploy,
                0,
            ),
        ];
        for other in others {
            assert_ne!(other, token);
        }
    }
}
