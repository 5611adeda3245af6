//! The resources of stacks that failed: what each failure means, and what a stack may leave behind to get out of it.
//!
//! CloudFormation tells kinds of failures apart only in words; they are read here and nowhere else. Which words there are is known
//! from AWS's documentation and from public reports, whose addresses stand with each.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ResourceStatus, StackResourceSummary};

use super::Refusal;

/// What a nested stack is to the stack that it is in.
const STACK: &str = "AWS::CloudFormation::Stack";

/// All resources of a stack, as they are now; of one that was deleted if it is named by its id, for 90 days.
///
/// # Errors
/// As [`Refusal`]; a stack that is not there has no resources.
pub async fn resources(client: &Client, stack: &str) -> Result<Vec<StackResourceSummary>, Refusal> {
    let mut items = client
        .list_stack_resources()
        .stack_name(stack)
        .into_paginator()
        .items()
        .send();
    let mut resources = Vec::new();
    while let Some(resource) = items.next().await {
        match resource.map_err(|error| Refusal::of(&error)) {
            Ok(resource) => resources.push(resource),
            Err(Refusal::Missing(_)) => break,
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(resources)
}

/// Whether a reason says that AWS was asked too often: that is weather, and no fault of the stack's.
///
/// Handlers pass the service's own words on: <https://github.com/aws/aws-cdk/issues/22229> and
/// <https://github.com/pulumi/pulumi-cdk/issues/277> have `Too Many Requests (Service: ApiGateway, Status Code: 429, …)`,
/// <https://github.com/aws/aws-cdk/issues/28965> has `Rate exceeded (Service: …, Status Code: 400, …)`.
pub fn is_throttled(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    [
        "too many requests",
        "toomanyrequests",
        "rate exceeded",
        "throttl",
        "status code: 429",
        "requestlimitexceeded",
        "slow down",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Whether a reason says that the function of a custom resource never answered: asked again, it costs the same wait once more.
///
/// <https://repost.aws/knowledge-center/cloudformation-stack-delete-failed> has the second wording.
pub fn never_answered(reason: &str) -> bool {
    reason.contains("did not receive a response from your Custom Resource")
        || reason.contains("failed to stabilize in expected time")
}

/// Whether leaving a resource of this type behind leaves nothing behind: all that a custom resource is to CloudFormation is its
/// function's answer, and a wait is over.
pub fn holds_nothing(kind: &str) -> bool {
    kind.starts_with("Custom::")
        || [
            "AWS::CloudFormation::CustomResource",
            "AWS::CloudFormation::WaitCondition",
            "AWS::CloudFormation::WaitConditionHandle",
        ]
        .contains(&kind)
}

/// The id of the stack that a resource is, if it is one.
pub fn nested(resource: &StackResourceSummary) -> Option<&str> {
    let is_stack = resource.resource_type() == Some(STACK);
    resource.physical_resource_id().filter(|id| is_stack && !id.is_empty())
}

/// Whether the last attempt to delete a resource failed.
pub fn failed_to_delete(resource: &StackResourceSummary) -> bool {
    resource.resource_status() == Some(&ResourceStatus::DeleteFailed)
}

/// The logical ids of what a stack's next deletion leaves out, after so many that failed.
///
/// Only what failed may be named, and only in the status `DELETE_FAILED`: "The specified resources to retain must be in a valid
/// state". Only what [holds nothing](holds_nothing) is: whatever else cannot be deleted is for a person. What never answered is
/// not asked a second time.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>.
pub fn to_retain(resources: &[StackResourceSummary], failed: usize) -> Vec<String> {
    resources
        .iter()
        .filter(|resource| failed_to_delete(resource) && holds_nothing(resource.resource_type().unwrap_or_default()))
        .filter(|resource| failed > 1 || never_answered(resource.resource_status_reason().unwrap_or_default()))
        .filter_map(|resource| resource.logical_resource_id().map(str::to_owned))
        .collect()
}

/// What can be done with a resource that kept a stack from going back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// It never answered, and would not the next time: it is skipped at once.
    AtOnce,
    /// Going back may succeed the next time. After that it may be skipped.
    Later,
}

/// Whether and when a resource may be left out of a rollback; none where nothing failed, or something else's failure ended it.
///
/// "You can specify only resources that are in the `UPDATE_FAILED` state because a rollback failed", not those whose update was
/// cancelled: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>.
pub fn to_skip(resource: &StackResourceSummary) -> Option<Skip> {
    let reason = resource.resource_status_reason().unwrap_or_default();
    let cancelled = ["cancelled", "canceled"].iter().any(|words| reason.contains(words));
    if resource.resource_status() != Some(&ResourceStatus::UpdateFailed) || cancelled {
        return None;
    }
    let gone = holds_nothing(resource.resource_type().unwrap_or_default()) && never_answered(reason);
    Some(if gone { Skip::AtOnce } else { Skip::Later })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(id: &str, kind: &str, status: ResourceStatus, reason: &str) -> StackResourceSummary {
        StackResourceSummary::builder()
            .logical_resource_id(id)
            .physical_resource_id(format!("physical-{id}"))
            .resource_type(kind)
            .resource_status(status)
            .resource_status_reason(reason)
            .build()
    }

    const SILENT: &str = "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [c718b62b-b361-4a4e-bbb8-6b4cbc41c08b]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.";
    const UNSTABLE: &str = "Custom Resource failed to stabilize in expected time. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.";

    #[test]
    fn the_words_of_every_public_report_of_a_throttle_are_weather() {
        for reason in [
            "Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: 9649383f-8ebe-4073-8cac-100df7a113cb)",
            "Resource handler returned message: \"Error occurred during operation 'AWS::ElasticLoadBalancingV2::ListenerRuleRate exceeded (Service: ElasticLoadBalancingV2, Status Code: 400, Request ID: 06e67a1b-0782-467f-ba16-5a3a00b14eac)'.\" (RequestToken: bdfbcf77-2cba-866f-1cf1-e3cd3289479f, HandlerErrorCode: GeneralServiceException)",
            "TooManyRequestsException, The request has reached its throttling limit. Retry after the specified time period.",
            "Rate exceeded (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException)",
            "Throttling: Rate exceeded",
        ] {
            assert!(is_throttled(reason), "{reason}");
        }
        for reason in [
            "",
            "The bucket you tried to delete is not empty",
            "The table has deletion protection",
            SILENT,
        ] {
            assert!(!is_throttled(reason), "{reason}");
        }
    }

    #[test]
    fn both_wordings_of_a_function_that_never_answers_are_known() {
        assert!(never_answered(SILENT) && never_answered(UNSTABLE));
        assert!(!never_answered(
            "Received response status [FAILED] from custom resource."
        ));
    }

    #[test]
    fn only_what_holds_nothing_is_left_out_of_a_deletion_and_what_never_answered_at_once() {
        let failed = ResourceStatus::DeleteFailed;
        let resources = [
            resource("Silent", "Custom::Seed", failed.clone(), SILENT),
            resource(
                "Unstable",
                "AWS::CloudFormation::CustomResource",
                failed.clone(),
                UNSTABLE,
            ),
            resource(
                "Refuses",
                "Custom::Other",
                failed.clone(),
                "Received response status [FAILED]",
            ),
            resource("Table", "AWS::DynamoDB::Table", failed, "deletion protection is on"),
            resource("Gone", "Custom::Gone", ResourceStatus::DeleteComplete, ""),
            resource("There", "Custom::There", ResourceStatus::CreateComplete, ""),
        ];
        assert_eq!(to_retain(&resources, 0), ["Silent", "Unstable"]);
        assert_eq!(to_retain(&resources, 1), ["Silent", "Unstable"]);
        assert_eq!(to_retain(&resources, 2), ["Silent", "Unstable", "Refuses"]);
    }

    #[test]
    fn only_what_failed_by_itself_is_left_out_of_a_rollback() {
        let skip = |kind, status, reason| to_skip(&resource("It", kind, status, reason));
        let failed = ResourceStatus::UpdateFailed;
        assert_eq!(skip("Custom::Seed", failed.clone(), SILENT), Some(Skip::AtOnce));
        assert_eq!(skip("Custom::Seed", failed.clone(), "it says no"), Some(Skip::Later));
        assert_eq!(
            skip("AWS::SNS::Topic", failed.clone(), "Rate exceeded"),
            Some(Skip::Later)
        );
        assert_eq!(skip("Custom::Seed", failed, "Resource update cancelled"), None);
        assert_eq!(skip("Custom::Seed", ResourceStatus::UpdateComplete, ""), None);
    }

    #[test]
    fn a_nested_stack_is_known_by_its_id() {
        let stack = resource("Inner", STACK, ResourceStatus::DeleteFailed, "");
        assert_eq!(nested(&stack), Some("physical-Inner"));
        assert_eq!(
            nested(&resource(
                "Topic",
                "AWS::SNS::Topic",
                ResourceStatus::CreateComplete,
                ""
            )),
            None
        );
    }
}
