//! Which event made a change of a stack fail: the first failure, not what CloudFormation cancelled because of it.

use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent};

/// Whether the event begins a change of its stack: what is older belongs to earlier ones.
pub(super) fn begins_change(event: &StackEvent) -> bool {
    let begins = matches!(
        event.resource_status(),
        Some(ResourceStatus::CreateInProgress | ResourceStatus::UpdateInProgress | ResourceStatus::ImportInProgress)
    ) || event.resource_status().map(ResourceStatus::as_str) == Some("REVIEW_IN_PROGRESS");
    begins && is_the_stack(event)
}

/// The first failure of the last change, from events that are newest first.
pub(super) fn of(events: &[StackEvent]) -> Option<String> {
    let end = events
        .iter()
        .position(begins_change)
        .map_or(events.len(), |begin| begin + 1);
    let change = &events[..end];
    let failures = || change.iter().rev().filter(|event| is_failure(event));
    let cause = failures()
        .find(|event| !is_the_stack(event) && !is_consequence(event))
        // A stack may fail without any of its resources, such as for a role that cannot be assumed.
        .or_else(|| failures().find(|event| !is_consequence(event)))
        .or_else(|| failures().next())
        .or_else(|| change.iter().rev().find(|event| goes_back(event)))?;
    let reason = cause.resource_status_reason().unwrap_or("CloudFormation says no more");
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(match (cause.logical_resource_id(), cause.resource_type()) {
        (Some(id), Some(kind)) if !is_the_stack(cause) => format!("{id} ({kind}): {reason}"),
        _ => reason,
    })
}

fn is_the_stack(event: &StackEvent) -> bool {
    event.resource_type() == Some("AWS::CloudFormation::Stack")
        && event.physical_resource_id().is_some()
        && event.physical_resource_id() == event.stack_id()
}

fn is_failure(event: &StackEvent) -> bool {
    event
        .resource_status()
        .is_some_and(|status| status.as_str().ends_with("_FAILED"))
}

/// The stack turned round without a resource that failed; the reason says why.
fn goes_back(event: &StackEvent) -> bool {
    let back = matches!(
        event.resource_status(),
        Some(ResourceStatus::RollbackInProgress | ResourceStatus::UpdateRollbackInProgress)
    );
    back && event.resource_status_reason().is_some()
}

/// `Resource creation cancelled` and its like: what was under way when something else had failed.
fn is_consequence(event: &StackEvent) -> bool {
    let reason = event.resource_status_reason().unwrap_or_default().to_ascii_lowercase();
    reason.starts_with("resource") && (reason.contains("cancelled") || reason.contains("canceled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/thebestest-deploy-pr-17/1";

    fn event(id: &str, status: &str, reason: Option<&str>) -> StackEvent {
        StackEvent::builder()
            .stack_id(STACK)
            .logical_resource_id(id)
            .physical_resource_id(format!("physical-{id}"))
            .resource_type("AWS::IAM::Role")
            .resource_status(ResourceStatus::from(status))
            .set_resource_status_reason(reason.map(str::to_owned))
            .build()
    }

    fn of_stack(status: &str, reason: Option<&str>) -> StackEvent {
        let mut event = event("thebestest-deploy-pr-17", status, reason);
        event.physical_resource_id = Some(STACK.to_owned());
        event.resource_type = Some("AWS::CloudFormation::Stack".to_owned());
        event
    }

    fn newest_first(mut events: Vec<StackEvent>) -> Vec<StackEvent> {
        events.reverse();
        events
    }

    #[test]
    fn the_first_failure_is_named_and_not_what_was_cancelled_because_of_it() {
        let events = newest_first(vec![
            of_stack("CREATE_IN_PROGRESS", Some("User Initiated")),
            event("PackageRole", "CREATE_FAILED", Some("Resource creation cancelled")),
            event(
                "PipelineRole",
                "CREATE_FAILED",
                Some("Role with name x already exists.\n(Service: Iam)"),
            ),
            event("Package", "CREATE_FAILED", Some("Resource creation Cancelled")),
            of_stack(
                "ROLLBACK_IN_PROGRESS",
                Some("The following resource(s) failed to create: [PipelineRole, Package]."),
            ),
            event("Boundary", "DELETE_FAILED", Some("cannot be deleted")),
            of_stack(
                "ROLLBACK_FAILED",
                Some("The following resource(s) failed to delete: [Boundary]."),
            ),
        ]);
        assert_eq!(
            of(&events).as_deref(),
            Some("PipelineRole (AWS::IAM::Role): Role with name x already exists. (Service: Iam)")
        );
    }

    #[test]
    fn failures_of_earlier_changes_are_none_of_this_one() {
        let events = newest_first(vec![
            of_stack("UPDATE_IN_PROGRESS", Some("User Initiated")),
            event("Pipeline", "UPDATE_FAILED", Some("an older failure")),
            of_stack("UPDATE_ROLLBACK_COMPLETE", None),
            of_stack("UPDATE_IN_PROGRESS", Some("User Initiated")),
            event("Package", "UPDATE_FAILED", Some("the cause")),
            of_stack("UPDATE_ROLLBACK_COMPLETE", None),
        ]);
        assert_eq!(of(&events).as_deref(), Some("Package (AWS::IAM::Role): the cause"));
    }

    #[test]
    fn a_stack_that_failed_by_itself_gives_its_own_reason() {
        let role = "Role arn:aws:iam::123456789012:role/stacks is invalid or cannot be assumed";
        let events = newest_first(vec![
            of_stack("UPDATE_IN_PROGRESS", Some("User Initiated")),
            of_stack("UPDATE_ROLLBACK_IN_PROGRESS", Some(role)),
            of_stack("UPDATE_ROLLBACK_COMPLETE", None),
        ]);
        assert_eq!(of(&events).as_deref(), Some(role));
    }

    #[test]
    fn without_a_failure_there_is_no_cause() {
        let events = newest_first(vec![
            of_stack("UPDATE_IN_PROGRESS", None),
            event("Package", "UPDATE_COMPLETE", None),
        ]);
        assert_eq!(of(&events), None);
    }
}
