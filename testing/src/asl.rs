//! State machine definitions, judged by asl-validator (structure, paths, ARNs), by the JSONata reference parser (every expression) and
//! by a walk along the transitions, which asl-validator only compares by name.
//!
//! The definition must be a finished one: intrinsic functions of a template around it are not resolved here. Never runs a machine.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use crate::{Error, Finding, Level, tools};

/// Validates all definitions in one process. Findings carry asl-validator's error codes, or `JSONATA_SYNTAX`, `JSONATA_BRACES`,
/// `JSONATA_EVAL` (Step Functions has no `$eval`), `NO_SUCH_TARGET`, `NOT_REACHABLE` and `NOT_JSON`. One fault can bring several findings.
///
/// # Errors
/// When Node or asl-validator cannot be had or run.
pub fn validate(paths: &[PathBuf]) -> Result<Vec<Finding>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        file: PathBuf,
        rule: String,
        path: String,
        message: String,
    }

    let modules = tools::node_modules()?;
    let mut command = tools::node()?;
    command.arg(tools::script("asl.cjs")).arg(modules);
    let answers: Vec<Answer> = tools::answer("asl-validator", &mut command, &json!({ "paths": paths }).to_string())?;
    let findings = answers.into_iter().map(|answer| Finding {
        rule: answer.rule,
        level: Level::Error,
        file: answer.file,
        path: answer.path,
        message: answer.message,
    });
    Ok(findings.collect())
}

#[cfg(test)]
mod tests;
