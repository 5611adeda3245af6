//! Leave for API Gateway to write access logs. There is one such setting an account and region.
//!
//! Without it a stage with an access log cannot be created. Where somebody else manages the setting, the project says so;
//! it is kept when the stack goes, since other APIs of the account may rely on it by then.

use synth::actions::Logs;
use synth::apigateway;
use synth::iam::{Grant, Role};
use synth::{DeletionPolicy, Handle, Stack};

use super::Resources;

/// Adds the setting, unless the project says that somebody else manages it.
pub(super) fn add(stack: &mut Stack, resources: &Resources<'_>) -> Option<Handle<apigateway::Account>> {
    if !resources.project.webhook.manage_account_logs {
        return None;
    }
    let actions = [
        Logs::CreateLogGroup,
        Logs::CreateLogStream,
        Logs::DescribeLogGroups,
        Logs::DescribeLogStreams,
        Logs::FilterLogEvents,
        Logs::GetLogEvents,
        Logs::PutLogEvents,
    ];
    let role = Role::assumed_by("apigateway.amazonaws.com")
        .name(resources.names.shared("access-logs"))
        .allow(Grant::on_any_resource(
            actions,
            "the setting is the account's: every API writes its log with this role",
        ));
    let role = stack.add("AccessLogsRole", role);
    let account = stack.add(
        "AccessLogs",
        apigateway::Account::new().cloud_watch_role_arn(role.arn()),
    );
    stack.configure(role).deletion_policy(DeletionPolicy::Retain);
    stack.configure(account).deletion_policy(DeletionPolicy::Retain);
    Some(account)
}
