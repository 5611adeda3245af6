//! What becomes of a stack whose custom resource's function never answers, and how it gets out of that: as CloudFormation documents
//! it, and the emitted templates do not need it.

use serde_json::{Value, json};
use testing::emission::{self, Emission};

use super::account::{Account, Stack, refused, template, texts};

const STACK: &str = "failing";
/// The longest that an emitted custom resource may keep its stack waiting, in seconds.
const LONGEST: u64 = 300;

/// A role, and two custom resources, one after the other, that never answer these requests.
fn silent(never: &[&str], commit: &str) -> Value {
    let trust = json!({ "Version": "2012-10-17", "Statement": [] });
    let role = json!({ "RoleName": "failing-role", "AssumeRolePolicyDocument": trust });
    let puppet = json!({
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:x", "Commit": commit, "Puppet": { "Never": never },
    });
    template(json!({
        "Role": { "Type": "AWS::IAM::Role", "Properties": role },
        "First": { "Type": "Custom::Puppet", "Properties": puppet, "DependsOn": "Role" },
        "Second": { "Type": "Custom::Puppet", "Properties": puppet, "DependsOn": "First" },
    }))
}

fn created(account: &Account, never: &[&str]) -> Stack {
    account.apply(STACK, "CREATE", &silent(never, "1"), &[])
}

/// `Logical: STATUS` of all resources that the stack ever had, in order of the alphabet.
fn resources(account: &Account, stack: &str) -> Vec<String> {
    let listed = account.ask("ListStackResources", &[("StackName", stack)]);
    let (ids, statuses) = (texts(&listed, "LogicalResourceId"), texts(&listed, "ResourceStatus"));
    let mut resources: Vec<String> = ids
        .iter()
        .zip(statuses)
        .map(|(id, status)| format!("{id}: {status}"))
        .collect();
    resources.sort();
    resources
}

fn delete_without(account: &Account, id: &str, retained: &str) -> Stack {
    let parameters = [("StackName", id), ("RetainResources.member.1", retained)];
    account.ask("DeleteStack", &parameters);
    account.settled(id)
}

#[test]
fn a_deletion_stops_at_what_never_answers_and_goes_on_without_it() {
    let Some(account) = Account::start("a function never answers at a deletion") else {
        return;
    };
    let stack = created(&account, &["Delete"]);
    assert_eq!(stack.status, "CREATE_COMPLETE");
    let early = [("StackName", STACK), ("RetainResources.member.1", "First")];
    let (code, _) = refused(account.client.query("cloudformation", "DeleteStack", &early));
    assert_eq!(code, "ValidationError", "only after a deletion has failed");

    assert_eq!(account.delete(STACK).status, "DELETE_FAILED");
    let words = account.reason(&stack.id, "Second", "DELETE_FAILED");
    assert!(
        words.starts_with("CloudFormation did not receive a response from your Custom Resource"),
        "{words}"
    );
    // What it depends on is not deleted before it.
    let left = [
        "First: CREATE_COMPLETE",
        "Role: CREATE_COMPLETE",
        "Second: DELETE_FAILED",
    ];
    assert_eq!(resources(&account, &stack.id), left);

    assert_eq!(delete_without(&account, &stack.id, "Second").status, "DELETE_FAILED");
    let left = [
        "First: DELETE_FAILED",
        "Role: CREATE_COMPLETE",
        "Second: DELETE_SKIPPED",
    ];
    assert_eq!(resources(&account, &stack.id), left);
    assert_eq!(delete_without(&account, &stack.id, "First").status, "DELETE_COMPLETE");
    let left = [
        "First: DELETE_SKIPPED",
        "Role: DELETE_COMPLETE",
        "Second: DELETE_SKIPPED",
    ];
    assert_eq!(
        resources(&account, &stack.id),
        left,
        "a deleted stack still tells what it left"
    );
}

#[test]
fn a_creation_that_cannot_be_rolled_back_is_deleted_without_what_never_answers() {
    let Some(account) = Account::start("a function never answers at a rollback") else {
        return;
    };
    let stack = created(&account, &["Create", "Delete"]);
    assert_eq!(stack.status, "ROLLBACK_FAILED");
    assert_eq!(
        resources(&account, STACK),
        ["First: DELETE_FAILED", "Role: CREATE_COMPLETE"]
    );
    assert_eq!(account.delete(STACK).status, "DELETE_FAILED", "it is asked once more");
    assert_eq!(delete_without(&account, &stack.id, "First").status, "DELETE_COMPLETE");

    let retained = |resource: &mut Value| resource["DeletionPolicy"] = json!("Retain");
    let mut kept = silent(&["Create", "Delete"], "1");
    ["First", "Second"]
        .iter()
        .for_each(|id| retained(&mut kept["Resources"][*id]));
    assert_eq!(account.apply(STACK, "CREATE", &kept, &[]).status, "ROLLBACK_COMPLETE");
}

#[test]
fn an_update_that_cannot_go_back_goes_back_without_what_never_answers() {
    let Some(account) = Account::start("a function never answers at an update") else {
        return;
    };
    created(&account, &["Update"]);
    let stack = account.apply(STACK, "UPDATE", &silent(&["Update"], "2"), &[]);
    assert_eq!(stack.status, "UPDATE_ROLLBACK_FAILED");
    assert!(resources(&account, STACK).contains(&"First: UPDATE_FAILED".to_owned()));
    let parameters = |skipped| [("StackName", STACK), ("ResourcesToSkip.member.1", skipped)];
    let role = account
        .client
        .query("cloudformation", "ContinueUpdateRollback", &parameters("Role"));
    assert_eq!(refused(role).0, "ValidationError", "only what failed may be skipped");
    account.ask("ContinueUpdateRollback", &parameters("First"));
    assert_eq!(account.settled(STACK).status, "UPDATE_ROLLBACK_COMPLETE");
    let mended = account.apply(STACK, "UPDATE", &silent(&[], "3"), &[]);
    assert_eq!(mended.status, "UPDATE_COMPLETE");
}

#[test]
fn no_emitted_stack_needs_its_own_function_to_be_deleted_or_rolled_back() {
    let mut seen = 0;
    for emission in emission::everything() {
        let Emission { template, stack, .. } = &emission;
        let resources = template["Resources"].as_object().expect("it has resources");
        for (id, resource) in resources {
            let kind = resource["Type"].as_str().expect("it has a type");
            if !kind.starts_with("Custom::") && kind != "AWS::CloudFormation::CustomResource" {
                continue;
            }
            seen += 1;
            let at = format!("{id} of {}", stack.name);
            // `RetainExceptOnCreate` asks the function when a creation is rolled back.
            assert_eq!(resource["DeletionPolicy"], "Retain", "{at}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{at}");
            let timeout = resource["Properties"]["ServiceTimeout"].as_u64();
            assert!(timeout.is_some_and(|seconds| seconds <= LONGEST), "{at}: {timeout:?}");
        }
    }
    assert!(seen > 0, "no custom resource is emitted");
}
