//! What AWS refuses and MiniStack would let pass: each refusal in AWS's words.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::account::{Account, refused, template, text, texts};

const STACK: &str = "refused";

fn role(properties: Value) -> Value {
    let mut all = json!({ "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [] } });
    all.as_object_mut()
        .unwrap()
        .extend(properties.as_object().unwrap().clone());
    template(json!({ "Role": { "Type": "AWS::IAM::Role", "Properties": all } }))
}

fn topic(properties: Value) -> Value {
    template(json!({ "Topic": { "Type": "AWS::SNS::Topic", "Properties": properties } }))
}

fn words(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

#[test]
fn a_bucket_that_holds_anything_is_not_deleted() {
    let Some(account) = Account::start("a bucket that is not empty stays") else {
        return;
    };
    let name = format!("kept-{}", account.cloud.account());
    let bucket = |versions: &str| {
        let properties = json!({ "BucketName": name, "VersioningConfiguration": { "Status": versions } });
        template(json!({ "Bucket": { "Type": "AWS::S3::Bucket", "Properties": properties } }))
    };
    account.apply(STACK, "CREATE", &bucket("Enabled"), &[]);
    let path = format!("/{name}/key");
    account.put(&path, "content");
    account.client.rest("s3", Method::DELETE, &path, Bytes::new()).unwrap();
    let listed = |query: &str| {
        let answer = account
            .client
            .rest("s3", Method::GET, &format!("/{name}?{query}"), Bytes::new())
            .unwrap();
        String::from_utf8(answer.body().to_vec()).unwrap()
    };
    assert_eq!(
        texts(&listed("list-type=2"), "Key"),
        Vec::<String>::new(),
        "nothing is current"
    );
    let not_empty = "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    let versions = texts(&listed("versions"), "VersionId");
    assert_eq!(versions.len(), 2, "the version and the delete marker");
    for version in versions {
        let stack = account.delete(STACK);
        assert_eq!(stack.status, "DELETE_FAILED");
        assert_eq!(stack.reason, "The following resource(s) failed to delete: [Bucket].");
        assert!(
            account
                .reason(&stack.id, "Bucket", "DELETE_FAILED")
                .starts_with(not_empty)
        );
        account
            .client
            .rest(
                "s3",
                Method::DELETE,
                &format!("{path}?versionId={version}"),
                Bytes::new(),
            )
            .unwrap();
    }
    assert_eq!(account.delete(STACK).status, "DELETE_COMPLETE");
}

#[test]
fn roles_need_their_capability() {
    let Some(account) = Account::start("roles need their capability") else {
        return;
    };
    let (unnamed, named) = (role(json!({})), role(json!({ "RoleName": "named" })));
    let with = |capability| [("Capabilities.member.1", capability)];
    let call = |template: &Value, more: &[(&str, &str)]| account.call("CreateStack", STACK, template, more);
    let insufficient = |of: &str| {
        words(
            "InsufficientCapabilitiesException",
            &format!("Requires capabilities : [{of}]"),
        )
    };
    assert_eq!(refused(call(&unnamed, &[])), insufficient("CAPABILITY_IAM"));
    assert_eq!(refused(call(&named, &[])), insufficient("CAPABILITY_NAMED_IAM"));
    assert_eq!(
        refused(call(&named, &with("CAPABILITY_IAM"))),
        insufficient("CAPABILITY_NAMED_IAM")
    );
    let set = [("ChangeSetName", "c"), ("ChangeSetType", "CREATE")];
    let set = account.call("CreateChangeSet", STACK, &named, &set);
    assert_eq!(refused(set), insufficient("CAPABILITY_NAMED_IAM"));
    assert!(account.stack(STACK).is_none());
    call(&unnamed, &with("CAPABILITY_IAM")).unwrap();
    assert_eq!(account.settled(STACK).status, "CREATE_COMPLETE");
}

#[test]
fn unknown_and_missing_properties_fail_their_resource() {
    let Some(account) = Account::start("properties are validated") else {
        return;
    };
    for (place, (properties, message)) in [
        (
            json!({ "TopicNmae": "x" }),
            "#: extraneous key [TopicNmae] is not permitted",
        ),
        (
            json!({ "Tags": [{ "Key": { "Ref": "AWS::Region" } }] }),
            "#/Tags/0: required key [Value] not found",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{STACK}-{place}");
        account.call("CreateStack", &name, &topic(properties), &[]).unwrap();
        assert_eq!(account.settled(&name).status, "ROLLBACK_COMPLETE");
        let reason = account.reason(&name, "Topic", "CREATE_FAILED");
        assert_eq!(
            reason,
            format!("Properties validation failed for resource Topic with message:\n{message}")
        );
    }
}

#[test]
fn names_that_stand_for_nothing_are_refused_by_every_operation() {
    let Some(account) = Account::start("references are resolved") else {
        return;
    };
    account
        .call("CreateStack", STACK, &topic(json!({ "TopicName": "there" })), &[])
        .unwrap();
    account.settled(STACK);
    let update = [("ChangeSetName", "c"), ("ChangeSetType", "UPDATE")];
    for (name, message) in [
        (
            json!({ "Ref": "Nobody" }),
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            json!({ "Fn::GetAtt": ["Topic", "Size"] }),
            "Template error: resource Topic does not support attribute type Size in Fn::GetAtt",
        ),
        (
            json!({ "Fn::Sub": "${Nobody.Arn}" }),
            "Template error: instance of Fn::Sub references invalid resource attribute Nobody.Arn",
        ),
    ] {
        let template = topic(json!({ "DisplayName": name }));
        let expected = words("ValidationError", message);
        assert_eq!(refused(account.call("CreateStack", "other", &template, &[])), expected);
        assert_eq!(refused(account.call("UpdateStack", STACK, &template, &[])), expected);
        assert_eq!(
            refused(account.call("CreateChangeSet", STACK, &template, &update)),
            expected
        );
    }
    assert!(account.stack("other").is_none(), "a refused stack is not there");
}

/// <https://github.com/aws/serverless-application-model/issues/1618>
#[test]
fn a_null_is_refused_by_every_operation_wherever_it_stands() {
    let Some(account) = Account::start("no template holds a null") else {
        return;
    };
    account
        .call("CreateStack", STACK, &topic(json!({ "TopicName": "there" })), &[])
        .unwrap();
    account.settled(STACK);
    let update = [("ChangeSetName", "c"), ("ChangeSetType", "UPDATE")];
    for (null, place) in [
        (json!({ "DisplayName": null }), "/Resources/Topic/Type/DisplayName"),
        (
            json!({ "Tags": [{ "Key": "team", "Value": { "Fn::Join": ["", ["a", null]] } }] }),
            "/Resources/Topic/Type/Tags/0/Value/Fn::Join/1/1",
        ),
    ] {
        let template = topic(null);
        let message = format!("[{place}] 'null' values are not allowed in templates");
        let expected = words("ValidationError", &message);
        assert_eq!(refused(account.call("CreateStack", "other", &template, &[])), expected);
        assert_eq!(refused(account.call("UpdateStack", STACK, &template, &[])), expected);
        assert_eq!(
            refused(account.call("CreateChangeSet", STACK, &template, &update)),
            expected
        );
        let body = template.to_string();
        let validated = account
            .client
            .query("cloudformation", "ValidateTemplate", &[("TemplateBody", &body)]);
        assert_eq!(refused(validated), expected);
    }
    assert!(account.stack("other").is_none(), "a refused stack is not there");
}

#[test]
fn an_import_of_nothing_ends_the_operation_before_its_first_resource() {
    let Some(account) = Account::start("imports are resolved") else {
        return;
    };
    let importing = topic(json!({ "DisplayName": { "Fn::ImportValue": "nobody:Exports" } }));
    let (status, reason) = account.change_set("set", "CREATE", &importing, &[]);
    assert_eq!(
        (status.as_str(), reason.as_str()),
        ("FAILED", "No export named nobody:Exports found")
    );
    let execute = [("StackName", "set"), ("ChangeSetName", "change")];
    let executed = account.client.query("cloudformation", "ExecuteChangeSet", &execute);
    assert_eq!(refused(executed).0, "InvalidChangeSetStatus");

    account.call("CreateStack", STACK, &importing, &[]).unwrap();
    assert_eq!(account.settled(STACK).status, "ROLLBACK_COMPLETE");
    let reason = account.reason(STACK, STACK, "ROLLBACK_IN_PROGRESS");
    assert_eq!(
        reason,
        "No export named nobody:Exports found. Rollback requested by user."
    );
    assert!(
        !account.events(STACK).contains("AWS::SNS::Topic"),
        "no resource was begun"
    );

    let there = topic(json!({ "DisplayName": "there" }));
    account.call("CreateStack", "updated", &there, &[]).unwrap();
    account.settled("updated");
    account.call("UpdateStack", "updated", &importing, &[]).unwrap();
    let stack = account.settled("updated");
    assert_eq!(stack.status, "UPDATE_ROLLBACK_COMPLETE");
    let shown = account.ask("GetTemplate", &[("StackName", "updated")]);
    assert_eq!(
        serde_json::from_str::<Value>(&text(&shown, "TemplateBody")).unwrap(),
        there
    );
}

#[test]
fn a_template_in_the_request_has_a_size() {
    let Some(account) = Account::start("templates have a size") else {
        return;
    };
    let body = topic(json!({ "DisplayName": "x".repeat(51_200) })).to_string();
    let call = account.client.query(
        "cloudformation",
        "CreateStack",
        &[("StackName", STACK), ("TemplateBody", &body)],
    );
    let (code, message) = refused(call);
    assert_eq!(code, "ValidationError");
    let words = "at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200";
    assert!(
        message.contains(words),
        "{}",
        &message[message.len().saturating_sub(300)..]
    );
    account.cloud.take_violations();
}

#[test]
fn a_stack_whose_first_create_failed_can_only_be_deleted() {
    let Some(account) = Account::start("ROLLBACK_COMPLETE is final") else {
        return;
    };
    account
        .call("CreateStack", STACK, &topic(json!({ "Unknown": "x" })), &[])
        .unwrap();
    let stack = account.settled(STACK);
    assert_eq!(stack.status, "ROLLBACK_COMPLETE");
    let fixed = topic(json!({}));
    let final_words = format!(
        "Stack:{} is in ROLLBACK_COMPLETE state and can not be updated.",
        stack.id
    );
    let set = |kind| [("ChangeSetName", "c"), ("ChangeSetType", kind)];
    assert_eq!(
        refused(account.call("UpdateStack", STACK, &fixed, &[])),
        words("ValidationError", &final_words)
    );
    assert_eq!(
        refused(account.call("CreateChangeSet", STACK, &fixed, &set("UPDATE"))),
        words("ValidationError", &final_words)
    );
    assert_eq!(
        refused(account.call("CreateStack", STACK, &fixed, &[])),
        words("AlreadyExistsException", "Stack [refused] already exists")
    );
    assert_eq!(
        refused(account.call("CreateChangeSet", STACK, &fixed, &set("CREATE"))),
        words(
            "ValidationError",
            "Stack [refused] already exists and cannot be created again with the changeSet [c]."
        )
    );
    account.delete(STACK);
    assert_eq!(account.apply(STACK, "CREATE", &fixed, &[]).status, "CREATE_COMPLETE");
}

#[test]
fn a_change_set_without_changes_says_so_and_one_of_outputs_alone_is_none() {
    let Some(account) = Account::start("no changes") else {
        return;
    };
    let mut template = topic(json!({}));
    account.apply(STACK, "CREATE", &template, &[]);
    let (status, reason) = account.change_set(STACK, "UPDATE", &template, &[]);
    assert_eq!(status, "FAILED");
    assert_eq!(
        reason,
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );
    account.ask("DeleteChangeSet", &[("StackName", STACK), ("ChangeSetName", "change")]);
    template["Outputs"] = json!({ "Topic": { "Value": { "Ref": "Topic" } } });
    assert_eq!(account.apply(STACK, "UPDATE", &template, &[]).status, "UPDATE_COMPLETE");
}

#[test]
fn a_protected_stack_is_not_deleted_and_a_stack_keeps_its_role() {
    let Some(account) = Account::start("termination protection") else {
        return;
    };
    let topics = json!([{ "Effect": "Allow", "Action": "sns:*", "Resource": "*" }]);
    let role = |name| account.role(name, "cloudformation.amazonaws.com", &topics, &[]);
    let (role, other) = (role("deployer"), role("deployer-of-the-set"));
    let more = [("EnableTerminationProtection", "true"), ("RoleARN", role.as_str())];
    account.call("CreateStack", STACK, &topic(json!({})), &more).unwrap();
    let stack = account.settled(STACK);
    assert_eq!(stack.text("RoleARN"), role);
    let deleted = account
        .client
        .query("cloudformation", "DeleteStack", &[("StackName", STACK)]);
    let message = format!(
        "Stack [{}] cannot be deleted while TerminationProtection is enabled",
        stack.id
    );
    assert_eq!(refused(deleted), words("ValidationError", &message));

    let changed = topic(json!({ "DisplayName": "changed" }));
    account.apply(STACK, "UPDATE", &changed, &[("RoleARN", other.as_str())]);
    assert_eq!(account.stack(STACK).unwrap().text("RoleARN"), other);
}

#[test]
fn an_export_in_use_keeps_its_stack() {
    let Some(account) = Account::start("an export in use") else {
        return;
    };
    let mut exporting = topic(json!({}));
    exporting["Outputs"] = json!({ "Arn": { "Value": { "Ref": "Topic" }, "Export": { "Name": "used" } } });
    account.apply("exporter", "CREATE", &exporting, &[]);
    account.apply(
        "importer",
        "CREATE",
        &topic(json!({ "DisplayName": { "Fn::ImportValue": "used" } })),
        &[],
    );
    let deleted = account
        .client
        .query("cloudformation", "DeleteStack", &[("StackName", "exporter")]);
    let message = "Export used is imported by stack importer";
    assert!(refused(deleted).1.contains(message));
}
