//! What the application's stack says of itself: its outputs, and with them the environment's address.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata};
use contract::ReportError;
use stacks::names::Names;

use super::Work;
use crate::Failure;
use crate::comment::{self, one_line};

/// The most outputs that are remembered, and the most characters of one.
const OUTPUTS: usize = 20;
const OUTPUT: usize = 1_000;

impl Work<'_> {
    /// Reads what the application's stack says of itself, now that it is deployed.
    pub(super) async fn read_outputs(&mut self) -> Result<(), Failure<ReportError>> {
        let name = &self.request.target.environment;
        let rejected = |fault| Failure::new(ReportError::ReportRejected, fault);
        let environment = name
            .parse::<stacks::Environment>()
            .map_err(|fault| rejected(fault.to_string()))?;
        let stack = Names::of(&self.report.project).environment(environment).app_stack();
        let described = self
            .report
            .cloudformation
            .describe_stacks()
            .stack_name(&stack)
            .send()
            .await;
        let outputs = match described {
            Ok(described) => described.stacks.unwrap_or_default(),
            // Somebody has deleted it meanwhile: then it has no address.
            Err(fault) if fault.code() == Some("ValidationError") => Vec::new(),
            Err(fault) => {
                let words = format!("the stack {stack} is out of reach: {}", DisplayErrorContext(&fault));
                return Err(Failure::new(ReportError::Unavailable, words));
            }
        };
        let mut outputs: BTreeMap<_, _> = outputs
            .into_iter()
            .flat_map(|stack| stack.outputs.unwrap_or_default())
            .filter_map(|output| Some((output.output_key?, one_line(&output.output_value?, OUTPUT))))
            .collect();
        while outputs.len() > OUTPUTS {
            let last = outputs.keys().rfind(|name| *name != comment::URL).cloned();
            last.and_then(|last| outputs.remove(&last));
        }
        self.memory.outputs.insert(name.clone(), outputs);
        Ok(())
    }
}
