//! How JSONPath shapes a state's input and output, and the fields that end in `Path`.

use serde_json::{Map, Value};

use super::{Language, Loader};
use crate::{
    definition::{Paths, Placed, Selected, Template},
    jsonata::Place,
    path::{Base, Path},
};

impl Loader {
    pub(super) fn paths(&mut self, fields: &Map<String, Value>, kind: &str) -> Paths {
        let template = |loader: &mut Self, name: &str| {
            let value = fields.get(name)?;
            loader.template(value, name, Language::JsonPath, Place::Elsewhere)
        };
        // A Map has the parameters of its items under this name.
        let parameters = if kind == "Map" {
            None
        } else {
            template(self, "Parameters")
        };
        Paths {
            input: self.selected(fields, "InputPath"),
            parameters,
            result: fields.get("Result").cloned(),
            selector: template(self, "ResultSelector"),
            placed: self.placed(fields, ""),
            output: self.selected(fields, "OutputPath"),
        }
    }

    fn selected(&mut self, fields: &Map<String, Value>, name: &str) -> Selected {
        match fields.get(name) {
            None => Selected::All,
            Some(Value::Null) => Selected::Nothing,
            Some(value) => {
                let path = self.path(value.as_str().unwrap_or_default(), name);
                path.map_or(Selected::All, Selected::Path)
            }
        }
    }

    /// `ResultPath` of a state or of a catcher.
    pub(super) fn placed(&mut self, fields: &Map<String, Value>, at: &str) -> Placed {
        let at = super::under(at, "ResultPath");
        match fields.get("ResultPath") {
            None => Placed::Whole,
            Some(Value::Null) => Placed::Dropped,
            Some(value) => match Path::parse(value.as_str().unwrap_or_default()) {
                Ok(path) if path.base == Base::Root && path.is_definite() => {
                    if path.steps.is_empty() {
                        Placed::Whole
                    } else {
                        Placed::At(path.steps)
                    }
                }
                _ => {
                    self.faults
                        .add(at, format!("{value}: a path of names and indices from $ on is due"));
                    Placed::Whole
                }
            },
        }
    }

    /// A field that may be a value or, with `Path` behind its name, a query for one.
    pub(super) fn or_path(
        &mut self,
        fields: &Map<String, Value>,
        name: &str,
        language: Language,
        named: bool,
    ) -> Option<Template> {
        let path_name = format!("{name}Path");
        let query = fields.get(&path_name);
        if query.is_some() && fields.contains_key(name) {
            self.faults.add(path_name.as_str(), format!("it excludes {name}"));
        }
        if let Some(value) = query {
            let query = self.query(value, &path_name, named.then_some(path_name.as_str()))?;
            return Some(Template::Query(query));
        }
        self.template(fields.get(name)?, name, language, Place::Elsewhere)
    }
}
