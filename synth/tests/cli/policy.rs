//! The policy of whoever deploys.

use serde_json::Value;

use crate::Workplace;

/// What IAM knows no resources for, see
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>. All of it
/// reads.
const OF_ALL: [&str; 5] = [
    "cloudformation:DescribeAccountLimits",
    "cloudformation:ListStacks",
    "iam:GetAccountSummary",
    "lambda:GetAccountSettings",
    "secretsmanager:ListSecrets",
];

#[test]
fn the_deployers_policy_is_json_of_the_projects_own_names() {
    let run = Workplace::new().run("policy");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let policy: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let mut of_all = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let actions = statement["Action"].as_array().unwrap();
        assert!(
            actions.iter().all(|action| !action.as_str().unwrap().contains('*')),
            "{statement}"
        );
        if statement["Resource"] == serde_json::json!(["*"]) {
            of_all.extend(actions.iter().filter_map(Value::as_str));
        }
    }
    of_all.sort_unstable();
    assert_eq!(of_all, OF_ALL);
}
