//! Addresses of the AWS console, for people who want to see more than a line.

use crate::aws::SdkConfig;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::functions::StartError;
use crate::sdk;

/// The console of one region.
#[derive(Debug, Clone)]
pub struct Console {
    region: String,
}

impl Console {
    /// The console of the region that the functions run in.
    ///
    /// # Errors
    /// Where the region is not set.
    pub fn new(aws: &SdkConfig) -> Result<Self, StartError> {
        sdk::region(aws).map(|region| Self { region })
    }

    /// The page of an execution of a pipeline.
    pub fn execution(&self, pipeline: &str, execution: &str) -> String {
        let Self { region } = self;
        format!(
            "https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/{pipeline}/executions/{execution}/timeline?region={region}"
        )
    }

    /// The page with a stack's events.
    pub fn stack_events(&self, stack_id: &str) -> String {
        let Self { region } = self;
        let stack = utf8_percent_encode(stack_id, NON_ALPHANUMERIC);
        format!(
            "https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/events?stackId={stack}"
        )
    }
}
