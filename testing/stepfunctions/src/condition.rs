//! The comparisons of a Choice whose query language is JSONPath. What a comparison has to do with another type does not hold.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{Time, path::Path};

/// What a rule tests.
#[derive(Debug)]
pub(crate) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare { variable: Path, comparison: Comparison },
}

#[derive(Debug)]
pub(crate) enum Comparison {
    Is { what: What, wanted: bool },
    Order { of: Of, order: Order, with: With },
    Matches(Pattern),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Present,
    Null,
    String,
    Numeric,
    Boolean,
    Timestamp,
}

/// The type that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    String,
    Numeric,
    Boolean,
    Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

/// What the variable is compared with.
#[derive(Debug)]
pub(crate) enum With {
    Value(Value),
    /// The value that a path selects, as the operators that end in `Path` have it.
    Path(Path),
}

impl What {
    /// Whether the value is what the operator says.
    pub(crate) fn holds(self, value: &Value) -> bool {
        match self {
            Self::Present => true,
            Self::Null => value.is_null(),
            Self::String => value.is_string(),
            Self::Numeric => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => timestamp(value).is_some(),
        }
    }
}

impl Of {
    /// Whether a literal operand is of the type.
    pub(crate) fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Numeric => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => timestamp(value).is_some(),
        }
    }

    fn compare(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            // As Java does, by UTF-16 units.
            Self::String => Some(left.as_str()?.encode_utf16().cmp(right.as_str()?.encode_utf16())),
            Self::Numeric => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
            },
            Self::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Self::Timestamp => Some(timestamp(left)?.cmp(&timestamp(right)?)),
        }
    }
}

impl Order {
    pub(crate) fn holds(self, of: Of, left: &Value, right: &Value) -> bool {
        let Some(order) = of.compare(left, right) else {
            return false;
        };
        match self {
            Self::Equals => order.is_eq(),
            Self::LessThan => order.is_lt(),
            Self::GreaterThan => order.is_gt(),
            Self::LessThanEquals => order.is_le(),
            Self::GreaterThanEquals => order.is_ge(),
        }
    }
}

fn timestamp(value: &Value) -> Option<Time> {
    value.as_str()?.parse().ok()
}

/// The pattern of `StringMatches`: `*` stands for any characters, also none, unless a backslash is before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The texts around the wildcards: one more than there are wildcards.
    parts: Vec<String>,
}

impl Pattern {
    /// # Errors
    /// When a backslash stands before anything but a wildcard or a backslash.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' => {
                    parts.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => escaped,
                    _ => return Err(format!("{text:?}: a backslash stands only before * and \\")),
                },
                other => other,
            };
            if let Some(part) = parts.last_mut() {
                part.push(literal);
            }
        }
        Ok(Self { parts })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else {
            return text.is_empty();
        };
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let inner = text
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut inner) = inner else { return false };
        for part in middle {
            let Some(place) = inner.find(part.as_str()) else {
                return false;
            };
            inner = &inner[place + part.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_wildcard_stands_for_any_characters() {
        assert!(matches("log-*.txt", "log-2026.txt"));
        assert!(matches("log-*.txt", "log-.txt"));
        assert!(!matches("log-*.txt", "log-2026.txt.bak"));
        assert!(matches("*", ""));
        assert!(matches("*a*b*", "xxaxxbxx"));
        assert!(!matches("*a*b*", "xxbxxaxx"));
        assert!(!matches("aa*aa", "aaa"));
        assert!(matches("plain", "plain"));
    }

    #[test]
    fn a_backslash_takes_the_wildcards_meaning() {
        assert!(matches(r"a\*b", "a*b"));
        assert!(!matches(r"a\*b", "axb"));
        assert!(matches(r"a\\*", r"a\x"));
        assert!(Pattern::parse(r"a\b").is_err());
    }
}
