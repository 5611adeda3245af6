//! Least privilege, measured: the calls that the handlers make against the policies that their templates give them.
//!
//! `cargo test -p testing --test handlers permissions -- --nocapture` prints the table of handlers and actions.

use std::collections::BTreeSet;

use testing::aws::{Cloud, Grants, Permission};
use testing::github::GitHub;
use testing::or_skip;

use crate::cloud::emissions;
use crate::{app, claim, fetch_source, pipelines, reconcile, report, stacks, stage_deployer, teardown, verify_webhook};

/// Handlers whose module makes every kind of call that they make, and the owner of the stack that grants them.
const EXERCISED: [(&str, &str); 17] = [
    ("shared", "apply_stack"),
    ("shared", "check_pipeline"),
    ("shared", "check_stack"),
    ("shared", "claim"),
    ("shared", "fetch_source"),
    ("shared", "reconcile"),
    ("shared", "report"),
    ("shared", "stage_deployer"),
    ("shared", "start_pipeline"),
    ("shared", "stop_pipeline"),
    ("shared", "teardown"),
    ("shared", "verify_webhook"),
    ("stage", "stage_deployer"),
    ("stage", "list_items"),
    ("stage", "get_item"),
    ("stage", "put_item"),
    ("stage", "delete_item"),
];

/// What one handler needed and what it is granted.
struct Measured {
    handler: &'static str,
    grants: Grants,
    needed: Vec<Permission>,
}

/// Has one handler make its calls in this account.
async fn exercise(cloud: &Cloud, github: &GitHub, owner: &str, handler: &str) {
    match handler {
        "claim" => {
            claim::set_up(cloud).await;
            claim::exercise(cloud).await;
        }
        "start_pipeline" | "check_pipeline" | "stop_pipeline" => pipelines::exercise(cloud).await,
        "apply_stack" | "check_stack" => stacks::exercise(cloud).await,
        "teardown" => teardown::exercise(cloud).await,
        "stage_deployer" => stage_deployer::exercise(cloud, owner == "shared").await,
        "fetch_source" => fetch_source::exercise(cloud, github).await,
        "reconcile" => {
            claim::set_up(cloud).await;
            reconcile::exercise(cloud, github).await;
        }
        "report" => report::exercise(cloud, github).await,
        "verify_webhook" => {
            let secret = verify_webhook::set_up(cloud).await;
            verify_webhook::exercise(cloud, &secret).await;
        }
        _ => {
            app::set_up(cloud).await;
            app::exercise(cloud).await;
        }
    }
}

/// Has every handler make its calls, each in an account of its own.
async fn measured(what: &str) -> Option<Vec<Measured>> {
    let mut all = Vec::new();
    for (owner, handler) in EXERCISED {
        let cloud = or_skip(what, Cloud::start())?;
        let github = or_skip(what, GitHub::start())?;
        exercise(&cloud, &github, owner, handler).await;
        let grants = Grants::of(emissions(), owner, handler, cloud.account());
        let calls = cloud.calls(handler);
        all.push(Measured {
            handler,
            grants: grants.expect("a stack of the owner has the function"),
            needed: calls
                .iter()
                .flat_map(|call| call.permissions(cloud.account()))
                .collect(),
        });
    }
    Some(all)
}

/// A line for each handler and action: `=` where it is granted and needed.
fn table(measured: &[Measured]) -> String {
    let lines = measured.iter().flat_map(|each| {
        let granted = each.grants.actions();
        let needed: BTreeSet<&str> = each
            .needed
            .iter()
            .map(|permission| permission.action.as_str())
            .collect();
        let all: BTreeSet<&str> = granted.union(&needed).copied().collect();
        let line = |action: &str| {
            let sign = match (granted.contains(action), needed.contains(action)) {
                (true, true) => "=",
                (true, false) => "unused",
                _ => "missing",
            };
            format!("{:<16} {action:<36} {sign}", each.handler)
        };
        all.into_iter().map(line).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_function_that_is_emitted_is_measured() {
    let measured: BTreeSet<(&str, &str)> = EXERCISED.into();
    let functions = emissions().iter().flat_map(|emission| {
        let functions = emission
            .resources()
            .filter(|resource| resource.kind == "AWS::Lambda::Function");
        functions.filter_map(|function| Some((emission.owner.as_str(), function.properties["Handler"].as_str()?)))
    });
    let emitted: BTreeSet<(&str, &str)> = functions
        .filter(|(owner, _)| ["shared", "stage"].contains(owner))
        .collect();
    assert_eq!(emitted, measured);
}

#[tokio::test]
async fn every_handler_does_what_it_is_granted_and_nothing_else() {
    let Some(measured) = measured("no grant is missing or unused").await else {
        return;
    };
    println!("{}", table(&measured));
    for each in &measured {
        let difference = each.grants.compare(&each.needed);
        assert!(
            difference.missing.is_empty() && difference.unused.is_empty(),
            "{} of {}: {difference:#?}",
            each.handler,
            each.grants.role
        );
    }
}

#[tokio::test]
async fn a_grant_less_and_a_grant_more_are_both_found() {
    let Some(measured) = measured("a changed grant is found").await else {
        return;
    };
    for each in measured {
        for action in each.grants.actions() {
            let mut less = each.grants.clone();
            less.statements
                .iter_mut()
                .for_each(|statement| statement.actions.retain(|granted| granted != action));
            let missing = less.compare(&each.needed).missing;
            assert!(
                missing.iter().any(|missing| missing.action == action),
                "{} without {action}",
                each.handler
            );

            let mut elsewhere = each.grants.clone();
            for statement in elsewhere
                .statements
                .iter_mut()
                .filter(|statement| statement.actions.iter().any(|granted| granted == action))
            {
                statement.resources = vec!["arn:aws:sqs:eu-west-1:000000000000:another".to_owned()];
            }
            assert!(
                !elsewhere.compare(&each.needed).missing.is_empty(),
                "{} with {action} elsewhere",
                each.handler
            );
        }
        let mut more = each.grants.clone();
        more.statements[0].actions.push("dynamodb:DeleteTable".to_owned());
        assert_eq!(
            more.compare(&each.needed).unused,
            ["dynamodb:DeleteTable".to_owned()].into(),
            "{}",
            each.handler
        );
    }
}

#[tokio::test]
async fn every_handler_works_with_its_own_role() {
    for (owner, handler) in EXERCISED {
        let Some(cloud) = or_skip("roles suffice", Cloud::enforcing()) else {
            return;
        };
        let Some(github) = or_skip("roles suffice", GitHub::start()) else {
            return;
        };
        // The four functions of the application are exercised together.
        for (_, other) in EXERCISED
            .iter()
            .filter(|(of, other)| *of == owner && (*of == "stage" || *other == handler))
        {
            let grants = Grants::of(emissions(), owner, other, cloud.account()).expect("the function is there");
            cloud.give_role(other, &grants).expect("the role is assumed");
        }
        // The state machine that is started has a role too, which must be there when it is made.
        let mut machine = Grants::of(emissions(), owner, handler, cloud.account()).expect("the function is there");
        machine.role = "machine".to_owned();
        cloud.give_role("machine", &machine).expect("the role is made");
        exercise(&cloud, &github, owner, handler).await;
    }
}

#[tokio::test]
async fn a_role_without_grants_is_denied_every_call() {
    let Some(cloud) = or_skip("roles are needed", Cloud::enforcing()) else {
        return;
    };
    let application = || EXERCISED.iter().filter(|(_, handler)| handler.contains("_item"));
    for (owner, handler) in application() {
        let mut grants = Grants::of(emissions(), owner, handler, cloud.account()).expect("the function is there");
        grants
            .statements
            .retain(|statement| statement.actions.iter().all(|action| action.starts_with("logs:")));
        cloud.give_role(handler, &grants).expect("the role is assumed");
    }
    app::set_up(&cloud).await;
    app::attempt(&cloud).await;
    for (_, handler) in application() {
        let calls = cloud.calls(handler);
        assert!(!calls.is_empty(), "{handler} made no call");
        assert!(
            calls.iter().all(|call| matches!(call.status, Some(400 | 403))),
            "{handler} was let in: {calls:?}"
        );
    }
}
