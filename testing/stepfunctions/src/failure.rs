//! How states fail: the names of errors, AWS's wording of their causes, and which names `ErrorEquals` matches.

use serde_json::{Value, json};

use crate::event::Fault;

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
pub(crate) const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
pub(crate) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub(crate) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";

/// The failure of a state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) origin: Origin,
}

/// What a failure came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A task, a Fail state or a branch: the cause is told as it is.
    Told,
    /// A task that took too long, or was silent for too long.
    TimedOut { heartbeat: bool },
    /// The interpreter itself; the cause is led in by where it happened.
    Interpreter,
    /// An expression in the field at this location, of which the history has an event of its own.
    Expression { location: String },
}

impl Failure {
    pub(crate) fn told(fault: Fault) -> Self {
        Self {
            fault,
            origin: Origin::Told,
        }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self::named(RUNTIME, cause, Origin::Interpreter)
    }

    pub(crate) fn query(location: &str, cause: impl Into<String>) -> Self {
        let location = location.to_owned();
        Self::named(QUERY_EVALUATION_ERROR, cause, Origin::Expression { location })
    }

    pub(crate) fn timed_out(heartbeat: bool) -> Self {
        Self {
            fault: Fault {
                error: Some(TIMEOUT.to_owned()),
                cause: None,
            },
            origin: Origin::TimedOut { heartbeat },
        }
    }

    pub(crate) fn too_large(state: &str) -> Self {
        Self::named(
            DATA_LIMIT_EXCEEDED,
            format!(
                "The state/task '{state}' returned a result with a size exceeding the maximum number of bytes service limit."
            ),
            Origin::Told,
        )
    }

    pub(crate) fn named(error: &str, cause: impl Into<String>, origin: Origin) -> Self {
        Self {
            fault: Fault {
                error: Some(error.to_owned()),
                cause: Some(cause.into()),
            },
            origin,
        }
    }

    /// Says where it happened, once, if the interpreter is its origin.
    pub(crate) fn placed(mut self, state: &str, entered: u64) -> Self {
        if matches!(self.origin, Origin::Interpreter | Origin::Expression { .. })
            && let Some(cause) = &mut self.fault.cause
        {
            *cause = format!(
                "An error occurred while executing the state '{state}' (entered at the event id #{entered}). {cause}"
            );
        }
        self
    }

    /// As the failure of the Parallel or Map around it: the same error and cause, told by a branch.
    pub(crate) fn propagated(self) -> Self {
        match self.origin {
            Origin::TimedOut { .. } => self,
            _ => Self::told(self.fault),
        }
    }

    /// What a catcher passes on: a timeout has a cause, but an empty one.
    pub(crate) fn error_output(&self) -> Value {
        let cause = match (&self.fault.cause, &self.origin) {
            (None, Origin::TimedOut { .. }) => Value::from(""),
            (cause, _) => json!(cause),
        };
        json!({ "Error": self.fault.error, "Cause": cause })
    }

    /// Whether one of the names in `ErrorEquals` stands for this failure.
    pub(crate) fn matches(&self, names: &[String]) -> bool {
        let error = self.fault.error.as_deref();
        if error == Some(RUNTIME) {
            return false;
        }
        names.iter().any(|name| match name.as_str() {
            ALL => error != Some(DATA_LIMIT_EXCEEDED),
            TASK_FAILED => !matches!(error, Some(TIMEOUT | DATA_LIMIT_EXCEEDED)),
            HEARTBEAT_TIMEOUT => {
                self.origin == Origin::TimedOut { heartbeat: true } || error == Some(HEARTBEAT_TIMEOUT)
            }
            name => error == Some(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(error: Option<&str>) -> Failure {
        Failure::told(Fault {
            error: error.map(str::to_owned),
            cause: None,
        })
    }

    fn matched(failure: &Failure, name: &str) -> bool {
        failure.matches(&[name.to_owned()])
    }

    #[test]
    fn the_wildcards_match_what_the_documentation_says() {
        for (error, all, task_failed) in [
            (Some("Anything"), true, true),
            (Some("States.Permissions"), true, true),
            (Some(TIMEOUT), true, false),
            (Some(RUNTIME), false, false),
            (Some(DATA_LIMIT_EXCEEDED), false, false),
            (None, true, true),
        ] {
            assert_eq!(matched(&failing(error), ALL), all, "{error:?}");
            assert_eq!(matched(&failing(error), TASK_FAILED), task_failed, "{error:?}");
        }
    }

    #[test]
    fn a_missing_heartbeat_has_two_names_and_a_plain_timeout_one() {
        assert!(matched(&Failure::timed_out(true), HEARTBEAT_TIMEOUT));
        assert!(matched(&Failure::timed_out(true), TIMEOUT));
        assert!(!matched(&Failure::timed_out(false), HEARTBEAT_TIMEOUT));
    }

    #[test]
    fn runtime_errors_are_caught_by_no_name_and_a_wrong_name_matches_nothing() {
        assert!(!matched(&failing(Some(RUNTIME)), RUNTIME));
        assert!(matched(&failing(Some(DATA_LIMIT_EXCEEDED)), DATA_LIMIT_EXCEEDED));
        assert!(!matched(&failing(Some("Anything")), "State.ALL"));
    }
}
