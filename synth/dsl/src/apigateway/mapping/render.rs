//! Documents and conditions → Velocity, as a sequence of text and CloudFormation's values.
//!
//! Invariants: literal text never holds a bare `$` or `#`, nor a backslash before a reference; a reference is never followed
//! by a character that Velocity would take for a part of it.

use synth_aws::{Node, Value};

use super::expression::{Expression, Header, Question};
use super::json::{Piece, Tree};

/// A template under construction.
#[derive(Default)]
pub(super) struct Writer {
    parts: Vec<Value<String>>,
    text: String,
    /// A reference that waits for what follows it.
    pending: Option<String>,
}

impl Writer {
    pub(super) fn finish(mut self) -> Value<String> {
        self.settle(None);
        self.parts.push(Value::from(self.text));
        Value::concatenation(self.parts)
    }

    pub(super) fn push(&mut self, text: &str) {
        if let Some(first) = text.chars().next() {
            self.settle(Some(first));
            self.text.push_str(text);
        }
    }

    fn reference(&mut self, velocity: String) {
        self.settle(Some('$'));
        self.pending = Some(velocity);
    }

    fn value(&mut self, node: Node) {
        // What the value begins with is known when CloudFormation deploys, so a reference before it is closed.
        self.settle(Some('a'));
        self.parts.push(Value::from(std::mem::take(&mut self.text)));
        self.parts.push(Value::from_node(node));
    }

    /// Writes the reference that waits, in braces if what follows could be taken for a part of it.
    fn settle(&mut self, next: Option<char>) {
        let Some(reference) = self.pending.take() else { return };
        let joins = next.is_some_and(|next| next.is_ascii_alphanumeric() || "_-.[(".contains(next));
        match joins {
            true => self.text.push_str(&format!("${{{reference}}}")),
            false => self.text.push_str(&format!("${reference}")),
        }
    }

    /// A document on lines of its own, indented by so many steps of two spaces.
    pub(super) fn document(&mut self, tree: &Tree, indent: usize) {
        let (open, close, count) = match tree {
            Tree::Object(entries) if !entries.is_empty() => ("{", "}", entries.len()),
            Tree::Array(items) if !items.is_empty() => ("[", "]", items.len()),
            _ => return self.compact(tree, 0),
        };
        self.push(open);
        for index in 0..count {
            self.push(if index == 0 { "\n" } else { ",\n" });
            self.push(&"  ".repeat(indent + 1));
            match tree {
                Tree::Object(entries) => {
                    self.literal_string(&entries[index].0, 0);
                    self.push(": ");
                    self.document(&entries[index].1, indent + 1);
                }
                Tree::Array(items) => self.document(&items[index], indent + 1),
                _ => {}
            }
        }
        self.push("\n");
        self.push(&"  ".repeat(indent));
        self.push(close);
    }

    /// A document on one line, within so many JSON strings.
    fn compact(&mut self, tree: &Tree, depth: usize) {
        match tree {
            Tree::Object(entries) => {
                self.push("{");
                for (index, (key, value)) in entries.iter().enumerate() {
                    self.push(if index == 0 { "" } else { "," });
                    self.literal_string(key, depth);
                    self.push(":");
                    self.compact(value, depth);
                }
                self.push("}");
            }
            Tree::Array(items) => {
                self.push("[");
                for (index, item) in items.iter().enumerate() {
                    self.push(if index == 0 { "" } else { "," });
                    self.compact(item, depth);
                }
                self.push("]");
            }
            Tree::Text(pieces) => self.string(pieces, depth),
            Tree::Plain(text) => self.push(text),
            Tree::Stringified(inner) => {
                self.quote(depth);
                self.compact(inner, depth + 1);
                self.quote(depth);
            }
            Tree::Input(expression) => self.expression(expression, depth),
        }
    }

    fn string(&mut self, pieces: &[Piece], depth: usize) {
        self.quote(depth);
        for piece in pieces {
            match piece {
                Piece::Literal(text) => self.push(&escaped(&plain(text), depth)),
                Piece::Expression(expression) => self.expression(expression, depth),
                Piece::Value(node) => self.value(node.clone()),
            }
        }
        self.quote(depth);
    }

    fn literal_string(&mut self, text: &str, depth: usize) {
        self.quote(depth);
        self.push(&escaped(&plain(text), depth));
        self.quote(depth);
    }

    fn quote(&mut self, depth: usize) {
        self.push(&escaped("\"", depth));
    }

    /// A reference, escaped once for every string around the one that it stands in. Base64 and ids need none.
    fn expression(&mut self, expression: &Expression, depth: usize) {
        let mut expression = expression.clone();
        if !needs_no_escape(&expression) {
            for _ in 0..depth {
                expression = Expression::Escaped(Box::new(expression));
            }
        }
        self.reference(expression.velocity());
    }
}

/// Whether the text holds neither quotes nor backslashes whatever the caller sent.
fn needs_no_escape(expression: &Expression) -> bool {
    match expression {
        Expression::Base64(_) | Expression::Context(_) => true,
        Expression::Named(_, inner, _) => needs_no_escape(inner),
        _ => false,
    }
}

/// Text as it stands in a JSON string, with what Velocity would take for its own written as code points.
fn plain(text: &str) -> String {
    let quoted = serde_json::Value::from(text.replace('\\', "\u{E000}")).to_string();
    quoted[1..quoted.len() - 1]
        .replace('\u{E000}', "\\u005c")
        .replace('$', "\\u0024")
        .replace('#', "\\u0023")
}

/// JSON text as it stands within so many JSON strings.
fn escaped(text: &str, depth: usize) -> String {
    let mut text = text.to_owned();
    for _ in 0..depth {
        text = text.replace('\\', "\\\\").replace('"', "\\\"");
    }
    text
}

/// Sets the headers' variables: empty, unless the request has the header in exactly one spelling.
///
/// What the loop learns is put into maps, since engines differ in whether a variable that a loop sets outlives it. `put` answers with
/// what was there before, which is never nothing: each name is in the maps from the start. `(?i)` compares ASCII letters alone, in no
/// language's way.
pub(super) fn headers(headers: &[Header]) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let names: Vec<String> = headers.iter().map(|header| header.lower_case()).collect();
    let map: Vec<String> = names.iter().map(|name| format!("'{name}': ''")).collect();
    let map = map.join(", ");
    let mut text = format!("#set($values = {{{map}}})\n#set($spellings = {{{map}}})\n");
    text += "#foreach($spelling in $input.params().header.keySet())\n";
    for name in &names {
        text += &format!(
            "#if($spelling.replaceAll('(?i)^{name}$', '') == '')\n\
             #set($before = $values.put('{name}', $input.params().header.get($spelling)))\n\
             #set($before = $spellings.put('{name}', \"$spellings.get('{name}')+\"))\n\
             #end\n"
        );
    }
    text += "#end\n";
    for (header, name) in headers.iter().zip(&names) {
        let variable = header.variable();
        text += &format!(
            "#set(${variable} = '')\n\
             #if($spellings.get('{name}') == '+')\n\
             #set(${variable} = $values.get('{name}'))\n\
             #end\n"
        );
    }
    text
}

/// A condition as it stands in an `#if`. A method is never called on what may be missing: engines differ in what they make
/// of that.
pub(super) fn condition(question: &Question) -> String {
    let guarded = |expression: &Expression, asked: &str| {
        let reference = expression.velocity();
        if expression.may_be_missing() {
            format!("${reference} && ${reference}{asked}")
        } else {
            format!("${reference}{asked}")
        }
    };
    match question {
        Question::LongerThan(expression, characters) => guarded(expression, &format!(".length() > {characters}")),
        Question::Contains(expression, text) => guarded(expression, &format!(".contains('{text}')")),
        Question::Is(expression, text) if text.is_empty() => {
            let reference = expression.velocity();
            format!("!(${reference} && ${reference} != '')")
        }
        Question::Is(expression, text) => format!("${} == '{text}'", expression.velocity()),
        Question::Not(inner) => format!("!({})", condition(inner)),
        Question::Both(left, right) => format!("({}) && ({})", condition(left), condition(right)),
        Question::Either(left, right) => format!("({}) || ({})", condition(left), condition(right)),
    }
}
