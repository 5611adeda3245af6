//! The rules, without a table.

use serde_json::json;

use super::*;

fn request(value: serde_json::Value) -> ProxyRequest {
    let mut whole =
        json!({ "pathParameters": null, "queryStringParameters": null, "body": null, "requestContext": {} });
    for (name, part) in value.as_object().unwrap() {
        whole[name] = part.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn item(version: u64, place: &str) -> Item {
    Item {
        category_name: "pizza".to_owned(),
        place_name: place.to_owned(),
        note: None,
        version,
    }
}

fn new(version: Option<u64>) -> NewItem {
    NewItem {
        place_name: "Da Michele".to_owned(),
        note: None,
        version,
    }
}

#[test]
fn the_user_is_the_verified_subject_and_nothing_else() {
    let signed = |claims| request(json!({ "requestContext": { "authorizer": { "claims": claims } } }));
    assert_eq!(user(&signed(json!({ "sub": "u-1" }))), Ok("u-1"));
    for claims in [
        json!({}),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!("sub"),
        json!(null),
    ] {
        assert_eq!(user(&signed(claims)), Err(Refusal::Unauthorized));
    }
    assert_eq!(user(&request(json!({}))), Err(Refusal::Unauthorized));
    assert_eq!(
        user(&request(json!({ "requestContext": { "sub": "u-1" } }))),
        Err(Refusal::Unauthorized)
    );
}

#[test]
fn a_category_is_decoded_once_and_counted_in_characters() {
    let of = |name: &str| category(&request(json!({ "pathParameters": { "category_name": name } })));
    assert_eq!(of("pizza").unwrap(), "pizza");
    assert_eq!(of("caf%C3%A9%20%26%20cake").unwrap(), "café & cake");
    assert_eq!(of("100%25").unwrap(), "100%");
    assert_eq!(of("a%252Fb").unwrap(), "a%2Fb");
    assert_eq!(of(&"🍕".repeat(100)).unwrap().chars().count(), 100);
    for wrong in ["", "%00", "a%0Ab", "%FF", &"🍕".repeat(101)] {
        assert!(matches!(of(wrong), Err(Refusal::Invalid(_))), "{wrong}");
    }
    assert!(matches!(category(&request(json!({}))), Err(Refusal::Invalid(_))));
}

#[test]
fn a_page_is_asked_for_within_its_bounds() {
    let of = |query| page_request(&request(json!({ "queryStringParameters": query })));
    assert_eq!(of(json!(null)).unwrap(), PageRequest { limit: 25, after: None });
    assert_eq!(of(json!({ "limit": "100" })).unwrap().limit, 100);
    for limit in ["0", "101", "-1", "", "ten", "1e1", " 5", "99999999999999999999"] {
        assert!(
            matches!(of(json!({ "limit": limit })), Err(Refusal::Invalid(_))),
            "{limit}"
        );
    }
}

#[test]
fn a_token_goes_on_after_the_last_item_and_hostile_ones_are_refused() {
    let items = vec![item(1, "a"), item(1, "b")];
    let token = page(items.clone(), 1, false).next.unwrap();
    let of = |token: &str| page_request(&request(json!({ "queryStringParameters": { "next": token } })));
    assert_eq!(of(&token).unwrap().after.as_deref(), Some("pizza"));
    let long = URL_SAFE_NO_PAD.encode("x".repeat(101));
    let control = URL_SAFE_NO_PAD.encode("a\0b");
    let binary = URL_SAFE_NO_PAD.encode([0xff, 0xfe]);
    for hostile in ["", "!", "cGl6emE=", "../../", &long, &control, &binary] {
        assert!(matches!(of(hostile), Err(Refusal::Invalid(_))), "{hostile}");
    }
    assert_eq!(page(items.clone(), 2, false).next, None, "the last page");
    assert!(page(items, 2, true).next.is_some(), "the table has more");
    assert_eq!(page(Vec::new(), 2, false).next, None);
}

#[test]
fn lengths_of_a_body_are_counted_in_characters() {
    let of = |body: serde_json::Value| new_item(&request(json!({ "body": body.to_string() })));
    assert!(of(json!({ "place_name": "🍕".repeat(200), "note": "ü".repeat(2_000), "version": 1 })).is_ok());
    assert!(of(json!({ "place_name": "a", "note": null, "version": null })).is_ok());
    for wrong in [
        json!({}),
        json!({ "place_name": "" }),
        json!({ "place_name": "🍕".repeat(201) }),
        json!({ "place_name": "a", "note": "ü".repeat(2_001) }),
        json!({ "place_name": "a", "version": 0 }),
        json!({ "place_name": "a", "version": -1 }),
        json!({ "place_name": "a", "version": "1" }),
        json!({ "place_name": 7 }),
        json!([]),
    ] {
        assert!(matches!(of(wrong.clone()), Err(Refusal::Invalid(_))), "{wrong}");
    }
    assert!(matches!(new_item(&request(json!({}))), Err(Refusal::Invalid(_))));
    assert!(matches!(
        new_item(&request(json!({ "body": "{" }))),
        Err(Refusal::Invalid(_))
    ));
}

#[test]
fn a_change_is_on_condition_of_its_version() {
    let write = first_write("pizza", &new(Some(3))).unwrap();
    assert_eq!((write.only_if, write.item.version), (Some(3), 4));
    let conflict = |current| Next::Refuse(Refusal::Conflict { based_on: 3, current });
    assert_eq!(
        after_conflict("pizza", &new(Some(3)), Some(item(5, "other"))),
        conflict(Some(5))
    );
    assert_eq!(
        after_conflict("pizza", &new(Some(3)), Some(item(4, "other"))),
        conflict(Some(4))
    );
    assert_eq!(after_conflict("pizza", &new(Some(3)), None), conflict(None));
    assert!(matches!(
        first_write("pizza", &new(Some(u64::MAX))),
        Err(Refusal::Conflict { .. })
    ));
}

#[test]
fn an_overwrite_counts_on_from_what_is_there() {
    let write = first_write("pizza", &new(None)).unwrap();
    assert_eq!((write.only_if, write.item.version), (None, 1));
    let Next::Write(write) = after_conflict("pizza", &new(None), Some(item(7, "other"))) else {
        panic!("it is written")
    };
    assert_eq!((write.only_if, write.item.version), (Some(7), 8));
    let Next::Write(write) = after_conflict("pizza", &new(None), None) else {
        panic!("it was deleted meanwhile")
    };
    assert_eq!((write.only_if, write.item.version), (None, 1));
}

#[test]
fn a_repeated_request_whose_answer_was_lost_succeeds() {
    let there = item(4, "Da Michele");
    assert_eq!(
        after_conflict("pizza", &new(Some(3)), Some(there.clone())),
        Next::Done(there.clone())
    );
    assert_eq!(
        after_conflict("pizza", &new(None), Some(there.clone())),
        Next::Done(there.clone())
    );
    assert!(matches!(
        after_conflict("pizza", &new(Some(2)), Some(there)),
        Next::Refuse(_)
    ));
}

#[test]
fn every_refusal_is_json_with_its_status() {
    let refusals = [
        (Refusal::Invalid("no".to_owned()), 400),
        (Refusal::Unauthorized, 401),
        (Refusal::NotFound("pizza".to_owned()), 404),
        (
            Refusal::Conflict {
                based_on: 1,
                current: None,
            },
            409,
        ),
        (Refusal::Broken, 500),
        (Refusal::Unavailable, 503),
    ];
    for (refusal, status) in refusals {
        let response = respond(Err(refusal.clone()));
        assert_eq!(response.status_code, status);
        assert_eq!(response.headers["Content-Type"], "application/json");
        assert_eq!(response.headers["Cache-Control"], "no-store");
        let body: AppError = serde_json::from_str(&response.body).unwrap();
        assert_eq!(body.message, refusal.to_string());
    }
}
