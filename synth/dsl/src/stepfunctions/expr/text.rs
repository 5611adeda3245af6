//! Expression trees as JSONata text, with no more parentheses than JSONata needs.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::ast::{Ast, Operator, Root};

impl Root {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Input(_) => "$states.input".into(),
            Self::Result(_) => "$states.result".into(),
            Self::Payload(_) => "$states.result.Payload".into(),
            Self::ErrorOutput(_) => "$states.errorOutput".into(),
            Self::Context(path) => format!("$states.context.{path}").into(),
        }
    }
}

impl Operator {
    const fn text(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "&",
            Self::Multiply => "*",
        }
    }

    /// JSONata's binding powers; all operators bind to the left.
    pub(super) const fn precedence(self) -> u8 {
        match self {
            Self::Or => 25,
            Self::And => 30,
            Self::Equal | Self::NotEqual | Self::Less | Self::AtMost | Self::More | Self::AtLeast | Self::In => 40,
            Self::Add | Self::Subtract | Self::Concatenate => 50,
            Self::Multiply => 60,
        }
    }
}

/// The binding power of `test ? then : otherwise`.
pub(super) const CONDITIONAL: u8 = 20;

impl Ast {
    /// The expression as JSONata text, without the `{% %}`.
    pub(crate) fn jsonata(&self) -> String {
        let mut text = String::new();
        self.present(&mut text, 0);
        text
    }

    /// Writes an expression that gives null where the value is absent: JSONata fails a state on nothing at all.
    fn present(&self, out: &mut String, least: u8) {
        if !self.may_be_absent() {
            return self.write(out, least);
        }
        parenthesised(out, CONDITIONAL < least, |out| {
            out.push_str("$exists(");
            self.write(out, 0);
            out.push_str(") ? ");
            self.write(out, CONDITIONAL + 1);
            out.push_str(" : null");
        });
    }

    /// Writes the expression so that it may stand where operators of at least the binding power `least` are due.
    fn write(&self, out: &mut String, least: u8) {
        match self {
            Self::Literal(value) => literal(value, out),
            Self::Invalid(_) => out.push_str("null"),
            Self::Root(root) => out.push_str(&root.text()),
            Self::Variable(variable) => {
                out.push('$');
                out.push_str(&variable.name);
            }
            Self::Field { base, name, .. } => write_field(base, name, out),
            Self::Index { base, index, .. } => {
                base.write(out, 100);
                out.push_str(&format!("[{index}]"));
            }
            Self::Call {
                function, arguments, ..
            } => {
                out.push_str(function);
                out.push('(');
                separated(arguments, out, |argument, out| argument.write(out, 0));
                out.push(')');
            }
            Self::Binary { operator, left, right } => {
                let power = operator.precedence();
                parenthesised(out, power < least, |out| {
                    left.write(out, power);
                    out.push_str(&format!(" {} ", operator.text()));
                    right.write(out, power + 1);
                });
            }
            Self::Conditional { test, then, otherwise } => parenthesised(out, CONDITIONAL < least, |out| {
                test.write(out, CONDITIONAL + 1);
                out.push_str(" ? ");
                then.present(out, CONDITIONAL + 1);
                out.push_str(" : ");
                otherwise.present(out, CONDITIONAL + 1);
            }),
            Self::Object { entries, .. } => {
                out.push('{');
                separated(entries, out, |(name, value), out| {
                    text_literal(name, out);
                    out.push_str(": ");
                    value.present(out, 0);
                });
                out.push('}');
            }
            Self::List { items, of_lists } => write_list(items, *of_lists, out),
        }
    }
}

fn write_field(base: &Ast, name: &str, out: &mut String) {
    if name.contains('`') {
        out.push_str("$lookup(");
        base.write(out, 0);
        out.push_str(", ");
        text_literal(name, out);
        out.push(')');
        return;
    }
    base.write(out, 100);
    out.push('.');
    if is_plain_name(name) {
        out.push_str(name);
    } else {
        out.push_str(&format!("`{name}`"));
    }
}

fn write_list(items: &[Arc<Ast>], of_lists: bool, out: &mut String) {
    out.push('[');
    separated(items, out, |item, out| {
        // JSONata's constructor appends a list's items to the list under construction; a constructed one it nests.
        if of_lists && !matches!(**item, Ast::List { .. } | Ast::Literal(_)) {
            out.push('[');
            item.write(out, 0);
            out.push(']');
        } else {
            item.present(out, 0);
        }
    });
    out.push(']');
}

/// Whether a field's name may stand in a path without backticks.
fn is_plain_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !["and", "or", "in", "true", "false", "null", "function"].contains(&name)
}

fn parenthesised(out: &mut String, needed: bool, write: impl FnOnce(&mut String)) {
    if needed {
        out.push('(');
    }
    write(out);
    if needed {
        out.push(')');
    }
}

fn separated<T>(items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
}

fn literal(value: &Json, out: &mut String) {
    match value {
        Json::String(text) => text_literal(text, out),
        Json::Array(items) => {
            out.push('[');
            separated(items, out, literal);
            out.push(']');
        }
        Json::Object(entries) => {
            out.push('{');
            for (index, (name, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                text_literal(name, out);
                out.push_str(": ");
                literal(value, out);
            }
            out.push('}');
        }
        Json::Number(number) if number.to_string().starts_with('-') => out.push_str(&format!("({number})")),
        other => out.push_str(&other.to_string()),
    }
}

/// Writes a text literal. JSONata knows JSON's escapes and no `\'`, so text with an apostrophe stands in double quotes.
fn text_literal(text: &str, out: &mut String) {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    out.push(quote);
    let mut before = ' ';
    for letter in text.chars() {
        match letter {
            '"' if quote == '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // `{%` and `%}` delimit an expression in the States Language, whatever stands around them.
            '%' if before == '{' => out.push_str("\\u0025"),
            '}' if before == '%' => out.push_str("\\u007d"),
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
        before = letter;
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::super::ast::{Type, Variable};
    use super::*;

    fn number(value: i64) -> Arc<Ast> {
        Arc::new(Ast::Literal(value.into()))
    }

    fn binary(operator: Operator, left: Arc<Ast>, right: Arc<Ast>) -> Arc<Ast> {
        Arc::new(Ast::Binary { operator, left, right })
    }

    #[test]
    fn operators_are_parenthesised_only_where_jsonata_would_read_them_differently() {
        let sum = binary(Operator::Add, number(1), number(2));
        assert_eq!(
            binary(Operator::Multiply, sum.clone(), number(3)).jsonata(),
            "(1 + 2) * 3"
        );
        assert_eq!(binary(Operator::Add, sum.clone(), number(3)).jsonata(), "1 + 2 + 3");
        assert_eq!(
            binary(Operator::Subtract, number(3), sum.clone()).jsonata(),
            "3 - (1 + 2)"
        );
        assert_eq!(
            binary(Operator::Less, sum.clone(), number(-4)).jsonata(),
            "1 + 2 < (-4)"
        );
        let either = binary(Operator::Or, sum.clone(), sum);
        assert_eq!(
            binary(Operator::And, either, number(1)).jsonata(),
            "(1 + 2 or 1 + 2) and 1"
        );
    }

    #[test]
    fn text_is_escaped_as_jsonata_reads_it() {
        let text = |text: &str| Ast::Literal(text.into()).jsonata();
        assert_eq!(text("plain"), "'plain'");
        assert_eq!(text("it's \"so\""), r#""it's \"so\"""#);
        assert_eq!(text("a\\b\nc\u{1}"), r"'a\\b\nc\u0001'");
        assert_eq!(text("{% x %}"), r"'{\u0025 x %\u007d'");
    }

    #[test]
    fn names_that_are_no_identifiers_stand_in_backticks() {
        let field = |name| Ast::Field {
            base: Arc::new(Ast::Variable(Variable {
                name: "source".into(),
                kind: Type::of::<String>(),
            })),
            name,
            owner: Type::of::<String>(),
            kind: Type::of::<String>(),
            optional: false,
        };
        assert_eq!(field("sha").jsonata(), "$source.sha");
        assert_eq!(field("head-sha").jsonata(), "$source.`head-sha`");
        assert_eq!(field("in").jsonata(), "$source.`in`");
        assert_eq!(field("`").jsonata(), "$lookup($source, '`')");
    }
}
