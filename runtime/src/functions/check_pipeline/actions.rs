//! What the actions of an execution say: which is at work, and which failed first.
//!
//! The lists are in no order that is relied upon, and an action that was retried is in them once a try.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::primitives::DateTime;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionResult, ActionExecutionStatus};
use contract::RunState;
use stacks::project::Service;

use super::verdict::{self, Verdict};
use crate::cloudformation::Denial;

/// A failed action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActionFailure {
    /// The stage and the action.
    place: String,
    /// Why, if anybody says so.
    words: Option<String>,
    /// Whose fault it is.
    pub(super) verdict: Verdict,
    /// Where CodeBuild or CloudFormation shows more.
    pub(super) log: Option<String>,
}

/// The stages at work, for people; nothing while none is.
pub(super) fn at_work(actions: &[ActionExecutionDetail]) -> Option<String> {
    let mut running: Vec<&ActionExecutionDetail> = latest(actions)
        .into_iter()
        .filter(|action| action.status == Some(ActionExecutionStatus::InProgress))
        .collect();
    running.sort_by_key(|action| moment(action.start_time));
    let names: Vec<String> = running.into_iter().map(place).collect();
    (!names.is_empty()).then(|| format!("Running {}.", names.join(" and ")))
}

/// The action that failed first: what came after may only be its consequence.
pub(super) fn first_failure(actions: &[ActionExecutionDetail]) -> Option<ActionFailure> {
    let failed = latest(actions)
        .into_iter()
        .filter(|action| action.status == Some(ActionExecutionStatus::Failed))
        .min_by_key(|action| moment(action.last_update_time.or(action.start_time)))?;
    let result = failed
        .output
        .as_ref()
        .and_then(|output| output.execution_result.as_ref());
    let words = result.and_then(message);
    let code = result
        .and_then(|result| result.error_details())
        .and_then(|details| details.code());
    let verdict = verdict::of_action(failed, code, words.as_deref().unwrap_or_default());
    let log = result
        .and_then(|result| result.external_execution_url.clone())
        .filter(|url| url.starts_with("https://"));
    Some(ActionFailure {
        place: place(failed),
        words,
        verdict,
        log,
    })
}

impl ActionFailure {
    /// One line for people: what has failed, or what could not be carried out.
    pub(super) fn summary(&self, state: RunState) -> String {
        let place = &self.place;
        // What is lacking comes first: a status has no room for the rest.
        let words = self.words.as_deref();
        let denied = words.and_then(|words| {
            let denial = Denial::read(words)?;
            Some(format!("{denial}{}. {words}", advice(&denial)))
        });
        match (denied.as_deref().or(words), state) {
            (Some(words), RunState::Failed) => format!("{place} failed: {words}"),
            (None, RunState::Failed) => format!("{place} failed."),
            (Some(words), _) => format!("{place}: {words}"),
            (None, _) => format!("{place} has failed, and nothing says why."),
        }
    }
}

/// What lets the role of an environment do it, if the project may ask for that.
fn advice(denial: &Denial<'_>) -> String {
    let service = Service::of_action(denial.action).filter(|_| denial.role.ends_with("-cloudformation"));
    service.map_or_else(String::new, |service| {
        format!("; is {service} in application.services?")
    })
}

/// The last try of every action.
fn latest(actions: &[ActionExecutionDetail]) -> Vec<&ActionExecutionDetail> {
    let mut by_place: BTreeMap<(Option<&str>, Option<&str>), &ActionExecutionDetail> = BTreeMap::new();
    for action in actions {
        by_place
            .entry((action.stage_name(), action.action_name()))
            .and_modify(|kept| {
                if moment(action.start_time) > moment(kept.start_time) {
                    *kept = action;
                }
            })
            .or_insert(action);
    }
    by_place.into_values().collect()
}

fn place(action: &ActionExecutionDetail) -> String {
    let stage = action.stage_name().unwrap_or("a stage");
    let name = action.action_name().unwrap_or("an action");
    format!("{stage}/{name}")
}

/// The error's words, or else what the service that did the work said last.
fn message(result: &ActionExecutionResult) -> Option<String> {
    let error = result.error_details.as_ref().and_then(|details| {
        let message = details
            .message
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        message.or(details.code.as_deref())
    });
    error
        .or(result.external_execution_summary.as_deref())
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty())
}

fn moment(time: Option<DateTime>) -> Option<i128> {
    time.map(|time| time.as_nanos())
}

#[cfg(test)]
mod tests {
    use aws_sdk_codepipeline::types::{ActionExecutionOutput, ErrorDetails};

    use super::*;

    fn action(stage: &str, name: &str, status: ActionExecutionStatus, seconds: i64) -> ActionExecutionDetail {
        ActionExecutionDetail::builder()
            .stage_name(stage)
            .action_name(name)
            .status(status)
            .start_time(DateTime::from_secs(seconds))
            .last_update_time(DateTime::from_secs(seconds + 5))
            .build()
    }

    fn failed(stage: &str, name: &str, seconds: i64, result: ActionExecutionResult) -> ActionExecutionDetail {
        let mut action = action(stage, name, ActionExecutionStatus::Failed, seconds);
        action.output = Some(ActionExecutionOutput::builder().execution_result(result).build());
        action
    }

    fn saying(message: &str) -> ActionExecutionResult {
        let details = ErrorDetails::builder().code("JobFailed").message(message).build();
        ActionExecutionResult::builder().error_details(details).build()
    }

    fn told(actions: &[ActionExecutionDetail]) -> Option<String> {
        first_failure(actions).map(|failure| failure.summary(RunState::Failed))
    }

    #[test]
    fn the_failure_that_came_first_is_named_whatever_the_order_of_the_list() {
        let mut actions = vec![
            failed("Test", "Second", 50, saying("because of the first")),
            failed("Test", "First", 20, saying("the cause")),
            action("Source", "Fetch", ActionExecutionStatus::Succeeded, 10),
        ];
        for _ in 0..2 {
            let failure = told(&actions);
            assert_eq!(failure.as_deref(), Some("Test/First failed: the cause"));
            actions.reverse();
        }
    }

    #[test]
    fn a_failed_try_that_a_later_one_mended_is_no_failure() {
        let actions = [
            action("Deploy", "Execute", ActionExecutionStatus::InProgress, 90),
            failed("Deploy", "Execute", 20, saying("first try")),
        ];
        assert_eq!(first_failure(&actions), None);
        assert_eq!(at_work(&actions).as_deref(), Some("Running Deploy/Execute."));
    }

    #[test]
    fn the_link_is_the_builds_own_and_only_if_it_is_one() {
        let url = "https://console.aws.amazon.com/codebuild/home#/builds/x";
        let with = |url: &str| {
            let result = ActionExecutionResult::builder().external_execution_url(url).build();
            first_failure(&[failed("Test", "UnitTest", 1, result)]).and_then(|failure| failure.log)
        };
        assert_eq!(with(url).as_deref(), Some(url));
        assert_eq!(with(""), None);
        assert_eq!(with("javascript:alert(1)"), None);
    }

    #[test]
    fn without_an_error_the_services_own_summary_is_told_on_one_line() {
        let result = ActionExecutionResult::builder()
            .external_execution_summary("Build terminated\n  with state: FAILED")
            .build();
        let failure = told(&[failed("Test", "UnitTest", 1, result)]);
        assert_eq!(
            failure.as_deref(),
            Some("Test/UnitTest failed: Build terminated with state: FAILED")
        );
        let silent = failed("Test", "UnitTest", 1, ActionExecutionResult::builder().build());
        assert_eq!(told(&[silent]).as_deref(), Some("Test/UnitTest failed."));
    }

    #[test]
    fn a_service_that_the_project_does_not_list_is_asked_for() {
        let refused = |role: &str, action: &str| {
            let words = format!(
                "User: arn:aws:sts::1:assumed-role/{role}/s is not authorized to perform: {action} on resource: x"
            );
            told(&[failed("Deploy", "Execute", 1, saying(&words))]).expect("it failed")
        };
        let asked = refused("x-pr-17-cloudformation", "sqs:CreateQueue");
        assert!(
            asked.contains("the role x-pr-17-cloudformation may not sqs:CreateQueue; is sqs in application.services?"),
            "{asked}"
        );
        let states = refused("x-pr-17-cloudformation", "states:CreateStateMachine");
        assert!(states.contains("is stepfunctions in application.services?"), "{states}");
        for (role, action) in [
            ("x-pr-17-package", "s3:PutObject"),
            ("x-pr-17-cloudformation", "iam:CreateUser"),
        ] {
            let told = refused(role, action);
            assert!(!told.contains("application.services"), "{told}");
        }
    }

    #[test]
    fn nothing_is_at_work_between_two_stages() {
        assert_eq!(
            at_work(&[action("Source", "Fetch", ActionExecutionStatus::Succeeded, 1)]),
            None
        );
    }
}
