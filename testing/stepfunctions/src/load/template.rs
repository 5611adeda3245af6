//! Documents with expressions in them, and `Assign`.

use serde_json::{Map, Value};

use super::{Language, Loader, Outer, under};
use crate::{
    definition::{Assign, Query, Source, Template},
    intrinsic::Call,
    jsonata::{Expression, Place},
    path::Path,
};

impl Loader {
    /// A document of the state's query language; `None` when there are faults in it.
    pub(super) fn template(&mut self, value: &Value, at: &str, language: Language, place: Place) -> Option<Template> {
        match language {
            Language::Jsonata => self.jsonata(value, at, place),
            Language::JsonPath => self.json_path(value, at),
        }
    }

    fn json_path(&mut self, value: &Value, at: &str) -> Option<Template> {
        match value {
            Value::Array(items) => {
                let items: Vec<Option<Template>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.json_path(item, &format!("{at}[{index}]")))
                    .collect();
                let items = items.into_iter().collect::<Option<Vec<_>>>()?;
                Some(folded(value, Template::Array(items)))
            }
            Value::Object(fields) => {
                let fields: Vec<Option<(String, Template)>> = fields
                    .iter()
                    .map(|(name, value)| self.json_path_field(name, value, at))
                    .collect();
                let fields = fields.into_iter().collect::<Option<Vec<_>>>()?;
                Some(folded(value, Template::Object(fields)))
            }
            literal => Some(Template::Value(literal.clone())),
        }
    }

    /// A field whose name ends in `.$` has a query for its value.
    fn json_path_field(&mut self, name: &str, value: &Value, at: &str) -> Option<(String, Template)> {
        let place = under(at, name);
        match name.strip_suffix(".$") {
            None => Some((name.to_owned(), self.json_path(value, &place)?)),
            Some(bare) => {
                let query = self.query(value, &place, Some(name))?;
                Some((bare.to_owned(), Template::Query(query)))
            }
        }
    }

    /// A path or a call of an intrinsic function.
    pub(super) fn query(&mut self, value: &Value, at: &str, field: Option<&str>) -> Option<Query> {
        let source = match value.as_str() {
            Some(text) if text.starts_with("States.") => Call::parse(text).map(Source::Call),
            Some(text) => Path::parse(text).map(Source::Path),
            None => Err(format!("{value}: a path or an intrinsic function is due")),
        };
        match source {
            Ok(source) => Some(Query {
                source,
                field: field.map(str::to_owned),
            }),
            Err(fault) => {
                self.faults.add(at, fault);
                None
            }
        }
    }

    fn jsonata(&mut self, value: &Value, at: &str, place: Place) -> Option<Template> {
        match value {
            Value::String(text) => match Expression::marked(text) {
                None => Some(Template::Value(value.clone())),
                Some(source) => match Expression::parse(source, place) {
                    Ok(expression) => Some(Template::Jsonata(expression)),
                    Err(faults) => {
                        for fault in faults {
                            self.faults.add(at, fault);
                        }
                        None
                    }
                },
            },
            Value::Array(items) => {
                let items: Vec<Option<Template>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.jsonata(item, &format!("{at}[{index}]"), place))
                    .collect();
                let items = items.into_iter().collect::<Option<Vec<_>>>()?;
                Some(folded(value, Template::Array(items)))
            }
            Value::Object(fields) => {
                let fields: Vec<Option<(String, Template)>> = fields
                    .iter()
                    .map(|(name, value)| Some((name.clone(), self.jsonata(value, &under(at, name), place)?)))
                    .collect();
                let fields = fields.into_iter().collect::<Option<Vec<_>>>()?;
                Some(folded(value, Template::Object(fields)))
            }
            literal => Some(Template::Value(literal.clone())),
        }
    }

    /// The variables that a state, a rule or a catcher assigns.
    pub(super) fn assign(
        &mut self,
        fields: &Map<String, Value>,
        at: &str,
        language: Language,
        place: Place,
        outer: &Outer,
    ) -> Option<Assign> {
        let value = fields.get("Assign")?;
        let at = under(at, "Assign");
        let variables = self.object(value, &at)?;
        for name in variables.keys().map(|name| variable(name)) {
            let at = under(&at, name);
            if name == "states" || name.is_empty() || name.chars().count() > 80 {
                self.faults
                    .add(at, "a variable's name has 1 to 80 characters and is not \"states\"");
            } else if outer.iter().any(|outer| outer == name) {
                self.faults
                    .add(at, "a variable of this name is assigned outside of this branch");
            }
        }
        match self.template(value, &at, language, place)? {
            Template::Object(fields) => Some(fields),
            Template::Value(Value::Object(fields)) => Some(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Template::Value(value)))
                    .collect(),
            ),
            _ => None,
        }
    }
}

/// A variable's name as `Assign` writes it: JSONPath marks those whose value is a query.
fn variable(name: &str) -> &str {
    name.strip_suffix(".$").unwrap_or(name)
}

/// The value itself when no part of the template is an expression.
fn folded(value: &Value, template: Template) -> Template {
    let literal = |template: &Template| matches!(template, Template::Value(_));
    let plain = match &template {
        Template::Array(items) => items.iter().all(literal),
        Template::Object(fields) => fields.iter().all(|(_, template)| literal(template)),
        _ => false,
    };
    if plain {
        Template::Value(value.clone())
    } else {
        template
    }
}

/// All names that the states assign, in their rules and catchers too.
pub(super) fn assigned<'s>(states: impl Iterator<Item = &'s Value>) -> Vec<String> {
    let mut names = Vec::new();
    for state in states {
        let nested = ["Choices", "Catch"]
            .iter()
            .filter_map(|field| state[*field].as_array())
            .flatten();
        for assign in std::iter::once(state)
            .chain(nested)
            .filter_map(|one| one["Assign"].as_object())
        {
            names.extend(assign.keys().map(|name| variable(name).to_owned()));
        }
    }
    names
}
