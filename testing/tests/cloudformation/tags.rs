//! Which resources have the tags of their stack, as each type has it.

use serde_json::{Value, json};

use crate::account::{Account, template};

fn tags_of(account: &Account, pool: &str) -> Value {
    let arn = format!(
        "arn:aws:cognito-idp:eu-west-1:{}:userpool/{pool}",
        account.cloud.account()
    );
    let answer = account
        .client
        .json(
            "cognito-idp",
            "AWSCognitoIdentityProviderService.ListTagsForResource",
            &json!({ "ResourceArn": arn }),
        )
        .unwrap_or_else(|fault| panic!("{pool}: {fault}"));
    answer["Tags"].clone()
}

/// <https://github.com/aws/aws-cdk/issues/14127>
#[test]
fn a_user_pool_has_the_tags_that_its_template_writes_and_none_of_its_stacks() {
    let Some(account) = Account::start("tags reach resources as their types have it") else {
        return;
    };
    let pool = |properties: Value| {
        let mut whole = template(json!({ "Pool": { "Type": "AWS::Cognito::UserPool", "Properties": properties } }));
        whole["Outputs"] = json!({ "Pool": { "Value": { "Ref": "Pool" } } });
        whole
    };
    let tagged = [
        ("Tags.member.1.Key", "pipeline:environment"),
        ("Tags.member.1.Value", "pr-17"),
    ];
    for (name, properties, expected) in [
        ("bare", json!({ "UserPoolName": "bare" }), Value::Null),
        (
            "own",
            json!({ "UserPoolName": "own", "UserPoolTags": { "pipeline:environment": "pr-17" } }),
            json!("pr-17"),
        ),
    ] {
        account.call("CreateStack", name, &pool(properties), &tagged).unwrap();
        let stack = account.settled(name);
        assert_eq!(stack.status, "CREATE_COMPLETE");
        let tags = tags_of(&account, &stack.text("OutputValue"));
        assert_eq!(tags["pipeline:environment"], expected, "{name}: {tags}");
    }
}
