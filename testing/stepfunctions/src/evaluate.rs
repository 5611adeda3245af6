//! Documents with expressions become values, of either query language. Failures are worded as AWS words them, with the expression and its field.

mod json_path;
mod numbers;

use serde_json::{Map, Value};

use crate::{
    Time,
    definition::{Query, Template},
    failure::Failure,
    jsonata::{Evaluated, Expression, Surroundings},
    random::Random,
};

/// What the expressions of a state can see.
pub(crate) struct Scope<'a> {
    /// The value of `$states`, for JSONata.
    pub(crate) states: Value,
    /// What `$` is, for JSONPath.
    pub(crate) root: Value,
    /// What `$$` is, for JSONPath.
    pub(crate) context: Value,
    /// Looks a workflow variable up, in the state's own scope and those around it.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<Value>,
    pub(crate) now: Time,
    pub(crate) random: &'a mut Random,
}

impl Scope<'_> {
    /// The template's value. `at` is the field that it stands in.
    pub(crate) fn value(&mut self, template: &Template, at: &str) -> Result<Value, Failure> {
        match template {
            Template::Value(value) => Ok(value.clone()),
            Template::Jsonata(expression) => self.jsonata(expression, at),
            Template::Query(query) => self.query(query),
            Template::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.value(item, &format!("{at}[{index}]")))
                .collect(),
            Template::Object(fields) => fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), self.value(field, &format!("{at}/{name}"))?)))
                .collect::<Result<Map<String, Value>, Failure>>()
                .map(Value::Object),
        }
    }

    fn jsonata(&mut self, expression: &Expression, at: &str) -> Result<Value, Failure> {
        let surroundings = Surroundings {
            states: &self.states,
            variable: self.variable,
            now: self.now,
        };
        let sentence = |rest: &str| {
            Failure::query(
                at,
                format!(
                    "The JSONata expression '{}' specified for the field '{at}' {rest}",
                    expression.source()
                ),
            )
        };
        match expression.evaluate(&surroundings, self.random) {
            Ok(Evaluated::Value(value)) => Ok(value),
            Ok(Evaluated::Undefined) => Err(sentence("returned nothing (undefined).")),
            Ok(Evaluated::Function) => Err(sentence("returned an unexpected result type. Functions have no value.")),
            Err(message) => {
                // A message with a code, such as T2001, is a sentence of its own.
                let separator = if coded(&message) { "." } else { ":" };
                Err(sentence(&format!(
                    "threw an error during evaluation{separator} {message}"
                )))
            }
        }
    }

    /// The template's value, which must be of the type named `expected`.
    fn typed(&mut self, template: &Template, at: &str, expected: &'static str) -> Result<Value, Failure> {
        let value = self.value(template, at)?;
        if type_name(&value) == expected {
            return Ok(value);
        }
        Err(match template {
            Template::Jsonata(expression) => Failure::query(
                at,
                format!(
                    "The JSONata expression '{}' specified for the field '{at}' returned an unexpected result type. \
                     Expected '{expected}', but was '{}' for value: {value}",
                    expression.source(),
                    type_name(&value)
                ),
            ),
            Template::Query(query) if expected == "array" => {
                Failure::runtime(format!("Reference path \"{}\" must point to array.", query.text()))
            }
            Template::Query(query) => unfit(query, at, expected, &value),
            _ => Failure::query(at, format!("The field '{at}' must be of type '{expected}'.")),
        })
    }

    pub(crate) fn array(&mut self, template: &Template, at: &str) -> Result<Vec<Value>, Failure> {
        match self.typed(template, at, "array")? {
            Value::Array(items) => Ok(items),
            other => Ok(vec![other]),
        }
    }

    pub(crate) fn boolean(&mut self, template: &Template, at: &str) -> Result<bool, Failure> {
        Ok(self.typed(template, at, "boolean")? == Value::Bool(true))
    }

    pub(crate) fn text(&mut self, template: &Template, at: &str) -> Result<String, Failure> {
        Ok(self
            .typed(template, at, "string")?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// A number of seconds or of things: whole, and at least `least`.
    pub(crate) fn whole(&mut self, template: &Template, at: &str, least: u64) -> Result<u64, Failure> {
        let value = self.typed(template, at, "number")?;
        let whole = value.as_u64().filter(|number| (least..=99_999_999).contains(number));
        whole.ok_or_else(|| match template {
            Template::Query(query) => unfit(query, at, "whole number", &value),
            _ => Failure::query(
                at,
                format!("The field '{at}' must be a whole number from {least} to 99999999, but was {value}"),
            ),
        })
    }
}

/// A query gave something that its field cannot be.
pub(crate) fn unfit(query: &Query, field: &str, expected: &str, value: &Value) -> Failure {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::runtime(format!(
        "The {field}Path parameter does not reference a valid {expected}: {} == {value}",
        query.text()
    ))
}

/// The name that JSONata's `$type` has for the value's type.
pub(crate) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn coded(message: &str) -> bool {
    let bytes = message.as_bytes();
    bytes.len() > 5 && bytes[0].is_ascii_uppercase() && bytes[1..5].iter().all(u8::is_ascii_digit) && bytes[5] == b':'
}
