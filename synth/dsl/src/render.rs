//! Trees → text: YAML with the short intrinsic functions, JSON with the long ones.
//!
//! Rendering keeps the order of insertion everywhere, so the same tree gives the same bytes.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use synth_aws::{Intrinsic, Node, Object, Part, Target};

/// A tree that could not be written as text.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// YAML.
    #[error("cannot render the document as YAML: {0}")]
    Yaml(#[from] serde_yaml::Error),
    /// JSON.
    #[error("cannot render the document as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// YAML with `!Ref`, `!GetAtt`, `!Sub`.
pub(crate) fn yaml(node: &Node) -> Result<String, RenderError> {
    let quote = unused_character(node)?;
    let form = Form::Short { quote };
    Ok(serde_yaml::to_string(&Rendered { node, form })?.replace(quote, "'"))
}

/// Indented JSON with `Ref`, `Fn::GetAtt`, `Fn::Sub` and a newline at the end.
pub(crate) fn json(node: &Node) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(&Rendered { node, form: Form::Long })?;
    text.push('\n');
    Ok(text)
}

/// The tree with every intrinsic function replaced by the text that `Fn::Sub` would have for it: `${Sources.Arn}`.
pub(crate) fn flattened(node: &Node) -> Node {
    match node {
        Node::List(items) => Node::List(items.iter().map(flattened).collect()),
        Node::Object(object) => {
            let mut flat = Object::new();
            for entry in object.entries() {
                flat.set(entry.key.clone(), flattened(&entry.value));
            }
            flat.into()
        }
        Node::Intrinsic(intrinsic) => Node::from(shown(intrinsic)),
        other => other.clone(),
    }
}

/// An intrinsic function as text for people and validators.
pub(crate) fn shown(intrinsic: &Intrinsic) -> String {
    match intrinsic {
        Intrinsic::Sub(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.to_string(),
                Part::Value(node) => shown_node(node),
            })
            .collect(),
        Intrinsic::Ref(target) => format!("${{{}}}", name(target)),
        Intrinsic::GetAtt(target, attribute) => format!("${{{}.{attribute}}}", name(target)),
        Intrinsic::ImportValue(export) => format!("${{{}}}", shown_node(export)),
        Intrinsic::NoValue => "${AWS::NoValue}".to_owned(),
        Intrinsic::Condition(name) => name.clone(),
        Intrinsic::If(condition, then, otherwise) => {
            format!(
                "${{If {condition}: {} else {}}}",
                shown_node(then),
                shown_node(otherwise)
            )
        }
        other => {
            let operands: Vec<String> = other.operands().into_iter().map(shown_node).collect();
            format!("${{{}: {}}}", long_name(other), operands.join(", "))
        }
    }
}

/// Any node as text for people.
pub(crate) fn shown_node(node: &Node) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Integer(value) => value.to_string(),
        Node::Unsigned(value) => value.to_string(),
        Node::Number(value) => value.to_string(),
        Node::Text(text) => text.to_string(),
        Node::Intrinsic(intrinsic) => shown(intrinsic),
        Node::List(items) => items.iter().map(shown_node).collect::<Vec<_>>().join(", "),
        Node::Object(_) => serde_json::to_string(&Rendered { node, form: Form::Long }).unwrap_or_default(),
        Node::Invalid(fault) => fault.clone(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `!Ref`, and `quote` for the single quotes that the YAML library does not know it needs.
    Short { quote: char },
    /// `Ref`, `Fn::GetAtt`.
    Long,
}

struct Rendered<'a> {
    node: &'a Node,
    form: Form,
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = |node| Rendered { node, form: self.form };
        match self.node {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(value) => serializer.serialize_bool(*value),
            Node::Integer(value) => serializer.serialize_i64(*value),
            Node::Unsigned(value) => serializer.serialize_u64(*value),
            Node::Number(value) => serializer.serialize_f64(*value),
            Node::Text(text) => Text { text, form: self.form }.serialize(serializer),
            Node::List(items) => serializer.collect_seq(items.iter().map(inner)),
            Node::Object(object) => serializer.collect_map(object.entries().iter().map(|entry| {
                let key = Text {
                    text: &entry.key,
                    form: self.form,
                };
                (key, inner(&entry.value))
            })),
            Node::Invalid(fault) => Err(serde::ser::Error::custom(fault)),
            Node::Intrinsic(intrinsic) => {
                let call = Call {
                    intrinsic,
                    form: self.form,
                };
                match self.form {
                    Form::Short { .. } => call.short(serializer),
                    Form::Long => call.long(serializer),
                }
            }
        }
    }
}

/// Text that every parser takes for text: a value or a key.
struct Text<'a> {
    text: &'a str,
    form: Form,
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.form {
            Form::Short { quote } if is_ambiguous(self.text) => {
                serializer.collect_str(&format_args!("{quote}{}{quote}", self.text))
            }
            _ => serializer.serialize_str(self.text),
        }
    }
}

/// An intrinsic function with its arguments in the form that CloudFormation wants.
struct Call<'a> {
    intrinsic: &'a Intrinsic,
    form: Form,
}

impl Call<'_> {
    fn long<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(
            long_name(self.intrinsic),
            &Arguments {
                intrinsic: self.intrinsic,
                form: self.form,
            },
        )?;
        map.end()
    }

    fn short<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // YAML allows one tag a node, so a function of a single function needs the long form outside.
        let operand_is_tagged = match self.intrinsic {
            Intrinsic::ImportValue(node) | Intrinsic::Base64(node) | Intrinsic::GetAzs(node) => {
                matches!(node, Node::Intrinsic(_))
            }
            _ => false,
        };
        if operand_is_tagged {
            return self.long(serializer);
        }
        let long = long_name(self.intrinsic);
        let tag = long.strip_prefix("Fn::").unwrap_or(long);
        serializer.serialize_newtype_variant(
            "Fn",
            0,
            tag,
            &Arguments {
                intrinsic: self.intrinsic,
                form: self.form,
            },
        )
    }
}

struct Arguments<'a> {
    intrinsic: &'a Intrinsic,
    form: Form,
}

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = |node| Rendered { node, form: self.form };
        let text = |text| Text { text, form: self.form };
        match self.intrinsic {
            Intrinsic::Ref(target) => serializer.serialize_str(name(target)),
            Intrinsic::NoValue => serializer.serialize_str("AWS::NoValue"),
            Intrinsic::Condition(name) => serializer.serialize_str(name),
            Intrinsic::GetAtt(target, attribute) if self.form == Form::Long => {
                [name(target), attribute.as_ref()].serialize(serializer)
            }
            Intrinsic::GetAtt(target, attribute) => {
                serializer.collect_str(&format_args!("{}.{attribute}", name(target)))
            }
            Intrinsic::Sub(parts) => self.sub(parts, serializer),
            Intrinsic::Join(delimiter, list) | Intrinsic::Split(delimiter, list) => {
                (text(delimiter), inner(list)).serialize(serializer)
            }
            Intrinsic::Select(index, list) => (index, inner(list)).serialize(serializer),
            Intrinsic::If(condition, then, otherwise) => {
                (text(condition), inner(then), inner(otherwise)).serialize(serializer)
            }
            Intrinsic::FindInMap(map, top, second) => (text(map), inner(top), inner(second)).serialize(serializer),
            Intrinsic::ImportValue(node) | Intrinsic::Base64(node) | Intrinsic::GetAzs(node) => {
                inner(node).serialize(serializer)
            }
            Intrinsic::Equals(left, right) => (inner(left), inner(right)).serialize(serializer),
            Intrinsic::And(nodes) | Intrinsic::Or(nodes) => serializer.collect_seq(nodes.iter().map(inner)),
            Intrinsic::Not(node) => [inner(node)].serialize(serializer),
        }
    }
}

impl Arguments<'_> {
    /// `Ref` and `GetAtt` stand in the text as `${Name}` and `${Name.Attribute}`; other values are named beside it.
    fn sub<S: Serializer>(&self, parts: &[Part], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        let mut named: Vec<(String, &Node)> = Vec::new();
        let mut free = variables(parts);
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(&literal.replace("${", "${!")),
                Part::Value(Node::Intrinsic(intrinsic))
                    if matches!(**intrinsic, Intrinsic::Ref(_) | Intrinsic::GetAtt(..)) =>
                {
                    text.push_str(&shown(intrinsic));
                }
                Part::Value(node) => {
                    let variable = match named.iter().find(|(_, other)| *other == node) {
                        Some((variable, _)) => variable.clone(),
                        None => {
                            let variable = free.next().unwrap_or_default();
                            named.push((variable.clone(), node));
                            variable
                        }
                    };
                    text.push_str(&format!("${{{variable}}}"));
                }
            }
        }
        if named.is_empty() {
            return serializer.serialize_str(&text);
        }
        let mut list = serializer.serialize_seq(Some(2))?;
        list.serialize_element(&text)?;
        list.serialize_element(&Variables {
            named: &named,
            form: self.form,
        })?;
        list.end()
    }
}

/// Names for values beside the text: none that the text already refers to, since the names beside it come first.
fn variables(parts: &[Part]) -> impl Iterator<Item = String> {
    let taken: Vec<String> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Value(Node::Intrinsic(intrinsic)) => match &**intrinsic {
                Intrinsic::Ref(target) | Intrinsic::GetAtt(target, _) => Some(name(target).to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    (1_u32..)
        .map(|number| format!("Value{number}"))
        .filter(move |variable| !taken.contains(variable))
}

struct Variables<'a> {
    named: &'a [(String, &'a Node)],
    form: Form,
}

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.named
                .iter()
                .map(|(name, node)| (name, Rendered { node, form: self.form })),
        )
    }
}

const fn long_name(intrinsic: &Intrinsic) -> &'static str {
    match intrinsic {
        Intrinsic::Ref(_) | Intrinsic::NoValue => "Ref",
        Intrinsic::Condition(_) => "Condition",
        Intrinsic::GetAtt(..) => "Fn::GetAtt",
        Intrinsic::Sub(_) => "Fn::Sub",
        Intrinsic::Join(..) => "Fn::Join",
        Intrinsic::Select(..) => "Fn::Select",
        Intrinsic::Split(..) => "Fn::Split",
        Intrinsic::If(..) => "Fn::If",
        Intrinsic::ImportValue(_) => "Fn::ImportValue",
        Intrinsic::Base64(_) => "Fn::Base64",
        Intrinsic::GetAzs(_) => "Fn::GetAZs",
        Intrinsic::FindInMap(..) => "Fn::FindInMap",
        Intrinsic::Equals(..) => "Fn::Equals",
        Intrinsic::And(_) => "Fn::And",
        Intrinsic::Or(_) => "Fn::Or",
        Intrinsic::Not(_) => "Fn::Not",
    }
}

/// The name of a target. Synthesis has named every element; one that it could not name was reported as a fault.
fn name(target: &Target) -> &str {
    match target {
        Target::Named(name) => name,
        Target::Element(_) => "Unnamed",
    }
}

/// A character of the private use area that the document does not hold, to stand for a single quote until it is written.
fn unused_character(node: &Node) -> Result<char, RenderError> {
    let text = serde_json::to_string(&Rendered { node, form: Form::Long })?;
    Ok(('\u{E000}'..='\u{F8FF}')
        .find(|candidate| !text.contains(*candidate))
        .unwrap_or('\u{E000}'))
}

/// Whether a parser of YAML 1.1, which CloudFormation and CodeBuild have, would take the text for a boolean, a number, a date
/// or a mark of its own. `serde_yaml` writes for YAML 1.2, where these are plain text.
fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "=", "<<"];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Numbers, times and dates with all their marks; after a dot only fractions, a dot alone among them.
    let marks = match unsigned.chars().next() {
        Some('0'..='9') => "abcdefABCDEFxXoO:._+-tTzZ ",
        Some('.') => "._eE+-",
        _ => return WORDS.contains(&text.to_ascii_lowercase().as_str()),
    };
    text.chars()
        .all(|character| character.is_ascii_digit() || marks.contains(character))
        // The library quotes these by itself.
        && !(text.ends_with(' ') || text.contains(": "))
}
