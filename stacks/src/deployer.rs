//! What whoever deploys the shared stacks must be allowed: a policy for a person or a build, attached by an administrator.
//!
//! It holds what the deployer itself asks for, and no more: a test compares it with the calls of a whole life. The resources are made by
//! CloudFormation with a service role (`<project>-cloudformation`) that only CloudFormation can take on.

use serde_json::{Value, json};
use synth::actions::{Cloudformation, Iam, Lambda, S3, Secretsmanager, Servicequotas};
use synth::{Action, Handler};

use crate::Project;
use crate::artifacts::{CODE, TEMPLATES};
use crate::names::Names;

/// Where the deployer keeps what a run leaves for the next one, in the artifacts bucket.
pub const MEMORY: &str = "deploy/state.json";

/// The name of the role that CloudFormation makes the shared stacks' resources with.
pub fn service_role(project: &Project) -> String {
    Names::of(project).shared("cloudformation")
}

/// The policy, as IAM takes it. The account is a pattern: a policy allows nothing outside its own account.
pub fn policy(project: &Project) -> Value {
    let names = Names::of(project);
    let region = project.region.name();
    let stacks = format!("arn:aws:cloudformation:{region}:*:stack/{}", names.shared("*/*"));
    let bucket = format!("arn:aws:s3:::{}-*-{region}", names.shared("artifacts"));
    let object = |key: &str| format!("{bucket}/{key}");
    let secret = |name: &str| format!("arn:aws:secretsmanager:{region}:*:secret:{}-??????", names.shared(name));
    let reconciler = format!(
        "arn:aws:lambda:{region}:*:function:{}",
        names.shared(contract::Reconcile::NAME)
    );
    let statements = [
        allow(
            "ChangeStacks",
            &[
                Cloudformation::ContinueUpdateRollback,
                Cloudformation::CreateChangeSet,
                Cloudformation::DeleteChangeSet,
                Cloudformation::DeleteStack,
                Cloudformation::DescribeChangeSet,
                Cloudformation::DescribeStackEvents,
                Cloudformation::DescribeStacks,
                Cloudformation::ExecuteChangeSet,
                Cloudformation::GetTemplate,
                Cloudformation::ListStackResources,
            ],
            &[stacks],
        ),
        allow(
            "FindEnvironments",
            &[Cloudformation::DescribeAccountLimits, Cloudformation::ListStacks],
            &["*".to_owned()],
        ),
        allow("FindSecrets", &[Secretsmanager::ListSecrets], &["*".to_owned()]),
        allow("CountRoles", &[Iam::GetAccountSummary], &["*".to_owned()]),
        allow("CountExecutions", &[Lambda::GetAccountSettings], &["*".to_owned()]),
        allow("CountBuilds", &[Servicequotas::ListServiceQuotas], &["*".to_owned()]),
        allow("Reconcile", &[Lambda::InvokeFunction], &[reconciler]),
        allow(
            "Upload",
            &[S3::GetObject, S3::PutObject],
            &[
                object(MEMORY),
                object(&format!("{CODE}*")),
                object(&format!("{TEMPLATES}*")),
            ],
        ),
        // Without it S3 does not say that something is not there.
        allow(
            "Look",
            &[S3::ListBucket, S3::ListBucketVersions],
            std::slice::from_ref(&bucket),
        ),
        allow("Empty", &[S3::DeleteObject, S3::DeleteObjectVersion], &[object("*")]),
        allow(
            "ReadSecrets",
            &[Secretsmanager::DescribeSecret, Secretsmanager::GetSecretValue],
            &[secret("github-credentials"), secret("webhook-secret")],
        ),
        allow(
            "SetCredentials",
            &[Secretsmanager::PutSecretValue],
            &[secret("github-credentials")],
        ),
        pass(&format!("arn:aws:iam::*:role/{}", service_role(project))),
    ];
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn allow(id: &str, actions: &[impl Action], resources: &[String]) -> Value {
    let actions: Vec<&str> = actions.iter().map(|action| action.qualified()).collect();
    json!({ "Sid": id, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// Handing the role to CloudFormation, and to no other service.
fn pass(role: &str) -> Value {
    let mut statement = allow("HandOn", &[Iam::PassRole], &[role.to_owned()]);
    statement["Condition"] = json!({ "StringEquals": { "iam:PassedToService": "cloudformation.amazonaws.com" } });
    statement
}
