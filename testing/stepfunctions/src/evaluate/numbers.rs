//! The numbers that fields ending in `Path` select, with what Step Functions says of those that do not fit.

use serde_json::{Number, Value};

use super::Scope;
use crate::{
    definition::{Query, Source, Template},
    failure::Failure,
};

impl Scope<'_> {
    /// How many seconds a Wait takes.
    pub(crate) fn seconds(&mut self, template: &Template) -> Result<u64, Failure> {
        let Template::Query(query) = template else {
            return self.whole(template, "Seconds", 0);
        };
        let value = match &query.source {
            Source::Path(path) => self.path(path).map_err(|_| {
                Failure::runtime(format!(
                    "The SecondsPath parameter does not reference an input value: {}",
                    query.text()
                ))
            })?,
            Source::Call(_) => self.query(query)?,
        };
        let told = |fault: &str| {
            Failure::runtime(format!(
                "The SecondsPath parameter {fault}: {} == {}",
                query.text(),
                bare(&value)
            ))
        };
        match (value.as_u64(), value.as_i64()) {
            (Some(seconds), _) => Ok(seconds),
            (None, Some(_)) => Err(told("references a negative value")),
            (None, None) => Err(told("cannot be parsed as a long value")),
        }
    }

    /// How many iterations run at once at most; 0 for as many as there may be.
    pub(crate) fn concurrency(&mut self, template: &Template) -> Result<u64, Failure> {
        let Template::Query(query) = template else {
            return self.whole(template, "MaxConcurrency", 0);
        };
        let number = self.integer(query, "MaxConcurrency")?;
        u64::try_from(number).map_err(|_| {
            Failure::runtime(format!(
                "Expected non-negative integer for MaxConcurrency, got '{number}' instead."
            ))
        })
    }

    /// Evaluates how many iterations may fail, and refuses what it cannot be. An inline Map tolerates none whatever it says.
    pub(crate) fn tolerated_count(&mut self, template: &Template) -> Result<(), Failure> {
        let Template::Query(query) = template else {
            return self.whole(template, "ToleratedFailureCount", 0).map(drop);
        };
        if self.integer(query, "ToleratedFailureCount")? < 0 {
            return Err(Failure::runtime("ToleratedFailureCount cannot be negative."));
        }
        Ok(())
    }

    /// The same in percent.
    pub(crate) fn tolerated_percentage(&mut self, template: &Template) -> Result<(), Failure> {
        const NAME: &str = "ToleratedFailurePercentage";
        let value = match template {
            Template::Query(query) => self.query(query)?,
            _ => self.typed(template, NAME, "number")?,
        };
        let number = match (&value, template) {
            (Value::String(text), Template::Query(_)) => text.parse().ok(),
            (value, _) => value.as_f64(),
        };
        match (number, template) {
            (None, Template::Query(query)) => Err(unfit(query, NAME, "float", &value)),
            (Some(number), _) if (0.0..=100.0).contains(&number) => Ok(()),
            _ => {
                let cause = format!("{NAME} must be between 0 and 100.");
                Err(match template {
                    Template::Jsonata(_) => Failure::query(NAME, cause),
                    _ => Failure::runtime(cause),
                })
            }
        }
    }

    /// A whole number, or a text that is one: Step Functions reads both.
    fn integer(&mut self, query: &Query, field: &str) -> Result<i64, Failure> {
        let value = self.query(query)?;
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            value => value.as_number().and_then(Number::as_i64),
        };
        number.ok_or_else(|| unfit(query, field, "integer", &value))
    }
}

fn unfit(query: &Query, field: &str, expected: &str, value: &Value) -> Failure {
    Failure::runtime(format!(
        "The {field}Path field refers to value \"{}\" which is not a valid {expected}: {}",
        bare(value),
        query.text()
    ))
}

/// A text without quotes, anything else as JSON.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
