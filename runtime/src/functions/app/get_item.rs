//! `GET /items/{category_name}`.

use contract::{ProxyRequest, ProxyResponse};

use super::{Items, answer, item_of, refusal, text};
use crate::app::{self, Refusal};
use crate::functions::{Environment, FailureOf, Function, Invocation, StartError};

/// One item of the user.
#[derive(Debug)]
pub struct GetItem(Items);

impl Function for GetItem {
    type Contract = contract::GetItem;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Items::new(environment, contract::GetItem::TABLE).map(Self)
    }

    async fn call(&self, request: ProxyRequest, invocation: &Invocation) -> Result<ProxyResponse, FailureOf<Self>> {
        Ok(answer(invocation, self.get(&request)).await)
    }
}

impl GetItem {
    async fn get(&self, request: &ProxyRequest) -> Result<ProxyResponse, Refusal> {
        let user = app::user(request)?;
        let category = app::category(request)?;
        let get = self.0.client.get_item().table_name(&self.0.table);
        let key = get.key("user_id", text(user)).key("category_name", text(&category));
        let found = key
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| refusal(&error))?;
        let attributes = found.item.ok_or(Refusal::NotFound(category))?;
        Ok(app::answer(200, &item_of(&attributes)?))
    }
}
