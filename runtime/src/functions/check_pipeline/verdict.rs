//! Whose fault a failure is: only what ran and failed says something of the commit.
//!
//! CodePipeline calls everything a failed action: tests that fail, a build that CodeBuild would not start, a source that is not there.
//! Its codes do not tell them apart (a refused start is a `JobFailed` too), so of a build CodeBuild is asked, see [`of_build`]; of the
//! rest the error that a service answered with is read, see [`of_refusal`].
//!
//! | what | says | state |
//! |---|---|---|
//! | a command of the commit's own phases failed or took too long | the commit | [`Failed`](RunState::Failed) |
//! | CodeBuild refused to start, gave the build up in its queue, or was out of order | the account, now | [`Refused`](RunState::Refused) |
//! | an image, a right, the source or a tool is missing | the pipeline | [`Broken`](RunState::Broken) |
//! | a stack was rolled back since AWS was asked too often | the account, then | [`Stopped`](RunState::Stopped) |
//! | somebody stopped the build | nobody | [`Stopped`](RunState::Stopped) |

use aws_sdk_codebuild::types::{Build, BuildPhase, BuildPhaseType, StatusType};
use aws_sdk_codepipeline::types::{ActionCategory, ActionExecutionDetail};
use contract::RunState;

use crate::cloudformation;
use crate::functions::executions::{build, provider};

/// The phases whose commands are for the commit. What `INSTALL` runs comes from the deployed configuration alone.
const COMMITS_OWN: [BuildPhaseType; 3] = [
    BuildPhaseType::PreBuild,
    BuildPhaseType::Build,
    BuildPhaseType::PostBuild,
];

/// What CodePipeline says before the words of a CodeBuild that does not take a build, see
/// <https://github.com/aws/aws-cdk/issues/27335>.
const START_REFUSED: &str = "Error calling startBuild";

/// Codes of errors that pass by themselves: limits that others use up now, and services that are out of order. Those of throttling
/// are <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>, the account's limit is
/// <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html>.
const PASSING: [&str; 18] = [
    "AccountLimitExceededException",
    "BandwidthLimitExceeded",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ServiceUnavailable",
    "SlowDown",
    "SystemUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// The words of such errors, where no code stands beside them; those of throttling are [`cloudformation::is_throttled`]'s.
const PASSING_WORDS: [&str; 3] = [
    "builds in queue for the account",
    "active builds for the account",
    "try again later",
];

/// What a failed action says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// CodeBuild knows it, of the build with this id.
    AskCodeBuild(String),
    /// This.
    Is(RunState),
}

/// What a failed action says, with CodePipeline's code and words for it.
pub(super) fn of_action(action: &ActionExecutionDetail, code: Option<&str>, words: &str) -> Verdict {
    if let Some(id) = build(action) {
        return Verdict::AskCodeBuild(id.to_owned());
    }
    let kind = action.input().and_then(|input| input.action_type_id());
    let source = kind.is_some_and(|kind| *kind.category() == ActionCategory::Source);
    let never_ran = source || provider(action) == Some("CodeBuild") || words.starts_with(START_REFUSED);
    Verdict::Is(match code {
        _ if never_ran => of_refusal(code, words),
        // A stack that was rolled back must be cleared away before it can be tried again, which the next execution does.
        _ if words.contains("ROLLBACK") && is_passing(None, words) => RunState::Stopped,
        // What CloudFormation made of the template, and a file that the build was to hand on.
        Some("JobFailed" | "ConfigurationError") if !is_passing(None, words) => RunState::Failed,
        _ => of_refusal(code, words),
    })
}

/// Whether what was never carried out may be later.
fn of_refusal(code: Option<&str>, words: &str) -> RunState {
    if is_passing(code, words) {
        RunState::Refused
    } else {
        RunState::Broken
    }
}

/// What became of a build.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html>.
pub(super) fn of_build(build: &Build) -> RunState {
    let bad = build.phases().iter().find(|phase| is_bad(phase));
    let phase = bad.and_then(|phase| phase.phase_type());
    let own = phase.is_some_and(|phase| COMMITS_OWN.contains(phase));
    match build.build_status() {
        Some(StatusType::Stopped) => RunState::Stopped,
        Some(StatusType::Failed | StatusType::TimedOut) if own => RunState::Failed,
        // An artifact that the commit's commands have not made: after them nothing else is looked for.
        Some(StatusType::Failed)
            if phase == Some(&BuildPhaseType::UploadArtifacts) && bad.is_some_and(finds_nothing) =>
        {
            RunState::Failed
        }
        Some(StatusType::Fault) => RunState::Refused,
        Some(StatusType::TimedOut) => RunState::Refused,
        _ => match bad {
            Some(bad)
                if bad
                    .contexts()
                    .iter()
                    .any(|context| is_passing(context.status_code(), context.message().unwrap_or_default())) =>
            {
                RunState::Refused
            }
            _ => RunState::Broken,
        },
    }
}

fn is_bad(phase: &BuildPhase) -> bool {
    let status = phase.phase_status();
    status.is_some_and(|status| !matches!(status, StatusType::Succeeded | StatusType::InProgress))
}

/// CodeBuild's words for artifacts of which there are none, see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html>.
fn finds_nothing(phase: &BuildPhase) -> bool {
    let mut contexts = phase.contexts().iter();
    contexts.any(|context| {
        let words = context.message().unwrap_or_default().to_ascii_lowercase();
        words.contains("no matching")
    })
}

/// Whether an error passes by itself: by its code, by the code within its words (`… Error Code: Throttling; …`), or by the words.
fn is_passing(code: Option<&str>, words: &str) -> bool {
    let within = words.split("Error Code: ").nth(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
        end.map_or(rest, |end| &rest[..end])
    });
    let unavailable = words
        .split("Status Code: ")
        .nth(1)
        .is_some_and(|rest| rest.starts_with('5'));
    let lower = words.to_ascii_lowercase();
    unavailable
        || cloudformation::is_throttled(words)
        || [code, within].into_iter().flatten().any(|code| PASSING.contains(&code))
        || PASSING_WORDS.iter().any(|passing| lower.contains(passing))
}

#[cfg(test)]
mod tests {
    use aws_sdk_codebuild::types::PhaseContext;
    use aws_sdk_codepipeline::types::{
        ActionExecutionInput, ActionExecutionOutput, ActionExecutionResult, ActionOwner, ActionTypeId,
    };

    use super::*;

    /// <https://github.com/aws/aws-cdk/issues/27335>
    const AT_THE_LIMIT: &str = "Error calling startBuild: Cannot have more than 10 builds in queue for the account (Service: \
        AWSCodeBuild; Status Code: 400; Error Code: AccountLimitExceededException; Proxy: null)";

    fn action(category: ActionCategory, provider: &str, build: Option<&str>) -> ActionExecutionDetail {
        let kind = ActionTypeId::builder()
            .category(category)
            .owner(ActionOwner::Aws)
            .provider(provider)
            .version("1");
        let kind = kind.build().ok();
        let result = ActionExecutionResult::builder().set_external_execution_id(build.map(str::to_owned));
        ActionExecutionDetail::builder()
            .input(ActionExecutionInput::builder().set_action_type_id(kind).build())
            .output(
                ActionExecutionOutput::builder()
                    .execution_result(result.build())
                    .build(),
            )
            .build()
    }

    fn build(status: StatusType, phase: BuildPhaseType, phase_status: StatusType, code: &str, words: &str) -> Build {
        let context = PhaseContext::builder().status_code(code).message(words).build();
        let passed = BuildPhase::builder()
            .phase_type(BuildPhaseType::Submitted)
            .phase_status(StatusType::Succeeded);
        let bad = BuildPhase::builder()
            .phase_type(phase)
            .phase_status(phase_status)
            .contexts(context);
        Build::builder()
            .build_status(status)
            .phases(passed.build())
            .phases(bad.build())
            .phases(BuildPhase::builder().phase_type(BuildPhaseType::Completed).build())
            .build()
    }

    #[test]
    fn a_build_that_was_never_started_is_no_failure_whatever_the_code() {
        let refused = action(ActionCategory::Test, "CodeBuild", None);
        for code in [None, Some("JobFailed"), Some("ConfigurationError"), Some("ActionError")] {
            assert_eq!(
                of_action(&refused, code, AT_THE_LIMIT),
                Verdict::Is(RunState::Refused),
                "{code:?}"
            );
            let denied = "Error calling startBuild: User: arn is not authorized to perform: codebuild:StartBuild";
            assert_eq!(
                of_action(&refused, code, denied),
                Verdict::Is(RunState::Broken),
                "{code:?}"
            );
            assert_eq!(of_action(&refused, code, ""), Verdict::Is(RunState::Broken), "{code:?}");
        }
        assert_eq!(
            of_action(&refused, Some("SystemUnavailable"), ""),
            Verdict::Is(RunState::Refused)
        );
        let unknown = ActionExecutionDetail::builder().build();
        assert_eq!(
            of_action(&unknown, Some("JobFailed"), AT_THE_LIMIT),
            Verdict::Is(RunState::Refused)
        );
    }

    #[test]
    fn a_build_that_was_started_is_asked_for() {
        let started = action(ActionCategory::Test, "CodeBuild", Some("tests:1"));
        assert_eq!(
            of_action(&started, Some("JobFailed"), "Build terminated with state: FAILED"),
            Verdict::AskCodeBuild("tests:1".to_owned())
        );
    }

    #[test]
    fn a_failed_source_is_no_failure_of_the_commit() {
        let source = action(ActionCategory::Source, "S3", None);
        for (words, state) in [
            (
                "The provided role does not have sufficient permissions to access Amazon S3",
                RunState::Broken,
            ),
            ("The object with key 'source/x.zip' does not exist", RunState::Broken),
            (
                "Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: SlowDown)",
                RunState::Refused,
            ),
        ] {
            for code in [Some("JobFailed"), Some("ConfigurationError"), Some("PermissionError")] {
                assert_eq!(of_action(&source, code, words), Verdict::Is(state), "{words}");
            }
        }
    }

    #[test]
    fn what_cloudformation_makes_of_a_template_is_the_commits_and_a_missing_right_is_not() {
        let deploy = action(ActionCategory::Deploy, "CloudFormation", None);
        for (code, words, state) in [
            (
                "JobFailed",
                "Stack is in the status ROLLBACK_COMPLETE",
                RunState::Failed,
            ),
            (
                "ConfigurationError",
                "The file out/app.json is not in the artifact Packaged",
                RunState::Failed,
            ),
            (
                "PermissionError",
                "not authorized to perform: cloudformation:CreateChangeSet",
                RunState::Broken,
            ),
            (
                "JobFailed",
                "Stack x-pr-17-app is in ROLLBACK_COMPLETE: Api CREATE_FAILED: Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: 9649383f)",
                RunState::Stopped,
            ),
            (
                "JobFailed",
                "Stack x-pr-17-app is in ROLLBACK_COMPLETE: Pool CREATE_FAILED: Internal error (Service: CognitoIdp, Status Code: 503, Request ID: 9649383f)",
                RunState::Stopped,
            ),
            (
                "JobFailed",
                "Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: 9649383f)",
                RunState::Refused,
            ),
            (
                "JobFailed",
                "Rate exceeded (Service: AmazonCloudFormation; Status Code: 400; Error Code: Throttling)",
                RunState::Refused,
            ),
        ] {
            assert_eq!(of_action(&deploy, Some(code), words), Verdict::Is(state), "{words}");
        }
    }

    #[test]
    fn only_the_commits_own_phases_fail_it() {
        use BuildPhaseType as Phase;
        use StatusType::{Failed, Fault, Stopped, Succeeded, TimedOut};
        let command = (
            "COMMAND_EXECUTION_ERROR",
            "Error while executing command: make. Reason: exit status 1",
        );
        let cases = [
            (Failed, Phase::PreBuild, Failed, command, RunState::Failed),
            (Failed, Phase::Build, Failed, command, RunState::Failed),
            (Failed, Phase::PostBuild, Failed, command, RunState::Failed),
            (
                TimedOut,
                Phase::Build,
                TimedOut,
                ("BUILD_TIMED_OUT", "Build has timed out."),
                RunState::Failed,
            ),
            (
                Failed,
                Phase::UploadArtifacts,
                Failed,
                ("CLIENT_ERROR", "no matching artifact paths found"),
                RunState::Failed,
            ),
            (
                Failed,
                Phase::UploadArtifacts,
                Failed,
                ("CLIENT_ERROR", "AccessDenied: Access Denied"),
                RunState::Broken,
            ),
            (Failed, Phase::Install, Failed, command, RunState::Broken),
            (
                Failed,
                Phase::DownloadSource,
                Failed,
                ("CLIENT_ERROR", "AccessDenied: Access Denied status code: 403"),
                RunState::Broken,
            ),
            (
                Failed,
                Phase::DownloadSource,
                Failed,
                ("YAML_FILE_ERROR", "This build image doesn't support java"),
                RunState::Broken,
            ),
            (
                Failed,
                Phase::Provisioning,
                Failed,
                (
                    "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
                    "Unable to pull customer's container image",
                ),
                RunState::Broken,
            ),
            (
                Failed,
                Phase::Provisioning,
                Failed,
                (
                    "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
                    "toomanyrequests: You have reached your pull rate limit",
                ),
                RunState::Refused,
            ),
            (TimedOut, Phase::Queued, TimedOut, ("", ""), RunState::Refused),
            (TimedOut, Phase::Provisioning, TimedOut, ("", ""), RunState::Refused),
            (
                Fault,
                Phase::Provisioning,
                Fault,
                ("INTERNAL_SERVICE_ERROR", ""),
                RunState::Refused,
            ),
            (
                Fault,
                Phase::Build,
                Fault,
                ("INTERNAL_SERVICE_ERROR", ""),
                RunState::Refused,
            ),
            (Stopped, Phase::Build, Stopped, ("", ""), RunState::Stopped),
            (Stopped, Phase::Queued, Stopped, ("", ""), RunState::Stopped),
            (Succeeded, Phase::Build, Succeeded, ("", ""), RunState::Broken),
        ];
        for (status, phase, phase_status, (code, words), state) in cases {
            let shown = build(status.clone(), phase.clone(), phase_status, code, words);
            assert_eq!(of_build(&shown), state, "{status:?} in {phase:?}: {words}");
        }
    }
}
