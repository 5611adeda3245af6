//! `DELETE /items/{category_name}`.

use contract::{ProxyRequest, ProxyResponse};

use super::{Items, answer, refusal, text};
use crate::app::{self, Refusal};
use crate::functions::{Environment, FailureOf, Function, Invocation, StartError};

/// Removes an item of the user. It is gone afterwards, whether it was there before or not, so that a request whose answer was lost
/// can be repeated.
#[derive(Debug)]
pub struct DeleteItem(Items);

impl Function for DeleteItem {
    type Contract = contract::DeleteItem;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Items::new(environment, contract::DeleteItem::TABLE).map(Self)
    }

    async fn call(&self, request: ProxyRequest, invocation: &Invocation) -> Result<ProxyResponse, FailureOf<Self>> {
        Ok(answer(invocation, self.delete(&request)).await)
    }
}

impl DeleteItem {
    async fn delete(&self, request: &ProxyRequest) -> Result<ProxyResponse, Refusal> {
        let user = app::user(request)?;
        let category = app::category(request)?;
        let delete = self.0.client.delete_item().table_name(&self.0.table);
        let key = delete.key("user_id", text(user)).key("category_name", text(&category));
        key.send().await.map_err(|error| refusal(&error))?;
        Ok(app::no_content())
    }
}
