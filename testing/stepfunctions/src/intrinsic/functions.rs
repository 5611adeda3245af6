//! What the intrinsic functions do with the values of their arguments.

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value, json};

use super::{ESCAPABLE, Function};
use crate::{hash, random::Random};

/// Base64 as Java's decoder reads it: the padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest array that `States.ArrayRange` makes.
const LONGEST_RANGE: i64 = 1_000;

impl Function {
    /// # Errors
    /// Why it has no value for these arguments.
    pub(crate) fn apply(self, arguments: &[Value], random: &mut Random) -> Result<Value, String> {
        match (self, arguments) {
            (Self::Array, items) => Ok(Value::Array(items.to_vec())),
            (Self::ArrayContains, [array, wanted]) => Ok(json!(list(array)?.contains(wanted))),
            (Self::ArrayGetItem, [array, index]) => item(list(array)?, index),
            (Self::ArrayLength, [array]) => Ok(json!(list(array)?.len())),
            (Self::ArrayPartition, [array, size]) => partition(list(array)?, whole(size)?),
            (Self::ArrayRange, [first, last, step]) => range(whole(first)?, whole(last)?, whole(step)?),
            (Self::ArrayUnique, [array]) => Ok(unique(list(array)?)),
            (Self::Base64Encode, [data]) => Ok(json!(BASE64.encode(text(data)?))),
            (Self::Base64Decode, [data]) => decode(text(data)?),
            (Self::Format, [template, values @ ..]) => format(text(template)?, values).map(Value::String),
            (Self::Hash, [data, algorithm]) => {
                let algorithm = text(algorithm)?;
                let hashed = hash::hex(text(data)?, algorithm);
                hashed
                    .map(Value::String)
                    .ok_or_else(|| format!("there is no algorithm {algorithm:?}"))
            }
            (Self::JsonMerge, [left, right, deep]) => merge(left, right, deep),
            (Self::JsonToString, [value]) => Ok(json!(value.to_string())),
            (Self::MathAdd, [left, right]) => Ok(json!(whole(left)?.saturating_add(whole(right)?))),
            (Self::MathRandom, [from, to]) => between(whole(from)?, whole(to)?, random),
            (Self::MathRandom, [from, to, seed]) => {
                let seed = whole(seed)?.cast_unsigned();
                between(whole(from)?, whole(to)?, &mut Random::new(seed))
            }
            (Self::StringSplit, [data, separators]) => Ok(split(text(data)?, text(separators)?)),
            (Self::StringToJson, [data]) => parse(text(data)?),
            (Self::Uuid, []) => Ok(json!(random.uuid())),
            _ => Err("the number of arguments is wrong".to_owned()),
        }
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("{value} is no array"))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

/// A whole number; a fraction is rounded, a half upwards, as Java does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Java's rounding saturates as this cast does"
)]
fn whole(value: &Value) -> Result<i64, String> {
    if let Some(whole) = value.as_i64() {
        return Ok(whole);
    }
    let number = value.as_f64().ok_or_else(|| format!("{value} is no number"))?;
    Ok((number + 0.5).floor() as i64)
}

fn item(items: &[Value], index: &Value) -> Result<Value, String> {
    let item = usize::try_from(whole(index)?).ok().and_then(|index| items.get(index));
    item.cloned()
        .ok_or_else(|| format!("the array of {} items has none at {index}", items.len()))
}

fn partition(items: &[Value], size: i64) -> Result<Value, String> {
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or("a chunk has at least one item")?;
    Ok(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect())
}

fn range(first: i64, last: i64, step: i64) -> Result<Value, String> {
    if step == 0 {
        return Err("a step of 0 never ends".to_owned());
    }
    let steps = last.saturating_sub(first) / step;
    let beyond = (last > first) != (step > 0) && last != first;
    if beyond {
        return Ok(json!([]));
    }
    if steps >= LONGEST_RANGE {
        return Err(format!("a range has at most {LONGEST_RANGE} items"));
    }
    Ok((0..=steps).map(|index| json!(first + index * step)).collect())
}

fn unique(items: &[Value]) -> Value {
    let mut unique: Vec<Value> = Vec::new();
    for item in items {
        if !unique.contains(item) {
            unique.push(item.clone());
        }
    }
    Value::Array(unique)
}

fn decode(data: &str) -> Result<Value, String> {
    let bytes = BASE64.decode(data).map_err(|error| error.to_string())?;
    Ok(Value::from(String::from_utf8_lossy(&bytes)))
}

fn merge(left: &Value, right: &Value, deep: &Value) -> Result<Value, String> {
    if *deep != Value::Bool(false) {
        return Err("only a shallow merge, with false as the third argument, is supported".to_owned());
    }
    let object = |value: &Value| match value {
        Value::Object(fields) => Ok(fields.clone()),
        other => Err(format!("{other} is no object")),
    };
    let mut merged: Map<String, Value> = object(left)?;
    merged.extend(object(right)?);
    Ok(Value::Object(merged))
}

fn between(from: i64, to: i64, random: &mut Random) -> Result<Value, String> {
    match u64::try_from(to.saturating_sub(from)) {
        Ok(span) if span > 0 => Ok(json!(from.saturating_add_unsigned(random.below(span)))),
        _ => Err(format!("there is no number from {from} up to {to}")),
    }
}

/// Split at each of the separators' characters; empty pieces are left out.
fn split(data: &str, separators: &str) -> Value {
    data.split(|character| separators.contains(character))
        .filter(|piece| !piece.is_empty())
        .map(Value::from)
        .collect()
}

fn parse(data: &str) -> Result<Value, String> {
    if data.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(data).map_err(|error| error.to_string())
}

/// The template with each `{}` replaced by the next value.
fn format(template: &str, values: &[Value]) -> Result<String, String> {
    let mut formatted = String::new();
    let mut values = values.iter();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek().is_some_and(|next| ESCAPABLE.contains(next)) => {
                formatted.extend(characters.next())
            }
            '{' if characters.peek() == Some(&'}') => {
                characters.next();
                let value = values.next().ok_or("there are more places than values")?;
                formatted.push_str(&java(value));
            }
            '{' => return Err("Invalid template in States.Format: matching '}' not found for '{'.".to_owned()),
            '}' => return Err("Invalid template in States.Format: matching '{' not found for '}'.".to_owned()),
            _ => formatted.push(character),
        }
    }
    if values.next().is_some() {
        return Err("there are more values than places".to_owned());
    }
    Ok(formatted)
}

/// A value as Java writes it: texts without quotes, `{a=1}` and `[1, 2]`.
fn java(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(java).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", java(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
