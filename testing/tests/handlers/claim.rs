//! `claim` and the records on a local DynamoDB: one winner whatever happens at once, and no write lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use contract::{Change, ClaimError, ClaimRequest, Claimed, Decision, Outcome, Run, Step, Target, Verified};
use runtime::functions::{Claim, Function, Invocation};
use runtime::record::{ReportMemory, ReportRow, row_key};
use runtime::records::{Records, RecordsError};
use stacks::Project;
use testing::aws::{Cloud, Fault, Grants, Permission};
use testing::{emission, or_skip};

use crate::cloud::Configured;

/// The table's name.
pub(crate) const TABLE: &str = "thebestest-pull-requests";
pub(crate) const REPOSITORY: &str = "thebestest/thebestest";
pub(crate) const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

/// Makes the table as the stack does.
pub(crate) async fn set_up(cloud: &Cloud) {
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("complete")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("complete")
    };
    Client::new(&cloud.config("test"))
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("repository", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::N))
        .key_schema(key("repository", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .send()
        .await
        .expect("the table is made");
}

/// The project's configuration, changed for a test.
pub(crate) fn project(change: impl FnOnce(&mut Project)) -> String {
    let text = include_str!("../../../stacks/project.yaml");
    let mut project = Project::from_yaml(text).expect("it is a configuration");
    change(&mut project);
    serde_json::to_string(&project).expect("it is JSON")
}

fn claim(cloud: &Cloud, environments: u32) -> Claim {
    let project = project(|project| project.limits.environments = environments);
    cloud.function(&[(contract::Claim::TABLE, TABLE), (contract::Claim::PROJECT, &project)])
}

pub(crate) fn records(cloud: &Cloud) -> Records {
    Records::new(&cloud.config("test"), TABLE.to_owned())
}

fn change(number: u32, sha: &str, second: u32) -> Change {
    Change {
        repository: REPOSITORY.to_owned(),
        number,
        sha: sha.to_owned(),
        head_repository: REPOSITORY.to_owned(),
        open: true,
        trusted: true,
        labelled: true,
        updated_at: format!("2026-01-31T12:00:{second:02}Z"),
        merged_at: None,
        before: None,
        reopened: false,
        compared: None,
        delivery: "guid".to_owned(),
    }
}

fn request(decision: Decision, change: Change, execution: &str) -> ClaimRequest {
    ClaimRequest {
        verified: Verified {
            decision,
            reason: "it was so".to_owned(),
            change: Some(change),
        },
        execution: execution.to_owned(),
    }
}

fn merged(number: u32, second: u32, execution: &str) -> ClaimRequest {
    let change = Change {
        open: false,
        merged_at: Some(format!("2026-01-31T12:00:{second:02}Z")),
        ..change(number, TWO, second)
    };
    request(Decision::Promote, change, execution)
}

async fn call(claim: &Claim, request: ClaimRequest) -> Claimed {
    let invocation = Invocation::lasting("request", Duration::from_secs(60));
    claim.call(request, &invocation).await.expect("it is answered")
}

/// Has the handler make every call that it makes: it reads, takes a place, writes, and claims `stage`.
pub(super) async fn exercise(cloud: &Cloud) {
    let claim = claim(cloud, 10);
    let opened = request(Decision::Deploy, change(17, ONE, 1), "opened");
    assert_eq!(call(&claim, opened).await.decision, Decision::Deploy);
    assert_eq!(call(&claim, merged(17, 2, "merged")).await.decision, Decision::Promote);
}

/// Passes if the calls that a handler has made are those that its policy allows, no more and no less.
pub(crate) fn assert_as_granted(cloud: &Cloud, handler: &str) {
    let grants = Grants::of(&emission::everything(), "shared", handler, cloud.account());
    let calls = cloud.calls(handler);
    let needed: Vec<Permission> = calls
        .iter()
        .flat_map(|call| call.permissions(cloud.account()))
        .collect();
    let difference = grants.expect("the function is there").compare(&needed);
    assert!(
        difference.missing.is_empty() && difference.unused.is_empty(),
        "{handler}: {difference:#?}"
    );
}

#[tokio::test]
async fn it_does_what_it_is_granted_and_nothing_else() {
    let Some(cloud) = or_skip("no grant is missing or unused", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    exercise(&cloud).await;
    assert_as_granted(&cloud, "claim");
}

#[tokio::test]
async fn of_twenty_claims_of_the_same_event_at_once_one_wins() {
    let Some(cloud) = or_skip("one claim wins", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = claim(&cloud, 10);
    let mut claims = tokio::task::JoinSet::new();
    let local = tokio::task::LocalSet::new();
    let claim = std::rc::Rc::new(claim);
    for count in 0..20 {
        let claim = claim.clone();
        let request = request(Decision::Deploy, change(17, ONE, 1), &format!("execution-{count}"));
        claims.spawn_local_on(async move { call(&claim, request).await.decision }, &local);
    }
    let decisions = local.run_until(claims.join_all()).await;
    let winners = decisions
        .iter()
        .filter(|decision| **decision == Decision::Deploy)
        .count();
    assert_eq!(winners, 1, "{decisions:?}");
    let record = records(&cloud).read(REPOSITORY, 17).await.expect("it is read");
    assert_eq!(record.expect("it is there").generation, 1);
}

#[tokio::test]
async fn of_twenty_merges_at_once_the_latest_has_stage() {
    let Some(cloud) = or_skip("the latest merge has stage", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = std::rc::Rc::new(claim(&cloud, 10));
    let (mut claims, local) = (tokio::task::JoinSet::new(), tokio::task::LocalSet::new());
    for number in 1..=20 {
        let claim = claim.clone();
        claims.spawn_local_on(
            async move { call(&claim, merged(number, number, &format!("execution-{number}"))).await },
            &local,
        );
    }
    let answers = local.run_until(claims.join_all()).await;
    let stage = records(&cloud).shared(REPOSITORY).await.expect("it is read").stage;
    assert_eq!((stage.number, stage.merged_at.as_str()), (20, "2026-01-31T12:00:20Z"));
    let promoted = answers.iter().filter(|claimed| claimed.decision == Decision::Promote);
    let generations: BTreeSet<u64> = promoted.map(|claimed| claimed.stage.generation).collect();
    assert_eq!(generations.last(), Some(&stage.generation));
    let generations = generations.len() as u64;
    assert_eq!(
        generations, stage.generation,
        "each promotion has a generation of its own"
    );
}

#[tokio::test]
async fn there_are_never_more_environments_than_the_project_allows() {
    let Some(cloud) = or_skip("places are counted", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = std::rc::Rc::new(claim(&cloud, 3));
    let (mut claims, local) = (tokio::task::JoinSet::new(), tokio::task::LocalSet::new());
    for number in 1..=12 {
        let claim = claim.clone();
        let request = request(Decision::Deploy, change(number, ONE, 1), &format!("execution-{number}"));
        claims.spawn_local_on(async move { call(&claim, request).await }, &local);
    }
    let answers = local.run_until(claims.join_all()).await;
    let deployable: Vec<&Claimed> = answers.iter().filter(|claimed| claimed.deployable).collect();
    assert_eq!(deployable.len(), 3);
    for claimed in answers.iter().filter(|claimed| !claimed.deployable) {
        assert_eq!(claimed.decision, Decision::Deploy, "it is tested all the same");
        assert!(claimed.reason.contains("all 3 environments"), "{}", claimed.reason);
    }
    let records = records(&cloud);
    records
        .finish_teardown(&deployable[0].target, "nothing is left")
        .await
        .expect("current");
    let held = records.shared(REPOSITORY).await.expect("it is read").environments;
    assert_eq!(held.len(), 2);
    assert!(!held.contains_key(&deployable[0].target.environment));
    let next = request(Decision::Deploy, change(99, ONE, 1), "execution-99");
    assert!(call(&claim, next).await.deployable, "the place is free");
}

#[tokio::test]
async fn a_superseded_generation_writes_nothing_and_its_runs_are_named() {
    let Some(cloud) = or_skip("superseded generations are refused", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let (claim, records) = (claim(&cloud, 10), records(&cloud));
    let old = call(&claim, request(Decision::Deploy, change(17, ONE, 1), "first"))
        .await
        .target;
    let run = Run {
        pipeline: "thebestest-unit-test".to_owned(),
        execution_id: "a".to_owned(),
    };
    for _ in 0..2 {
        records.add_run(&old, &run).await.expect("it is current");
    }
    let memory = memory(&old, Step::Deploy, Outcome::Success);
    records.save_report(&old, &memory).await.expect("it is current");
    let record = records.require_current(&old).await.expect("it is current");
    assert_eq!((record.memory, record.deployed.as_deref()), (memory.clone(), Some(ONE)));

    let claimed = call(&claim, request(Decision::Deploy, change(17, TWO, 2), "second")).await;
    assert_eq!(claimed.superseded, std::slice::from_ref(&run));
    let refused = RecordsError::Superseded {
        repository: REPOSITORY.to_owned(),
        number: 17,
        environment: "pr-17".to_owned(),
        generation: 1,
        current: 2,
    };
    assert_eq!(records.require_current(&old).await, Err(refused.clone()));
    assert_eq!(records.add_run(&old, &run).await, Err(refused.clone()));
    assert_eq!(records.save_report(&old, &memory).await, Err(refused.clone()));
    assert_eq!(records.finish_teardown(&old, "receipt").await, Err(refused));
    let record = records.require_current(&claimed.target).await.expect("it is current");
    assert_eq!(record.memory, memory, "the comment is known to the next generation");
    assert!(record.environment && record.receipt.is_none());
}

#[tokio::test]
async fn stage_has_generations_of_its_own() {
    let Some(cloud) = or_skip("stage is ordered", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let (claim, records) = (claim(&cloud, 10), records(&cloud));
    let first = call(&claim, merged(17, 1, "first")).await;
    let run = Run {
        pipeline: "stage-thebestest-deploy".to_owned(),
        execution_id: "a".to_owned(),
    };
    records.add_run(&first.stage, &run).await.expect("it is current");
    assert_eq!(
        records
            .require_current(&first.stage)
            .await
            .expect("it is current")
            .number,
        17
    );
    let memory = memory(&first.stage, Step::Deploy, Outcome::Success);
    records
        .save_report(&first.stage, &memory)
        .await
        .expect("the comment is remembered");
    let record = records.require_current(&first.target).await.expect("it is current");
    assert_eq!(record.promoted.as_deref(), Some(TWO));

    let second = call(&claim, merged(18, 2, "second")).await;
    assert_eq!(
        (second.stage.generation, second.superseded.as_slice()),
        (2, [run].as_slice())
    );
    let refused = records.require_current(&first.stage).await;
    assert!(
        matches!(refused, Err(RecordsError::Superseded { current: 2, .. })),
        "{refused:?}"
    );
    records
        .require_current(&first.target)
        .await
        .expect("its own environment is still its own");
    let third = call(&claim, merged(16, 0, "third")).await;
    assert_eq!(third.decision, Decision::TearDown, "a later merge has stage");
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_answered_again() {
    let Some(cloud) = or_skip("claims are repeated", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = claim(&cloud, 10);
    for request in [
        request(Decision::Deploy, change(17, ONE, 1), "first"),
        merged(18, 2, "second"),
    ] {
        let first = call(&claim, request.clone()).await;
        assert_eq!(call(&claim, request).await, first);
    }
}

#[tokio::test]
async fn a_dynamodb_that_does_not_answer_is_unavailable_and_nothing_is_claimed() {
    let Some(cloud) = or_skip("faults are unavailable", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = claim(&cloud, 10);
    for attempt in 1..=8 {
        cloud.fail("dynamodb", "GetItem", attempt, Fault::Unavailable);
    }
    let invocation = Invocation::lasting("request", Duration::from_secs(60));
    let request = request(Decision::Deploy, change(17, ONE, 1), "first");
    let failure = claim.call(request, &invocation).await.expect_err("nobody answers");
    assert_eq!(failure.error, ClaimError::Unavailable);
}

#[tokio::test]
async fn all_records_are_read_the_newest_first() {
    let Some(cloud) = or_skip("all records are read", Cloud::start()) else {
        return;
    };
    set_up(&cloud).await;
    let claim = claim(&cloud, 10);
    for number in [3, 1, 2] {
        let request = request(Decision::Deploy, change(number, ONE, 1), &format!("execution-{number}"));
        call(&claim, request).await;
    }
    let all = records(&cloud).scan(REPOSITORY).await.expect("they are read");
    let numbers: Vec<u32> = all.records.iter().map(|record| record.number).collect();
    assert_eq!(
        (numbers, all.more, all.shared.environments.len()),
        (vec![3, 2, 1], false, 3)
    );
}

/// What `report` remembers after one step.
fn memory(target: &Target, step: Step, outcome: Outcome) -> ReportMemory {
    let row = ReportRow {
        outcome,
        summary: "it was so".to_owned(),
        url: None,
        sha: target.sha.clone(),
        generation: target.generation,
        updated: 1,
    };
    ReportMemory {
        comment_id: Some(1),
        rows: BTreeMap::from([(row_key(&target.environment, step).to_owned(), row)]),
        ..ReportMemory::default()
    }
}
