//! Physical names: within AWS's limits at their longest, unique, and no environment's policies reach another's names.

#![expect(clippy::unwrap_used, reason = "a test that cannot read what it judges has failed")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testing::emission::{self, Emission, Resource, shown};

const ACCOUNT: &str = "123456789012";

/// How AWS names the resources of a type.
struct Naming {
    kind: &'static str,
    /// The property with the name.
    property: &'static str,
    /// The shortest and the longest name.
    length: (usize, usize),
    /// Which characters a name may have besides letters and digits.
    marks: &'static str,
    /// The ARN, with `{}` for the name; none where the service makes up ids.
    arn: &'static str,
}

/// Each row's limits are those of the service's quotas page or API reference.
#[rustfmt::skip]
const NAMINGS: [Naming; 15] = [
    Naming { kind: "AWS::S3::Bucket", property: "BucketName", length: (3, 63), marks: "-.", arn: "arn:aws:s3:::{}" },
    Naming { kind: "AWS::IAM::Role", property: "RoleName", length: (1, 64), marks: "+=,.@_-", arn: "arn:aws:iam::{account}:role/{}" },
    Naming { kind: "AWS::IAM::ManagedPolicy", property: "ManagedPolicyName", length: (1, 128), marks: "+=,.@_-", arn: "arn:aws:iam::{account}:policy/{}" },
    Naming { kind: "AWS::Lambda::Function", property: "FunctionName", length: (1, 64), marks: "-_", arn: "arn:aws:lambda:{region}:{account}:function:{}" },
    Naming { kind: "AWS::DynamoDB::Table", property: "TableName", length: (3, 255), marks: "-_.", arn: "arn:aws:dynamodb:{region}:{account}:table/{}" },
    Naming { kind: "AWS::Logs::LogGroup", property: "LogGroupName", length: (1, 512), marks: "_-/.#", arn: "arn:aws:logs:{region}:{account}:log-group:{}:*" },
    Naming { kind: "AWS::CodePipeline::Pipeline", property: "Name", length: (1, 100), marks: ".@-_", arn: "arn:aws:codepipeline:{region}:{account}:{}" },
    Naming { kind: "AWS::CodeBuild::Project", property: "Name", length: (2, 150), marks: "-_", arn: "arn:aws:codebuild:{region}:{account}:project/{}" },
    Naming { kind: "AWS::Scheduler::Schedule", property: "Name", length: (1, 64), marks: "-_.", arn: "arn:aws:scheduler:{region}:{account}:schedule/default/{}" },
    Naming { kind: "AWS::StepFunctions::StateMachine", property: "StateMachineName", length: (1, 80), marks: "-_", arn: "arn:aws:states:{region}:{account}:stateMachine:{}" },
    Naming { kind: "AWS::CloudWatch::Alarm", property: "AlarmName", length: (1, 255), marks: "-_.", arn: "arn:aws:cloudwatch:{region}:{account}:alarm:{}" },
    Naming { kind: "AWS::SNS::Topic", property: "TopicName", length: (1, 256), marks: "-_", arn: "arn:aws:sns:{region}:{account}:{}" },
    Naming { kind: "AWS::SecretsManager::Secret", property: "Name", length: (1, 512), marks: "/_+=.@-", arn: "arn:aws:secretsmanager:{region}:{account}:secret:{}-AbCdEf" },
    Naming { kind: "AWS::ApiGateway::RestApi", property: "Name", length: (1, 1024), marks: "-_", arn: "" },
    Naming { kind: "AWS::Cognito::UserPool", property: "UserPoolName", length: (1, 128), marks: " +=,.@-_", arn: "" },
];

/// Types whose resources have no name of their own, or one that only counts within their parent.
const NAMELESS: [&str; 13] = [
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPoolClient",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "Custom::StageDeployment",
];

/// The emissions with the longest names, and their region.
struct World {
    region: String,
    project: String,
    emissions: Vec<Emission>,
    /// What exports and logical ids stand for, by stack where it is a logical id.
    known: BTreeMap<(String, String), String>,
}

impl World {
    fn longest(environments: &[&str]) -> Self {
        let project = emission::longest_project();
        let mut world = Self {
            region: project.region.name().to_owned(),
            emissions: emission::emit(&project, environments),
            project: project.project,
            known: BTreeMap::new(),
        };
        let mut known = BTreeMap::new();
        for emission in &world.emissions {
            let stack = &emission.stack.name;
            for resource in emission.resources() {
                if let Some((naming, name)) = world.name_of(emission, resource) {
                    known.insert(
                        (stack.clone(), format!("{}.Arn", resource.id)),
                        world.arn(naming, &name),
                    );
                    known.insert((stack.clone(), resource.id.to_owned()), name);
                }
            }
        }
        world.known.clone_from(&known);
        for emission in &world.emissions {
            for (_, output) in emission.template["Outputs"].as_object().into_iter().flatten() {
                if let Some(export) = output["Export"]["Name"].as_str() {
                    let value = world.resolved(emission, &output["Value"]);
                    known.insert((String::new(), export.to_owned()), value);
                }
            }
        }
        world.known = known;
        world
    }

    /// The value as AWS sees it, as far as names go.
    fn resolved(&self, emission: &Emission, value: &Value) -> String {
        let mut text = shown(value);
        for (fact, value) in [
            ("Partition", "aws"),
            ("Region", self.region.as_str()),
            ("AccountId", ACCOUNT),
        ] {
            text = text.replace(&format!("${{AWS::{fact}}}"), value);
        }
        for ((stack, name), value) in &self.known {
            if stack.is_empty() || *stack == emission.stack.name {
                text = text.replace(&format!("${{{name}}}"), value);
            }
        }
        text
    }

    fn name_of(&self, emission: &Emission, resource: Resource<'_>) -> Option<(&'static Naming, String)> {
        let naming = NAMINGS.iter().find(|naming| naming.kind == resource.kind)?;
        let name = &resource.properties[naming.property];
        assert!(!name.is_null(), "{} {} has no name", emission.stack.name, resource.id);
        Some((naming, self.resolved(emission, name)))
    }

    fn arn(&self, naming: &Naming, name: &str) -> String {
        naming
            .arn
            .replace("{region}", &self.region)
            .replace("{account}", ACCOUNT)
            .replace("{}", name)
    }

    /// Every name: owner, logical id, type, name.
    fn names(&self) -> Vec<(&Emission, &'static Naming, String)> {
        self.emissions
            .iter()
            .flat_map(|emission| {
                emission.resources().filter_map(move |resource| {
                    let (naming, name) = self.name_of(emission, resource)?;
                    Some((emission, naming, name))
                })
            })
            .collect()
    }

    /// What an owner has, as ARNs: resources, stacks, and objects in the artifacts bucket.
    fn arns_of(&self, owner: &str) -> BTreeSet<String> {
        let own = |emission: &&Emission| emission.owner == owner;
        let mut arns = BTreeSet::new();
        let bucket = format!("arn:aws:s3:::{}-artifacts-{ACCOUNT}-{}", self.project, self.region);
        for emission in self.emissions.iter().filter(own) {
            let stack = &emission.stack.name;
            arns.insert(format!(
                "arn:aws:cloudformation:{}:{ACCOUNT}:stack/{stack}/0a1b",
                self.region
            ));
        }
        for (emission, naming, name) in self.names() {
            if emission.owner != owner || naming.arn.is_empty() {
                continue;
            }
            arns.insert(self.arn(naming, &name).replace(":*", ""));
            if naming.kind == "AWS::CodePipeline::Pipeline" {
                // CodePipeline cuts the pipeline's name to 20 characters when it names the folder of its artifacts.
                let folder: String = name.chars().take(20).collect();
                arns.insert(format!("{bucket}/{folder}/Packaged/0a1b2c"));
            }
        }
        if owner != "shared" {
            arns.insert(format!("{bucket}/packages/{owner}/0a1b.zip"));
        }
        arns
    }

    /// The resources that the policies of a stack's roles, and its boundary, allow something on.
    fn allowed(&self, emission: &Emission, only: impl Fn(&str, &[String]) -> bool) -> BTreeSet<String> {
        let mut allowed = BTreeSet::new();
        for resource in emission.resources() {
            let policies = match resource.kind {
                "AWS::IAM::Role" => resource.properties["Policies"].as_array().cloned().unwrap_or_default(),
                "AWS::IAM::ManagedPolicy" => vec![resource.properties.clone()],
                _ => continue,
            };
            let statements = policies
                .iter()
                .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
            for statement in statements {
                let actions: Vec<String> = list(&statement["Action"]).iter().map(shown).collect();
                if only(resource.id, &actions) {
                    let resources = list(&statement["Resource"]);
                    allowed.extend(resources.iter().map(|resource| self.resolved(emission, resource)));
                }
            }
        }
        // Actions that IAM binds to no resource; policies.rs asks for their reasons.
        allowed.remove("*");
        allowed
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Whether IAM's pattern matches the text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    if first == '*' {
        return text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| matches(rest, &text[at..]));
    }
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|character| (first == '?' || first == character) && matches(rest, characters.as_str()))
}

#[test]
fn patterns_match_as_in_iam() {
    for (pattern, text) in [
        ("a*", "a"),
        ("a*c", "abbc"),
        ("*", "a/b"),
        ("a?c", "abc"),
        ("a/*/b", "a/x/y/b"),
    ] {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "ab"), ("pr-1-*", "pr-17-x"), ("a?", "a"), ("a*c", "ab")] {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn every_type_is_known_to_have_a_name_or_none() {
    for emission in emission::everything() {
        for resource in emission.resources() {
            let named = NAMINGS.iter().any(|naming| naming.kind == resource.kind);
            assert!(
                named != NAMELESS.contains(&resource.kind),
                "{} is in neither table, add its limits",
                resource.kind
            );
        }
    }
}

#[test]
fn the_longest_names_are_within_the_limits_of_aws() {
    let world = World::longest(&emission::ENVIRONMENTS);
    let names = world.names();
    assert!(names.len() > 100, "only {} names were found", names.len());
    for (emission, naming, name) in names {
        let stack = &emission.stack.name;
        let (shortest, longest) = naming.length;
        assert!(
            (shortest..=longest).contains(&name.len()),
            "{stack}: {} {name:?} has {} characters, allowed are {shortest} to {longest}",
            naming.kind,
            name.len()
        );
        let strange: String = name
            .chars()
            .filter(|mark| !mark.is_ascii_alphanumeric() && !naming.marks.contains(*mark))
            .collect();
        assert!(strange.is_empty(), "{stack}: {} {name:?} has {strange:?}", naming.kind);
        if naming.kind == "AWS::S3::Bucket" {
            assert_eq!(name, name.to_lowercase());
        }
        let plain = name.trim_start_matches(|mark: char| !mark.is_ascii_alphanumeric());
        let prefixed = plain.contains(&world.project);
        assert!(prefixed, "{stack}: {name:?} does not carry the project's name");
    }
    for emission in &world.emissions {
        let name = &emission.stack.name;
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
        assert!(name.len() <= 128, "{name}");
        assert!(name.starts_with(|first: char| first.is_ascii_alphabetic()));
        assert!(
            name.chars().all(|mark| mark.is_ascii_alphanumeric() || mark == '-'),
            "{name}"
        );
    }
}

#[test]
fn every_name_of_an_environment_carries_it() {
    let world = World::longest(&["stage", "pr-1", "pr-17"]);
    for (emission, naming, name) in world.names() {
        let owner = &emission.owner;
        let carries = |owner: &str| format!("-{name}-").replace('/', "-").contains(&format!("-{owner}-"));
        if owner != "shared" {
            assert!(carries(owner), "{owner}: {} {name:?}", naming.kind);
            let stack = &emission.stack.name;
            let is_own = stack.ends_with(&format!("-{owner}")) || stack.ends_with(&format!("-{owner}-app"));
            assert!(is_own, "{stack}");
        }
    }
}

#[test]
fn no_name_is_given_twice() {
    let world = World::longest(&["stage", "pr-1", "pr-17"]);
    let mut given = BTreeSet::new();
    for (emission, naming, name) in world.names() {
        assert!(
            given.insert((naming.kind, name.clone())),
            "{}: another {} is named {name:?}",
            emission.stack.name,
            naming.kind
        );
    }
}

#[test]
fn no_environment_reaches_what_another_one_or_all_share() {
    const OWNERS: [&str; 4] = ["stage", "pr-1", "pr-17", "pr-170"];
    let world = World::longest(&OWNERS);
    let mut reached = BTreeSet::new();
    for emission in world.emissions.iter().filter(|emission| emission.owner != "shared") {
        let allowed = world.allowed(emission, |_, _| true);
        assert!(!allowed.is_empty());
        for other in OWNERS
            .iter()
            .chain([&"shared"])
            .filter(|other| **other != emission.owner)
        {
            for arn in world.arns_of(other) {
                // What all share is named in full where it is needed: only patterns could reach too far.
                let patterns = allowed
                    .iter()
                    .filter(|allowed| *other != "shared" || allowed.contains(['*', '?']));
                for pattern in patterns.filter(|pattern| matches(pattern, &arn)) {
                    reached.insert(format!("{} reaches {arn} of {other} by {pattern}", emission.stack.name));
                }
            }
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
}

/// The unit tests run what a fork's pull request brings, before anybody has looked at it.
#[test]
fn the_unit_tests_reach_no_environment_and_nothing_shared_but_their_own() {
    const OWNERS: [&str; 3] = ["stage", "pr-1", "pr-17"];
    // Where the bucket is and whose it is, which CodeBuild asks before it trusts it with artifacts; neither is of use to anybody.
    const FACTS: [&str; 2] = ["s3:GetBucketAcl", "s3:GetBucketLocation"];
    let world = World::longest(&OWNERS);
    let name = format!("{}-unit-test", world.project);
    let unit_test = world
        .emissions
        .iter()
        .find(|emission| emission.stack.name == name)
        .expect("the stack of the unit tests");
    let facts = world.allowed(unit_test, |role, actions| role == "BuildRole" && actions == FACTS);
    assert!(
        facts.len() == 1
            && facts
                .iter()
                .all(|bucket| bucket.contains("-artifacts-") && !bucket.contains(['*', '?', '/'])),
        "{facts:?}"
    );
    let allowed = world.allowed(unit_test, |role, actions| role == "BuildRole" && actions != FACTS);
    assert!(!allowed.is_empty());
    let mut reached = BTreeSet::new();
    for owner in OWNERS.iter().chain([&"shared"]) {
        for arn in world.arns_of(owner) {
            let folder: String = name.chars().take(20).collect();
            let own = *owner == "shared" && (arn.contains(&name) || arn.contains(&format!("/{folder}/")));
            for pattern in allowed.iter().filter(|pattern| !own && matches(pattern, &arn)) {
                reached.insert(format!("{arn} of {owner} by {pattern}"));
            }
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
}

/// The roles that make environments are shared; a shared resource that is named like an environment's would be theirs to change.
#[test]
fn what_makes_environments_does_not_reach_what_all_share() {
    let world = World::longest(&["stage", "pr-1"]);
    let mut reached = BTreeSet::new();
    let shared = world.arns_of("shared");
    for emission in world.emissions.iter().filter(|emission| emission.owner == "shared") {
        for pattern in world.allowed(emission, |_, _| true) {
            let made = pattern.contains("-pr-") || pattern.contains("-stage-") || pattern.contains("/pr-");
            for arn in shared.iter().filter(|arn| made && matches(&pattern, arn)) {
                reached.insert(format!("{} reaches {arn} by {pattern}", emission.stack.name));
            }
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
}

/// A role that applies a stack and may not make what the stack names fails only in AWS, and then for every pull request.
#[test]
fn the_roles_that_apply_stacks_may_make_what_the_stacks_name() {
    const MAKING: [(&str, &str); 8] = [
        ("AWS::IAM::Role", "iam:CreateRole"),
        ("AWS::IAM::ManagedPolicy", "iam:CreatePolicy"),
        ("AWS::Lambda::Function", "lambda:CreateFunction"),
        ("AWS::DynamoDB::Table", "dynamodb:CreateTable"),
        ("AWS::Logs::LogGroup", "logs:CreateLogGroup"),
        ("AWS::CodePipeline::Pipeline", "codepipeline:CreatePipeline"),
        ("AWS::CodeBuild::Project", "codebuild:CreateProject"),
        ("AWS::S3::Bucket", "s3:CreateBucket"),
    ];
    let world = World::longest(&["stage", "pr-1", "pr-999999"]);
    let stack_named = |name: String| {
        let stack = world.emissions.iter().find(|emission| emission.stack.name == name);
        stack.unwrap_or_else(|| panic!("no stack {name}"))
    };
    let mut made = 0;
    for (emission, naming, name) in world.names() {
        let (owner, project) = (&emission.owner, &world.project);
        let (by, role) = if emission.stack.name == format!("{project}-{owner}-app") {
            (stack_named(format!("{project}-deploy-{owner}")), "CloudFormationRole")
        } else if emission.stack.name == format!("{project}-deploy-{owner}") {
            (stack_named(format!("{project}-pipeline-manager")), "StackRole")
        } else {
            continue;
        };
        let Some((_, action)) = MAKING.iter().find(|(kind, _)| *kind == naming.kind) else {
            assert!(naming.arn.is_empty(), "which action makes {}? add it", naming.kind);
            continue;
        };
        let arn = world.arn(naming, &name);
        let allowed = world.allowed(by, |id, actions| {
            id == role && actions.iter().any(|allowed| allowed == action)
        });
        assert!(
            allowed
                .iter()
                .any(|pattern| matches(pattern, arn.trim_end_matches(":*"))),
            "{role} of {} may not {action} {arn}: {allowed:?}",
            by.stack.name
        );
        made += 1;
    }
    assert!(made > 40, "only {made} resources were looked at");
}
