//! The sample application's functions on a table: users apart, pages whole, no update lost.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use contract::{AppError, Item, ItemPage, ProxyRequest, ProxyResponse};
use runtime::functions::{DeleteItem, Function, GetItem, Invocation, ListItems, PutItem};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testing::aws::{Cloud, Fault};
use testing::or_skip;

use crate::cloud::Configured;

/// The table's name in `stage`, as the template says it.
pub(crate) const TABLE: &str = "thebestest-stage-items";

/// The application's functions of one account.
struct App {
    list: ListItems,
    get: GetItem,
    put: PutItem,
    delete: DeleteItem,
}

impl App {
    fn of(cloud: &Cloud) -> Self {
        Self {
            list: cloud.deployed("stage", &[]),
            get: cloud.deployed("stage", &[]),
            put: cloud.deployed("stage", &[]),
            delete: cloud.deployed("stage", &[]),
        }
    }

    async fn put(&self, user: &str, category: &str, body: Value) -> ProxyResponse {
        call(&self.put, request(user, Some(category), json!({}), Some(body))).await
    }

    async fn get(&self, user: &str, category: &str) -> ProxyResponse {
        call(&self.get, request(user, Some(category), json!({}), None)).await
    }

    async fn list(&self, user: &str, query: Value) -> ProxyResponse {
        call(&self.list, request(user, None, query, None)).await
    }

    async fn delete(&self, user: &str, category: &str) -> ProxyResponse {
        call(&self.delete, request(user, Some(category), json!({}), None)).await
    }
}

/// Makes the table as the stack does.
pub(crate) async fn set_up(cloud: &Cloud) {
    let text = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("complete")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("complete")
    };
    Client::new(&cloud.config("test"))
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text("user_id"))
        .attribute_definitions(text("category_name"))
        .key_schema(key("user_id", KeyType::Hash))
        .key_schema(key("category_name", KeyType::Range))
        .send()
        .await
        .expect("the table is made");
}

/// Makes every kind of call that the functions make, whatever the answers, which are the statuses.
pub(crate) async fn attempt(cloud: &Cloud) -> [u16; 4] {
    let app = App::of(cloud);
    let put = app.put("u", "pizza", json!({ "place_name": "Da Michele" })).await;
    let got = app.get("u", "pizza").await;
    let listed = app.list("u", json!({ "limit": "1" })).await;
    let deleted = app.delete("u", "pizza").await;
    [put, got, listed, deleted].map(|answer| answer.status_code)
}

/// Makes every kind of call that the functions make, with success.
pub(crate) async fn exercise(cloud: &Cloud) {
    assert_eq!(attempt(cloud).await, [201, 200, 200, 204]);
}

fn request(user: &str, category: Option<&str>, query: Value, body: Option<Value>) -> ProxyRequest {
    let request = json!({
        "pathParameters": category.map(|category| json!({ "category_name": category })),
        "queryStringParameters": query,
        "body": body.map(|body| body.to_string()),
        "requestContext": { "authorizer": { "claims": { "sub": user, "email": "u@example.com" } } },
    });
    serde_json::from_value(request).expect("it is a request")
}

async fn call<F: Function>(function: &F, request: ProxyRequest) -> ProxyResponse
where
    F::Contract: synth::Handler<Input = ProxyRequest, Output = ProxyResponse>,
{
    let invocation = Invocation::lasting("request", Duration::from_secs(10));
    let response = function.call(request, &invocation).await;
    response
        .map_err(|failure| failure.message)
        .expect("every fault is an answer")
}

/// The body, which must be what the contract's schema says.
fn body<T: DeserializeOwned + JsonSchema>(response: &ProxyResponse) -> T {
    let value: Value = serde_json::from_str(&response.body).expect("the body is JSON");
    let schema = schemars::schema_for!(T).to_value();
    let broken: Vec<String> = jsonschema::validator_for(&schema)
        .expect("the contract's schema is one")
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(broken.is_empty(), "{broken:?} in {value}");
    assert_eq!(response.headers["Content-Type"], "application/json");
    serde_json::from_value(value).expect("the schema is the type's")
}

fn refused(response: &ProxyResponse, status: u16) -> String {
    assert_eq!(response.status_code, status, "{}", response.body);
    body::<AppError>(response).message
}

async fn ready(what: &str) -> Option<(Cloud, App)> {
    let cloud = or_skip(what, Cloud::start())?;
    set_up(&cloud).await;
    let app = App::of(&cloud);
    Some((cloud, app))
}

#[tokio::test]
async fn an_item_lives_from_its_creation_to_its_deletion() {
    let Some((_cloud, app)) = ready("an item lives").await else {
        return;
    };
    assert!(refused(&app.get("u", "pizza").await, 404).contains("`pizza`"));
    let created = app
        .put(
            "u",
            "caf%C3%A9%20%F0%9F%8D%95",
            json!({ "place_name": "Ünïcode 🍕", "note": "ß" }),
        )
        .await;
    assert_eq!(created.status_code, 201);
    let item: Item = body(&created);
    assert_eq!((item.category_name.as_str(), item.version), ("café 🍕", 1));
    let got = app.get("u", "caf%C3%A9%20%F0%9F%8D%95").await;
    assert_eq!((got.status_code, body::<Item>(&got)), (200, item));
    let changed = app
        .put(
            "u",
            "caf%C3%A9%20%F0%9F%8D%95",
            json!({ "place_name": "new", "version": 1 }),
        )
        .await;
    assert_eq!((changed.status_code, body::<Item>(&changed).version), (200, 2));
    assert_eq!(body::<Item>(&app.get("u", "caf%C3%A9%20%F0%9F%8D%95").await).note, None);
    let stale = app
        .put(
            "u",
            "caf%C3%A9%20%F0%9F%8D%95",
            json!({ "place_name": "other", "version": 1 }),
        )
        .await;
    assert!(refused(&stale, 409).contains("version 2"), "{}", stale.body);
    let over = app
        .put("u", "caf%C3%A9%20%F0%9F%8D%95", json!({ "place_name": "over" }))
        .await;
    assert_eq!((over.status_code, body::<Item>(&over).version), (200, 3));
    for _ in 0..2 {
        let deleted = app.delete("u", "caf%C3%A9%20%F0%9F%8D%95").await;
        assert_eq!((deleted.status_code, deleted.body.as_str()), (204, ""));
    }
    let gone = app
        .put(
            "u",
            "caf%C3%A9%20%F0%9F%8D%95",
            json!({ "place_name": "a", "version": 3 }),
        )
        .await;
    assert!(refused(&gone, 409).contains("not there"));
}

#[tokio::test]
async fn pages_hold_every_item_once_and_tokens_lead_to_ones_own() {
    let Some((cloud, app)) = ready("pages are whole").await else {
        return;
    };
    let client = Client::new(&cloud.config("test"));
    for (user, number) in (0..120)
        .map(|number| ("many", number))
        .chain((0..5).map(|number| ("other", number)))
    {
        let put = client.put_item().table_name(TABLE);
        let put = put.item("user_id", AttributeValue::S(user.to_owned()));
        let put = put.item("category_name", AttributeValue::S(format!("{user}-{number:03}")));
        let put = put.item("place_name", AttributeValue::S("place".to_owned()));
        put.item("version", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .expect("put");
    }
    for limit in [7, 40, 60, 100] {
        let mut seen = Vec::new();
        let mut query = json!({ "limit": limit.to_string() });
        loop {
            let page: ItemPage = body(&app.list("many", query.clone()).await);
            assert!(
                (1..=limit).contains(&page.items.len()),
                "{} of {limit}",
                page.items.len()
            );
            seen.extend(page.items.into_iter().map(|item| item.category_name));
            let Some(next) = page.next else { break };
            query["next"] = json!(next);
        }
        assert_eq!(
            seen,
            (0..120).map(|number| format!("many-{number:03}")).collect::<Vec<_>>(),
            "{limit}"
        );
    }
    let page: ItemPage = body(&app.list("many", json!({ "limit": "1" })).await);
    let page: ItemPage = body(&app.list("other", json!({ "next": page.next })).await);
    assert_eq!(page.items.len(), 5);
    assert!(
        page.items.iter().all(|item| item.category_name.starts_with("other-")),
        "{page:?}"
    );
    for hostile in ["", "%", "eyJ1c2VyX2lkIjoib3RoZXIifQ==", "AA", "////"] {
        refused(&app.list("many", json!({ "next": hostile })).await, 400);
    }
    for limit in ["0", "101", "x"] {
        refused(&app.list("many", json!({ "limit": limit })).await, 400);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_reaches_nothing() {
    let Some((cloud, app)) = ready("nobody is let in").await else {
        return;
    };
    refused(&app.list("", json!({})).await, 401);
    refused(&app.get("", "pizza").await, 401);
    refused(&app.put("", "pizza", json!({ "place_name": "a" })).await, 401);
    refused(&app.delete("", "pizza").await, 401);
    for handler in ["list_items", "get_item", "put_item", "delete_item"] {
        assert_eq!(cloud.calls(handler), [], "{handler} asked the table");
    }
}

#[tokio::test]
async fn wrong_requests_are_refused_before_the_table_is_asked() {
    let Some((cloud, app)) = ready("wrong requests are refused").await else {
        return;
    };
    refused(&app.put("u", "", json!({ "place_name": "a" })).await, 400);
    refused(&app.put("u", "%00", json!({ "place_name": "a" })).await, 400);
    refused(&app.put("u", "pizza", json!({ "place_name": "" })).await, 400);
    refused(
        &app.put("u", "pizza", json!({ "place_name": "ü".repeat(201) })).await,
        400,
    );
    refused(
        &app.put("u", "pizza", json!({ "place_name": "a", "version": 0 })).await,
        400,
    );
    refused(
        &app.put("u", "pizza", json!({ "place_name": "a", "version": u64::MAX }))
            .await,
        409,
    );
    refused(&app.get("u", &"x".repeat(101)).await, 400);
    refused(&app.delete("u", "%ff").await, 400);
    for handler in ["get_item", "put_item", "delete_item"] {
        assert_eq!(cloud.calls(handler), [], "{handler} asked the table");
    }
}

#[tokio::test]
async fn of_many_writers_at_once_no_update_is_lost() {
    let Some((_cloud, app)) = ready("no update is lost").await else {
        return;
    };
    let writers: u64 = 8;
    let write = async |writer: u64| {
        app.put("u", "pizza", json!({ "place_name": format!("place {writer}") }))
            .await
    };
    let answers = futures(writers, write).await;
    let mut versions = BTreeMap::new();
    for answer in &answers {
        let item: Item = body(answer);
        assert!(
            versions.insert(item.version, item.place_name).is_none(),
            "a version is given once"
        );
    }
    assert_eq!(
        versions.keys().copied().collect::<Vec<_>>(),
        (1..=writers).collect::<Vec<_>>()
    );
    let last: Item = body(&app.get("u", "pizza").await);
    assert_eq!((last.version, &last.place_name), (writers, &versions[&writers]));

    let change = async |writer: u64| {
        app.put(
            "u",
            "pizza",
            json!({ "place_name": format!("change {writer}"), "version": writers }),
        )
        .await
    };
    let mut statuses: Vec<u16> = futures(writers, change)
        .await
        .iter()
        .map(|answer| answer.status_code)
        .collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [vec![200], vec![409; 7]].concat(),
        "one change is based on one version"
    );
}

/// All of them at once, on this thread.
async fn futures<F: AsyncFn(u64) -> ProxyResponse>(count: u64, make: F) -> Vec<ProxyResponse> {
    let mut running: Vec<_> = (0..count).map(|number| Box::pin(make(number))).collect();
    let mut done: Vec<Option<ProxyResponse>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(response) = future.as_mut().poll(context) {
                *done = Some(response);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once() {
    let Some((cloud, app)) = ready("a change is made once").await else {
        return;
    };
    app.put("u", "pizza", json!({ "place_name": "a" })).await;
    cloud.fail("dynamodb", "PutItem", 1, Fault::AnswerLost);
    let changed = app.put("u", "pizza", json!({ "place_name": "b", "version": 1 })).await;
    assert_eq!((changed.status_code, body::<Item>(&changed).version), (200, 2));
    assert_eq!(body::<Item>(&app.get("u", "pizza").await).version, 2);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_a_503_and_one_that_is_missing_a_500() {
    let Some((cloud, app)) = ready("faults are answers").await else {
        return;
    };
    for nth in 1..=3 {
        cloud.fail("dynamodb", "GetItem", nth, Fault::Throttled);
        cloud.fail("dynamodb", "Query", nth, Fault::Unavailable);
        cloud.fail("dynamodb", "DeleteItem", nth, Fault::Lost);
    }
    for answer in [
        app.get("u", "pizza").await,
        app.list("u", json!({})).await,
        app.delete("u", "pizza").await,
    ] {
        refused(&answer, 503);
        assert_eq!(answer.headers["Retry-After"], "1");
    }
    let lost: GetItem = cloud.function(&[(contract::GetItem::TABLE, "no-such-table")]);
    let answer = call(&lost, request("u", Some("pizza"), json!({}), None)).await;
    assert!(
        !refused(&answer, 500).contains("no-such-table"),
        "what is wrong inside is not said outside"
    );
    cloud.fail("dynamodb", "GetItem", 1, Fault::Hang);
    let short = Invocation::lasting("request", Duration::from_millis(1_300));
    let answer = app.get.call(request("u", Some("pizza"), json!({}), None), &short).await;
    refused(&answer.map_err(|failure| failure.message).expect("an answer"), 503);
}
