//! `PUT /items/{category_name}`.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use contract::{Item, ProxyRequest, ProxyResponse};

use super::{Items, answer, item_of, number, refusal, text};
use crate::app::{self, Next, Refusal, Write};
use crate::functions::{Environment, FailureOf, Function, Invocation, StartError};

/// Creates or changes an item of the user, on condition of its version.
#[derive(Debug)]
pub struct PutItem(Items);

/// How often an overwrite yields to others before it asks the user to try again.
const ATTEMPTS: usize = 20;

impl Function for PutItem {
    type Contract = contract::PutItem;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        Items::new(environment, contract::PutItem::TABLE).map(Self)
    }

    async fn call(&self, request: ProxyRequest, invocation: &Invocation) -> Result<ProxyResponse, FailureOf<Self>> {
        Ok(answer(invocation, self.put(&request)).await)
    }
}

impl PutItem {
    async fn put(&self, request: &ProxyRequest) -> Result<ProxyResponse, Refusal> {
        let user = app::user(request)?;
        let category = app::category(request)?;
        let new = app::new_item(request)?;
        let mut write = app::first_write(&category, &new)?;
        for _ in 0..ATTEMPTS {
            let Err(current) = self.write(user, &write).await? else {
                let status = if write.only_if.is_none() { 201 } else { 200 };
                return Ok(app::answer(status, &write.item));
            };
            match app::after_conflict(&category, &new, current) {
                Next::Done(item) => return Ok(app::answer(200, &item)),
                Next::Write(next) => write = next,
                Next::Refuse(refusal) => return Err(refusal),
            }
        }
        tracing::warn!("others change the item all the time");
        Err(Refusal::Unavailable)
    }

    /// Writes the item if its condition holds; if not, answers what is there.
    async fn write(&self, user: &str, write: &Write) -> Result<Result<(), Option<Item>>, Refusal> {
        let put = self.0.client.put_item().table_name(&self.0.table);
        let mut put = put
            .item("user_id", text(user))
            .item("category_name", text(&write.item.category_name))
            .item("place_name", text(&write.item.place_name))
            .item("version", number(write.item.version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(note) = &write.item.note {
            put = put.item("note", text(note));
        }
        let put = match write.only_if {
            None => put.condition_expression("attribute_not_exists(category_name)"),
            Some(version) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let Err(error) = put.send().await else {
            return Ok(Ok(()));
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().map(item_of).transpose().map(Err)
            }
            _ => Err(refusal(&error)),
        }
    }
}
