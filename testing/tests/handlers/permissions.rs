//! Least privilege, measured: the calls that the handlers make against the policies that their templates give them.
//!
//! `cargo test -p testing --test handlers permissions -- --nocapture` prints the table of handlers and actions.

use std::collections::BTreeSet;

use testing::aws::{Cloud, Grants, Permission};
use testing::or_skip;

use crate::app;
use crate::cloud::emissions;

/// Handlers whose module makes every kind of call that they make, and the owner of the stack that grants them.
const EXERCISED: [(&str, &str); 4] = [
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

/// Has every handler make its calls.
async fn exercise(cloud: &Cloud) {
    app::set_up(cloud).await;
    app::exercise(cloud).await;
}

fn measured(cloud: &Cloud) -> Vec<Measured> {
    let each = EXERCISED.iter().map(|(owner, handler)| {
        let grants = Grants::of(emissions(), owner, handler, cloud.account());
        let calls = cloud.calls(handler);
        Measured {
            handler,
            grants: grants.expect("a stack of the owner has the function"),
            needed: calls
                .iter()
                .flat_map(|call| call.permissions(cloud.account()))
                .collect(),
        }
    });
    each.collect()
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

#[tokio::test]
async fn every_handler_does_what_it_is_granted_and_nothing_else() {
    let Some(cloud) = or_skip("no grant is missing or unused", Cloud::start()) else {
        return;
    };
    exercise(&cloud).await;
    let measured = measured(&cloud);
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
    let Some(cloud) = or_skip("a changed grant is found", Cloud::start()) else {
        return;
    };
    exercise(&cloud).await;
    for each in measured(&cloud) {
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
                statement.resources = vec!["arn:aws:dynamodb:eu-west-1:000000000000:table/another".to_owned()];
            }
            assert!(
                !elsewhere.compare(&each.needed).missing.is_empty(),
                "{} with {action} elsewhere",
                each.handler
            );
        }
        let mut more = each.grants.clone();
        more.statements[0].actions.push("dynamodb:Scan".to_owned());
        assert_eq!(
            more.compare(&each.needed).unused,
            ["dynamodb:Scan".to_owned()].into(),
            "{}",
            each.handler
        );
    }
}

#[tokio::test]
async fn every_handler_works_with_its_own_role() {
    let Some(cloud) = or_skip("roles suffice", Cloud::enforcing()) else {
        return;
    };
    for (owner, handler) in EXERCISED {
        let grants = Grants::of(emissions(), owner, handler, cloud.account()).expect("the function is there");
        cloud.give_role(handler, &grants).expect("the role is assumed");
    }
    exercise(&cloud).await;
}

#[tokio::test]
async fn a_role_without_grants_is_denied_every_call() {
    let Some(cloud) = or_skip("roles are needed", Cloud::enforcing()) else {
        return;
    };
    for (owner, handler) in EXERCISED {
        let mut grants = Grants::of(emissions(), owner, handler, cloud.account()).expect("the function is there");
        grants
            .statements
            .retain(|statement| statement.actions.iter().all(|action| action.starts_with("logs:")));
        cloud.give_role(handler, &grants).expect("the role is assumed");
    }
    app::set_up(&cloud).await;
    app::attempt(&cloud).await;
    for (_, handler) in EXERCISED {
        let calls = cloud.calls(handler);
        assert!(!calls.is_empty(), "{handler} made no call");
        assert!(
            calls.iter().all(|call| matches!(call.status, Some(400 | 403))),
            "{handler} was let in: {calls:?}"
        );
    }
}
