//! Reads JSON declarations and collects what is wrong with them. Knows no pipeline and no build.

use std::cell::RefCell;

use serde_json::Value;

use crate::fault::{Fault, Faults};

/// How the document writes the names of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// As CloudFormation does: `RoleArn`.
    Pascal,
    /// As the API does: `roleArn`.
    Camel,
    /// As they are asked for.
    Exact,
}

/// The faults that were found so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    faults: RefCell<Vec<Fault>>,
}

impl Notes {
    pub(crate) fn add(&self, path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.faults.borrow_mut().push(Fault {
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// The value if nothing was wrong.
    pub(crate) fn conclude<T>(self, document: impl Into<String>, value: Option<T>) -> Result<T, Faults> {
        let faults = self.faults.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(Faults {
                document: document.into(),
                faults,
            }),
        }
    }
}

/// One value of the document and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: String,
    case: Case,
    notes: &'a Notes,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value, case: Case, notes: &'a Notes) -> Self {
        Self {
            value,
            path: String::new(),
            case,
            notes,
        }
    }

    pub(crate) fn fault(&self, message: impl Into<String>, help: impl Into<String>) {
        let path = if self.path.is_empty() { "(root)" } else { &self.path };
        self.notes.add(path, message, help);
    }

    /// The member's place, whether it is there or not.
    pub(crate) fn place(&self, name: &str) -> String {
        let name = self.written(name);
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn written(&self, name: &str) -> String {
        match self.case {
            Case::Camel => {
                let mut letters = name.chars();
                letters
                    .next()
                    .map(|first| first.to_lowercase().chain(letters).collect())
                    .unwrap_or_default()
            }
            Case::Pascal | Case::Exact => name.to_owned(),
        }
    }

    /// Refuses members that are not in the list.
    pub(crate) fn only(&self, allowed: &[&str]) {
        let Some(members) = self.value.as_object() else {
            self.fault(
                format!("is {}, an object is due", self.value),
                "write an object with named members",
            );
            return;
        };
        for name in members.keys() {
            if !allowed.iter().any(|allowed| self.written(allowed) == *name) {
                let known: Vec<String> = allowed.iter().map(|name| self.written(name)).collect();
                self.notes.add(
                    self.place(name),
                    "is unknown or not supported here",
                    format!("leave it out; known are {}", known.join(", ")),
                );
            }
        }
    }

    /// A member that is there and is not null.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(self.written(name))?;
        (!value.is_null()).then(|| Self {
            value,
            path: self.place(name),
            case: self.case,
            notes: self.notes,
        })
    }

    /// A member that must be there.
    pub(crate) fn need(&self, name: &str) -> Option<Self> {
        let found = self.get(name);
        if found.is_none() {
            self.notes
                .add(self.place(name), "is missing", format!("set {}", self.written(name)));
        }
        found
    }

    /// The same value, whose members are written as they are asked for.
    pub(crate) fn exact(mut self) -> Self {
        self.case = Case::Exact;
        self
    }

    /// Text; numbers and booleans count, as CloudFormation takes them for text.
    pub(crate) fn text(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Object(members) if members.keys().any(|name| name == "Ref" || name.starts_with("Fn::")) => {
                self.fault(
                    format!("is the function {}, a value is due", self.value),
                    "resolve intrinsic functions first",
                );
                None
            }
            other => {
                self.fault(format!("is {other}, text is due"), "write text");
                None
            }
        }
    }

    pub(crate) fn integer(&self, least: i64, most: i64) -> Option<i64> {
        let number = self
            .value
            .as_i64()
            .or_else(|| self.value.as_str().and_then(|text| text.parse().ok()));
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.fault(
                    format!("is {}, allowed is {least} to {most}", self.value),
                    "write a whole number in that range",
                );
                None
            }
        }
    }

    /// `true` and `false`, and what YAML writes for them.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) if matches!(text.as_str(), "true" | "yes") => Some(true),
            Value::String(text) if matches!(text.as_str(), "false" | "no") => Some(false),
            other => {
                self.fault(format!("is {other}, allowed are true and false"), "write true or false");
                None
            }
        }
    }

    /// The text if it is one of these.
    pub(crate) fn one_of(&self, allowed: &[&str]) -> Option<String> {
        let text = self.text()?;
        if allowed.contains(&text.as_str()) {
            return Some(text);
        }
        self.fault(
            format!("is `{text}`, supported is {}", allowed.join(", ")),
            format!("write {}", allowed.join(" or ")),
        );
        None
    }

    /// The items of a list; empty with a fault if it is none.
    pub(crate) fn list(&self) -> Vec<Self> {
        let Some(items) = self.value.as_array() else {
            self.fault(format!("is {}, a list is due", self.value), "write a list");
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(place, value)| Self {
                value,
                path: format!("{}[{place}]", self.path),
                case: self.case,
                notes: self.notes,
            })
            .collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().filter_map(Self::text).collect()
    }

    /// The members of an object by name, in order; empty with a fault if it is none.
    pub(crate) fn members(&self) -> Vec<(String, Self)> {
        let Some(members) = self.value.as_object() else {
            self.fault(format!("is {}, an object is due", self.value), "write an object");
            return Vec::new();
        };
        members
            .iter()
            .map(|(name, value)| {
                let path = if self.path.is_empty() {
                    name.clone()
                } else {
                    format!("{}.{name}", self.path)
                };
                let node = Self {
                    value,
                    path,
                    case: self.case,
                    notes: self.notes,
                };
                (name.clone(), node)
            })
            .collect()
    }
}
