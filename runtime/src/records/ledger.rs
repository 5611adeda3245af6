//! What a teardown has done so far: it takes many calls, and its receipt tells of all of them.

use aws_sdk_dynamodb::types::AttributeValue;
use contract::Target;
use serde::{Deserialize, Serialize};

use super::{Records, RecordsError, count, item_of};

/// What a teardown has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The generation that it belongs to.
    pub generation: u64,
    /// The ids of the stacks that were there, which find them after they are deleted.
    #[serde(default)]
    pub stacks: Vec<String>,
    /// How many versions of objects were deleted, markers of deleted objects included.
    #[serde(default)]
    pub objects: u64,
    /// Since when nothing but what the tagging service still lists is left, in seconds since 1970.
    #[serde(default)]
    pub settling_since: Option<u64>,
    /// The ids of stacks that have left something behind, those of earlier teardowns too.
    #[serde(default)]
    pub retaining: Vec<String>,
}

/// The part of a record that holds the ledger.
#[derive(Debug, Deserialize)]
struct Holder {
    #[serde(default)]
    teardown: Option<Ledger>,
}

impl Records {
    /// What the target's teardown has done so far; nothing at its first call.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`].
    pub async fn ledger(&self, target: &Target) -> Result<Ledger, RecordsError> {
        let holder: Option<Holder> = self.item(&target.repository, target.number).await?;
        let ledger = holder.and_then(|holder| holder.teardown).unwrap_or_default();
        if ledger.generation == target.generation {
            return Ok(ledger);
        }
        // What an earlier teardown has left behind is there still, and nothing else of it matters any more.
        Ok(Ledger {
            generation: target.generation,
            retaining: ledger.retaining,
            ..Ledger::default()
        })
    }

    /// Keeps what the target's teardown has done so far.
    ///
    /// # Errors
    /// [`RecordsError::Superseded`] if the pull request was opened again meanwhile.
    pub async fn save_ledger(&self, target: &Target, ledger: &Ledger) -> Result<(), RecordsError> {
        let update = self
            .update(&target.repository, target.number)
            .update_expression("SET teardown = :ledger ADD revision :one")
            .condition_expression("generation = :generation")
            .expression_attribute_values(":ledger", AttributeValue::M(item_of(ledger)?))
            .expression_attribute_values(":generation", count(target.generation))
            .expression_attribute_values(":one", count(1));
        self.require_written(target, update).await
    }
}
