//! The functions of the sample application's routes: [`app`](crate::app)'s rules on the table of items.

mod delete_item;
mod get_item;
mod list_items;
mod put_item;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use contract::{Item, ProxyResponse};
use synth::EnvironmentVariable;

pub use delete_item::DeleteItem;
pub use get_item::GetItem;
pub use list_items::ListItems;
pub use put_item::PutItem;

use super::{Environment, Invocation, StartError};
use crate::app::{self, Refusal};

/// How long before the deadline an answer is given up, so that the user gets words instead of a gateway's error.
const RESERVE: Duration = Duration::from_secs(1);

/// The errors of DynamoDB that mean "later"; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.
const LATER: [&str; 5] = [
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
];

type Attributes = HashMap<String, AttributeValue>;

/// The table of items: one a user and category.
#[derive(Debug, Clone)]
struct Items {
    client: Client,
    table: String,
}

impl Items {
    fn new(environment: &Environment, table: EnvironmentVariable) -> Result<Self, StartError> {
        Ok(Self {
            client: Client::new(environment.aws()),
            table: environment.variable(table)?,
        })
    }
}

/// The answer that `work` comes to before the deadline.
async fn answer(invocation: &Invocation, work: impl Future<Output = Result<ProxyResponse, Refusal>>) -> ProxyResponse {
    let time = invocation.remaining().saturating_sub(RESERVE);
    let outcome = tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        tracing::warn!("the table did not answer in time");
        Err(Refusal::Unavailable)
    });
    app::respond(outcome)
}

/// What a failed call is to the user; the log says more.
fn refusal<E>(error: &SdkError<E>) -> Refusal
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let later = match error {
        SdkError::ServiceError(context) => {
            context.raw().status().is_server_error() || error.code().is_some_and(|code| LATER.contains(&code))
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    };
    tracing::error!(error = %DisplayErrorContext(error), "the table refused");
    if later { Refusal::Unavailable } else { Refusal::Broken }
}

/// An item of the table that is not what this application writes.
fn unreadable(what: impl fmt::Display) -> Refusal {
    tracing::error!(%what, "an item of the table is unreadable");
    Refusal::Broken
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The item that the attributes describe. Whose it is is not said.
fn item_of(attributes: &Attributes) -> Result<Item, Refusal> {
    let text = |name: &'static str| attributes.get(name).and_then(|value| value.as_s().ok()).cloned();
    let version = attributes
        .get("version")
        .and_then(|value| value.as_n().ok()?.parse().ok());
    Ok(Item {
        category_name: text("category_name").ok_or_else(|| unreadable("category_name"))?,
        place_name: text("place_name").ok_or_else(|| unreadable("place_name"))?,
        note: text("note"),
        version: version.ok_or_else(|| unreadable("version"))?,
    })
}
