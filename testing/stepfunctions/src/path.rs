//! JSONPath as the States Language has it: from the root `$`, the context object `$$` or a variable `$name`.
//!
//! What is not known here is refused when the path is parsed: functions such as `.length()`, regular expressions and set operators in
//! filters, scripts.

mod filter;
mod parse;

use serde_json::Value;

use self::filter::Filter;

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) text: String,
    pub(crate) base: Base,
    pub(crate) steps: Vec<Step>,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// `$`: the input or the result.
    Root,
    /// `$$`: the context object.
    Context,
    /// `$name`: a workflow variable.
    Variable(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Names(Vec<String>),
    Index(i64),
    Indices(Vec<i64>),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        by: i64,
    },
    /// `.*` and `[*]`.
    All,
    /// `..`: the value and everything below it.
    Descend,
    Filter(Filter),
}

/// Why a path selects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NothingThere {
    /// As AWS words it, after the path itself.
    pub(crate) reason: String,
}

impl Path {
    /// # Errors
    /// What is wrong with it, or not supported.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::path(text)
    }

    /// Whether it selects one value at most; any other selects a list of them.
    pub(crate) fn is_definite(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step, Step::Name(_) | Step::Index(_)))
    }

    /// The value that the path selects below `base`: a list of values unless the path is definite.
    pub(crate) fn select(&self, base: &Value) -> Result<Value, NothingThere> {
        if self.is_definite() {
            return self.one(base).cloned();
        }
        let mut values = vec![base];
        for step in &self.steps {
            values = values.into_iter().flat_map(|value| step.apply(value, base)).collect();
        }
        Ok(values.into_iter().cloned().collect())
    }

    fn one<'v>(&self, base: &'v Value) -> Result<&'v Value, NothingThere> {
        let mut value = base;
        let mut place = "$".to_owned();
        for (index, step) in self.steps.iter().enumerate() {
            place.push_str(&step.place());
            let last = index + 1 == self.steps.len();
            value = step.apply(value, base).into_iter().next().ok_or_else(|| NothingThere {
                reason: if last {
                    format!("No results for path: {place}")
                } else {
                    format!("Missing property in path {place}")
                },
            })?;
        }
        Ok(value)
    }
}

impl Step {
    fn place(&self) -> String {
        match self {
            Self::Name(name) => format!("['{name}']"),
            Self::Index(index) => format!("[{index}]"),
            _ => "[*]".to_owned(),
        }
    }

    /// What the step selects below a value; `root` is where the whole path began.
    fn apply<'v>(&self, value: &'v Value, root: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Name(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::Names(names), Value::Object(fields)) => names.iter().filter_map(|name| fields.get(name)).collect(),
            (Self::Index(index), Value::Array(items)) => at(items, *index).into_iter().collect(),
            (Self::Indices(indices), Value::Array(items)) => {
                indices.iter().filter_map(|index| at(items, *index)).collect()
            }
            (Self::Slice { from, to, by }, Value::Array(items)) => slice(items, *from, *to, *by),
            (Self::All, value) => children(value),
            (Self::Descend, value) => {
                let mut found = Vec::new();
                descend(value, &mut found);
                found
            }
            (Self::Filter(filter), Value::Array(items)) => {
                items.iter().filter(|item| filter.holds(item, root)).collect()
            }
            (Self::Filter(filter), Value::Object(_)) if filter.holds(value, root) => vec![value],
            _ => Vec::new(),
        }
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    items.get(position(items.len(), index)?)
}

/// An index from the start, or from the end when it is negative.
fn position(length: usize, index: i64) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

fn slice(items: &[Value], from: Option<i64>, to: Option<i64>, by: i64) -> Vec<&Value> {
    let bound = |index: Option<i64>, otherwise: usize| match index {
        None => otherwise,
        Some(index) => position(items.len(), index).unwrap_or(0).min(items.len()),
    };
    let (from, to) = (bound(from, 0), bound(to, items.len()));
    let by = usize::try_from(by).unwrap_or(1).max(1);
    items.get(from..to).unwrap_or_default().iter().step_by(by).collect()
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn descend<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    found.push(value);
    for child in children(value) {
        descend(child, found);
    }
}

#[cfg(test)]
mod tests;
