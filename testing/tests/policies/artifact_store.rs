//! The documented minimum of the roles that work with an artifact store, against what is granted.

use std::collections::BTreeMap;

use testing::emission::{self, Emission};

use crate::{ACCOUNT, Statement, statements};

/// What a service's role is to be allowed on a store of artifacts: on the bucket, on its objects, and who says so.
struct Minimum {
    service: &'static str,
    bucket: &'static [&'static str],
    objects: &'static [&'static str],
    source: &'static str,
}

const MINIMUM: [Minimum; 2] = [
    Minimum {
        service: "codepipeline.amazonaws.com",
        bucket: &["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"],
        objects: &[
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionTagging",
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:PutObjectTagging",
        ],
        source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
    },
    Minimum {
        service: "codebuild.amazonaws.com",
        bucket: &["s3:GetBucketAcl", "s3:GetBucketLocation"],
        objects: &["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
        source: "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
    },
];

/// The folder of a stack's pipeline in the store, which CodePipeline names after the first 20 characters of the pipeline's name.
fn folder(emission: &Emission) -> String {
    let mut pipelines = emission
        .resources()
        .filter(|resource| resource.kind == "AWS::CodePipeline::Pipeline");
    let pipeline = pipelines.next().expect("a stack with such a role has a pipeline");
    let name = pipeline.properties["Name"].as_str().expect("it has a name of its own");
    name.chars().take(20).collect()
}

#[test]
fn pipelines_and_builds_have_the_documented_minimum_on_their_artifact_store() {
    let emissions = emission::everything();
    let all = statements(&emissions);
    let bucket = format!("arn:aws:s3:::thebestest-artifacts-{ACCOUNT}-eu-west-1");
    let (mut roles, mut looked_at) = (BTreeMap::<&str, usize>::new(), 0);
    let mut missing = Vec::new();
    for trust in all.iter().filter(|statement| statement.is_trust()) {
        let service = trust.statement["Principal"]["Service"].as_str().unwrap_or_default();
        let Some(minimum) = MINIMUM.iter().find(|minimum| minimum.service == service) else {
            continue;
        };
        *roles.entry(service).or_default() += 1;
        let own: Vec<&Statement<'_>> = all
            .iter()
            .filter(|statement| statement.emission.stack.name == trust.emission.stack.name && statement.id == trust.id)
            .filter(|statement| statement.is_of_identity() && statement.allows())
            // What is granted on a condition may not be granted to the service.
            .filter(|statement| statement.conditions().is_empty())
            .collect();
        let objects = format!("{bucket}/{}/*", folder(trust.emission));
        for (resource, actions) in [(&bucket, minimum.bucket), (&objects, minimum.objects)] {
            for action in actions {
                looked_at += 1;
                let granted = own.iter().any(|statement| {
                    statement.list("Action").iter().any(|granted| granted == action)
                        && statement.resolved(&emissions, "Resource").contains(resource)
                });
                if !granted {
                    let (stack, source) = (&trust.emission.stack.name, minimum.source);
                    missing.push(format!("{stack} {}: {action} on {resource}, see {source}", trust.id));
                }
            }
        }
    }
    println!("looked at {looked_at} permissions of these roles: {roles:?}");
    assert!(
        roles.len() == MINIMUM.len() && roles.values().all(|count| *count >= 2),
        "{roles:?}"
    );
    assert!(missing.is_empty(), "{missing:#?}");
}
