//! JSONata as Step Functions evaluates it: 2.0.6 without `$eval`, with six functions of its own, on the execution's clock and
//! randomness. The language itself is `jsonata-core`'s; what is newer than Step Functions' version is refused when it is parsed.

mod check;
mod functions;
mod memory;
mod wording;

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorOptions},
    parser,
    value::JValue,
};
use serde_json::{Map, Number, Value};

use crate::{Time, random::Random};

/// An evaluation that takes longer than this is taken for one that never ends, as AWS does. It is the only use of a real clock.
const PATIENCE_MILLISECONDS: u64 = 10_000;
/// How deep an expression may nest, as the engine counts: it has one level less than AWS, which takes 100. Measured on AWS are 100 terms of a
/// sum, 99 parentheses, brackets or `~>`, and 31 calls of a function that adds one to itself, see
/// <https://github.com/floci-io/floci/issues/2737>.
const MOST_LEVELS: usize = 99;

/// A parsed expression, without its `{% %}`.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    source: String,
    program: AstNode,
    variables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// What the variable `$states` may have in the place where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a catcher, where there is `$states.errorOutput`.
    Catcher,
    /// Anywhere else.
    Elsewhere,
}

/// What an expression can see.
pub(crate) struct Surroundings<'a> {
    pub(crate) states: &'a Value,
    /// Looks a workflow variable up.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<Value>,
    pub(crate) now: Time,
}

/// What an expression gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Evaluated {
    Value(Value),
    /// Nothing, which JSON cannot write.
    Undefined,
    /// A function or a regular expression, which JSON cannot write either.
    Function,
}

impl Expression {
    /// The expression that `text` is if it has the marks of one.
    pub(crate) fn marked(text: &str) -> Option<&str> {
        let inner = text.strip_prefix("{%")?.strip_suffix("%}")?;
        Some(inner.trim())
    }

    /// # Errors
    /// Everything that is wrong with the expression, or newer than what Step Functions evaluates.
    pub(crate) fn parse(source: &str, place: Place) -> Result<Self, Vec<String>> {
        let program = parser::parse(source)
            .map_err(|fault| vec![format!("{source:?} is not JSONata: {}", fault.display_message())])?;
        let mut findings = check::Findings::default();
        check::check(&program, place, &mut findings);
        if !findings.faults.is_empty() {
            return Err(findings
                .faults
                .iter()
                .map(|fault| format!("{source:?}: {fault}"))
                .collect());
        }
        Ok(Self {
            source: source.to_owned(),
            program: memory::counted(program),
            variables: findings.variables,
            functions: findings.functions,
        })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// # Errors
    /// What JSONata says is wrong.
    pub(crate) fn evaluate(&self, surroundings: &Surroundings<'_>, random: &mut Random) -> Result<Evaluated, String> {
        // The same value, digit for digit: JSONata has no integers beyond 2^53.
        if let AstNode::Variable(name) = &self.program
            && name != "states"
        {
            return Ok((surroundings.variable)(name).map_or(Evaluated::Undefined, Evaluated::Value));
        }
        let mut context = Context::new();
        for name in &self.variables {
            if name == "states" {
                context.bind(name.clone(), JValue::from(surroundings.states.clone()));
            } else if let Some(value) = (surroundings.variable)(name) {
                context.bind(name.clone(), JValue::from(value));
            }
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(PATIENCE_MILLISECONDS),
            max_stack_depth: Some(MOST_LEVELS),
            max_sequence_length: Some(memory::MOST_NUMBERS),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let shared = Rc::new(RefCell::new(random.clone()));
        functions::register(&mut evaluator, surroundings.now, &shared).map_err(|fault| fault.message().to_owned())?;
        memory::register(&mut evaluator).map_err(|fault| fault.message().to_owned())?;
        let result = evaluator.evaluate(&self.program, &JValue::Undefined);
        *random = shared.borrow().clone();
        match result {
            Ok(value) if memory::size(&value) > memory::MOST_BYTES => Err(memory::EXCEEDED.to_owned()),
            Ok(value) => Ok(value_of(&value)),
            Err(fault) => Err(wording::of(fault.message(), &self.functions)),
        }
    }
}

fn value_of(value: &JValue) -> Evaluated {
    match value {
        JValue::Undefined => Evaluated::Undefined,
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Evaluated::Function,
        value => Evaluated::Value(json_of(value)),
    }
}

fn json_of(value: &JValue) -> Value {
    match value {
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => number_of(*number),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => Value::Array(items.iter().map(json_of).collect()),
        JValue::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(_, value)| !matches!(value, JValue::Undefined))
                .map(|(name, value)| (name.clone(), json_of(value)))
                .collect::<Map<String, Value>>(),
        ),
        // Within a value a function is written as an empty text, as JSONata's `$string` does.
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Value::String(String::new()),
        JValue::Null | JValue::Undefined => Value::Null,
    }
}

/// A whole number without a fraction, as AWS writes it; what JSON has no number for by its name.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole and within 64 bits, as just compared"
)]
fn number_of(number: f64) -> Value {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && (-BOUND..BOUND).contains(&number) {
        return Value::from(number as i64);
    }
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::from("NaN"),
        None if number > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    }
}

#[cfg(test)]
mod tests;
