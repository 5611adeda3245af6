//! What queries and tests of JSONPath states give.

use serde_json::Value;

use super::Scope;
use crate::{
    condition::{Comparison, Test, What, With},
    definition::{Query, Source},
    failure::{Failure, INTRINSIC_FAILURE, Origin},
    intrinsic::{Argument, Call, unescaped},
    path::{Base, NothingThere, Path},
};

impl Query {
    /// The path or the call as it is written.
    pub(crate) fn text(&self) -> &str {
        match &self.source {
            Source::Path(path) => &path.text,
            Source::Call(call) => &call.text,
        }
    }
}

impl Scope<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Result<Value, Failure> {
        match (&query.source, &query.field) {
            (Source::Call(call), _) => self.call(call),
            (Source::Path(path), None) => self.path(path),
            (Source::Path(path), Some(field)) => self.select(path).map_err(|_| {
                Failure::runtime(format!(
                    "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{}'",
                    path.text, self.root
                ))
            }),
        }
    }

    fn select(&self, path: &Path) -> Result<Value, NothingThere> {
        match &path.base {
            Base::Root => path.select(&self.root),
            Base::Context => path.select(&self.context),
            Base::Variable(name) => match (self.variable)(name) {
                Some(value) => path.select(&value),
                None => Err(NothingThere {
                    reason: format!("There is no variable {name}"),
                }),
            },
        }
    }

    /// What a path selects, where AWS names only the path when that is nothing.
    pub(crate) fn path(&self, path: &Path) -> Result<Value, Failure> {
        self.select(path)
            .map_err(|nothing| Failure::runtime(format!("Invalid path '{}' : {}", path.text, nothing.reason)))
    }

    fn call(&mut self, call: &Call) -> Result<Value, Failure> {
        let mut values = Vec::new();
        for argument in &call.arguments {
            values.push(match argument {
                Argument::Value(value) => value.clone(),
                Argument::Text(text) if call.is_template(values.len()) => Value::from(text.as_str()),
                Argument::Text(text) => Value::from(unescaped(text)),
                Argument::Call(call) => self.call(call)?,
                Argument::Path(path) => self.select(path).map_err(|_| {
                    Failure::runtime(format!(
                        "The JsonPath argument for the field '{}' could not be found in the input '{}'",
                        path.text, self.root
                    ))
                })?,
            });
        }
        call.function.apply(&values, self.random).map_err(|reason| {
            Failure::named(
                INTRINSIC_FAILURE,
                format!("The function '{}' had the following error: {reason}", call.text),
                Origin::Interpreter,
            )
        })
    }

    /// Whether the test of a Choice's rule holds.
    pub(crate) fn holds(&self, test: &Test) -> Result<bool, Failure> {
        match test {
            Test::And(tests) => {
                for test in tests {
                    if !self.holds(test)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Test::Or(tests) => {
                for test in tests {
                    if self.holds(test)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Not(test) => Ok(!self.holds(test)?),
            Test::Compare { variable, comparison } => self.compare(variable, comparison),
        }
    }

    fn compare(&self, variable: &Path, comparison: &Comparison) -> Result<bool, Failure> {
        if let Comparison::Is {
            what: What::Present,
            wanted,
        } = comparison
        {
            return Ok(self.select(variable).is_ok() == *wanted);
        }
        let value = self.tested(variable)?;
        Ok(match comparison {
            Comparison::Is { what, wanted } => what.holds(&value) == *wanted,
            Comparison::Matches(pattern) => value.as_str().is_some_and(|text| pattern.matches(text)),
            Comparison::Order { of, order, with } => match with {
                With::Value(operand) => order.holds(*of, &value, operand),
                With::Path(path) => order.holds(*of, &value, &self.tested(path)?),
            },
        })
    }

    fn tested(&self, path: &Path) -> Result<Value, Failure> {
        self.select(path).map_err(|_| {
            Failure::runtime(format!(
                "Invalid path '{}': The choice state's condition path references an invalid value.",
                path.text
            ))
        })
    }
}
