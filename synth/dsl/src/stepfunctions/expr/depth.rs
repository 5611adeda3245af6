//! How deep an expression nests when it is evaluated: Step Functions takes a hundred levels.

use serde_json::Value as Json;

use super::ast::{Ast, Root};
use super::text::CONDITIONAL;

/// The most levels that an expression may nest, as measured on AWS: see <https://github.com/floci-io/floci/issues/2737>.
pub(crate) const MOST_LEVELS: usize = 100;

impl Ast {
    /// The levels of the expression as it is written.
    pub(crate) fn levels(&self) -> usize {
        self.present_levels(0)
    }

    /// As [`Ast::jsonata`] writes what may be absent: a condition on `$exists`.
    fn present_levels(&self, least: u8) -> usize {
        if !self.may_be_absent() {
            return self.written_levels(least);
        }
        let exists = 1 + self.written_levels(0);
        usize::from(CONDITIONAL < least) + 1 + exists.max(self.written_levels(CONDITIONAL + 1))
    }

    /// The levels where operators of at least the binding power `least` are due; parentheses are a level.
    fn written_levels(&self, least: u8) -> usize {
        match self {
            Self::Literal(value) => literal_levels(value),
            Self::Invalid(_) | Self::Variable(_) => 1,
            Self::Root(
                Root::Input(_) | Root::Result(_) | Root::Payload(_) | Root::ErrorOutput(_) | Root::Context(_),
            ) => 2,
            // Written as a call of `$lookup`.
            Self::Field { base, name, .. } if name.contains('`') => 1 + base.written_levels(0),
            Self::Field { .. } | Self::Index { .. } => 1 + self.origin().written_levels(100),
            Self::Call { arguments, .. } => 1 + deepest(arguments.iter().map(|argument| argument.written_levels(0))),
            Self::Binary { operator, left, right } => {
                let power = operator.precedence();
                let parts = left.written_levels(power).max(right.written_levels(power + 1));
                usize::from(power < least) + 1 + parts
            }
            Self::Conditional { test, then, otherwise } => {
                let below = CONDITIONAL + 1;
                let branches = then.present_levels(below).max(otherwise.present_levels(below));
                usize::from(CONDITIONAL < least) + 1 + test.written_levels(below).max(branches)
            }
            Self::Object { entries, .. } => 1 + deepest(entries.iter().map(|(_, value)| value.present_levels(0))),
            Self::List { items, of_lists } => {
                usize::from(*of_lists) + 1 + deepest(items.iter().map(|item| item.present_levels(0)))
            }
        }
    }

    /// What a path of fields and indices starts from: its steps are beside each other, not within.
    fn origin(&self) -> &Self {
        let mut origin = self;
        while let Self::Field { base, .. } | Self::Index { base, .. } = origin {
            if matches!(origin, Self::Field { name, .. } if name.contains('`')) {
                break;
            }
            origin = base;
        }
        origin
    }
}

fn literal_levels(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + deepest(items.iter().map(literal_levels)),
        Json::Object(entries) => 1 + deepest(entries.values().map(literal_levels)),
        // A negative number is written in parentheses.
        Json::Number(number) => 1 + usize::from(number.to_string().starts_with('-')),
        _ => 1,
    }
}

fn deepest(levels: impl Iterator<Item = usize>) -> usize {
    levels.max().unwrap_or(0)
}
