//! Intrinsic functions: `States.Format('{} items', $.count)`, parsed. What they do is in [`functions`].

pub(crate) mod functions;

use serde_json::Value;

use crate::path::Path;

/// What a backslash may stand before in a text, see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>.
const ESCAPABLE: [char; 4] = ['\'', '{', '}', '\\'];

/// A call of an intrinsic function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) text: String,
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Value(Value),
    /// A text in quotes as it is written, with its backslashes: `States.Format` tells `\{` from `{`, all others read it without.
    Text(String),
    Path(Path),
    Call(Call),
}

/// The functions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

impl Function {
    /// The function of a name, with how many arguments it takes at least and at most.
    fn named(name: &str) -> Option<(Self, usize, usize)> {
        Some(match name {
            "Array" => (Self::Array, 0, usize::MAX),
            "ArrayContains" => (Self::ArrayContains, 2, 2),
            "ArrayGetItem" => (Self::ArrayGetItem, 2, 2),
            "ArrayLength" => (Self::ArrayLength, 1, 1),
            "ArrayPartition" => (Self::ArrayPartition, 2, 2),
            "ArrayRange" => (Self::ArrayRange, 3, 3),
            "ArrayUnique" => (Self::ArrayUnique, 1, 1),
            "Base64Decode" => (Self::Base64Decode, 1, 1),
            "Base64Encode" => (Self::Base64Encode, 1, 1),
            "Format" => (Self::Format, 1, usize::MAX),
            "Hash" => (Self::Hash, 2, 2),
            "JsonMerge" => (Self::JsonMerge, 3, 3),
            "JsonToString" => (Self::JsonToString, 1, 1),
            "MathAdd" => (Self::MathAdd, 2, 2),
            "MathRandom" => (Self::MathRandom, 2, 3),
            "StringSplit" => (Self::StringSplit, 2, 2),
            "StringToJson" => (Self::StringToJson, 1, 1),
            "UUID" => (Self::Uuid, 0, 0),
            _ => return None,
        })
    }
}

impl Call {
    /// Whether the argument at `index` is the template of `States.Format`, which reads its own escapes.
    pub(crate) fn is_template(&self, index: usize) -> bool {
        self.function == Function::Format && index == 0
    }

    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (call, rest) = call(text)?;
        if rest.trim().is_empty() {
            Ok(call)
        } else {
            Err(format!("{rest:?} stands behind the function"))
        }
    }
}

fn call(text: &str) -> Result<(Call, &str), String> {
    let (name, mut rest) = text
        .strip_prefix("States.")
        .and_then(|after| after.split_once('('))
        .ok_or_else(|| format!("{text:?} is no call of a function such as States.Array(…)"))?;
    let (function, least, most) =
        Function::named(name.trim()).ok_or_else(|| format!("there is no function States.{}", name.trim()))?;
    let mut arguments = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            rest = after;
            break;
        }
        if !arguments.is_empty() {
            rest = rest
                .strip_prefix(',')
                .ok_or_else(|| format!("a comma is due before {rest:?}"))?
                .trim_start();
        }
        let (argument, after) = argument(rest)?;
        arguments.push(argument);
        rest = after;
    }
    if !(least..=most).contains(&arguments.len()) {
        return Err(format!(
            "States.{} does not take {} arguments",
            name.trim(),
            arguments.len()
        ));
    }
    let text = text[..text.len() - rest.len()].to_owned();
    Ok((
        Call {
            text,
            function,
            arguments,
        },
        rest,
    ))
}

fn argument(text: &str) -> Result<(Argument, &str), String> {
    if text.starts_with("States.") {
        let (call, rest) = call(text)?;
        return Ok((Argument::Call(call), rest));
    }
    if let Some(after) = text.strip_prefix('\'') {
        let (literal, rest) = literal(after)?;
        return Ok((Argument::Text(literal), rest));
    }
    let (word, rest) = text.split_at(end(text));
    let word = word.trim_end();
    if word.starts_with('$') {
        return Ok((Argument::Path(Path::parse(word)?), rest));
    }
    match serde_json::from_str::<Value>(word) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok((Argument::Value(value), rest)),
        _ => Err(format!("{word:?} is neither a literal nor a path nor a function")),
    }
}

/// Where an argument without quotes of its own ends: before a comma or a parenthesis that is not within brackets.
fn end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '[' | '(' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ')' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

/// A text up to its closing quote, as it is written.
fn literal(text: &str) -> Result<(String, &str), String> {
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped && !ESCAPABLE.contains(&character) => {
                return Err(format!(
                    "\\{character} in '{text} is no escape; allowed are \\', \\{{, \\}} and \\\\"
                ));
            }
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Ok((text[..index].to_owned(), &text[index + 1..])),
            _ => {}
        }
    }
    Err(format!("the text '{text} has no end"))
}

/// A text without the backslashes that only mark what follows them.
pub(crate) fn unescaped(text: &str) -> String {
    let mut read = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => read.extend(characters.next()),
            _ => read.push(character),
        }
    }
    read
}

#[cfg(test)]
mod tests;
