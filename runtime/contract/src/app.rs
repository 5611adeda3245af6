//! The handlers of the sample application: each user's best place per category.

use std::collections::BTreeMap;
use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synth::{EnvironmentVariable, Handler, Shape};

/// A user's best place of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct Item {
    /// The category, such as `pizza`.
    pub category_name: String,
    /// The place, such as `Da Michele, Napoli`.
    pub place_name: String,
    /// What makes it the best.
    pub note: Option<String>,
    /// Counts the changes, from 1: the condition of the next one.
    pub version: u64,
}

/// A page of items in the order of their categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct ItemPage {
    /// The items.
    pub items: Vec<Item>,
    /// What to pass as `next` to get the next page; absent on the last one.
    pub next: Option<String>,
}

/// The body of `PUT /items/{category_name}`, which API Gateway validates before the function runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct NewItem {
    /// The place: 1 to 200 characters.
    #[schemars(length(min = 1, max = 200))]
    pub place_name: String,
    /// What makes it the best: at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub note: Option<String>,
    /// The version that the change is based on; absent to create, or to overwrite whatever is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub version: Option<u64>,
}

/// The body of an answer that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
pub struct AppError {
    /// What is wrong and how to mend it.
    pub message: String,
}

/// What API Gateway's Lambda proxy integration sends, as far as the application reads it; see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "camelCase")]
pub struct ProxyRequest {
    /// The path's parameters as they stand in the path, percent-encoded.
    pub path_parameters: Option<BTreeMap<String, String>>,
    /// The query's parameters, decoded.
    pub query_string_parameters: Option<BTreeMap<String, String>>,
    /// The body as it came.
    pub body: Option<String>,
    /// Who asks; the Cognito authorizer's claims are in it.
    pub request_context: BTreeMap<String, serde_json::Value>,
}

/// What the Lambda proxy integration takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape)]
#[serde(rename_all = "camelCase")]
pub struct ProxyResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

macro_rules! app_handler {
    ($(#[$doc:meta])* $marker:ident, $name:literal) => {
        $(#[$doc])*
        pub struct $marker;

        impl $marker {
            /// The name of the table of items.
            pub const TABLE: EnvironmentVariable = EnvironmentVariable::named("TABLE");
        }

        impl Handler for $marker {
            type Input = ProxyRequest;
            type Output = ProxyResponse;
            /// Every fault is an HTTP answer.
            type Error = Infallible;
            const NAME: &'static str = $name;
            const ENVIRONMENT: &'static [EnvironmentVariable] = &[Self::TABLE];
        }
    };
}

app_handler!(
    /// `GET /items`: the user's items, a page at a time.
    ListItems, "list_items"
);
app_handler!(
    /// `GET /items/{category_name}`: one item.
    GetItem, "get_item"
);
app_handler!(
    /// `PUT /items/{category_name}`: creates or changes an item, on condition of its version.
    PutItem, "put_item"
);
app_handler!(
    /// `DELETE /items/{category_name}`: removes an item.
    DeleteItem, "delete_item"
);
