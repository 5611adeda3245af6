//! What the actions of a pipeline's execution are at, for whoever looks at one or stops it.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::list_action_executions::ListActionExecutionsError;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionFilter};
use contract::Run;

use crate::sdk;

/// All actions of an execution that have begun, from every page; none if there is no such execution.
///
/// # Errors
/// Where CodePipeline does not show them, and why.
pub(super) async fn actions(pipelines: &Client, run: &Run) -> Result<Vec<ActionExecutionDetail>, String> {
    let filter = ActionExecutionFilter::builder().pipeline_execution_id(&run.execution_id);
    let mut pages = pipelines
        .list_action_executions()
        .pipeline_name(&run.pipeline)
        .filter(filter.build())
        .into_paginator()
        .items()
        .send();
    let mut actions = Vec::new();
    while let Some(action) = pages.next().await {
        match action {
            Ok(action) => actions.push(action),
            Err(error) => match error.as_service_error() {
                Some(
                    ListActionExecutionsError::PipelineExecutionNotFoundException(_)
                    | ListActionExecutionsError::PipelineNotFoundException(_),
                ) => break,
                _ => return Err(sdk::words(&error)),
            },
        }
    }
    Ok(actions)
}

/// Who does the work of an action, such as `CodeBuild`.
pub(super) fn provider(action: &ActionExecutionDetail) -> Option<&str> {
    let input = action.input()?;
    input.action_type_id().map(|kind| kind.provider())
}

/// The id of the build that an action has started, `project:uuid`; none if it is no build, or if CodeBuild has not taken it.
///
/// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecutionResult.html>.
pub(super) fn build(action: &ActionExecutionDetail) -> Option<&str> {
    if provider(action)? != "CodeBuild" {
        return None;
    }
    let result = action.output()?.execution_result()?;
    result.external_execution_id().filter(|id| !id.is_empty())
}
