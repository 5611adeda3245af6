//! `reconcile` between a local GitHub and a local AWS: what is started, and that it is started once.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudformation::types::Parameter;
use aws_sdk_secretsmanager::Client as Secrets;
use aws_sdk_sfn::Client as StepFunctions;
use contract::{Decision, ReconcileRequest, Reconciled, Trigger};
use runtime::clock::Clock;
use runtime::functions::{Environment, Function, Invocation, Reconcile};
use serde_json::json;
use testing::aws::Cloud;
use testing::github::GitHub;
use testing::or_skip;

use crate::claim::{self, ONE, REPOSITORY, TABLE, project};
use crate::cloud::Configured;
use crate::teardown::{bucket, make_bucket, put};

const MERGE: &str = "3333333333333333333333333333333333333333";

/// Longer than what is not deployed is kept.
const RETENTION: Duration = Duration::from_secs(31 * 86_400);

/// The handler, with all that its stack has; the second is the state machine's ARN.
pub(super) async fn set_up(cloud: &Cloud, github: &GitHub) -> (Reconcile, String) {
    let (environment, machine) = surroundings(cloud, github).await;
    (Reconcile::new(&environment).expect("the function starts"), machine)
}

async fn surroundings(cloud: &Cloud, github: &GitHub) -> (Environment, String) {
    let admin = cloud.config("test");
    let secret = Secrets::new(&admin)
        .create_secret()
        .name("thebestest-github-credentials")
        .secret_string(github.token());
    let secret = secret
        .send()
        .await
        .expect("the secret is made")
        .arn
        .expect("it has one");
    let definition = json!({ "StartAt": "End", "States": { "End": { "Type": "Succeed" } } });
    let machine = StepFunctions::new(&admin)
        .create_state_machine()
        .name("thebestest-pipeline-manager")
        .definition(definition.to_string())
        .role_arn(format!("arn:aws:iam::{}:role/machine", cloud.account()));
    let machine = machine.send().await.expect("the machine is made").state_machine_arn;
    let project = project(|project| project.github_api = github.api().to_owned());
    let bucket = bucket(cloud);
    make_bucket(&aws_sdk_s3::Client::new(&admin), &bucket).await;
    let environment = cloud.environment::<Reconcile>(&[
        (contract::Reconcile::TABLE, TABLE),
        (contract::Reconcile::GITHUB_CREDENTIALS, &secret),
        (contract::Reconcile::PROJECT, &project),
        (contract::Reconcile::BUCKET, &bucket),
        (contract::Reconcile::STATE_MACHINE, &machine),
    ]);
    (environment, machine)
}

/// A function whose clock is so far ahead.
fn later(environment: Environment, by: Duration) -> Reconcile {
    let clock = Clock::new(move || SystemTime::now() + by);
    Reconcile::new(&environment.at(clock)).expect("the function starts")
}

/// The application of `stage`, deployed with this package.
async fn deploy_stage(cloud: &Cloud, package: &str) {
    let template = json!({
        "Parameters": { "CodeKey": { "Type": "String" } },
        "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
    });
    let key = Parameter::builder().parameter_key("CodeKey").parameter_value(package);
    let create = aws_sdk_cloudformation::Client::new(&cloud.config("test")).create_stack();
    let create = create.stack_name("thebestest-stage-app").parameters(key.build());
    let made = create.template_body(template.to_string()).send().await;
    made.expect("the stack is made");
}

async fn packages(cloud: &Cloud) -> Vec<String> {
    let client = aws_sdk_s3::Client::new(&cloud.config("test"));
    let listed = client.list_objects_v2().bucket(bucket(cloud)).prefix("packages/");
    let listed = listed.send().await.expect("they are listed");
    let keys = listed.contents().iter().filter_map(|object| object.key());
    keys.map(str::to_owned).collect()
}

async fn call(reconcile: &Reconcile, dry_run: bool) -> Reconciled {
    let invocation = Invocation::lasting("request", Duration::from_secs(300));
    reconcile
        .call(ReconcileRequest { dry_run }, &invocation)
        .await
        .expect("it is answered")
}

/// What was started, by pull request.
async fn started(cloud: &Cloud, machine: &str) -> Vec<(u32, Decision, bool)> {
    let client = StepFunctions::new(&cloud.config("test"));
    let list = client
        .list_executions()
        .state_machine_arn(machine)
        .send()
        .await
        .expect("listed");
    let mut started = Vec::new();
    for execution in list.executions {
        let described = client.describe_execution().execution_arn(execution.execution_arn);
        let input = described.send().await.expect("described").input.expect("it has one");
        let trigger: Trigger = serde_json::from_str(&input).expect("it is a trigger");
        assert_eq!(trigger.webhook, None);
        let repair = trigger.repair.expect("it is a repair");
        assert_eq!(repair.change.delivery, execution.name);
        started.push((repair.change.number, repair.decision, repair.change.trusted));
    }
    started.sort_by_key(|(number, ..)| *number);
    started
}

/// Has the handler make every call that it makes: it reads records, secret and stacks, starts, and gives a place back.
pub(super) async fn exercise(cloud: &Cloud, github: &GitHub) {
    let (environment, _) = surroundings(cloud, github).await;
    let reconcile = later(environment, RETENTION);
    github.repository(REPOSITORY).pull_request(27, ONE);
    let objects = aws_sdk_s3::Client::new(&cloud.config("test"));
    put(&objects, &bucket(cloud), "packages/stage/superseded.zip").await;
    deploy_stage(cloud, "packages/stage/deployed.zip").await;
    let leaked = json!({
        "repository": REPOSITORY, "number": 0, "environments": { "pr-99": 1 }, "stage": runtime::record::Stage::default(),
    });
    let item = serde_dynamo::to_item(leaked).expect("it is an item");
    let put = aws_sdk_dynamodb::Client::new(&cloud.config("test")).put_item();
    put.table_name(TABLE)
        .set_item(Some(item))
        .send()
        .await
        .expect("it is put");
    assert_eq!(call(&reconcile, false).await.started.len(), 1);
    let shared = claim::records(cloud).shared(REPOSITORY).await.expect("it is read");
    assert!(!shared.environments.contains_key("pr-99"), "nobody held the place");
}

#[tokio::test]
async fn it_does_what_it_is_granted_and_nothing_else() {
    let (Some(cloud), Some(github)) = (
        or_skip("no grant is missing or unused", Cloud::start()),
        or_skip("no grant is missing or unused", GitHub::start()),
    ) else {
        return;
    };
    claim::set_up(&cloud).await;
    exercise(&cloud, &github).await;
    claim::assert_as_granted(&cloud, "reconcile");
}

#[tokio::test]
async fn of_the_packages_of_stage_what_is_deployed_or_may_be_about_to_be_is_never_removed() {
    let (Some(cloud), Some(github)) = (
        or_skip("packages that nothing needs are removed", Cloud::start()),
        or_skip("packages that nothing needs are removed", GitHub::start()),
    ) else {
        return;
    };
    claim::set_up(&cloud).await;
    let (environment, _) = surroundings(&cloud, &github).await;
    github.repository(REPOSITORY);
    let all = [
        "packages/pr-17/old.zip",
        "packages/stage/deployed.zip",
        "packages/stage/superseded.zip",
    ];
    let objects = aws_sdk_s3::Client::new(&cloud.config("test"));
    for key in all {
        put(&objects, &bucket(&cloud), key).await;
    }
    let again = || environment.clone();
    // Nobody can say what is deployed.
    call(&later(again(), RETENTION), false).await;
    assert_eq!(packages(&cloud).await, all);
    deploy_stage(&cloud, "packages/stage/deployed.zip").await;
    // Within the retention a package may be one that a pipeline has just uploaded.
    call(&later(again(), RETENTION - Duration::from_secs(2 * 86_400)), false).await;
    assert_eq!(packages(&cloud).await, all);
    call(&later(again(), RETENTION), true).await;
    assert_eq!(packages(&cloud).await, all, "a dry run removes nothing");
    call(&later(again(), 100 * RETENTION), false).await;
    assert_eq!(packages(&cloud).await, all[..2]);
}

#[tokio::test]
async fn what_no_webhook_told_is_started_once() {
    let (Some(cloud), Some(github)) = (
        or_skip("lost webhooks are repaired", Cloud::start()),
        or_skip("lost webhooks are repaired", GitHub::start()),
    ) else {
        return;
    };
    claim::set_up(&cloud).await;
    let (reconcile, machine) = set_up(&cloud, &github).await;
    let repository = github.repository(REPOSITORY);
    repository.pull_request(1, ONE);
    repository.pull_request(2, ONE).draft();
    repository.pull_request(3, ONE).from(Some("stranger/thebestest"));
    repository
        .pull_request(4, ONE)
        .from(Some("stranger/thebestest"))
        .review("keeper", "APPROVED", ONE);
    repository.collaborator("keeper", "write");
    repository.pull_request(5, ONE).onto("main").merge(MERGE);
    repository.pull_request(6, ONE).close();
    let stack = aws_sdk_cloudformation::Client::new(&cloud.config("test")).create_stack();
    let template = json!({ "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } } });
    let stack = stack
        .stack_name("thebestest-pr-6-app")
        .template_body(template.to_string());
    stack.send().await.expect("the stack is made");

    let dry = call(&reconcile, true).await;
    assert_eq!(started(&cloud, &machine).await, [], "a dry run starts nothing");
    assert_eq!(dry.started.len(), 5, "{dry:?}");
    let wet = call(&reconcile, false).await;
    assert_eq!((wet.started, wet.more, wet.compared), (dry.started, false, 6));
    let expected = [
        (1, Decision::Deploy, true),
        (3, Decision::Deploy, false),
        (4, Decision::Deploy, true),
        (5, Decision::Promote, true),
        (6, Decision::TearDown, true),
    ];
    assert_eq!(started(&cloud, &machine).await, expected);
    call(&reconcile, false).await;
    assert_eq!(
        started(&cloud, &machine).await,
        expected,
        "the same difference starts nothing twice"
    );
}
