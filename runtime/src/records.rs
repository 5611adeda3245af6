//! The table of records: one item a pull request, keyed `repository` and `number`, and one with the number 0 that they share.
//!
//! Every write has a condition. A step that works for a generation writes only while it is the current one; a claim writes only
//! what nobody has written since it read. Nothing is decided here: that is [`record`](crate::record)'s.

mod ledger;

pub use ledger::Ledger;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use contract::{Outcome, Run, Step, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::record::{Record, ReportMemory, STAGE, Shared, Stage, row_key};

/// The most pages of the table that one reading takes: at 1 MB each, tens of thousands of pull requests.
const PAGES: usize = 25;

/// The table of records.
#[derive(Debug, Clone)]
pub struct Records {
    client: Client,
    table: String,
    clock: Clock,
}

/// What the table of records answers with instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// A newer generation has claimed the pull request, or `stage`.
    #[error("generation {generation} of {environment} of {repository}#{number} is superseded by generation {current}")]
    Superseded {
        /// The repository.
        repository: String,
        /// The pull request.
        number: u32,
        /// The environment.
        environment: String,
        /// The execution's.
        generation: u64,
        /// The record's.
        current: u64,
    },
    /// DynamoDB did not answer, or not as it should.
    #[error("the records of pull requests are out of reach: {0}")]
    Unavailable(String),
}

/// All records of a repository, as far as one reading goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllRecords {
    /// The records, the newest pull request first.
    pub records: Vec<Record>,
    /// What they share.
    pub shared: Shared,
    /// Whether there are more than one reading takes.
    pub more: bool,
}

impl Records {
    /// The table of this name; what is written is dated by the system's clock.
    pub fn new(aws: &aws_types::SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(aws),
            table,
            clock: Clock::default(),
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The record of a pull request; none if nothing of it was ever claimed.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn read(&self, repository: &str, number: u32) -> Result<Option<Record>, RecordsError> {
        self.item(repository, number).await
    }

    /// What the pull requests of a repository share; empty before the first claim.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn shared(&self, repository: &str) -> Result<Shared, RecordsError> {
        Ok(self
            .item(repository, 0)
            .await?
            .unwrap_or_else(|| Shared::of(repository)))
    }

    /// Passes if the target's generation is still the current one of its environment, and returns the pull request's record.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if not.
    pub async fn require_current(&self, target: &Target) -> Result<Record, RecordsError> {
        let record = self.read(&target.repository, target.number).await?;
        let current = if target.environment == STAGE {
            self.shared(&target.repository).await?.stage.generation
        } else {
            record.as_ref().map_or(0, |record| record.generation)
        };
        match record {
            Some(record) if current == target.generation => Ok(record),
            _ => Err(superseded(target, current)),
        }
    }

    /// Notes an execution of a pipeline, so that a later claim can stop it. Noting it again changes nothing.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if the generation is not current any more: then nobody will stop it but the caller.
    pub async fn add_run(&self, target: &Target, run: &Run) -> Result<(), RecordsError> {
        let stage = target.environment == STAGE;
        let (number, path, generation) = if stage {
            (0, "#stage.runs.#pipeline", "#stage.generation")
        } else {
            (target.number, "runs.#pipeline", "generation")
        };
        let mut update = self
            .update(&target.repository, number)
            .update_expression(format!("SET {path} = :execution ADD revision :one"))
            .condition_expression(format!("{generation} = :generation"))
            .expression_attribute_names("#pipeline", &run.pipeline)
            .expression_attribute_values(":execution", AttributeValue::S(run.execution_id.clone()))
            .expression_attribute_values(":generation", count(target.generation))
            .expression_attribute_values(":one", count(1));
        if stage {
            update = update.expression_attribute_names("#stage", "stage");
        }
        self.require_written(target, update).await
    }

    /// Keeps what `report` remembers. A successful deployment is noted as what the environment runs.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if the generation is not current any more. The record of a pull request whose merge is being
    /// promoted is written in any case: it alone knows the comment.
    pub async fn save_report(&self, target: &Target, memory: &ReportMemory) -> Result<(), RecordsError> {
        let key = row_key(&target.environment, Step::Deploy);
        let deployed = memory
            .rows
            .get(key)
            .is_some_and(|row| row.generation == target.generation && row.outcome == Outcome::Success);
        let mut update = self
            .update(&target.repository, target.number)
            .expression_attribute_values(":memory", AttributeValue::M(item_of(memory)?))
            .expression_attribute_values(":now", count(self.clock.now()))
            .expression_attribute_values(":one", count(1));
        let mut set = "SET memory = :memory, reported_at = :now".to_owned();
        let stage = target.environment == STAGE;
        update = if stage {
            update.condition_expression("attribute_exists(generation)")
        } else {
            update
                .condition_expression("generation = :generation")
                .expression_attribute_values(":generation", count(target.generation))
        };
        if deployed {
            set.push_str(if stage {
                ", promoted = :sha"
            } else {
                ", deployed = :sha"
            });
            update = update.expression_attribute_values(":sha", AttributeValue::S(target.sha.clone()));
        }
        self.require_written(target, update.update_expression(format!("{set} ADD revision :one")))
            .await
    }

    /// Notes that nothing is left of a pull request's environment, and gives its place to others.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if the pull request was opened again meanwhile.
    pub async fn finish_teardown(&self, target: &Target, receipt: &str) -> Result<(), RecordsError> {
        let update = self
            .update(&target.repository, target.number)
            .update_expression(
                "SET environment = :no, receipt = :receipt, finished = :generation REMOVE deployed ADD revision :one",
            )
            .condition_expression("generation = :generation")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":receipt", AttributeValue::S(receipt.to_owned()))
            .expression_attribute_values(":generation", count(target.generation))
            .expression_attribute_values(":one", count(1));
        self.require_written(target, update).await?;
        self.release(&target.repository, &target.environment).await
    }

    /// Reads all records of a repository, eventually consistent and at most so many pages of them.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn scan(&self, repository: &str) -> Result<AllRecords, RecordsError> {
        let shared = self.shared(repository).await?;
        let mut records = Vec::new();
        let mut start = None;
        for _ in 0..PAGES {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("repository = :repository AND #number > :shared")
                .expression_attribute_names("#number", "number")
                .expression_attribute_values(":repository", AttributeValue::S(repository.to_owned()))
                .expression_attribute_values(":shared", count(0))
                .scan_index_forward(false)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(unavailable)?;
            for item in page.items.unwrap_or_default() {
                records.push(typed(item)?);
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        Ok(AllRecords {
            records,
            shared,
            more: start.is_some(),
        })
    }

    /// Writes a claim. Returns whether it was written: not if somebody has written since the record was read with this
    /// revision, or at all where it was not there.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn put(&self, record: &Record, read: Option<u64>) -> Result<bool, RecordsError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item_of(record)?));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(revision)"),
            Some(revision) => put
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", count(revision)),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Gives an environment one of the places that the project allows. Returns whether it has one now.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn hold(&self, repository: &str, environment: &str, places: u32) -> Result<bool, RecordsError> {
        let hold = || {
            self.update(repository, 0)
                .update_expression("SET environments.#environment = :now")
                .condition_expression(
                    "attribute_exists(environments) AND \
                     (attribute_exists(environments.#environment) OR size(environments) < :places)",
                )
                .expression_attribute_names("#environment", environment)
                .expression_attribute_values(":now", count(self.clock.now()))
                .expression_attribute_values(":places", count(places.into()))
        };
        if written(hold()).await? {
            return Ok(true);
        }
        // There is no place, or nothing to keep places in: whoever made that meanwhile, it is there now.
        self.make_shared(repository).await?;
        written(hold()).await
    }

    /// Gives an environment's place back; nothing happens if it has none.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn release(&self, repository: &str, environment: &str) -> Result<(), RecordsError> {
        let update = self
            .update(repository, 0)
            .update_expression("REMOVE environments.#environment")
            .condition_expression("attribute_exists(environments.#environment)")
            .expression_attribute_names("#environment", environment);
        written(update).await.map(drop)
    }

    /// Claims `stage`. Returns whether it did: not if somebody else has since it was read.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn put_stage(&self, repository: &str, stage: &Stage, read: &Stage) -> Result<bool, RecordsError> {
        self.make_shared(repository).await?;
        let update = self
            .update(repository, 0)
            .update_expression("SET #stage = :stage")
            .condition_expression("#stage.generation = :read")
            .expression_attribute_names("#stage", "stage")
            .expression_attribute_values(":stage", AttributeValue::M(item_of(stage)?))
            .expression_attribute_values(":read", count(read.generation));
        written(update).await
    }

    /// Makes the item that all pull requests share, unless it is there.
    async fn make_shared(&self, repository: &str) -> Result<(), RecordsError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item_of(&Shared::of(repository))?))
            .condition_expression("attribute_not_exists(repository)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn item<T: DeserializeOwned>(&self, repository: &str, number: u32) -> Result<Option<T>, RecordsError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("repository", AttributeValue::S(repository.to_owned()))
            .key("number", count(number.into()))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        answer.item.map(typed).transpose()
    }

    fn update(&self, repository: &str, number: u32) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("repository", AttributeValue::S(repository.to_owned()))
            .key("number", count(number.into()))
    }

    /// Sends an update for a target; one whose condition fails is superseded.
    async fn require_written(&self, target: &Target, update: UpdateItemFluentBuilder) -> Result<(), RecordsError> {
        if written(update).await? {
            return Ok(());
        }
        let current = if target.environment == STAGE {
            self.shared(&target.repository).await?.stage.generation
        } else {
            let record = self.read(&target.repository, target.number).await?;
            record.map_or(0, |record| record.generation)
        };
        Err(superseded(target, current))
    }
}

/// Sends an update. Returns whether its condition held.
async fn written(update: UpdateItemFluentBuilder) -> Result<bool, RecordsError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
        Err(error) => Err(unavailable(error)),
    }
}

fn superseded(target: &Target, current: u64) -> RecordsError {
    RecordsError::Superseded {
        repository: target.repository.clone(),
        number: target.number,
        environment: target.environment.clone(),
        generation: target.generation,
        current,
    }
}

fn count(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item_of<T: Serialize>(value: &T) -> Result<HashMap<String, AttributeValue>, RecordsError> {
    serde_dynamo::to_item(value).map_err(|error| RecordsError::Unavailable(error.to_string()))
}

fn typed<T: DeserializeOwned>(item: HashMap<String, AttributeValue>) -> Result<T, RecordsError> {
    serde_dynamo::from_item(item).map_err(|error| RecordsError::Unavailable(format!("an item is no record: {error}")))
}

fn unavailable<E>(error: SdkError<E>) -> RecordsError
where
    E: std::error::Error + RequestId + 'static,
{
    RecordsError::Unavailable(DisplayErrorContext(&error).to_string())
}
