//! Literal values against the registry's patterns, lengths and ranges.

use std::panic::Location;

use crate::facts::{Bounds, Shape, StructFacts, TextFacts};
use crate::node::{Node, Object};

/// A literal that the registry does not allow, or a property that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The property's path within the resource, such as `Code.S3Key` or `Rules[0].Id`.
    pub path: String,
    /// What is wrong with which value and what is allowed, as a lowercase clause.
    pub fault: String,
    /// The source line that set the property, or none where it was never set.
    pub set_at: Option<&'static Location<'static>>,
}

/// Checks an object against its facts and returns *all* findings.
///
/// Only literals can be checked: what an intrinsic function returns is known when CloudFormation deploys.
pub fn check(facts: &StructFacts, object: &Object) -> Vec<Finding> {
    let mut checker = Checker {
        findings: Vec::new(),
        set_at: None,
    };
    checker.object(facts, object, "");
    checker.findings
}

struct Checker {
    findings: Vec<Finding>,
    set_at: Option<&'static Location<'static>>,
}

impl Checker {
    fn object(&mut self, facts: &StructFacts, object: &Object, path: &str) {
        for entry in object.entries() {
            let path = join(path, &entry.key);
            let outer = self.set_at.replace(entry.set_at);
            match facts.property(&entry.key) {
                Some(property) => self.value(&property.shape, &entry.value, &path),
                None => self.report(&path, "is no property of this type".to_owned()),
            }
            self.set_at = outer;
        }
        for property in facts.properties.iter().filter(|property| property.required) {
            if object.get(property.name).is_none() {
                self.report(&join(path, property.name), "is required and was not set".to_owned());
            }
        }
    }

    fn value(&mut self, shape: &Shape, node: &Node, path: &str) {
        match (shape, node) {
            (_, Node::Invalid(fault)) => self.report(path, fault.clone()),
            (_, Node::Intrinsic(intrinsic)) => {
                for operand in intrinsic.operands() {
                    operand.walk(&mut |inner| {
                        if let Node::Invalid(fault) = inner {
                            self.report(path, fault.clone());
                        }
                    });
                }
            }
            (Shape::Text(facts), Node::Text(text)) => self.text(facts, text, path),
            (Shape::Integer(bounds) | Shape::Number(bounds), Node::Integer(value)) => {
                self.number(*bounds, *value as f64, path)
            }
            (Shape::Number(bounds), Node::Number(value)) => self.number(*bounds, *value, path),
            (Shape::List { of, count, unique }, Node::List(items)) => {
                self.count(*count, items.len(), "items", path);
                for (index, item) in items.iter().enumerate() {
                    self.value(of, item, &format!("{path}[{index}]"));
                    if *unique && items[..index].contains(item) {
                        let repeated = item
                            .as_text()
                            .map_or("an earlier item".to_owned(), |text| format!("{text:?}"));
                        self.report(
                            &format!("{path}[{index}]"),
                            format!("repeats {repeated}, allowed are items that differ"),
                        );
                    }
                }
            }
            (Shape::Map { of, count }, Node::Object(object)) => {
                self.count(*count, object.entries().len(), "entries", path);
                for entry in object.entries() {
                    self.value(of, &entry.value, &join(path, &entry.key));
                }
            }
            (Shape::Struct(facts), Node::Object(object)) => self.object(facts, object, path),
            (Shape::Json | Shape::Scalar, node) => {
                node.walk(&mut |inner| {
                    if let Node::Invalid(fault) = inner {
                        self.report(path, fault.clone());
                    }
                });
            }
            (Shape::Boolean, Node::Bool(_)) => {}
            (shape, node) => self.report(path, format!("is {}, allowed is {}", found(node), described(shape))),
        }
    }

    fn text(&mut self, facts: &TextFacts, text: &str, path: &str) {
        let length = text.chars().count();
        if !facts.length.contain(length as f64) {
            self.report(
                path,
                format!("{text:?} has {length} characters, allowed are {}", range(facts.length)),
            );
        }
        // A pattern that the engine cannot compile is the registry's mistake, not the author's. cfn-lint corrects some patterns
        // in Python's dialect, which writes the ends of the text as `\A` and `\Z`.
        let pattern = facts
            .pattern
            .map(|pattern| pattern.replace(r"\A", "^").replace(r"\Z", "$"));
        // Only with the flag are `\p{L}` and its like properties of Unicode, and not the letter p.
        let flags = pattern
            .as_deref()
            .filter(|pattern| pattern.contains(r"\p{"))
            .map_or("", |_| "u");
        if let Some(Ok(pattern)) = pattern
            .as_deref()
            .map(|pattern| regress::Regex::with_flags(pattern, flags))
            && pattern.find(text).is_none()
        {
            let allowed = facts.pattern.unwrap_or_default();
            self.report(path, format!("{text:?} does not match the allowed pattern {allowed}"));
        }
    }

    fn number(&mut self, bounds: Bounds, value: f64, path: &str) {
        if !bounds.contain(value) {
            self.report(path, format!("{value} is out of range, allowed are {}", range(bounds)));
        }
    }

    fn count(&mut self, bounds: Bounds, count: usize, what: &str, path: &str) {
        if !bounds.contain(count as f64) {
            self.report(path, format!("has {count} {what}, allowed are {}", range(bounds)));
        }
    }

    fn report(&mut self, path: &str, fault: String) {
        self.findings.push(Finding {
            path: path.to_owned(),
            fault,
            set_at: self.set_at,
        });
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn range(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any".to_owned(),
    }
}

const fn found(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Bool(_) => "true or false",
        Node::Integer(_) | Node::Unsigned(_) | Node::Number(_) => "a number",
        Node::Text(_) => "text",
        Node::List(_) => "a list",
        Node::Object(_) => "an object",
        Node::Intrinsic(_) | Node::Invalid(_) => "no literal",
    }
}

const fn described(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) => "text",
        Shape::Integer(_) => "a whole number",
        Shape::Number(_) => "a number",
        Shape::Boolean => "true or false",
        Shape::Scalar => "text, a number or a boolean",
        Shape::Json => "JSON",
        Shape::List { .. } => "a list",
        Shape::Map { .. } => "a map",
        Shape::Struct(_) => "an object",
    }
}
