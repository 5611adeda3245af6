//! What CloudFormation would do, by the registry's facts.

use serde_json::Value;

use crate::{Run, Workplace};

/// The difference of two sets of resources in YAML, each indented by two spaces.
fn diff(old: &str, new: &str, flags: &str) -> Run {
    let place = Workplace::new();
    place.write("old.yaml", &format!("Resources:\n{old}"));
    place.write("data.yaml", &format!("Resources:\n{new}"));
    place.run(&format!("diff old.yaml data.yaml {flags}"))
}

const TABLE: &str = "
  Places:
    Type: AWS::DynamoDB::Table
    UpdateReplacePolicy: Delete
    Properties:
      TableName: places
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: user, AttributeType: S}, {AttributeName: at, AttributeType: S}]
      KeySchema: [{AttributeName: user, KeyType: HASH}]
      LocalSecondaryIndexes:
        - IndexName: recent
          KeySchema: [{AttributeName: user, KeyType: HASH}]
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: code, S3Key: one}
      Role: !GetAtt Role.Arn
      Environment: {Variables: {TABLE: !Ref Places}}
";

#[test]
fn a_changed_create_only_property_replaces_and_loses_data() {
    let run = diff(TABLE, &TABLE.replace("TableName: places", "TableName: spots"), "").ended_with(1);
    insta::assert_snapshot!(run.stdout, @r###"
    data
      ± Places AWS::DynamoDB::Table: replace, its data is lost
          Properties.TableName: "places" → "spots"  (replace)
          help: deploy it with `UpdateReplacePolicy: Retain` first, or copy the data before

    resources: 1 replaced; 1 loses data
    "###);
}

#[test]
fn a_policy_that_retains_keeps_the_data() {
    let old = TABLE.replace("UpdateReplacePolicy: Delete", "UpdateReplacePolicy: Retain");
    let run = diff(&old, &old.replace("TableName: places", "TableName: spots"), "").ended_with(1);
    assert!(
        run.stdout
            .contains("± Places AWS::DynamoDB::Table: replace, its data is kept"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("lose"), "{}", run.stdout);
}

#[test]
fn other_properties_update_and_conditional_ones_may_replace() {
    let run = diff(TABLE, &TABLE.replace("PAY_PER_REQUEST", "PROVISIONED"), "").ended_with(1);
    assert!(
        run.stdout.contains("~ Places AWS::DynamoDB::Table: update\n"),
        "{}",
        run.stdout
    );
    let keys = "      KeySchema: [{AttributeName: user, KeyType: HASH}]\n      Local";
    let run = diff(TABLE, &TABLE.replacen(keys, &keys.replace("user", "at"), 1), "").ended_with(1);
    assert!(
        run.stdout
            .contains("? Places AWS::DynamoDB::Table: may replace, its data is lost if"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_create_only_property_within_another_replaces() {
    let lens = "
  Lens:
    Type: AWS::S3::StorageLens
    Properties:
      StorageLensConfiguration:
        Id: ours
        IsEnabled: true
        AccountLevel: {BucketLevel: {}}
";
    let run = diff(lens, &lens.replace("Id: ours", "Id: theirs"), "").ended_with(1);
    assert!(
        run.stdout.contains("± Lens AWS::S3::StorageLens: replace"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("Properties.StorageLensConfiguration.Id: \"ours\" → \"theirs\"  (replace)")
    );
    let run = diff(lens, &lens.replace("IsEnabled: true", "IsEnabled: false"), "").ended_with(1);
    assert!(
        run.stdout.contains("~ Lens AWS::S3::StorageLens: update\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn another_type_or_logical_id_deletes_and_creates() {
    let run = diff(
        TABLE,
        &TABLE.replace("Type: AWS::Lambda::Function", "Type: AWS::Lambda::Version"),
        "",
    )
    .ended_with(1);
    assert!(
        run.stdout.contains("± Reader AWS::Lambda::Version: delete and create"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("give the new one another"), "{}", run.stdout);
    let run = diff(
        TABLE,
        &TABLE
            .replace("  Places:", "  Spots:")
            .replace("!Ref Places", "!Ref Spots"),
        "",
    )
    .ended_with(1);
    assert!(
        run.stdout.contains("+ Spots AWS::DynamoDB::Table: add\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("- Places AWS::DynamoDB::Table: remove, its data is lost\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_resource_that_takes_the_name_of_a_replaced_one_may_be_replaced_too() {
    let api = "
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: api}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref Authorizer}
  Authorizer:
    Type: AWS::ApiGateway::Authorizer
    Properties: {RestApiId: !Ref Api, Name: users, Type: TOKEN}
";
    let run = diff(api, &api.replace("RestApiId: !Ref Api,", "RestApiId: other,"), "").ended_with(1);
    assert!(
        run.stdout.contains("± Authorizer AWS::ApiGateway::Authorizer: replace"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("? Deployment AWS::ApiGateway::Deployment: may replace"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("RestApiId refers to Authorizer, which is replaced"),
        "{}",
        run.stdout
    );
}

#[test]
fn short_and_long_functions_and_scalars_are_the_same() {
    let place = Workplace::new();
    place.write(
        "short.yaml",
        "
Resources:
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      MemorySize: 256
      Handler: !Sub '${Name}-x'
      Description: !If [Wide, !Ref 'AWS::NoValue', !Join [',', [a, !ImportValue b]]]
",
    );
    place.write("long.json", r#"{"Resources": {"Reader": {"Properties": {
      "Description": {"Fn::If": ["Wide", {"Ref": "AWS::NoValue"}, {"Fn::Join": [",", ["a", {"Fn::ImportValue": "b"}]]}]},
      "Handler": {"Fn::Sub": "${Name}-x"}, "MemorySize": "256", "Role": {"Fn::GetAtt": ["Role", "Arn"]}},
      "Type": "AWS::Lambda::Function"}}}"#);
    let run = place.run("diff short.yaml long.json").succeeded();
    assert_eq!(run.stdout, "no difference\n");
}

#[test]
fn json_is_for_machines() {
    let run = diff(TABLE, &TABLE.replace("TableName: places", "TableName: spots"), "--json").ended_with(1);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let resource = &json["stacks"][0]["resources"][0];
    assert_eq!(resource["action"], "replace");
    assert_eq!(resource["data"], "lost");
    assert_eq!(resource["properties"][0]["path"], "Properties.TableName");
    assert_eq!(resource["properties"][0]["new"], "spots");
}

#[test]
fn folders_are_compared_stack_by_stack() {
    let place = Workplace::new();
    place.run("--out before").succeeded();
    place.run("--out after").succeeded();
    assert_eq!(
        place.run("diff before/shared after/shared").succeeded().stdout,
        "no difference\n"
    );
    place.run("--pr 17 --out after").succeeded();
    let run = place.run("diff before/shared after/pr-17").ended_with(1);
    assert!(
        run.stdout.contains("thebestest-deploy-pr-17 is created\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains(" is deleted\n"), "{}", run.stdout);
}

#[test]
fn what_cannot_be_compared_is_said_of_both() {
    let place = Workplace::new();
    place.write("no.yaml", "hello: world");
    let run = place.run("diff missing.yaml no.yaml").ended_with(2);
    assert!(
        run.stderr.contains("cannot read missing.yaml") && run.stderr.contains("no.yaml is no template"),
        "{}",
        run.stderr
    );
    let run = place.run("diff stacks no.yaml").ended_with(2);
    assert!(
        run.stderr.contains("one is a folder, the other a file"),
        "{}",
        run.stderr
    );
    place.write("empty/readme.md", "");
    let run = place.run("diff empty empty").ended_with(2);
    assert!(run.stderr.contains("empty has no templates"), "{}", run.stderr);
}
