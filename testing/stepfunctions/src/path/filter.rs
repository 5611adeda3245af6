//! Filters: `?(@.price < 10 && @.title)`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Base, Path,
    parse::{Reader, steps},
};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    Either(Vec<Filter>),
    Both(Vec<Filter>),
    Not(Box<Filter>),
    There(Operand),
    Compared(Operand, Operator, Operand),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Value(Value),
    /// `@…`: below the item.
    Item(Path),
    /// `$…`: below the root.
    Root(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    pub(super) fn holds(&self, item: &Value, root: &Value) -> bool {
        match self {
            Self::Either(filters) => filters.iter().any(|filter| filter.holds(item, root)),
            Self::Both(filters) => filters.iter().all(|filter| filter.holds(item, root)),
            Self::Not(filter) => !filter.holds(item, root),
            Self::There(operand) => operand.value(item, root).is_some(),
            Self::Compared(left, operator, right) => {
                let (left, right) = (left.value(item, root), right.value(item, root));
                operator.holds(left.as_ref(), right.as_ref())
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Value, root: &Value) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Item(path) => path.select(item).ok(),
            Self::Root(path) => path.select(root).ok(),
        }
    }
}

impl Operator {
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let order = match (left, right) {
            (Some(left), Some(right)) => compare(left, right),
            (None, None) => Some(Ordering::Equal),
            _ => None,
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}

pub(super) fn either(reader: &mut Reader<'_>) -> Result<Filter, String> {
    joined(reader, "||", both, Filter::Either)
}

fn both(reader: &mut Reader<'_>) -> Result<Filter, String> {
    joined(reader, "&&", single, Filter::Both)
}

fn joined(
    reader: &mut Reader<'_>,
    mark: &str,
    read: impl Fn(&mut Reader<'_>) -> Result<Filter, String>,
    join: impl Fn(Vec<Filter>) -> Filter,
) -> Result<Filter, String> {
    let first = read(reader)?;
    let mut filters = Vec::new();
    loop {
        reader.skip_spaces();
        if !reader.eat(mark) {
            break;
        }
        filters.push(read(reader)?);
    }
    if filters.is_empty() {
        return Ok(first);
    }
    filters.insert(0, first);
    Ok(join(filters))
}

fn single(reader: &mut Reader<'_>) -> Result<Filter, String> {
    reader.skip_spaces();
    if reader.eat("!") {
        return Ok(Filter::Not(Box::new(single(reader)?)));
    }
    if reader.eat("(") {
        let inner = either(reader)?;
        reader.skip_spaces();
        reader.expect(")")?;
        return Ok(inner);
    }
    let left = operand(reader)?;
    reader.skip_spaces();
    let operator = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ]
    .into_iter()
    .find(|(mark, _)| reader.eat(mark));
    match operator {
        None => Ok(Filter::There(left)),
        Some((_, operator)) => Ok(Filter::Compared(left, operator, operand(reader)?)),
    }
}

fn operand(reader: &mut Reader<'_>) -> Result<Operand, String> {
    reader.skip_spaces();
    if let Some(text) = reader.quoted()? {
        return Ok(Operand::Value(Value::String(text)));
    }
    for (mark, make) in [("@", Operand::Item as fn(Path) -> Operand), ("$", Operand::Root)] {
        if reader.eat(mark) {
            return Ok(make(Path {
                text: String::new(),
                base: Base::Root,
                steps: steps(reader)?,
            }));
        }
    }
    let word = reader.take_while(|character| character.is_ascii_alphanumeric() || "+-._".contains(character));
    match serde_json::from_str::<Value>(word) {
        Ok(value) => Ok(Operand::Value(value)),
        Err(_) => Err(format!(
            "{word:?} before {:?} is not supported in a filter",
            reader.rest
        )),
    }
}
