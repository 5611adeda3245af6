//! What a role may not do, in the words of a service that refused it.

use std::fmt;

/// A refusal for lack of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial<'a> {
    /// The resource of the stack that failed, by its logical id, where the words say it.
    pub resource: Option<&'a str>,
    /// The role's name.
    pub role: &'a str,
    /// The action, such as `sqs:CreateQueue`.
    pub action: &'a str,
}

impl<'a> Denial<'a> {
    /// Reads IAM's words, such as `User: arn:aws:sts::1:assumed-role/deployer/session is not authorized to perform: sqs:CreateQueue on
    /// resource: …`; see
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>. None if the words are about something else.
    #[must_use]
    pub fn read(words: &'a str) -> Option<Self> {
        let (before, after) = words.split_once(":assumed-role/")?;
        let (role, after) = after.split_once('/')?;
        let (_, after) = after.split_once(" is not authorized to perform: ")?;
        let action = after.split_whitespace().next()?;
        // CloudFormation's events say which resource it was: `Queue CREATE_FAILED: …`.
        let status = ["CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"];
        let named = status.iter().find_map(|status| before.split_once(status));
        let resource = named.and_then(|(before, _)| before.split_whitespace().last());
        Some(Self { resource, role, action })
    }
}

impl fmt::Display for Denial<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(resource) = self.resource {
            write!(formatter, "{resource}: ")?;
        }
        write!(formatter, "the role {} may not {}", self.role, self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those of <https://repost.aws/knowledge-center/cfn-resolve-missing-permissions> and
    /// <https://github.com/aws-solutions-library-samples/data-lakes-on-aws/issues/275>.
    #[test]
    fn a_refusal_names_the_resource_the_role_and_the_action() {
        let handler = "Stack x is in ROLLBACK_COMPLETE: Queue CREATE_FAILED: Resource handler returned message: \"User: \
                       arn:aws:sts::123456789012:assumed-role/x-pr-17-cloudformation/AWSCloudFormation is not authorized to perform: \
                       sqs:createqueue on resource: arn:aws:sqs:eu-west-1:123456789012:jobs because no identity-based policy allows the \
                       sqs:createqueue action (Service: Sqs, Status Code: 403)\"";
        let denial = Denial::read(handler).map(|denial| denial.to_string());
        assert_eq!(
            denial.as_deref(),
            Some("Queue: the role x-pr-17-cloudformation may not sqs:createqueue")
        );
        let bare = "User: arn:aws:sts::123456789012:assumed-role/builds/session is not authorized to perform: ec2:RunInstances";
        let denial = Denial::read(bare).map(|denial| denial.to_string());
        assert_eq!(denial.as_deref(), Some("the role builds may not ec2:RunInstances"));
        assert_eq!(Denial::read("Build terminated with state: FAILED"), None);
    }
}
