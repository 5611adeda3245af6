//! `GET /items`.

use contract::{Item, ProxyRequest, ProxyResponse};

use super::{Items, answer, item_of, refusal, text};
use crate::app::{self, Refusal};
use crate::functions::{Environment, FailureOf, Function, Invocation, StartError};

/// The user's items, a page at a time.
#[derive(Debug)]
pub struct ListItems(Items);

impl Function for ListItems {
    type Contract = contract::ListItems;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Items::new(environment, contract::ListItems::TABLE).map(Self)
    }

    async fn call(&self, request: ProxyRequest, invocation: &Invocation) -> Result<ProxyResponse, FailureOf<Self>> {
        Ok(answer(invocation, self.list(&request)).await)
    }
}

impl ListItems {
    async fn list(&self, request: &ProxyRequest) -> Result<ProxyResponse, Refusal> {
        let user = app::user(request)?;
        let asked = app::page_request(request)?;
        // One more than a page tells whether there is another; DynamoDB's own key also stands where the last item is the last.
        let limit = i32::try_from(asked.limit).unwrap_or(i32::MAX).saturating_add(1);
        let query = self.0.client.query().table_name(&self.0.table).limit(limit);
        let query = query
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user));
        let start = asked.after.map(|category| {
            [
                ("user_id".to_owned(), text(user)),
                ("category_name".to_owned(), text(&category)),
            ]
            .into()
        });
        let found = query.set_exclusive_start_key(start).send().await;
        let found = found.map_err(|error| refusal(&error))?;
        let items: Vec<Item> = found.items().iter().map(item_of).collect::<Result<_, _>>()?;
        let cut_short = items.len() <= asked.limit && found.last_evaluated_key().is_some();
        Ok(app::answer(200, &app::page(items, asked.limit, cut_short)))
    }
}
