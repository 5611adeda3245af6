//! The table of records: one item a pull request, keyed `repository` and `number`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use contract::Target;

/// The table of records.
#[derive(Debug, Clone)]
pub struct Records {
    client: Client,
    table: String,
}

/// What the table of records answers with instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// A newer generation has claimed the pull request.
    #[error("generation {generation} of {repository}#{number} is superseded by generation {current}")]
    Superseded {
        /// The repository.
        repository: String,
        /// The pull request.
        number: u32,
        /// The execution's.
        generation: u64,
        /// The record's.
        current: u64,
    },
    /// DynamoDB did not answer, or not as it should.
    #[error("the records of pull requests are out of reach: {0}")]
    Unavailable(String),
}

impl Records {
    /// The table of this name.
    pub fn new(aws: &aws_types::SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(aws),
            table,
        }
    }

    /// Passes if the target's generation is still the current one of its environment.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if not.
    pub async fn require_current(&self, target: &Target) -> Result<(), RecordsError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("repository", AttributeValue::S(target.repository.clone()))
            .key("number", AttributeValue::N(target.number.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| {
                RecordsError::Unavailable(aws_sdk_dynamodb::error::DisplayErrorContext(&error).to_string())
            })?;
        let current = answer
            .item()
            .and_then(|item| item.get("generation")?.as_n().ok()?.parse().ok())
            .unwrap_or(0);
        if current == target.generation {
            return Ok(());
        }
        Err(RecordsError::Superseded {
            repository: target.repository.clone(),
            number: target.number,
            generation: target.generation,
            current,
        })
    }
}
