//! The policy of whoever deploys, and the role that CloudFormation makes the shared stacks with.

use serde_json::Value;

use crate::Workplace;

/// What IAM knows no resources for, see
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>. All of it
/// reads.
const OF_ALL: [&str; 6] = [
    "cloudformation:DescribeAccountLimits",
    "cloudformation:ListStacks",
    "iam:GetAccountSummary",
    "lambda:GetAccountSettings",
    "secretsmanager:ListSecrets",
    "servicequotas:ListServiceQuotas",
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

#[test]
fn the_bootstrap_stack_is_printed_and_has_the_role_that_the_deployer_may_pass() {
    let place = Workplace::new();
    let policy: Value = serde_json::from_str(&place.run("policy").succeeded().stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let passed = statements
        .iter()
        .find(|statement| statement["Sid"] == "HandOn")
        .unwrap();

    let printed = place.run("bootstrap --format json").succeeded();
    let template: Value = serde_json::from_str(&printed.stdout).unwrap();
    let role = &template["Resources"]["CloudFormationRole"]["Properties"];
    let name = role["RoleName"].as_str().unwrap();
    assert_eq!(passed["Resource"][0], format!("arn:aws:iam::*:role/{name}"));
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"],
        "cloudformation.amazonaws.com"
    );
    assert!(
        place
            .run("bootstrap")
            .succeeded()
            .stdout
            .starts_with("AWSTemplateFormatVersion")
    );
}
