//! The functions that Step Functions adds to JSONata, and those whose answer depends on a clock or on chance.

use std::{cell::RefCell, rc::Rc};

use jsonata_core::{
    evaluator::{Context, Evaluator, EvaluatorError},
    parser,
    value::JValue,
};

use crate::{Time, hash, random::Random};

type Shared = Rc<RefCell<Random>>;
type Answer = Result<JValue, EvaluatorError>;

/// The longest array that `$range` makes on AWS.
const LONGEST_RANGE: f64 = 360_145.0;

pub(super) fn register(evaluator: &mut Evaluator, now: Time, random: &Shared) -> Result<(), EvaluatorError> {
    evaluator.register_fn_override("partition", partition)?;
    evaluator.register_fn_override("range", range)?;
    evaluator.register_fn_override("hash", hashed)?;
    evaluator.register_fn_override("parse", parse)?;
    evaluator.register_fn_override("eval", |_: &[JValue]| {
        Err(fault("T1006: Attempted to invoke a non-function".to_owned()))
    })?;
    let source = Rc::clone(random);
    evaluator.register_fn_override("uuid", move |_: &[JValue]| {
        Ok(JValue::string(source.borrow_mut().uuid()))
    })?;
    let source = Rc::clone(random);
    evaluator.register_fn_override("random", move |arguments: &[JValue]| random_number(arguments, &source))?;
    let source = Rc::clone(random);
    evaluator.register_fn_override("shuffle", move |arguments: &[JValue]| Ok(shuffle(arguments, &source)))?;
    evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(millis(now)))?;
    evaluator.register_fn_override("now", move |arguments: &[JValue]| written(now, arguments))
}

fn fault(message: String) -> EvaluatorError {
    EvaluatorError::EvaluationError(message)
}

#[expect(clippy::cast_precision_loss, reason = "a time in milliseconds is far below 2^53")]
fn millis(now: Time) -> JValue {
    JValue::from_f64(now.unix_millis() as f64)
}

/// The argument at `index`, `None` where it is missing or undefined.
fn given(arguments: &[JValue], index: usize) -> Option<&JValue> {
    arguments.get(index).filter(|value| !value.is_undefined())
}

/// A whole number; a fraction is cut off, towards zero.
fn whole(arguments: &[JValue], index: usize, function: &str) -> Result<Option<f64>, EvaluatorError> {
    match given(arguments, index) {
        None => Ok(None),
        Some(JValue::Number(number)) => Ok(Some(number.trunc())),
        Some(_) => Err(mismatch(index, function)),
    }
}

fn mismatch(index: usize, function: &str) -> EvaluatorError {
    fault(format!(
        "T0410: Argument {} of function \"{function}\" does not match function signature",
        index + 1
    ))
}

fn partition(arguments: &[JValue]) -> Answer {
    let size = whole(arguments, 1, "partition")?;
    let items = match given(arguments, 0) {
        None => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items.to_vec(),
        Some(single) => vec![single.clone()],
    };
    let Some(size) = size.filter(|size| *size >= 1.0).and_then(index_of) else {
        return Ok(JValue::Undefined);
    };
    if items.is_empty() {
        return Ok(JValue::Undefined);
    }
    Ok(JValue::array(
        items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect(),
    ))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive whole number below 2^53, as just compared"
)]
fn index_of(number: f64) -> Option<usize> {
    (0.0..9_007_199_254_740_992.0)
        .contains(&number)
        .then_some(number as usize)
}

fn range(arguments: &[JValue]) -> Answer {
    let start = whole(arguments, 0, "range")?;
    let end = whole(arguments, 1, "range")?;
    let step = whole(arguments, 2, "range")?;
    let (Some(start), Some(end), Some(step)) = (start, end, step) else {
        return Ok(JValue::Undefined);
    };
    let steps = ((end - start) / step).floor();
    if step == 0.0 || steps < 0.0 {
        return Ok(JValue::Undefined);
    }
    if steps >= LONGEST_RANGE {
        return Err(fault(super::memory::EXCEEDED.to_owned()));
    }
    let mut items = Vec::new();
    let mut next = start;
    while items.is_empty() || (step > 0.0 && next <= end) || (step < 0.0 && next >= end) {
        items.push(JValue::from_f64(next));
        next += step;
    }
    Ok(JValue::sequence(items))
}

fn hashed(arguments: &[JValue]) -> Answer {
    let (Some(data), Some(algorithm)) = (given(arguments, 0), given(arguments, 1)) else {
        return Ok(JValue::Undefined);
    };
    let data = data.as_str().ok_or_else(|| mismatch(0, "hash"))?;
    let algorithm = algorithm.as_str().ok_or_else(|| mismatch(1, "hash"))?;
    hash::hex(data, algorithm)
        .map(JValue::string)
        .ok_or_else(|| fault(format!("unsupported hash algorithm {algorithm:?}")))
}

fn parse(arguments: &[JValue]) -> Answer {
    let Some(text) = given(arguments, 0) else {
        return Ok(JValue::Undefined);
    };
    let text = text.as_str().ok_or_else(|| mismatch(0, "parse"))?;
    JValue::from_json_str(text).map_err(|error| fault(format!("the text is not JSON: {error}")))
}

fn random_number(arguments: &[JValue], source: &Shared) -> Answer {
    match whole(arguments, 0, "random")? {
        None => Ok(JValue::from_f64(source.borrow_mut().unit())),
        Some(seed) => Ok(JValue::from_f64(Random::new(seed_of(seed)).unit())),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Java's seed is the 64 bits of the number, negative or not"
)]
fn seed_of(number: f64) -> u64 {
    number as i64 as u64
}

fn shuffle(arguments: &[JValue], source: &Shared) -> JValue {
    match given(arguments, 0) {
        None => JValue::Undefined,
        Some(JValue::Array(items)) => {
            let mut items = items.to_vec();
            for last in (1..items.len()).rev() {
                let bound = u64::try_from(last + 1).unwrap_or(1);
                let other = usize::try_from(source.borrow_mut().below(bound)).unwrap_or(0);
                items.swap(last, other);
            }
            JValue::array(items)
        }
        Some(single) => JValue::array(vec![single.clone()]),
    }
}

/// `$now(picture, timezone)` is `$fromMillis` of the execution's own time.
fn written(now: Time, arguments: &[JValue]) -> Answer {
    let mut context = Context::new();
    context.bind("now".to_owned(), millis(now));
    for (name, index) in [("picture", 0), ("zone", 1)] {
        if let Some(value) = given(arguments, index) {
            context.bind(name.to_owned(), value.clone());
        }
    }
    let program = parser::parse("$fromMillis($now, $picture, $zone)").map_err(|error| fault(error.to_string()))?;
    Evaluator::with_context(context).evaluate(&program, &JValue::Undefined)
}
